//! What the compiled guests are, before they run: small, and content with what every gear is given.

use gear_module::{Grants, StaticLimits, check, inspect};
use guest_fixtures::{BUILT, wasm};

/// What a gear without grants has any use for.
const ALLOWED: [&str; 3] = ["log", "flux_log_info", "flux_config_get"];

/// Fails unless the module is a gear that needs no grant, is below 64 KiB and starts with `pages` of memory.
pub(crate) fn modest(name: &str, module: &[u8], pages: u64) {
    let inspection = inspect(module, &StaticLimits::default()).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
    inspection.entrypoint(None).unwrap();
    check(&inspection, &Grants::default()).unwrap();
    for import in &inspection.imports {
        assert!(import.module == "env" && ALLOWED.contains(&import.name.as_str()), "{name} imports {import:?}");
    }
    // The probe uses everything there is.
    let most = if name == "sdk-probe" { 128 << 10 } else { 64 << 10 };
    assert!(module.len() < most, "{name} has {} bytes", module.len());
    assert_eq!(inspection.memory.minimum, pages << 16, "{name}");
}

#[test]
fn compiled_guests_are_modest() {
    for name in BUILT {
        // One page takes stack, data and a small heap.
        modest(name, &wasm(name), 1);
    }
}

#[test]
fn versions_of_the_masker_are_different_modules() {
    assert_ne!(wasm("pan-masker-v1"), wasm("pan-masker-v2"));
}
