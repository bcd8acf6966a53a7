//! What a sidecar costs while it does nothing.

use std::path::Path;

use crate::world::{World, generate, until};

const MESSAGES: u64 = 10_000;
/// Resident, KiB.
const BAR: u64 = 20 << 10;

#[tokio::test]
async fn after_ten_thousand_messages_an_idle_sidecar_takes_20_mib_at_most() {
    let masker = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/guests/pan-masker-v1.wasm");
    let masker =
        std::fs::read(&masker).unwrap_or_else(|error| panic!("{}: {error}; run: make guests", masker.display()));
    let world = World::new().await;
    let mut document = world.document(&masker).await;
    // As the operator writes it for a gear that sets neither.
    document.concurrency = 16;
    document.stable.limits =
        gear_config::Limits { message_time: document.stable.limits.message_time, ..Default::default() };
    world.write(&document);
    let sidecar = world.start();
    sidecar.ready().await;
    let fresh = memory(sidecar.pid());
    generate(&world.broker.url(), MESSAGES).await;
    sidecar.ledger("all masked", |ledger| ledger.ok == MESSAGES && ledger.in_flight == 0).await;
    let busy = memory(sidecar.pid());
    // Idle: what it gives back takes it a moment.
    until(&format!("{BAR} KiB resident, after {busy:?} KiB"), async || memory(sidecar.pid()).0 <= BAR).await;
    let (idle, peak) = memory(sidecar.pid());
    println!("VmRSS {idle} KiB idle, {} KiB before the first message; VmHWM {peak} KiB", fresh.0);
}

/// `VmRSS` and `VmHWM` in KiB.
fn memory(pid: u32) -> (u64, u64) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let figure = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    (figure("VmRSS:"), figure("VmHWM:"))
}
