use async_nats::jetstream::{self, stream::Config};
use gear_config::Nats;
use gear_nats::provision::{Made, ProvisionError, Store, Wrong, check, init};
use nats_broker::Broker;

async fn context(broker: &Broker) -> jetstream::Context {
    let client = gear_nats::connect(&Nats { url: broker.url(), ..Nats::default() }, "test", "_INBOX").await.unwrap();
    jetstream::new(client)
}

#[tokio::test]
async fn init_makes_all_stores_and_a_second_time_changes_nothing() {
    let broker = Broker::start().unwrap();
    let context = context(&broker).await;
    let missing = check(&context, &Store::ALL).await.unwrap();
    assert!(missing.iter().all(|finding| finding.problem == Wrong::Missing) && missing.len() == 4);
    assert!(missing.iter().all(|finding| finding.to_string().contains("wasmgear init")));
    let reasons: Vec<_> = missing.iter().map(|finding| finding.reason()).collect();
    assert_eq!(reasons, ["DeadLetterMissing", "StateMissing", "IndexMissing", "ModulesMissing"]);
    assert!(init(&context, 1).await.unwrap().stores.iter().all(|(_, made)| *made == Made::Created));
    assert!(init(&context, 1).await.unwrap().stores.iter().all(|(_, made)| *made == Made::Kept));
    assert_eq!(check(&context, &Store::ALL).await.unwrap(), vec![]);
}

#[tokio::test]
async fn the_index_is_write_once_by_the_server() {
    let broker = Broker::start().unwrap();
    let context = context(&broker).await;
    init(&context, 1).await.unwrap();
    let first = context.publish("$KV.wasm_index.masker.v1", "one".into()).await.unwrap().await.unwrap();
    let again = context.publish("$KV.wasm_index.masker.v1", "two".into()).await.unwrap().await;
    assert!(again.unwrap_err().to_string().contains("failed"), "a second value is refused");
    let stream = context.get_stream(Store::Index.stream()).await.unwrap();
    assert!(stream.delete_message(first.sequence).await.is_err());
    assert!(stream.purge().await.is_err());
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Nats-Rollup", "sub");
    let rollup = context.publish_with_headers("$KV.wasm_index.masker.v1", headers, "three".into()).await.unwrap().await;
    assert!(rollup.is_err());
    let value = context.get_key_value("wasm_index").await.unwrap().get("masker.v1").await.unwrap().unwrap();
    assert_eq!(value, "one");
}

#[tokio::test]
async fn a_mutable_index_is_named_and_corrected() {
    let broker = Broker::start().unwrap();
    let context = context(&broker).await;
    let loose = Config { deny_delete: false, deny_purge: false, allow_rollup: true, ..Store::Index.config() };
    context.create_stream(loose).await.unwrap();
    let found = check(&context, &[Store::Index]).await.unwrap();
    assert_eq!(found[0].reason(), "IndexMutable");
    assert!(found[0].to_string().contains("deny_purge is false, expected true"), "{}", found[0]);
    let report = init(&context, 1).await.unwrap();
    let (_, made) = &report.stores[2];
    assert!(matches!(made, Made::Corrected(loose) if loose.len() == 3), "{made:?}");
    assert_eq!(check(&context, &Store::ALL).await.unwrap(), vec![]);
}

#[tokio::test]
async fn a_server_without_jetstream_is_named() {
    let mut broker = Broker::start().unwrap();
    let conf = broker.folder().join("nats.conf");
    let text = std::fs::read_to_string(&conf).unwrap();
    let without: Vec<_> = text.lines().filter(|line| !line.contains("jetstream")).collect();
    std::fs::write(&conf, without.join("\n")).unwrap();
    broker.resume().unwrap();
    let error = init(&context(&broker).await, 1).await.unwrap_err();
    assert!(matches!(error, ProvisionError::NoJetStream), "{error:?}");
}
