//! The compile bombs are what they are said to be, as far as that can be told without setting them off.

use guest_fixtures::wasm;
use wasmtime::Module;

use crate::runner::engine;

#[test]
fn bombs_are_valid_and_small() {
    for (name, least, most) in
        [("bomb-locals", 250_000, 300_000), ("bomb-loops", 30_000, 34_000), ("bomb-within-bounds", 500_000, 1 << 20)]
    {
        let module = wasm(name);
        assert!((least..=most).contains(&module.len()), "{name} has {} bytes", module.len());
        Module::validate(engine(), &module).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    }
}
