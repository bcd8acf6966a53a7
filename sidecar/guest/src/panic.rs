//! A panic is one log line at level error, then a trap.

use crate::log;

/// Logs a sentence at level error and ends the instance: for a gear that can't do its work at all. One message that can't be
/// processed is a [`Verdict::Reject`](crate::Verdict::Reject).
pub fn fail(sentence: &str) -> ! {
    log::error(sentence);
    end(sentence)
}

#[cfg(target_arch = "wasm32")]
fn end(_sentence: &str) -> ! {
    core::arch::wasm32::unreachable()
}

#[cfg(not(target_arch = "wasm32"))]
#[allow(clippy::panic, reason = "what a trap is in the sandbox, a panic is in a test")]
fn end(sentence: &str) -> ! {
    panic!("{sentence}")
}

#[cfg(all(feature = "std", target_arch = "wasm32"))]
mod hook {
    use std::{panic, string::ToString, sync::Once};

    use crate::log;

    /// Makes panics of this instance log lines. The standard library writes them where nobody listens.
    pub(crate) fn report() {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| panic::set_hook(std::boxed::Box::new(|info| log::error(&info.to_string()))));
    }
}

#[cfg(all(not(feature = "std"), target_arch = "wasm32"))]
mod hook {
    use core::{
        fmt::{self, Write as _},
        panic::PanicInfo,
    };

    use crate::log;

    /// Nothing to install: the handler below is the only one.
    pub(crate) fn report() {}

    #[panic_handler]
    fn panicked(info: &PanicInfo<'_>) -> ! {
        let mut line = Line { bytes: [0; 512], len: 0 };
        // It fails when the line is full, which is fine.
        let _full = write!(line, "{info}");
        log::error(line.text());
        core::arch::wasm32::unreachable()
    }

    /// Room for a sentence without an allocation: the heap may be what is wrong.
    struct Line {
        bytes: [u8; 512],
        len: usize,
    }

    impl Line {
        fn text(&self) -> &str {
            let written = self.bytes.get(..self.len).unwrap_or_default();
            match core::str::from_utf8(written) {
                Ok(text) => text,
                // Cut in the middle of a character.
                Err(error) => {
                    core::str::from_utf8(written.get(..error.valid_up_to()).unwrap_or_default()).unwrap_or_default()
                }
            }
        }
    }

    impl fmt::Write for Line {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let room = self.bytes.get_mut(self.len..).unwrap_or_default();
            let taken = text.len().min(room.len());
            if let (Some(room), Some(text)) = (room.get_mut(..taken), text.as_bytes().get(..taken)) {
                room.copy_from_slice(text);
            }
            self.len += taken;
            if taken < text.len() { Err(fmt::Error) } else { Ok(()) }
        }
    }
}

#[cfg(target_arch = "wasm32")]
pub(crate) use hook::report;
