//! Each thing that a guest can make of a message, through the whole sidecar.

use gear_config::{Instance, OnReject};

use crate::world::{World, payment, serial};

#[tokio::test]
async fn what_the_guest_emits_is_published_once_with_headers_and_hops() {
    let world = World::new().await;
    let wasm = guest_fixtures::wasm("echo");
    world.write(&world.document(&wasm).await);
    let sidecar = world.start();
    sidecar.ready().await;
    world.feed((0..50).map(payment)).await;
    let outputs = world.outputs(50).await;
    let mut serials: Vec<u64> = outputs.iter().map(|(_, record)| serial(record)).collect();
    serials.sort_unstable();
    assert_eq!(serials, (0..50).collect::<Vec<_>>());
    let (headers, record) = &outputs[0];
    let digest = gear_module::Digest::of(&wasm).to_string();
    assert_eq!(headers.get("Wasmgear-Digest").unwrap().as_str(), digest);
    let input = headers.get("Wasmgear-Input").unwrap().as_str();
    let sequence = input.strip_prefix("flux-msg:").unwrap();
    let id = headers.get("Nats-Msg-Id").unwrap().as_str();
    assert!(id.contains("-2-flux.msg.edge-a.gear.out@") && id.contains(&format!("@{sequence}.")), "{id}");
    assert_eq!(gear_abi::Message::decode(record).unwrap().path.len(), 2);

    sidecar.ledger("50 ok", |ledger| ledger.ok == 50 && ledger.in_flight == 0).await;
    let status = sidecar.status();
    assert_eq!((status.ledger.confirmed, status.ledger.emitted), (50, 50));
    assert!(status.revisions[0].prepared && status.revisions[0].instance_cost_us.is_some());
    let (_, metrics) = sidecar.get("/metrics");
    assert!(metrics.contains("wasmgear_deliveries_total{class=\"ok\"} 50"), "{metrics}");
    assert_eq!(sidecar.stop(), 0);
}

#[tokio::test]
async fn a_rejected_message_becomes_a_dead_letter_with_its_own_bytes() {
    let world = World::new().await;
    world.write(&world.document(&guest_fixtures::wasm("reject")).await);
    let sidecar = world.start();
    sidecar.ready().await;
    world.feed([payment(1)]).await;
    let letters = world.dead_letters(1).await;
    assert_eq!(letters[0].0.get("Wasmgear-Reason").unwrap().as_str(), "Rejected");
    assert_eq!(letters[0].1, payment(1), "the original bytes");
    sidecar.ledger("one rejected", |ledger| ledger.rejected == 1).await;
    assert_eq!(world.count("flux-msg", "flux.msg.edge-a.gear.>").await, 0);
}

#[tokio::test]
async fn probes_and_drops_leave_nothing_behind() {
    let world = World::new().await;
    world.write(&world.document(&guest_fixtures::wasm("drop")).await);
    let sidecar = world.start();
    sidecar.ready().await;
    let probe = gear_abi::Message { flags: gear_abi::FLAG_PROBE, ..gear_abi::Message::default() };
    world.feed([probe.encode(), payment(1)]).await;
    sidecar.ledger("one probe, one drop", |ledger| (ledger.probes, ledger.dropped) == (1, 1)).await;
    assert_eq!(world.count("flux-msg", "flux.msg.edge-a.gear.>").await, 0);
    assert_eq!(world.count("flux-dlq", "flux.dlq.>").await, 0);
}

#[tokio::test]
async fn a_rejected_message_leaves_by_the_error_port_with_its_reason_when_asked_to() {
    let world = World::new().await;
    let mut document = world.document(&guest_fixtures::wasm("reject")).await;
    document.stable.on_reject = OnReject::ErrorPort;
    world.write(&document);
    let sidecar = world.start();
    sidecar.ready().await;
    world.feed([payment(7)]).await;
    let rejected = world.stored("flux-msg", "flux.msg.edge-a.gear.error", 1).await;
    let message = gear_abi::Message::decode(&rejected[0].1).unwrap();
    assert!(message.meta.get("error.reason").is_some_and(|reason| !reason.is_empty()));
    assert_eq!((message.path.len(), serial(&rejected[0].1)), (2, 7));
    sidecar.ledger("one rejected", |ledger| ledger.rejected == 1).await;
    assert_eq!(world.count("flux-dlq", "flux.dlq.>").await, 0);
}

#[tokio::test]
async fn a_guest_picks_among_its_ports_and_no_other() {
    let world = World::new().await;
    let mut document = world.document(&guest_fixtures::wasm("echo")).await;
    document.stable.output.ports = vec!["review".into()];
    world.write(&document);
    let sidecar = world.start();
    sidecar.ready().await;
    let with_port = |port: &str| {
        let mut message = gear_abi::Message::decode(&payment(1)).unwrap();
        message.meta.insert("flux.port", port.to_owned());
        message.encode()
    };
    world.feed([with_port("review"), with_port("out"), with_port("elsewhere")]).await;
    let reviewed = world.stored("flux-msg", "flux.msg.edge-a.gear.review", 1).await;
    assert_eq!(gear_abi::Message::decode(&reviewed[0].1).unwrap().meta.len(), 0, "the key is removed");
    assert_eq!(world.outputs(1).await.len(), 1);
    let letters = world.dead_letters(1).await;
    let detail = letters[0].0.get("Wasmgear-Detail").unwrap().as_str().to_owned();
    assert!(detail.contains("elsewhere") && detail.contains("out, review"), "{detail}");
}

#[tokio::test]
async fn several_outputs_of_one_input_have_ids_of_their_own() {
    let world = World::new().await;
    world.write(&world.document(&guest_fixtures::wasm("fan-out-3")).await);
    let sidecar = world.start();
    sidecar.ready().await;
    // A nil id is filled in, differently for each output.
    let mut nil = gear_abi::Message::decode(&payment(1)).unwrap();
    nil.id = gear_abi::Id::NIL;
    world.feed([nil.encode()]).await;
    let outputs = world.outputs(3).await;
    let mut ids: Vec<String> =
        outputs.iter().map(|(_, record)| gear_abi::Message::decode(record).unwrap().id.to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id.as_bytes()[14] == b'7'), "{ids:?}");
}

#[tokio::test]
async fn a_gear_of_fluxrigs_own_abi_runs_with_a_kept_instance() {
    let world = World::new().await;
    let mut document = world.document(&guest_fixtures::wasm("echo-rack")).await;
    document.stable.entrypoint = "process".into();
    document.stable.instance = Instance::persistent();
    world.write(&document);
    let sidecar = world.start();
    sidecar.ready().await;
    world.feed((0..20).map(payment)).await;
    assert_eq!(world.outputs(20).await.len(), 20);
}
