//! How many guests may run at once without the container running out of memory.
//!
//! Each call may use `limits.memory`. The container's limit, less what the process itself needs, divided by that is how many
//! calls fit; more than `concurrency` are never made. So guests can't get the pod killed, whatever they allocate.

use std::{fs, path::Path};

use gear_config::ByteSize;

/// For the process itself: compiled code, windows of messages, threads.
const OWN: u64 = 96 << 20;

/// Files in which a container reads its limit: cgroup v2, then v1.
const FILES: [&str; 2] = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// Memory limit of this container; `None` when it has none.
#[must_use]
pub fn container_limit() -> Option<u64> {
    FILES.iter().find_map(|file| read(Path::new(file)))
}

fn read(file: &Path) -> Option<u64> {
    let limit = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    // v1 writes "no limit" as a number near the largest one; v2 as the word max, which is no number.
    (limit < 1 << 60).then_some(limit)
}

/// Calls at once: what the document asks for, or what fits.
#[must_use]
pub fn concurrency(wanted: u32, memory: ByteSize, container: Option<u64>) -> u32 {
    let Some(container) = container else { return wanted };
    let fits = container.saturating_sub(OWN) / memory.get().max(1);
    wanted.min(u32::try_from(fits).unwrap_or(u32::MAX)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MI: u64 = 1 << 20;

    #[test]
    fn calls_are_cut_to_what_fits_and_one_always_does() {
        for (what, wanted, memory, container, calls) in [
            ("no limit", 16, 64, None, 16),
            ("the operator's formula", 16, 64, Some(64 * 4 + 128), 4),
            ("a roomy pod", 16, 64, Some(4096), 16),
            ("a pod that is too small", 16, 64, Some(64), 1),
            ("a small guest", 16, 1, Some(100), 4),
        ] {
            let container: Option<u64> = container.map(|mi: u64| mi * MI);
            assert_eq!(concurrency(wanted, ByteSize::new(memory * MI), container), calls, "{what}");
        }
    }

    #[test]
    fn a_limit_is_a_number_that_a_machine_can_have() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, limit) in
            [("402653184\n", Some(402_653_184)), ("max\n", None), ("9223372036854771712\n", None), ("", None)]
        {
            fs::write(file.path(), text).unwrap();
            assert_eq!(read(file.path()), limit, "{text:?}");
        }
    }
}
