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
    let reasons: Vec<_> = missing.iter().map(gear_nats::provision::Finding::reason).collect();
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

/// The lines of the page's block for `wasmgear init`.
fn permissions() -> Vec<(String, String)> {
    const PAGE: &str = include_str!("../../../../docs/reference/nats-permissions.md");
    let (_, section) = PAGE.split_once("## `wasmgear init`").unwrap();
    let (_, rest) = section.split_once("```text\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    let lines = block.lines().map(|line| line.split_once(' ').unwrap());
    lines.map(|(kind, subject)| (kind.to_owned(), subject.trim().to_owned())).collect()
}

/// Whether somebody who may do exactly this can make the stores, and correct them.
async fn suffices(lines: &[(String, String)]) -> bool {
    let list = |kind: &str| {
        let subjects = lines.iter().filter(|line| line.0 == kind).map(|line| format!("\"{}\"", line.1));
        let subjects = subjects.collect::<Vec<_>>().join(", ");
        if subjects.is_empty() { "{ deny: \">\" }".to_owned() } else { format!("{{ allow: [ {subjects} ] }}") }
    };
    let key = nkeys::KeyPair::new_user();
    let users = format!(
        "authorization {{ users: [ {{ user: admin, password: admin }}, {{ nkey: {}, permissions: {{ publish: {}, subscribe: {} }} }} ] }}",
        key.public_key(),
        list("publish"),
        list("subscribe")
    );
    let (fresh, loose) = (Broker::start_with(&users).unwrap(), Broker::start_with(&users).unwrap());
    let options = async_nats::ConnectOptions::with_user_and_password("admin".into(), "admin".into());
    let admin = jetstream::new(options.connect(loose.url()).await.unwrap());
    for store in Store::ALL {
        admin.create_stream(Config { allow_direct: false, ..store.config() }).await.unwrap();
    }
    for broker in [fresh, loose] {
        let seed = broker.folder().join("seed");
        std::fs::write(&seed, key.seed().unwrap()).unwrap();
        let settings = Nats { url: broker.url(), credentials: Some(seed), ..Nats::default() };
        let mut context = jetstream::new(gear_nats::connect(&settings, "test", "_INBOX").await.unwrap());
        context.set_timeout(std::time::Duration::from_secs(1));
        if init(&context, 1).await.is_err() {
            return false;
        }
    }
    true
}

#[tokio::test]
async fn the_permissions_of_the_page_suffice_for_init_and_each_is_needed() {
    let lines = permissions();
    assert_eq!(lines.len(), 13);
    assert!(suffices(&lines).await);
    let mut without = tokio::task::JoinSet::new();
    for index in 0..lines.len() {
        let mut fewer = lines.clone();
        let line = fewer.remove(index);
        without.spawn(async move { (line, suffices(&fewer).await) });
    }
    while let Some(done) = without.join_next().await {
        let (line, enough) = done.unwrap();
        assert!(!enough, "init works without {line:?}");
    }
}
