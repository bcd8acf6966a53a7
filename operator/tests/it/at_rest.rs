//! At rest, with messages flowing, nothing is written but the Lease. It takes a minute, and by its name it begins first.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::json;

use crate::world::{PROCESS, World, wasm};

/// How long nothing may be written.
const REST: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_but_the_lease() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    let mut settings = world.settings("operator-a");
    // Looked at often, so that a minute is many looks; and as a whole every few seconds.
    settings.pace.rest = Duration::from_secs(1);
    settings.pace.resync = Duration::from_secs(5);
    world.operate_as(settings).await;
    // Values that the API server stores in another form than they are written in.
    let odd = json!({ "resources": { "requests": { "cpu": "0.5", "memory": "402653184" } },
        "tolerations": [{ "key": "a", "operator": "Exists" }] });
    for (name, spec) in [
        ("plain", json!({})),
        ("odd", json!({ "template": odd, "output": { "rack": world.namespace, "gear": "odd" } })),
        ("bad", json!({ "module": "urn:wasm:local/nobody:v1", "output": { "rack": world.namespace, "gear": "bad" } })),
    ] {
        world.gear(name, spec).await;
    }
    for name in ["plain", "odd"] {
        world.object::<Deployment>(&format!("{name}-wasmgear"), |_| true).await;
        world.cluster.roll_out(name).await;
        // One set of answers for both gears would speak of one UID only.
        world.until(name, "RolledOut", "True/Complete").await;
    }
    world.until("bad", "Stalled", "True/ModuleNotFound").await;
    world.cluster.say(|status| status.stream.last_message_ms = 1);
    world.until("odd", "StreamConnected", "True/Receiving").await;
    world.until("odd", "Ready", "True/Serving").await;
    // The lag class appears with the first looks at rest.
    tokio::time::sleep(Duration::from_secs(4)).await;
    let before = world.asked().await.iter().filter(|asked| asked.writes()).count();
    let leases = |asked: &[crate::world::Asked]| {
        asked.iter().filter(|asked| asked.right.resource == "leases" && asked.right.verb == "update").count()
    };
    let renewed = leases(&world.asked().await);
    let begun = std::time::Instant::now();
    let mut n = 1;
    while begun.elapsed() < REST {
        n += 1;
        world.cluster.say(|status| {
            status.stream.last_message_ms = n;
            status.stream.pending = u64::try_from(n).unwrap() % 900;
            status.ledger.received += 1000;
            status.ledger.ok += 990;
            status.ledger.rejected += 10;
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let asked = world.asked().await;
    let after: Vec<_> = asked.iter().filter(|asked| asked.writes()).skip(before).collect();
    assert!(after.is_empty(), "written at rest: {after:?}");
    assert!(leases(&asked) >= renewed + 8, "the operator was alive meanwhile");
    world.stop().await;
}
