//! From a session to a consumer that is ours: everything that must be there is looked at, and named when it is not.

use async_nats::jetstream::{
    ErrorCode,
    consumer::{Config, Info},
    stream,
};
use gear_config::{Identity, Input, status::Problem};
use gear_nats::{
    Session,
    provision::{Finding, Store, Wrong},
};
use serde_json::json;

use super::{
    Names,
    api::{Fault, ask},
    consumer::{Judgement, judge, wanted},
    position::{self, Keeper},
};
use crate::problem::{self, problem};

/// A consumer that is ours.
#[derive(Debug)]
pub(crate) struct Bound {
    /// How long the server waits for an answer, as the consumer really has it.
    pub(crate) ack_wait: std::time::Duration,
    /// Largest message that the stream takes, headers included.
    pub(crate) max_message: Option<usize>,
    /// Keeps the position.
    pub(crate) keeper: Keeper,
    /// Messages that wait.
    pub(crate) pending: u64,
    /// Messages in hand, on all pods.
    pub(crate) ack_pending: u64,
}

/// Looks for the stream, the state bucket and the consumer; makes the consumer where it is missing.
pub(crate) async fn bind(
    session: &Session,
    names: &Names,
    identity: &Identity,
    input: &Input,
    now_ms: i64,
) -> Result<Bound, Problem> {
    let context = session.jetstream();
    let stream = stream_info(session, &context, &input.stream).await?;
    state_info(session, &context).await?;
    let created = i64::try_from(stream.created.unix_timestamp_nanos()).unwrap_or_default();
    let record = position::read(session, names).await.map_err(|fault| fault.problem("the position of the consumer"))?;
    let info = if let Some(info) = consumer_info(session, &context, names).await? {
        info
    } else {
        let last = stream.state.last_sequence;
        let begin = position::begin(record.as_ref(), &identity.uid, created, last, &names.durable)?;
        let config = wanted(identity, input, &stream.config.subjects, begin)?;
        create(session, &context, names, config).await?
    };
    let info = match judge(&info.config, identity, input, &stream.config.subjects) {
        Judgement::Ours => info,
        Judgement::Update(config) => {
            write(session, &context, names, &config, "update").await.map_err(|fault| refused(fault, names))?
        }
        Judgement::Foreign(problem) => return Err(problem),
    };
    let keeper = Keeper::new(session, names, &identity.uid, created, record, now_ms);
    Ok(Bound {
        ack_wait: info.config.ack_wait,
        max_message: usize::try_from(stream.config.max_message_size).ok().filter(|&size| size > 0),
        keeper,
        pending: info.num_pending,
        ack_pending: u64::try_from(info.num_ack_pending).unwrap_or(u64::MAX),
    })
}

type Context = async_nats::jetstream::Context;

async fn stream_info(session: &Session, context: &Context, name: &str) -> Result<stream::Info, Problem> {
    let asked = ask(session, context, &format!("STREAM.INFO.{name}"), &json!({})).await;
    asked.map_err(|fault| match fault.code() {
        Some(ErrorCode::STREAM_NOT_FOUND) => problem(
            problem::STREAM_MISSING,
            format!(
                "the stream {name} of input.stream is not there; a fluxrig Mixer makes it, or: nats stream add {name}"
            ),
        ),
        _ => fault.problem(&format!("the stream {name}")),
    })
}

async fn state_info(session: &Session, context: &Context) -> Result<(), Problem> {
    let store = Store::State;
    let asked = ask::<_, stream::Info>(session, context, &format!("STREAM.INFO.{}", store.stream()), &json!({})).await;
    let wrong = match asked {
        Ok(info) => {
            let loose = store.loose(&info.config);
            if loose.is_empty() {
                return Ok(());
            }
            Wrong::Loose(loose)
        }
        Err(fault) if fault.code() == Some(ErrorCode::STREAM_NOT_FOUND) => Wrong::Missing,
        Err(fault) => return Err(fault.problem(store.what())),
    };
    let finding = Finding { store, problem: wrong };
    Err(problem(finding.reason(), finding.to_string()))
}

async fn consumer_info(session: &Session, context: &Context, names: &Names) -> Result<Option<Info>, Problem> {
    let subject = format!("CONSUMER.INFO.{}.{}", names.stream, names.durable);
    match ask(session, context, &subject, &json!({})).await {
        Ok(info) => Ok(Some(info)),
        Err(fault) if fault.code() == Some(ErrorCode::CONSUMER_NOT_FOUND) => Ok(None),
        Err(fault) => Err(fault.problem(&format!("the consumer {}", names.durable))),
    }
}

/// Makes the consumer; another pod may be faster, then it is the other's.
async fn create(session: &Session, context: &Context, names: &Names, config: Config) -> Result<Info, Problem> {
    match write(session, context, names, &config, "create").await {
        Ok(info) => {
            tracing::info!(consumer = names.durable, deliver = ?config.deliver_policy, "made the consumer");
            Ok(info)
        }
        Err(fault)
            if matches!(fault.code(), Some(ErrorCode::CONSUMER_ALREADY_EXISTS | ErrorCode::CONSUMER_NAME_EXIST)) =>
        {
            let found = consumer_info(session, context, names).await?;
            found.ok_or_else(|| refused(fault, names))
        }
        Err(fault) => Err(refused(fault, names)),
    }
}

async fn write(
    session: &Session,
    context: &Context,
    names: &Names,
    config: &Config,
    action: &str,
) -> Result<Info, Fault> {
    // One filter has to be named in the subject, too: the server compares, and permissions can tell filters apart.
    let filter = match &config.filter_subjects[..] {
        [one] => format!(".{one}"),
        _ => String::new(),
    };
    let mut config = config.clone();
    if let [one] = &config.filter_subjects[..] {
        config.filter_subject.clone_from(one);
        config.filter_subjects.clear();
    }
    let subject = format!("CONSUMER.CREATE.{}.{}{filter}", names.stream, names.durable);
    let body = json!({ "stream_name": names.stream, "config": config, "action": action });
    ask(session, context, &subject, &body).await
}

fn refused(fault: Fault, names: &Names) -> Problem {
    match fault {
        Fault::Server(error) => problem(
            problem::CONSUMER_REFUSED,
            format!(
                "the NATS server refuses the consumer {} of stream {}: {error}; check input and the stream's limits",
                names.durable, names.stream
            ),
        ),
        other => other.problem(&format!("the consumer {}", names.durable)),
    }
}
