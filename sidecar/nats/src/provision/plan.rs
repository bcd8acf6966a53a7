//! What each store must be.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use gear_config::names;

use super::Loose;

const HOUR: Duration = Duration::from_hours(1);
const MONTH: Duration = Duration::from_hours(30 * 24);

/// A stream or bucket of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Store {
    /// Stream `flux-dlq`: dead letters of all gears.
    DeadLetters,
    /// KV bucket `wasmgear_state`: attempts and positions.
    State,
    /// KV bucket `wasm_index`: name and version of a module → digest, write-once.
    Index,
    /// Object store `wasm_modules`: module bytes by digest.
    Modules,
}

impl Store {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::DeadLetters, Self::State, Self::Index, Self::Modules];

    /// Name of the stream behind it.
    #[must_use]
    pub const fn stream(self) -> &'static str {
        match self {
            Self::DeadLetters => names::DEAD_LETTER_STREAM,
            Self::State => "KV_wasmgear_state",
            Self::Index => "KV_wasm_index",
            Self::Modules => "OBJ_wasm_modules",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn what(self) -> &'static str {
        match self {
            Self::DeadLetters => "the dead-letter stream flux-dlq",
            Self::State => "the bucket wasmgear_state",
            Self::Index => "the bucket wasm_index",
            Self::Modules => "the object store wasm_modules",
        }
    }

    /// The stream as it is made.
    #[must_use]
    pub fn config(self) -> Config {
        let base = Config {
            name: self.stream().to_owned(),
            retention: RetentionPolicy::Limits,
            storage: StorageType::File,
            discard: DiscardPolicy::New,
            num_replicas: 1,
            max_messages: -1,
            max_messages_per_subject: -1,
            max_bytes: -1,
            max_consumers: -1,
            allow_direct: true,
            ..Config::default()
        };
        match self {
            Self::DeadLetters => Config {
                subjects: vec!["flux.dlq.>".to_owned()],
                description: Some("Messages that a wasm gear could not process".to_owned()),
                max_age: MONTH,
                duplicate_window: HOUR,
                ..base
            },
            Self::State => Config {
                subjects: vec![format!("$KV.{}.>", names::STATE_BUCKET)],
                description: Some("Attempts and positions of wasm gears".to_owned()),
                max_messages_per_subject: 1,
                allow_rollup: true,
                deny_delete: true,
                allow_message_ttl: true,
                ..base
            },
            Self::Index => Config {
                subjects: vec![format!("$KV.{}.>", names::INDEX_BUCKET)],
                description: Some("Wasm modules: name and version to digest, write-once".to_owned()),
                max_messages_per_subject: 1,
                discard_new_per_subject: true,
                deny_delete: true,
                deny_purge: true,
                ..base
            },
            Self::Modules => Config {
                subjects: ["C", "M"].map(|part| format!("$O.{}.{part}.>", names::MODULE_BUCKET)).to_vec(),
                description: Some("Wasm modules by digest".to_owned()),
                allow_rollup: true,
                ..base
            },
        }
    }

    /// Settings of an existing stream that do not hold.
    #[must_use]
    pub fn loose(self, found: &Config) -> Vec<Loose> {
        let wanted = self.config();
        let mut list = Vec::new();
        let mut hold = |setting, holds: bool, found: String, wanted: String| {
            if !holds {
                list.push(Loose { setting, found, wanted });
            }
        };
        let flag = |value: bool| value.to_string();
        hold("subjects", covers(found, &wanted), found.subjects.join(","), wanted.subjects.join(","));
        hold(
            "discard",
            found.discard == wanted.discard,
            format!("{:?}", found.discard),
            format!("{:?}", wanted.discard),
        );
        hold("allow_direct", found.allow_direct, flag(found.allow_direct), flag(true));
        match self {
            Self::DeadLetters => {
                let aged = found.max_age.is_zero() || found.max_age >= wanted.max_age;
                hold("max_age", aged, format!("{:?}", found.max_age), format!("at least {MONTH:?}"));
                let window = found.duplicate_window >= wanted.duplicate_window;
                hold("duplicate_window", window, format!("{:?}", found.duplicate_window), format!("at least {HOUR:?}"));
            }
            Self::State => {
                hold("allow_msg_ttl", found.allow_message_ttl, flag(found.allow_message_ttl), flag(true));
                // An age for all keys would end the positions too, and with them the memory of where a gear stood.
                hold("max_age", found.max_age.is_zero(), format!("{:?}", found.max_age), "none".to_owned());
            }
            Self::Index => {
                let per_subject = found.max_messages_per_subject;
                hold("max_msgs_per_subject", per_subject == 1, per_subject.to_string(), "1".to_owned());
                let discard = found.discard_new_per_subject;
                hold("discard_new_per_subject", discard, flag(discard), flag(true));
                hold("deny_delete", found.deny_delete, flag(found.deny_delete), flag(true));
                hold("deny_purge", found.deny_purge, flag(found.deny_purge), flag(true));
                hold("allow_rollup_hdrs", !found.allow_rollup, flag(found.allow_rollup), flag(false));
            }
            Self::Modules => hold("allow_rollup_hdrs", found.allow_rollup, flag(found.allow_rollup), flag(true)),
        }
        list
    }

    /// An existing stream's settings with what must hold put right; all else as it was found.
    pub(super) fn corrected(self, found: Config) -> Config {
        let wanted = self.config();
        let subjects = if covers(&found, &wanted) { found.subjects.clone() } else { wanted.subjects.clone() };
        let fixed = Config { subjects, discard: wanted.discard, allow_direct: true, ..found };
        match self {
            Self::DeadLetters => Config {
                max_age: if fixed.max_age.is_zero() { fixed.max_age } else { fixed.max_age.max(MONTH) },
                duplicate_window: fixed.duplicate_window.max(HOUR),
                ..fixed
            },
            Self::State => Config { allow_message_ttl: true, max_age: Duration::ZERO, ..fixed },
            Self::Index => Config {
                max_messages_per_subject: 1,
                discard_new_per_subject: true,
                deny_delete: true,
                deny_purge: true,
                allow_rollup: false,
                ..fixed
            },
            Self::Modules => Config { allow_rollup: true, ..fixed },
        }
    }
}

fn covers(found: &Config, wanted: &Config) -> bool {
    wanted.subjects.iter().all(|subject| found.subjects.contains(subject))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Break = fn(&mut Config);

    #[test]
    fn every_store_as_made_holds_and_every_setting_is_noticed_when_it_does_not() {
        for store in Store::ALL {
            assert_eq!(store.loose(&store.config()), vec![], "{store:?}");
        }
        let broken: [(Store, &str, Break); 9] = [
            (Store::Index, "deny_delete", |c| c.deny_delete = false),
            (Store::Index, "deny_purge", |c| c.deny_purge = false),
            (Store::Index, "allow_rollup_hdrs", |c| c.allow_rollup = true),
            (Store::Index, "max_msgs_per_subject", |c| c.max_messages_per_subject = 5),
            (Store::Index, "discard_new_per_subject", |c| c.discard_new_per_subject = false),
            (Store::DeadLetters, "duplicate_window", |c| c.duplicate_window = HOUR / 2),
            (Store::DeadLetters, "max_age", |c| c.max_age = HOUR),
            (Store::State, "max_age", |c| c.max_age = HOUR),
            (Store::Modules, "subjects", |c| c.subjects.clear()),
        ];
        for (store, setting, breaks) in broken {
            let mut config = store.config();
            breaks(&mut config);
            let found: Vec<_> = store.loose(&config).iter().map(|loose| loose.setting).collect();
            assert_eq!(found, [setting], "{store:?}");
            assert_eq!(store.loose(&store.corrected(config)), vec![], "{store:?} {setting}");
        }
    }

    #[test]
    fn wider_settings_are_left_alone() {
        let wide =
            Config { max_age: MONTH * 12, duplicate_window: HOUR * 3, num_replicas: 3, ..Store::DeadLetters.config() };
        assert_eq!(Store::DeadLetters.loose(&wide), vec![]);
        assert_eq!(Store::DeadLetters.corrected(wide.clone()), wide);
    }
}
