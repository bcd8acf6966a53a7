//! What a sidecar costs while it does nothing.

use std::path::Path;

use crate::world::{World, generate, until};

const MESSAGES: u64 = 10_000;
/// Of its own, KiB. How much of the program's file is mapped beside it hangs on what the page cache holds, for a file that was
/// linked a moment ago nearly all; the bar on both together, 20 MiB, is held where it counts: in a pod (`e2e/cluster`, idle).
const BAR: u64 = 6 << 10;

#[tokio::test]
async fn after_ten_thousand_messages_an_idle_sidecar_holds_6_mib_of_its_own_at_most() {
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
    // Idle: 5 s without a message, and each thread gives back what it kept.
    until(&format!("{BAR} KiB of its own, after {busy:?} KiB"), async || memory(sidecar.pid()).own <= BAR).await;
    let Memory { own, resident, highest } = memory(sidecar.pid());
    println!("{own} KiB of its own, VmRSS {resident} KiB, VmHWM {highest} KiB; before the first message {fresh:?}");
}

/// What a process takes, KiB.
#[derive(Debug)]
struct Memory {
    own: u64,
    resident: u64,
    highest: u64,
}

fn memory(pid: u32) -> Memory {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let figure = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    Memory { own: figure("RssAnon:"), resident: figure("VmRSS:"), highest: figure("VmHWM:") }
}
