//! Settings as text: `--limit guestTime=50ms`, `--config keep=4`.

use clap::ValueEnum;
use gear_config::{Instance, Limits};
use gear_module::Abi;

/// Sets one field from text.
type Set = fn(&mut Limits, &str) -> Result<(), String>;

/// Life of an instance
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Life {
    /// A new instance for each message
    Fresh,
    /// One instance for many messages; its globals live on
    Persistent,
}

/// What becomes of rejected messages
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reject {
    /// A dead letter
    DeadLetter,
    /// They leave by the port error
    ErrorPort,
}

impl Life {
    /// What a resource gets that does not say.
    pub(super) const fn of(abi: Abi) -> Self {
        match abi {
            Abi::Flux1 => Self::Fresh,
            Abi::Rack => Self::Persistent,
        }
    }
}

impl From<Life> for Instance {
    fn from(life: Life) -> Self {
        match life {
            Life::Fresh => Self::Fresh,
            Life::Persistent => Self::persistent(),
        }
    }
}

/// `name=value`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("NAME=VALUE is expected, as in keep=4".into()),
    }
}

const FIELDS: [(&str, Set); 6] = [
    ("memory", |limits, text| set(&mut limits.memory, text)),
    ("guestTime", |limits, text| set(&mut limits.guest_time, text)),
    ("messageTime", |limits, text| set(&mut limits.message_time, text)),
    ("outputMessages", |limits, text| set(&mut limits.output_messages, text)),
    ("outputSize", |limits, text| set(&mut limits.output_size, text)),
    ("logSize", |limits, text| set(&mut limits.log_size, text)),
];

fn set<T: std::str::FromStr<Err: std::fmt::Display>>(field: &mut T, text: &str) -> Result<(), String> {
    *field = text.parse().map_err(|error: T::Err| error.to_string())?;
    Ok(())
}

/// The default limits, with these changes.
pub(super) fn parse(changes: &[(String, String)]) -> Result<Limits, String> {
    let mut limits = Limits::default();
    for (name, value) in changes {
        let Some((_, set)) = FIELDS.iter().find(|(field, _)| field == name) else {
            let known: Vec<&str> = FIELDS.iter().map(|(field, _)| *field).collect();
            return Err(format!("--limit {name}: there is no such limit; there are {}", known.join(", ")));
        };
        set(&mut limits, value).map_err(|error| format!("--limit {name}: {error}"))?;
    }
    if limits.guest_time > limits.message_time {
        return Err(format!("guestTime {} is above messageTime {}", limits.guest_time, limits.message_time));
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(texts: &[&str]) -> Result<Limits, String> {
        let pairs: Result<Vec<_>, _> = texts.iter().map(|text| pair(text)).collect();
        parse(&pairs?)
    }

    #[test]
    fn limits_have_the_names_of_the_resource() {
        let limits = parsed(&[
            "memory=1Mi",
            "guestTime=50ms",
            "messageTime=1s",
            "outputMessages=2",
            "outputSize=3",
            "logSize=4k",
        ])
        .unwrap();
        assert_eq!((limits.memory.get(), limits.output_size.get(), limits.log_size.get()), (1 << 20, 3, 4000));
        assert_eq!((limits.guest_time.get().as_millis(), limits.output_messages), (50, 2));
        assert_eq!(parsed(&[]).unwrap(), Limits::default());
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_expected() {
        for (text, told) in [
            ("gestTime=1s", "guestTime"),
            ("guestTime=1", "is not a duration"),
            ("memory=1.5Gi", "is not a size"),
            ("guestTime=6s", "above messageTime"),
            ("memory", "NAME=VALUE"),
            ("=1", "NAME=VALUE"),
        ] {
            let error = parsed(&[text]).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
