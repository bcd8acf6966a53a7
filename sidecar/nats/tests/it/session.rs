use std::time::Duration;

use futures_util::StreamExt;
use gear_config::Nats;
use gear_nats::{Endpoint, Session};
use nats_broker::Broker;

use crate::until;

async fn open(broker: &Broker) -> Session {
    let endpoint = Endpoint::new(&Nats { url: broker.url(), ..Nats::default() }).unwrap();
    Session::open(&endpoint, "test", "_INBOX_t").await.unwrap()
}

#[tokio::test]
async fn a_session_ends_with_its_connection_and_what_it_held_is_never_sent() {
    let mut broker = Broker::start().unwrap();
    let session = open(&broker).await;
    let mut seen = session.client().subscribe("late").await.unwrap();
    session.client().flush().await.unwrap();
    broker.kill().unwrap();
    tokio::time::timeout(Duration::from_secs(5), session.ended().cancelled()).await.unwrap();
    // The client still takes commands, or is gone already; neither may reach the next server.
    for _ in 0..100 {
        let _ = session.client().publish("late", "x".into()).await;
    }
    broker.resume().unwrap();
    let next = open(&broker).await;
    let mut late = next.client().subscribe("late").await.unwrap();
    next.client().flush().await.unwrap();
    until("the old client gives up", || async { session.client().publish("late", "y".into()).await.is_err() }).await;
    assert!(seen.next().await.is_none(), "the old subscription ends");
    next.client().publish("late", "mark".into()).await.unwrap();
    assert_eq!(late.next().await.unwrap().payload, "mark", "nothing of the old session arrived");
}

#[tokio::test]
async fn a_session_survives_quiet_and_does_not_end_by_itself() {
    let broker = Broker::start().unwrap();
    let session = open(&broker).await;
    assert!(tokio::time::timeout(Duration::from_millis(200), session.ended().cancelled()).await.is_err());
    session.client().flush().await.unwrap();
}

#[tokio::test]
async fn what_the_server_forbids_is_known_by_subject() {
    let broker = Broker::start_with(
        "authorization { users: [ { user: a, password: a, permissions: { publish: \"open\", subscribe: \"_INBOX_t.>\" } } ]\n }\nno_auth_user: a",
    )
    .unwrap();
    let session = open(&broker).await;
    session.client().publish("closed.door", "x".into()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), session.denials().of("closed.door")).await.unwrap();
    let _sub = session.client().subscribe("not.mine").await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), session.denials().of("not.mine")).await.unwrap();
    assert!(!session.ended().is_cancelled());
}
