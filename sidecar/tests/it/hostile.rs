//! What a hostile module does to the whole sidecar: nothing. Its messages become dead letters with the reason, and the
//! process lives on.

use futures_util::future::join_all;
use gear_config::ByteSize;

use crate::world::{World, payment};

/// Guest, reason of the dead letter, and a part of its detail.
const CASES: [(&str, &str, &str); 14] = [
    ("trap", "Trap", "unreachable"),
    ("trap-load", "Trap", "out of bounds"),
    ("trap-stack", "Trap", "stack"),
    ("trap-in-alloc", "Trap", ""),
    ("spin", "GuestTime", "100 ms"),
    ("grow-trap", "Memory", "limits.memory is 16777216"),
    ("record-outside", "Abi", "the memory has 131072 bytes"),
    ("output-wraps", "Abi", "the memory has 131072 bytes"),
    ("output-4-gib", "Abi", "4294967295"),
    ("alloc-outside", "Abi", "the memory has 131072 bytes"),
    ("code-256", "Abi", "256"),
    ("cbor-cut", "Output", ""),
    ("cbor-huge-length", "Output", ""),
    ("cbor-deep", "Output", ""),
];

#[tokio::test]
async fn whatever_a_guest_does_its_message_becomes_a_dead_letter_and_the_process_lives() {
    let wrong: Vec<String> = join_all(CASES.map(becomes)).await.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with a case, if anything.
async fn becomes((guest, reason, detail): (&str, &str, &str)) -> Option<String> {
    let world = World::new().await;
    world.write(&world.document(&guest_fixtures::wasm(guest)).await);
    let sidecar = world.start();
    sidecar.ready().await;
    world.feed([payment(1), b"\xa1\x61".to_vec(), payment(2)]).await;
    let mut letters = world.dead_letters(3).await;
    // What is no fluxMsg never reaches the guest.
    letters.sort_by_key(|(_, body)| body.clone());
    let header = |at: usize, name: &str| letters[at].0.get(name).unwrap().as_str().to_owned();
    assert_eq!(header(0, "Wasmgear-Reason"), "Malformed", "{guest}");
    sidecar.ledger("three dead letters", |ledger| ledger.dead_lettered == 3 && ledger.in_flight == 0).await;
    // One life for both attempts at both messages.
    assert_eq!(sidecar.status().ledger.received, 5, "{guest}");
    assert_eq!(sidecar.figure(&format!("wasmgear_failures_total{{reason=\"{reason}\"}}")), 4, "{guest}");
    assert_eq!(letters[1].1, payment(1), "{guest}: the original bytes");
    assert_eq!(world.count("flux-msg", "flux.msg.edge-a.gear.>").await, 0, "{guest}");
    let (told, why) = (header(1, "Wasmgear-Reason"), header(1, "Wasmgear-Detail"));
    (told != reason || !why.contains(detail)).then(|| format!("{guest}: {told}: {why}"))
}

#[tokio::test]
async fn bombs_for_the_compiler_leave_the_process_as_it_was() {
    for (guest, told) in [
        ("bomb-locals", "20000 locals and parameters, at most 2000"),
        ("bomb-loops", "257 loops inside each other, at most 256"),
        // Only the limits of the compiler's own process stop it.
        ("bomb-within-bounds", "compiling the module was given up"),
    ] {
        let world = World::new().await;
        world.write(&world.document(&guest_fixtures::wasm(guest)).await);
        let sidecar = world.start();
        let sentence = sidecar.unready("CompileLimit").await;
        assert!(sentence.contains(told), "{guest}: {sentence}");
        assert!(sidecar.get("/livez").0.contains(" 200 "));
        let peak = sidecar.figure("process_resident_memory_peak_bytes");
        assert!(peak < 40 << 20, "{guest}: the sidecar had {peak} bytes");
        // The same process serves an honest module.
        let mut honest = world.document(&guest_fixtures::wasm("echo")).await;
        honest.epoch = 2;
        world.write(&honest);
        sidecar.ready().await;
        world.feed([payment(1)]).await;
        assert_eq!(world.outputs(1).await.len(), 1);
    }
}

#[tokio::test]
async fn a_module_that_starts_larger_than_its_limit_is_refused_and_at_the_limit_it_runs() {
    let world = World::new().await;
    let pages = |pages: u32| guest_fixtures::wasm(&format!("memory-minimum-{pages}"));
    let limit = ByteSize::new(32 << 16);
    let mut document = world.document(&pages(33)).await;
    document.stable.limits.memory = limit;
    world.write(&document);
    let sidecar = world.start();
    let told = sidecar.unready("MemoryMinimum").await;
    assert!(told.contains("2162688") && told.contains("limits.memory"), "{told}");
    let mut document = world.document(&pages(32)).await;
    document.stable.limits.memory = limit;
    world.write(&document);
    sidecar.ready().await;
}
