//! The durable consumer: what it must be, and whose it is.

use std::collections::HashMap;

use async_nats::{
    datetime::{DateTime, parse_rfc3339},
    jetstream::consumer::{AckPolicy, Config, DeliverPolicy},
};
use gear_config::{
    Deliver, Identity, Input, names,
    status::Problem,
    subject::{covers, overlap},
};

use crate::{
    problem::{self, problem},
    wire,
};

/// Where a consumer begins that is made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    /// As the resource says.
    AsConfigured,
    /// After what was settled before.
    After(u64),
}

/// Subjects that the consumer filters by: those of the resource, and the replay subject where the stream has it.
pub(super) fn filters(identity: &Identity, input: &Input, stream_subjects: &[String]) -> Vec<String> {
    let replay = names::replay_subject(&identity.namespace, &identity.name);
    let mut filters = input.subjects.clone();
    let stored = stream_subjects.iter().any(|subject| covers(subject, &replay));
    let there = filters.iter().any(|filter| overlap(filter, &replay));
    if stored && !there {
        filters.push(replay);
    }
    filters
}

/// The consumer as it must be.
pub(super) fn wanted(
    identity: &Identity,
    input: &Input,
    stream_subjects: &[String],
    begin: Begin,
) -> Result<Config, Problem> {
    let deliver_policy = match (begin, &input.deliver) {
        (Begin::After(floor), _) => DeliverPolicy::ByStartSequence { start_sequence: floor.saturating_add(1) },
        (Begin::AsConfigured, Deliver::All) => DeliverPolicy::All,
        (Begin::AsConfigured, Deliver::Time { start }) => DeliverPolicy::ByStartTime { start_time: time(start)? },
    };
    Ok(Config {
        durable_name: Some(identity.durable()),
        name: Some(identity.durable()),
        description: Some(format!("wasm gear {}/{}", identity.namespace, identity.name)),
        deliver_policy,
        ack_policy: AckPolicy::Explicit,
        ack_wait: input.ack_wait.get(),
        // An exhausted message would vanish; attempts are counted by us.
        max_deliver: -1,
        filter_subjects: filters(identity, input, stream_subjects),
        max_ack_pending: if input.ordered { 1 } else { i64::from(input.max_ack_pending) },
        inactive_threshold: input.forget_after.get(),
        metadata: metadata(identity, input),
        ..Config::default()
    })
}

fn time(text: &str) -> Result<DateTime, Problem> {
    parse_rfc3339(text).map_err(|_| {
        problem(
            problem::CONSUMER_REFUSED,
            format!("input.deliver.start {text:?} is not a time as in 2026-01-01T00:00:00Z"),
        )
    })
}

fn metadata(identity: &Identity, input: &Input) -> HashMap<String, String> {
    [
        (wire::META_UID, identity.uid.clone()),
        (wire::META_CLUSTER, identity.cluster_id.clone()),
        (wire::META_GENERATION, input.generation.to_string()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

/// What to do with a consumer that is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// Use it.
    Ours,
    /// Use it after this update.
    Update(Box<Config>),
    /// Never touch it.
    Foreign(Problem),
}

/// Whose consumer this is, and whether its configuration is older than ours. The newest generation wins, whoever brings it:
/// during a rollout pods of two generations bind the same consumer.
pub(super) fn judge(found: &Config, identity: &Identity, input: &Input, stream_subjects: &[String]) -> Judgement {
    let durable = identity.durable();
    let foreign = |whose: String| {
        Judgement::Foreign(problem(
            problem::CONSUMER_FOREIGN,
            format!(
                "the consumer {durable} of stream {} {whose}; delete it with: nats consumer rm {} {durable}",
                input.stream, input.stream
            ),
        ))
    };
    match found.metadata.get(wire::META_UID) {
        None => return foreign("was not made by WasmGear".to_owned()),
        Some(uid) if *uid != identity.uid => {
            return foreign(format!("belongs to a gear with uid {uid}, this one has {}", identity.uid));
        }
        Some(_) => {}
    }
    let generation = found.metadata.get(wire::META_GENERATION).and_then(|text| text.parse::<i64>().ok());
    if generation.is_some_and(|generation| generation >= input.generation) {
        return Judgement::Ours;
    }
    let mut fresh = found.clone();
    fresh.ack_wait = input.ack_wait.get();
    fresh.filter_subject = String::new();
    fresh.filter_subjects = filters(identity, input, stream_subjects);
    fresh.max_ack_pending = if input.ordered { 1 } else { i64::from(input.max_ack_pending) };
    fresh.inactive_threshold = input.forget_after.get();
    fresh.metadata.extend(metadata(identity, input));
    Judgement::Update(Box::new(fresh))
}

#[cfg(test)]
mod tests {
    use gear_config::Span;

    use super::*;

    fn identity() -> Identity {
        Identity { cluster_id: "c".into(), namespace: "n".into(), name: "g".into(), uid: "u1".into() }
    }

    fn input(generation: i64) -> Input {
        Input {
            stream: "flux-msg".into(),
            subjects: vec!["flux.msg.edge.in.out".into()],
            deliver: Deliver::Time { start: "2026-01-01T00:00:00Z".into() },
            ack_wait: Span::from_secs(30),
            ordered: false,
            forget_after: Span::from_secs(3600),
            max_ack_pending: 4096,
            generation,
        }
    }

    fn stream() -> Vec<String> {
        vec!["flux.msg.>".into(), "flux.ctrl.>".into()]
    }

    #[test]
    fn the_replay_subject_is_added_where_the_stream_has_it() {
        let replay = "flux.msg.wasmgear-replay.n.g";
        assert_eq!(filters(&identity(), &input(1), &stream()), ["flux.msg.edge.in.out", replay]);
        assert_eq!(filters(&identity(), &input(1), &["other.>".into()]), ["flux.msg.edge.in.out"]);
        let all = Input { subjects: vec!["flux.msg.>".into()], ..input(1) };
        assert_eq!(filters(&identity(), &all, &stream()), ["flux.msg.>"], "filters of one consumer never overlap");
    }

    #[test]
    fn a_new_consumer_is_made_as_the_resource_says() {
        let config = wanted(&identity(), &input(3), &stream(), Begin::AsConfigured).unwrap();
        assert_eq!(config.durable_name.as_deref(), Some("wasmgear_c_n_g"));
        assert_eq!((config.max_deliver, config.ack_policy), (-1, AckPolicy::Explicit));
        assert!(matches!(config.deliver_policy, DeliverPolicy::ByStartTime { .. }));
        assert_eq!(config.metadata[wire::META_GENERATION], "3");
        let ordered = Input { ordered: true, deliver: Deliver::All, ..input(1) };
        let config = wanted(&identity(), &ordered, &stream(), Begin::AsConfigured).unwrap();
        assert_eq!((config.max_ack_pending, config.deliver_policy), (1, DeliverPolicy::All));
        let config = wanted(&identity(), &ordered, &stream(), Begin::After(41)).unwrap();
        assert_eq!(config.deliver_policy, DeliverPolicy::ByStartSequence { start_sequence: 42 });
        let wrong = Input { deliver: Deliver::Time { start: "yesterday".into() }, ..input(1) };
        let problem = wanted(&identity(), &wrong, &stream(), Begin::AsConfigured).unwrap_err();
        assert!(problem.message.contains("yesterday"), "{}", problem.message);
    }

    #[test]
    fn another_gears_consumer_is_never_touched() {
        let found = wanted(&identity(), &input(1), &stream(), Begin::AsConfigured).unwrap();
        let other = Identity { uid: "u2".into(), ..identity() };
        for config in [found, Config::default()] {
            let Judgement::Foreign(problem) = judge(&config, &other, &input(9), &stream()) else {
                panic!("{config:?}")
            };
            assert_eq!(problem.reason, problem::CONSUMER_FOREIGN);
            assert!(problem.message.contains("nats consumer rm flux-msg wasmgear_c_n_g"), "{}", problem.message);
        }
    }

    #[test]
    fn the_newest_generation_wins_and_what_can_not_change_is_kept() {
        let found = wanted(&identity(), &input(2), &stream(), Begin::After(7)).unwrap();
        let slower = Input { ack_wait: Span::from_secs(60), ..input(2) };
        assert_eq!(judge(&found, &identity(), &slower, &stream()), Judgement::Ours, "same generation");
        assert_eq!(judge(&found, &identity(), &input(1), &stream()), Judgement::Ours, "an older pod changes nothing");
        let newer = Input { ack_wait: Span::from_secs(60), generation: 3, ..input(2) };
        let Judgement::Update(fresh) = judge(&found, &identity(), &newer, &stream()) else { panic!() };
        assert_eq!((fresh.ack_wait.as_secs(), fresh.deliver_policy), (60, found.deliver_policy));
        assert_eq!(fresh.metadata[wire::META_GENERATION], "3");
    }
}
