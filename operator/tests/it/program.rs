//! The program itself: flags, probes, memory, signals.

use std::time::Duration;

use k8s_openapi::api::{apps::v1::Deployment, coordination::v1::Lease};
use serde_json::json;

use crate::world::{PROCESS, Program, World, wait, wasm};

/// Resident memory that it may have, in KiB.
const MOST: u64 = 25 << 10;
/// Time without work before it is measured.
const REST: Duration = Duration::from_secs(10);

/// `VmRSS:   19828 kB` → 19828.
fn memory(program: &Program, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", program.child.id())).unwrap();
    let value = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    value.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_works_in_little_memory_and_gives_its_lease_back_when_it_is_told_to_end() {
    let mut world = World::new().await;
    world.module("good", "v1", &wasm(PROCESS));
    let mut program = world.program("one").await;
    world.admin = Some(program.admin().await);
    for n in 0..5 {
        let name = format!("gear-{n}");
        world.gear(&name, json!({ "output": { "rack": world.namespace, "gear": name } })).await;
    }
    for n in 0..5 {
        world.object::<Deployment>(&format!("gear-{n}-wasmgear"), |_| true).await;
        world.until(&format!("gear-{n}"), "Ready", "False/Progressing").await;
    }
    wait("its readiness", || async { world.admin("/readyz").await.ends_with("leads\n").then_some(()) }).await.unwrap();
    tokio::time::sleep(REST).await;
    let (now, most) = (memory(&program, "VmRSS"), memory(&program, "VmHWM"));
    println!("operator with 5 gears, {REST:?} after the last one: VmRSS {now} KiB, VmHWM {most} KiB");
    assert!(now <= MOST, "VmRSS {now} KiB is above {MOST} KiB");
    assert_eq!(kill(program.child.id()), Some(0));
    let ended = wait("its end", || std::future::ready(program.child.try_wait().unwrap())).await.unwrap();
    assert!(ended.success(), "{ended}: {}", program.log());
    let lease: Lease = world.object(&world.account, |_| true).await;
    assert_eq!(lease.spec.unwrap().holder_identity.as_deref(), Some(""));
}

#[test]
fn settings_that_can_not_be_followed_are_all_named_and_end_it_with_64() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_wasmgear-operator"))
        .args(["--namespace", "n", "--sidecar-image", "i", "--nats-url", "http://n", "--registries", "/nowhere"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.contains("--nats-") && said.contains("--registries /nowhere"), "{said}");
}

/// SIGTERM.
fn kill(id: u32) -> Option<i32> {
    std::process::Command::new("kill").arg(id.to_string()).status().unwrap().code()
}
