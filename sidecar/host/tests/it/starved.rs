//! Guests in a container with a CPU limit: a process of its own, in a control group that gets a fifth of a core.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use gear_config::Span;

use crate::support::{ECHO, Rig, copy, flux1};

const NAME: &str = "starved::innocent_guests_under_a_limit_of_200m_are_never_stopped";
/// Set in the process that is limited.
const LIMITED: &str = "WASMGEAR_TEST_LIMITED";
/// A fifth of a core, as Kubernetes writes `cpu: 200m`: microseconds of each period.
const QUOTA: (u32, u32) = (20_000, 100_000);
const CALLS: usize = 24;

/// A control group, gone with this value.
struct Group {
    folder: PathBuf,
    /// Second version of control groups.
    unified: bool,
}

impl Group {
    fn new() -> Self {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let mut mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let first = mounts.clone().find(|m| m[2] == "cgroup" && m[3].split(',').any(|option| option == "cpu"));
        let found = first.map(|mount| (mount[1].to_owned(), false));
        let found = found.or_else(|| Some((mounts.find(|mount| mount[2] == "cgroup2")?[1].to_owned(), true)));
        let (root, unified) = found.expect("control groups are mounted");
        if unified {
            fs::write(Path::new(&root).join("cgroup.subtree_control"), "+cpu")
                .expect("root may pass the CPU controller on");
        }
        let folder = Path::new(&root).join(format!("wasmgear-test-{}", std::process::id()));
        fs::create_dir(&folder).expect("a control group can be made; run the tests as root");
        let group = Self { folder, unified };
        let (quota, period) = QUOTA;
        if unified {
            group.write("cpu.max", &format!("{quota} {period}"));
        } else {
            group.write("cpu.cfs_period_us", &period.to_string());
            group.write("cpu.cfs_quota_us", &quota.to_string());
        }
        group
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).unwrap_or_else(|error| panic!("{file}: {error}"));
    }

    /// How often processes of the group had to wait for their next period.
    fn throttled(&self) -> u64 {
        let stat = fs::read_to_string(self.folder.join("cpu.stat")).unwrap();
        let count = stat.lines().find_map(|line| line.strip_prefix("nr_throttled "));
        count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("{} in {stat}", self.unified))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The process in it has been waited for; the kernel may take a moment to see it.
        let end = Instant::now() + Duration::from_secs(5);
        while fs::remove_dir(&self.folder).is_err() && Instant::now() < end {
            std::thread::yield_now();
        }
    }
}

#[tokio::test]
async fn innocent_guests_under_a_limit_of_200m_are_never_stopped() {
    if std::env::var_os(LIMITED).is_some() {
        return limited().await;
    }
    let group = Group::new();
    // The shell moves itself into the group and becomes this program: nothing of it runs outside.
    let output = Command::new("sh")
        .args(["-c", r#"echo $$ >"$0" && exec "$@""#])
        .arg(group.folder.join("cgroup.procs"))
        .arg(std::env::current_exe().unwrap())
        .args([NAME, "--exact", "--nocapture"])
        .env(LIMITED, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
    let throttled = group.throttled();
    assert!(throttled >= 3, "the limit was felt {throttled} times: this run shows nothing\n{told}");
}

/// Guests that need 20 to 40 ms of their 100, all at once.
async fn limited() {
    let rig = Rig::with(2, 16, gear_host::compile::CompileLimits::default());
    let burn = format!(
        "(local $n i32) (loop $l (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $n) (i32.const 20000000)))) {ECHO}"
    );
    let change = |policy: &mut gear_host::Policy| policy.limits.message_time = Span::from_secs(600);
    let guest = rig.guest(&flux1(&burn), change).await;
    let calls: Vec<_> = (0..CALLS)
        .map(|_| {
            let guest = guest.clone();
            rig.threads.run(async move {
                let begin = Instant::now();
                (guest.call(&b"x"[..], copy).await, begin.elapsed())
            })
        })
        .collect();
    let mut longer = 0;
    for call in calls {
        let (called, took) = call.await.unwrap();
        assert!(called.result.is_ok(), "{:?} after {took:?}", called.result);
        assert!(called.cost.guest_time < Duration::from_millis(100), "{:?}", called.cost.guest_time);
        longer += usize::from(took > Duration::from_millis(100));
    }
    // By the clock on the wall these would have been stopped.
    assert!(longer > CALLS / 2, "{longer} of {CALLS} took longer than their guest time: this run shows nothing");
}
