//! The loop over the twin: every outcome once, and everything that can go wrong, by seed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use gear_stream::{
    Tuning,
    memory::{Emitted, Faults, Item, Options, Report, run},
    wire,
};
use tokio_util::sync::CancellationToken;

use crate::gear::Script;

fn items<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Item> {
    let item = |text: &str| Item { subject: "flux.msg.a.b.out".into(), payload: text.to_owned().into() };
    texts.into_iter().map(item).collect()
}

/// Times that make a bad day short.
fn hasty() -> Options {
    let tuning = Tuning {
        answer: Duration::from_millis(60),
        hold_retry: Duration::from_millis(20),
        hold_limit: Duration::from_millis(200),
        heartbeat: Duration::from_millis(500),
        ..Tuning::default()
    };
    Options { tuning, ack_wait: Duration::from_millis(300), ..Options::default() }
}

async fn feed(script: &Arc<Script>, inputs: Vec<Item>, options: Options) -> (Report, Vec<Emitted>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let emit = {
        let seen = Arc::clone(&seen);
        move |emitted| seen.lock().unwrap().push(emitted)
    };
    let run = run(inputs, Arc::clone(script), options, CancellationToken::new(), emit);
    let report = tokio::time::timeout(Duration::from_mins(1), run).await.expect("the run ends");
    assert!(report.ledger.balances() && report.ledger.in_flight == 0, "{:?}", report.ledger);
    assert_eq!(report.ledger.outputs_in_flight, 0, "{:?}", report.ledger);
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    (report, seen)
}

#[tokio::test]
async fn every_outcome_ends_in_its_class() {
    let script = Script::new(3);
    let texts = ["echo", "fan 5", "none", "drop", "probe", "reject", "port", "malformed", "trap", "large"];
    let (report, seen) = feed(&script, items(texts), Options::default()).await;
    let ledger = report.ledger;
    assert!(report.drained);
    assert_eq!((ledger.ok, ledger.dropped, ledger.probes, ledger.rejected, ledger.dead_lettered), (3, 1, 1, 2, 3));
    assert_eq!(ledger.retried, 4, "two messages failed twice before the last time");
    assert_eq!((ledger.emitted, ledger.confirmed), (7, 7));
    let letters: HashMap<u64, (String, String, String)> = seen
        .iter()
        .filter_map(|emitted| match emitted {
            Emitted::DeadLetter { sequence, reason, detail, headers, .. } => {
                let attempts = headers.get(wire::ATTEMPTS).unwrap().to_string();
                Some((*sequence, (reason.clone(), detail.clone(), attempts)))
            }
            Emitted::Output { .. } => None,
        })
        .collect();
    let letter =
        |reason: &str, detail: &str, attempts: &str| (reason.to_owned(), detail.to_owned(), attempts.to_owned());
    assert_eq!(letters[&6], letter("Rejected", "not today", "0"));
    assert_eq!(letters[&8], letter("Malformed", "no record\\nat all", "0"));
    assert_eq!(letters[&9], letter("Trap", "unreachable", "3"));
    assert!(letters[&10].0 == "Output" && letters[&10].1.contains("takes at most"), "{:?}", letters[&10]);
    assert!(
        !seen.iter().any(|emitted| matches!(emitted, Emitted::Output { sequence: 10, .. })),
        "nothing of it went out"
    );
    let by_reason: Vec<_> = report.counts.dead_letters().filter(|(_, count)| *count > 0).collect();
    assert_eq!(by_reason.len(), 4, "{by_reason:?}");
}

#[tokio::test]
async fn order_is_kept_where_it_is_asked_for() {
    let texts: Vec<String> = (0..200).map(|n| format!("n {n}")).collect();
    let options = Options { ordered: true, ..hasty() };
    let faults = Faults { seed: 1, lost_answer: 20, latency: Duration::from_millis(1), ..Faults::default() };
    let (_, seen) = feed(&Script::new(3), items(texts.iter().map(String::as_str)), Options { faults, ..options }).await;
    let sequences: Vec<_> = seen
        .iter()
        .map(|emitted| match emitted {
            Emitted::Output { sequence, .. } | Emitted::DeadLetter { sequence, .. } => *sequence,
        })
        .collect();
    assert_eq!(sequences, (1..=200).collect::<Vec<_>>());
}

/// Whatever goes wrong: every input that is not failed by the guest comes out exactly once, and the ledger balances.
async fn bad_day(seed: u64) {
    let kinds = ["echo", "fan 3", "drop", "reject", "trap", "malformed"];
    let texts: Vec<&str> = (0..300).map(|n| kinds[n % kinds.len()]).collect();
    let faults = Faults {
        seed,
        lost_command: 8,
        lost_answer: 15,
        refused: 15,
        doubled: 10,
        disconnect: 1,
        latency: Duration::from_millis(5),
        calm_after: 3_000,
    };
    let script = Script::new(2);
    let (report, came) = feed(&script, items(texts.iter().copied()), Options { faults, ..hasty() }).await;
    assert!(report.drained, "seed {seed}");
    let (mut outputs, mut letters) = (HashMap::<u64, u32>::new(), HashMap::<u64, u32>::new());
    for emitted in &came {
        match emitted {
            Emitted::Output { sequence, .. } => *outputs.entry(*sequence).or_default() += 1,
            Emitted::DeadLetter { sequence, .. } => *letters.entry(*sequence).or_default() += 1,
        }
    }
    for (index, text) in texts.iter().enumerate() {
        let sequence = u64::try_from(index).unwrap() + 1;
        let expected = match *text {
            "echo" => (1, 0),
            "fan 3" => (3, 0),
            "drop" => (0, 0),
            _ => (0, 1),
        };
        let got = (outputs.get(&sequence).copied().unwrap_or(0), letters.get(&sequence).copied().unwrap_or(0));
        assert_eq!(got, expected, "seed {seed}, input {sequence} {text}: {:?}", report.counts);
    }
    assert_eq!(report.counts.collisions, 0, "seed {seed}");
    assert!(report.counts.redelivered > 0, "seed {seed}: nothing went wrong, this proves nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_days_lose_nothing_and_double_nothing() {
    for chunk in (0..24).collect::<Vec<u64>>().chunks(8) {
        let mut days = tokio::task::JoinSet::new();
        for &seed in chunk {
            days.spawn(bad_day(seed));
        }
        while let Some(day) = days.join_next().await {
            day.unwrap();
        }
    }
}

#[tokio::test]
async fn no_more_is_in_hand_than_the_window_has_room_for() {
    let script = Script::new(3);
    let tuning = Tuning { window_messages: 7, ..Tuning::default() };
    feed(&script, items(vec!["slow 2"; 100]), Options { tuning, ..Options::default() }).await;
    assert_eq!(script.running.1.load(Ordering::Relaxed), 7, "by count");
    // Four of 1,005 bytes fit into a quarter of the bytes, which is what one request asks for.
    let script = Script::new(3);
    let body = format!("slow {:>1000}", 2);
    let tuning = Tuning { window_bytes: 20_000, ..Tuning::default() };
    let options = Options { tuning, max_payload: 5_000, ..Options::default() };
    let (report, _) = feed(&script, items(vec![body.as_str(); 100]), options).await;
    let most = script.running.1.load(Ordering::Relaxed);
    assert!((8..=19).contains(&most) && report.ledger.ok == 100, "by bytes: {most}, {report:?}");
}

#[tokio::test]
async fn a_fan_out_beyond_the_window_is_sent_as_a_whole() {
    let (report, seen) = feed(&Script::new(3), items(vec!["fan 3000"; 5]), Options::default()).await;
    assert_eq!((report.ledger.ok, report.ledger.confirmed, seen.len()), (5, 15_000, 15_000));
}

#[tokio::test]
async fn a_stop_finishes_what_has_begun_and_writes_no_dead_letter() {
    let script = Script::new(3);
    let (stop, seen) = (CancellationToken::new(), Arc::new(Mutex::new(Vec::new())));
    let emit = {
        let seen = Arc::clone(&seen);
        move |emitted| seen.lock().unwrap().push(emitted)
    };
    let options = Options { tuning: Tuning { calls: 4, ..Tuning::default() }, ..Options::default() };
    let run = run(items(vec!["slow 300"; 100]), Arc::clone(&script), options, stop.clone(), emit);
    let stopped = async {
        while script.calls.load(Ordering::Relaxed) < 4 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stop.cancel();
    };
    let (report, ()) = tokio::join!(run, stopped);
    assert!(!report.drained && report.ledger.balances(), "{report:?}");
    assert_eq!((report.ledger.ok, report.ledger.released, report.ledger.dead_lettered), (4, 96, 0), "{report:?}");
    assert_eq!(script.calls.load(Ordering::Relaxed), 4);
    assert_eq!(seen.lock().unwrap().len(), 4);
}
