//! What guests say, as log lines of this process: escaped, masked, limited in rate.
//!
//! * A guest thread never waits for whoever reads the log: lines go through a bounded queue to a thread of their own, and
//!   what does not fit is counted and told.
//! * At most [`RATE`] lines a second, with as many at once.

use std::{
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use gear_host::log::{Level, Line, Masking, Sink, printable};

use crate::metrics::Process;

/// Lines a second, as fluxrig throttles its own.
const RATE: u32 = 500;
/// Lines on their way to the output.
const QUEUE: usize = 512;
/// Bytes of one line.
const LONGEST: usize = 8 << 10;
/// How often missing lines are told of.
const TOLD: Duration = Duration::from_secs(1);

/// The sink of one gear's lines.
pub struct GuestLog {
    queue: SyncSender<Written>,
    bucket: Mutex<Bucket>,
    metrics: Process,
}

enum Written {
    Line {
        level: Level,
        text: String,
        revision: String,
    },
    /// Lines were dropped; the thread tells when it gets to it.
    Dropped,
}

impl GuestLog {
    /// Starts the thread that writes. It ends with the sink.
    pub fn start(gear: &str, metrics: Process) -> std::io::Result<Self> {
        let (queue, lines) = sync_channel(QUEUE);
        let gear = gear.to_owned();
        thread::Builder::new().name("guest-log".into()).stack_size(256 << 10).spawn(move || write(&gear, &lines))?;
        Ok(Self { queue, bucket: Mutex::new(Bucket::full(Instant::now())), metrics })
    }
}

impl Sink for GuestLog {
    fn line(&self, line: Line<'_>) {
        if !wanted(line.level) {
            return;
        }
        let admitted = self.bucket.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
        let sent = admitted && {
            let text = printable(shortened(&line.text), Masking::On).into_owned();
            let line = Written::Line { level: line.level, text, revision: line.revision.to_owned() };
            self.queue.try_send(line).is_ok()
        };
        if sent {
            self.metrics.log_line(line.level);
        } else {
            self.metrics.log_dropped();
            // When not even this fits, a line of the queue will be followed by the next attempt.
            drop(self.queue.try_send(Written::Dropped));
        }
    }
}

/// Whether the filter of this process lets lines of guests through at this level.
fn wanted(level: Level) -> bool {
    match level {
        Level::Debug => tracing::enabled!(target: "guest", tracing::Level::DEBUG),
        Level::Info => tracing::enabled!(target: "guest", tracing::Level::INFO),
        Level::Warn => tracing::enabled!(target: "guest", tracing::Level::WARN),
        Level::Error => tracing::enabled!(target: "guest", tracing::Level::ERROR),
    }
}

/// Fields as fluxrig gives lines of gears (component, name, `flux.type`, `flux.name`).
macro_rules! emit {
    ($level:ident, $gear:expr, $revision:expr, $text:expr) => {
        tracing::$level!(target: "guest", component = "GEAR", name = $gear, flux.r#type = "GEAR", flux.name = $gear, revision = $revision, "{}", $text)
    };
}

fn write(gear: &str, lines: &Receiver<Written>) {
    let (mut dropped, mut told) = (0u64, Instant::now());
    loop {
        let next = if dropped == 0 {
            lines.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            lines.recv_timeout(TOLD)
        };
        match next {
            Ok(Written::Line { level, text, revision }) => match level {
                Level::Debug => emit!(debug, gear, revision, text),
                Level::Info => emit!(info, gear, revision, text),
                Level::Warn => emit!(warn, gear, revision, text),
                Level::Error => emit!(error, gear, revision, text),
            },
            Ok(Written::Dropped) => dropped += 1,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if dropped > 0 && told.elapsed() >= TOLD {
            tracing::warn!(gear, at_least = dropped, "log lines of the guest were dropped: more than {RATE} a second");
            (dropped, told) = (0, Instant::now());
        }
    }
}

fn shortened(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// A token bucket: [`RATE`] tokens at most, refilled with time.
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn full(now: Instant) -> Self {
        Self { tokens: f64::from(RATE), filled: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.tokens, self.filled) = ((self.tokens + since * f64::from(RATE)).min(f64::from(RATE)), now);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_lines_is_cut_to_the_rate() {
        let begin = Instant::now();
        let mut bucket = Bucket::full(begin);
        let admitted = |bucket: &mut Bucket, at| (0..10_000).filter(|_| bucket.take(at)).count();
        assert_eq!(admitted(&mut bucket, begin), 500);
        assert_eq!(admitted(&mut bucket, begin + Duration::from_millis(100)), 50);
        assert_eq!(admitted(&mut bucket, begin + Duration::from_secs(100)), 500);
    }
}
