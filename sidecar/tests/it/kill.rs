//! The real program, killed as a power cut would, in the middle of its work.

use std::{
    collections::BTreeMap,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::world::{PATIENCE, World, payment, serial, until};

const MESSAGES: u64 = 20_000;
const KILLS: u64 = 3;

struct Program(Child);

impl Program {
    fn start(world: &World) -> Self {
        let mut args = world.args();
        let program = env!("CARGO_BIN_EXE_wasmgear-sidecar");
        let child = Command::new(program)
            .args(args.drain(1..))
            .env("WASMGEAR_LOG", "warn")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Outputs by serial, after `KILLS` kills inside `MESSAGES` messages, and how often the server delivered anew.
async fn killed_thrice(window: Duration) -> (BTreeMap<u64, Vec<Vec<u8>>>, u64) {
    let world = World::with_window(window).await;
    world.write(&world.document(&guest_fixtures::wasm("echo")).await);
    let mut program = Program::start(&world);
    let feeding = world.feed((0..MESSAGES).map(payment));
    let killing = async {
        for kill in 1..=KILLS {
            let mark = kill * MESSAGES / (KILLS + 1);
            until(&format!("{mark} outputs"), async || world.count("flux-msg", crate::world::OUT).await >= mark).await;
            std::mem::replace(&mut program, Program::start(&world)).kill();
        }
    };
    let both = async { tokio::join!(feeding, killing) };
    tokio::time::timeout(PATIENCE * 2, both).await.unwrap();
    let consumer = world.js.get_stream("flux-msg").await.unwrap();
    let settled = async || {
        let mut names = consumer.consumer_names();
        let mut settled = false;
        while let Some(Ok(name)) = futures_util::StreamExt::next(&mut names).await {
            if name.starts_with("wasmgear_") {
                let info = consumer.consumer_info(&name).await.unwrap();
                settled = info.num_pending == 0 && info.num_ack_pending == 0;
            }
        }
        settled
    };
    until("everything settled", settled).await;
    let mut outputs: BTreeMap<u64, Vec<Vec<u8>>> = BTreeMap::new();
    for (_, record) in world.outputs(MESSAGES).await {
        outputs.entry(serial(&record)).or_default().push(record);
    }
    let mut redelivered = 0;
    let mut names = consumer.consumer_names();
    while let Some(Ok(name)) = futures_util::StreamExt::next(&mut names).await {
        if name.starts_with("wasmgear_") {
            let info = consumer.consumer_info(&name).await.unwrap();
            redelivered = info.delivered.consumer_sequence.saturating_sub(MESSAGES);
        }
    }
    assert_eq!(world.count("flux-dlq", "flux.dlq.>").await, 0);
    (outputs, redelivered)
}

#[tokio::test]
async fn a_sidecar_that_is_killed_loses_nothing_and_doubles_nothing() {
    let (outputs, redelivered) = killed_thrice(Duration::from_secs(120)).await;
    assert!(redelivered > 0, "nothing was delivered anew: the test proves nothing");
    assert_eq!(outputs.len() as u64, MESSAGES);
    let doubled: Vec<_> = outputs.iter().filter(|(_, records)| records.len() > 1).map(|(serial, _)| serial).collect();
    assert!(doubled.is_empty(), "doubled: {doubled:?}");
    println!("{MESSAGES} messages, {KILLS} kills, {redelivered} delivered anew, none lost, none doubled");
}

#[tokio::test]
async fn without_the_servers_memory_of_ids_the_same_kills_show_doubles() {
    let (outputs, redelivered) = killed_thrice(Duration::from_millis(100)).await;
    assert_eq!(outputs.len() as u64, MESSAGES, "still nothing is lost");
    let doubled = outputs.values().filter(|records| records.len() > 1).count();
    assert!(doubled > 0, "{redelivered} delivered anew and nothing doubled: the other test proves nothing");
    println!("{redelivered} delivered anew, {doubled} serials doubled");
}
