//! What guests say: lines for a sink, and the function that makes them fit for people.
//!
//! The host hands lines over as the guest wrote them and counts them against `limits.logSize`; whoever owns the sink
//! prints, limits the rate, and calls [`printable`], so that `run` and the sidecar escape and mask alike.

use std::borrow::Cow;

use gear_abi::guest::LogLevel;

mod mask;

pub use mask::{Masking, printable};
pub(crate) use mask::{cut, one_line};

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For whoever develops the gear.
    Debug,
    /// Ordinary.
    Info,
    /// Somebody should look at it some time.
    Warn,
    /// Somebody should look at it now.
    Error,
}

impl Level {
    /// The level of the number that a guest gave; any other number is [`Level::Info`].
    #[must_use]
    pub const fn from_guest(level: i32) -> Self {
        match LogLevel::from_i32(level) {
            LogLevel::Debug => Self::Debug,
            LogLevel::Info => Self::Info,
            LogLevel::Warn => Self::Warn,
            LogLevel::Error => Self::Error,
        }
    }

    /// The name in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// One line of a guest, neither escaped nor masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// How loud it is.
    pub level: Level,
    /// What the guest wrote; what is no UTF-8 is replaced. May hold anything else, line breaks and terminal codes too.
    pub text: Cow<'a, str>,
    /// Name of the revision that wrote it.
    pub revision: &'a str,
}

/// Where lines of guests go. Called on guest threads inside a call, so it must be quick and must not wait.
pub trait Sink: Send + Sync {
    /// Takes one line.
    fn line(&self, line: Line<'_>);
}

/// Lines that one message may write, whatever their size: an empty line costs the reader, too.
pub(crate) const LINES: u32 = 1_000;

/// What is left of one message's log.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: usize,
    lines: u32,
    told: bool,
    ignored: u32,
}

impl Budget {
    pub(crate) const fn new(bytes: usize) -> Self {
        Self { bytes, lines: LINES, told: false, ignored: 0 }
    }

    /// Counts a line that pointed outside of memory.
    pub(crate) const fn ignore(&mut self) {
        self.ignored = self.ignored.saturating_add(1);
    }

    /// Lines that pointed outside of memory.
    pub(crate) const fn ignored(&self) -> u32 {
        self.ignored
    }

    /// Bytes that a line may still have.
    pub(crate) const fn left(&self) -> usize {
        self.bytes
    }

    /// Writes what there is room for; the first time there is none, says so once.
    pub(crate) fn write(&mut self, sink: &dyn Sink, revision: &str, level: Level, text: &[u8]) {
        let room = if self.lines == 0 { 0 } else { text.len().min(self.bytes) };
        let fits = room == text.len() && self.lines > 0;
        if room > 0 || fits {
            self.lines -= 1;
            self.bytes -= room;
            let part = text.get(..room).unwrap_or_default();
            sink.line(Line { level, text: String::from_utf8_lossy(part), revision });
        }
        if !fits && !self.told {
            self.told = true;
            let text = "further log lines of this message are suppressed (limits.logSize)".into();
            sink.line(Line { level: Level::Warn, text, revision });
        }
    }
}
