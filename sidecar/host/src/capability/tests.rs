//! The linker and the table of known imports say the same.

use gear_module::{Grants, Needs, imports};
use wasmtime::{Engine, ExternType, ValType};

use super::*;
use crate::{clock::Clock, context::Shared, limits::Meter, log::Budget};

struct Nowhere;
impl crate::log::Sink for Nowhere {
    fn line(&self, _line: crate::log::Line<'_>) {}
}

fn context() -> Context {
    let second = std::time::Duration::from_secs(1);
    Context {
        shared: Shared { revision: "r1".into(), config: std::sync::Arc::default(), sink: std::sync::Arc::new(Nowhere) }
            .into(),
        clock: Clock::new(second, second).into(),
        meter: Meter::new(0),
        log: Budget::new(0),
        memory: None,
    }
}

fn known(ty: &ValType) -> gear_module::ValType {
    match ty {
        ValType::I32 => gear_module::ValType::I32,
        ValType::I64 => gear_module::ValType::I64,
        ValType::F64 => gear_module::ValType::F64,
        other => panic!("no import has a {other}"),
    }
}

#[test]
fn exactly_what_is_built_and_granted_is_linked_with_the_type_of_the_table() {
    let engine = Engine::default();
    for (allow_http, allow_kv) in [(false, false), (false, true), (true, false), (true, true)] {
        let grants = Grants { allow_http, allow_kv };
        let linker = linker(&engine, &grants).unwrap();
        let mut store = wasmtime::Store::new(&engine, context());
        let mut found: Vec<_> = linker
            .iter(&mut store)
            .map(|(module, name, item)| (module.to_owned(), name.to_owned(), item))
            .collect::<Vec<_>>()
            .into_iter()
            .map(|(module, name, item)| {
                let ExternType::Func(ty) = item.ty(&store) else { panic!("{module}.{name} is no function") };
                let params: Vec<_> = ty.params().map(|ty| known(&ty)).collect();
                let results: Vec<_> = ty.results().map(|ty| known(&ty)).collect();
                (module, name, params, results)
            })
            .collect();
        let mut wanted: Vec<_> = imports::known()
            .filter(|known| known.built && known.needs.met(&grants))
            .map(|k| (k.module.to_owned(), k.name.to_owned(), k.params.to_vec(), k.results.to_vec()))
            .collect();
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "{grants:?}");
    }
}

#[test]
fn nothing_that_needs_a_grant_is_built_in_this_release() {
    assert!(imports::known().all(|known| known.built == (known.needs == Needs::Nothing)));
}
