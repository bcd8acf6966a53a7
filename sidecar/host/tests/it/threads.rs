//! The threads that guests run on.

use std::{
    future::poll_fn,
    num::NonZeroUsize,
    panic,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use gear_host::{JobError, Threads};

fn threads(count: usize) -> Threads {
    Threads::start(NonZeroUsize::new(count), || ()).unwrap()
}

#[tokio::test]
async fn a_job_runs_on_a_guest_thread_and_its_result_comes_back() {
    let threads = threads(2);
    let name = threads.run(async { std::thread::current().name().unwrap_or_default().to_owned() }).await.unwrap();
    assert!(name.starts_with("guest-"), "{name}");
    let jobs: Vec<_> = (0..1_000u64).map(|n| threads.run(async move { n * n })).collect();
    for (n, job) in (0u64..).zip(jobs) {
        assert_eq!(job.await, Ok(n * n));
    }
}

#[tokio::test]
async fn one_thread_runs_many_futures_in_turns() {
    let threads = threads(1);
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let turns = |name: char| {
        let (order, mut left) = (Arc::clone(&order), 3);
        poll_fn(move |cx| {
            order.lock().unwrap().push(name);
            left -= 1;
            if left == 0 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    };
    // All are queued behind a job that holds the thread until they are.
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let first = threads.run(async move { gate.recv() });
    let jobs = ['a', 'b', 'c'].map(|name| threads.run(turns(name)));
    open.send(()).unwrap();
    first.await.unwrap().unwrap();
    for job in jobs {
        job.await.unwrap();
    }
    assert_eq!(order.lock().unwrap().iter().collect::<String>(), "abcabcabc");
}

#[tokio::test]
async fn a_panic_is_the_error_of_its_job_and_the_thread_lives() {
    let threads = threads(1);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let ended = threads.run(async { panic!("broken") }).await;
    panic::set_hook(hook);
    assert_eq!(ended, Err::<(), _>(JobError::Panicked("broken".to_owned())));
    assert_eq!(threads.run(async { 7 }).await, Ok(7));
}

#[tokio::test]
async fn a_job_that_is_dropped_is_dropped_on_a_guest_thread() {
    struct Tell(std::sync::mpsc::Sender<String>);
    impl Drop for Tell {
        fn drop(&mut self) {
            self.0.send(std::thread::current().name().unwrap_or_default().to_owned()).ok();
        }
    }
    let threads = threads(1);
    let (tell, told) = std::sync::mpsc::channel();
    let tell = Tell(tell);
    let job = threads.run(async move {
        let _tell = tell;
        std::future::pending::<()>().await;
    });
    // The job was polled once: the next one on the only thread is behind it.
    threads.run(async {}).await.unwrap();
    drop(job);
    assert_eq!(told.recv_timeout(Duration::from_secs(20)).unwrap(), "guest-0");
}

#[tokio::test]
async fn a_job_is_woken_from_another_runtime() {
    let threads = threads(1);
    let (send, receive) = tokio::sync::oneshot::channel();
    let job = threads.run(receive);
    threads.run(async {}).await.unwrap();
    send.send(5).unwrap();
    assert_eq!(job.await.unwrap(), Ok(5));
}

#[tokio::test]
async fn stopping_ends_what_is_unfinished() {
    let threads = threads(2);
    let waits = threads.run(std::future::pending::<()>());
    let polled = Arc::new(AtomicUsize::new(0));
    let again = threads.run({
        let polled = Arc::clone(&polled);
        poll_fn(move |cx| {
            polled.fetch_add(1, Ordering::SeqCst);
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        })
    });
    while polled.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    drop(threads);
    assert_eq!(again.await, Err(JobError::Stopped));
    // One that waits for something else has not been told yet; dropping it is all that is left to do.
    drop(waits);
}

#[tokio::test]
async fn what_is_queued_begins_when_it_is_woken_for_and_all_of_it_is_done() {
    let threads = threads(2);
    // Both sleep after this.
    threads.run(async {}).await.unwrap();
    let begun = Arc::new(AtomicUsize::new(0));
    let (open, gate) = std::sync::mpsc::channel::<()>();
    let gate = Arc::new(std::sync::Mutex::new(gate));
    let jobs = [(); 3].map(|()| {
        let (begun, gate) = (Arc::clone(&begun), Arc::clone(&gate));
        threads.queue(async move {
            begun.fetch_add(1, Ordering::SeqCst);
            gate.lock().unwrap().recv().unwrap();
        })
    });
    threads.wake();
    until(|| begun.load(Ordering::SeqCst) >= 1).await;
    // The first holds its thread: whoever hands over again finds the other one asleep.
    threads.wake();
    until(|| begun.load(Ordering::SeqCst) == 2).await;
    (0..3).for_each(|_| open.send(()).unwrap());
    for job in jobs {
        job.await.unwrap();
    }
}

#[tokio::test]
async fn a_thread_rests_once_when_nothing_comes() {
    static RESTS: AtomicUsize = AtomicUsize::new(0);
    let threads = Threads::start(NonZeroUsize::new(1), || {
        RESTS.fetch_add(1, Ordering::SeqCst);
    })
    .unwrap();
    threads.run(async {}).await.unwrap();
    until(|| RESTS.load(Ordering::SeqCst) == 1).await;
    assert_eq!(threads.run(async { 7 }).await, Ok(7), "and works on");
    assert_eq!(RESTS.load(Ordering::SeqCst), 1);
}

async fn until(there: impl Fn() -> bool) {
    let waiting = async {
        while !there() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("within 20 s");
}
