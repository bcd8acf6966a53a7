//! The real program, killed as a power cut would, in the middle of its work. Traffic and counts come from the Go programs.

use std::{collections::BTreeMap, time::Duration};

use gear_abi::Message;

use crate::world::{Counted, IN, OUT, PATIENCE, World, count, generate, until};

const MESSAGES: u64 = 20_000;
const KILLS: u64 = 3;

/// What is left after `KILLS` kills inside `MESSAGES` messages, on a stream that forgets ids after `window`.
struct Aftermath {
    world: World,
    counted: Counted,
    /// Deliveries beyond the first of each message, as the server counts them.
    redelivered: u64,
}

async fn killed_thrice(window: Duration) -> Aftermath {
    let world = World::with_window(window).await;
    world.write(&world.document(&guest_fixtures::wasm("echo")).await);
    let url = world.broker.url();
    let mut sidecar = world.start();
    let killing = async {
        for kill in 1..=KILLS {
            let mark = kill * MESSAGES / (KILLS + 1);
            until(&format!("{mark} outputs"), async || world.count("flux-msg", OUT).await >= mark).await;
            std::mem::replace(&mut sidecar, world.start()).kill();
        }
    };
    let both = async { tokio::join!(generate(&url, MESSAGES), killing) };
    tokio::time::timeout(PATIENCE * 2, both).await.unwrap();
    until("everything settled", async || {
        let consumer = world.consumer().await;
        consumer.num_pending == 0 && consumer.num_ack_pending == 0
    })
    .await;
    let redelivered = world.consumer().await.delivered.consumer_sequence - MESSAGES;
    assert!(redelivered > 0, "nothing was delivered anew: the test proves nothing");
    // The last process says the same of its own share.
    let status = sidecar.status();
    assert!(status.ledger.balances() && status.ledger.in_flight == 0, "{:?}", status.ledger);
    let counted = count(&url, MESSAGES).await;
    assert_eq!((counted.input, counted.lost, counted.dead), (MESSAGES, 0, 0), "{counted:?}");
    Aftermath { world, counted, redelivered }
}

#[tokio::test]
async fn a_sidecar_that_is_killed_loses_nothing_and_doubles_nothing() {
    let Aftermath { world, counted, redelivered } = killed_thrice(Duration::from_mins(2)).await;
    assert!(counted.pass && (counted.out, counted.doubled) == (MESSAGES, 0), "{counted:?}");
    // Bodies: each output is its input, with two hops more.
    let inputs: BTreeMap<u64, Message> = decoded(&world.stored("flux-msg", IN, MESSAGES).await).collect();
    let mut outputs: BTreeMap<u64, Message> = decoded(&world.outputs(MESSAGES).await).collect();
    for output in outputs.values_mut() {
        output.path.truncate(output.path.len() - 2);
    }
    assert_eq!(inputs.len() as u64, MESSAGES);
    assert!(inputs == outputs, "an output differs from its input");
    println!("{MESSAGES} messages, {KILLS} kills, {redelivered} delivered anew, none lost, none doubled");
}

#[tokio::test]
async fn without_the_servers_memory_of_ids_the_same_kills_show_doubles() {
    let Aftermath { counted, redelivered, .. } = killed_thrice(Duration::from_millis(100)).await;
    let Counted { doubled, faults, .. } = &counted;
    assert!(*doubled > 0, "{redelivered} delivered anew and nothing doubled: the other test proves nothing");
    assert_eq!(faults.keys().collect::<Vec<_>>(), ["doubled"], "doubles are equal, and nothing else is wrong");
    println!("{redelivered} delivered anew, {doubled} serials doubled");
}

fn decoded<H>(stored: &[(H, Vec<u8>)]) -> impl Iterator<Item = (u64, Message)> {
    stored.iter().map(|(_, record)| {
        let message = Message::decode(record).unwrap();
        (message.get("n").unwrap().as_u64().unwrap(), message)
    })
}
