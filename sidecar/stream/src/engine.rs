//! The loop: permit → pull → track → call → settle.
//!
//! One task owns everything in hand, so that there are no locks and no task, timer or channel for each message. A turn
//! takes all that arrived, all verdicts that are ready and the ticks that are due; feeds each as an event to the machine
//! of its delivery ([`crate::settle`]); and then hands over the commands that came of it, together, so that the
//! connection writes them together.
//!
//! * A message is taken only while the window has room for it (count and bytes).
//! * Calls begin in the order of arrival; suspects of a crash one at a time.
//! * All records of one input are sent together, once there is room for all of them.
//! * The loop ends with the link, or after [`Engine::run`] was asked to stop and everything in hand is settled.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::{
    Input, RevisionTag, Verdict,
    ledger::Counts,
    link::{Arrival, Command, Lost, Sink, Source},
    monitor::Monitor,
    settle::Event,
};

mod answer;
mod apply;
mod fate;
mod plan;
mod pull;
mod send;
mod tick;
mod window;

pub(crate) use plan::Plan;
pub use plan::Tuning;
pub(crate) use window::Key;

use pull::Pulls;
use window::Window;

/// Calls and answers of one turn, so that no turn grows without bound.
const TURN: usize = 512;

/// What outlives a link: the counts, and which redeliveries are our own doing.
#[derive(Debug, Default)]
pub(crate) struct Carry {
    pub(crate) counts: Counts,
    pub(crate) forgiven: window::Forgiven,
    pub(crate) hold_rounds: u32,
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// It was asked to; so many deliveries were left to the server.
    Stopped { left: usize },
    /// The link is over.
    Lost(Lost),
}

/// What the loop asks of the gear beside calls.
#[derive(Clone, Copy)]
pub(crate) struct Asides<'a> {
    /// Which revision would process a message now.
    pub(crate) revision: &'a (dyn Fn(&Input) -> Arc<RevisionTag> + Send + Sync),
    /// The calls of a turn were handed over.
    pub(crate) handed_over: &'a (dyn Fn() + Send + Sync),
}

/// The loop over one link.
pub(crate) struct Engine<'a, S, K, C, F> {
    plan: &'a Plan,
    monitor: &'a Monitor,
    source: &'a mut S,
    sink: &'a mut K,
    call: C,
    asides: Asides<'a>,
    calls: FuturesUnordered<F>,
    window: Window,
    pulls: Pulls,
    carry: &'a mut Carry,
    ready: VecDeque<Key>,
    suspects: VecDeque<Key>,
    suspect: Option<Key>,
    blocked: VecDeque<Key>,
    records_out: usize,
    bytes_out: usize,
    commands: Vec<Command>,
    now: Instant,
    stopping: Option<Instant>,
    alive: bool,
    hindered: bool,
    circuit_open: bool,
    held_round: Instant,
    /// What was given back because something was away comes back until then.
    absent: Instant,
    last_words: Instant,
    arrived_now: usize,
    pending: u64,
}

impl<'a, S, K, C, F> Engine<'a, S, K, C, F>
where
    S: Source,
    K: Sink,
    C: Fn(Key, Input) -> F,
    F: Future<Output = (Key, Verdict)>,
{
    pub(crate) fn new(
        plan: &'a Plan,
        monitor: &'a Monitor,
        (source, sink): (&'a mut S, &'a mut K),
        (call, asides): (C, Asides<'a>),
        carry: &'a mut Carry,
    ) -> Self {
        let now = Instant::now();
        Self {
            plan,
            monitor,
            source,
            sink,
            call,
            asides,
            calls: FuturesUnordered::new(),
            window: Window::default(),
            pulls: Pulls::new(plan, now),
            carry,
            ready: VecDeque::new(),
            suspects: VecDeque::new(),
            suspect: None,
            blocked: VecDeque::new(),
            records_out: 0,
            bytes_out: 0,
            commands: Vec::new(),
            now,
            stopping: None,
            alive: false,
            hindered: false,
            circuit_open: false,
            held_round: now,
            absent: now,
            last_words: now,
            arrived_now: 0,
            pending: 0,
        }
    }

    /// Runs until the link is over, or until `stop` is cancelled and everything in hand is settled, at the latest `grace`
    /// after that.
    pub(crate) async fn run(mut self, stop: &CancellationToken, grace: Duration) -> Finish {
        let mut tick = interval(self.plan.tuning.tick());
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut asked = Box::pin(stop.clone().cancelled_owned());
        let mut turn = Turn::default();
        let finish = loop {
            if let Err(lost) = self.one_turn(&mut turn, &mut tick, &mut asked, grace).await {
                break Finish::Lost(lost);
            }
            if let Some(left) = self.finished() {
                break Finish::Stopped { left };
            }
        };
        self.every_slot(Event::Disconnected);
        self.monitor.publish(&self.carry.counts);
        finish
    }

    async fn one_turn(
        &mut self,
        turn: &mut Turn,
        tick: &mut Interval,
        asked: &mut std::pin::Pin<Box<WaitForCancellationFutureOwned>>,
        grace: Duration,
    ) -> Result<(), Lost> {
        self.permit();
        // The room stays: thousands of commands are more than an allocator likes to give and take back each turn.
        let mut commands = std::mem::take(&mut self.commands);
        for command in commands.drain(..) {
            self.sink.send(command).await?;
        }
        self.commands = commands;
        poll_fn(|cx| self.poll_turn(cx, turn, tick, asked)).await?;
        self.now = Instant::now();
        for arrival in turn.arrivals.drain(..) {
            self.arrival(arrival)?;
        }
        for (key, verdict) in turn.verdicts.drain(..) {
            self.verdict(key, verdict);
        }
        if std::mem::take(&mut turn.stop) && self.stopping.is_none() {
            self.stop(grace);
        }
        if std::mem::take(&mut turn.tick) {
            self.tick()?;
        }
        self.tell_arrivals();
        self.monitor.publish(&self.carry.counts);
        Ok(())
    }

    /// Answers first: they make room. Then verdicts, then time.
    fn poll_turn(
        &mut self,
        cx: &mut Context<'_>,
        turn: &mut Turn,
        tick: &mut Interval,
        asked: &mut std::pin::Pin<Box<WaitForCancellationFutureOwned>>,
    ) -> Poll<Result<(), Lost>> {
        let mut woken = match self.source.poll(cx, &mut turn.arrivals) {
            Poll::Ready(Err(lost)) => return Poll::Ready(Err(lost)),
            Poll::Ready(Ok(())) => true,
            Poll::Pending => false,
        };
        while turn.verdicts.len() < TURN {
            let Poll::Ready(Some(verdict)) = self.calls.poll_next_unpin(cx) else { break };
            turn.verdicts.push(verdict);
            woken = true;
        }
        if !self.calls.is_empty() {
            (self.asides.handed_over)();
        }
        if tick.poll_tick(cx).is_ready() {
            turn.tick = true;
            woken = true;
        }
        if self.stopping.is_none() && asked.as_mut().poll(cx).is_ready() {
            turn.stop = true;
            woken = true;
        }
        if woken { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Starts what may start, and asks for as much as there is room for.
    fn permit(&mut self) {
        self.send_blocked();
        while self.calls.len() < self.plan.tuning.calls {
            let Some(key) = self.ready.pop_front() else { break };
            self.apply(key, Event::Begin);
        }
        while self.suspect.is_none() {
            let Some(key) = self.suspects.pop_front() else { break };
            self.suspect = self.window.contains(key).then_some(key);
            self.apply(key, Event::Begin);
        }
        if self.stopping.is_none() {
            let room = if self.circuit_open { 1 } else { self.plan.window() };
            while let Some(pull) = self.pulls.ask(self.now, room, &self.window, self.plan) {
                self.commands.push(pull);
            }
        }
    }

    fn stop(&mut self, grace: Duration) {
        tracing::info!(in_hand = self.window.len(), "asked to stop: no new messages, finishing what is in hand");
        self.stopping = Some(self.now + grace);
        self.every_slot(Event::Stop);
    }

    /// `Some(left to the server)` when a stop is complete, or its time is over.
    fn finished(&mut self) -> Option<usize> {
        let deadline = self.stopping?;
        if self.window.is_empty() && self.commands.is_empty() {
            return Some(0);
        }
        if self.now < deadline {
            return None;
        }
        let left = self.window.len();
        self.every_slot(Event::Deadline);
        Some(left)
    }

    fn every_slot(&mut self, event: Event) {
        for key in self.window.keys() {
            self.apply(key, event);
        }
    }
}

/// What one turn found.
#[derive(Default)]
struct Turn {
    arrivals: Vec<Arrival>,
    verdicts: Vec<(Key, Verdict)>,
    tick: bool,
    stop: bool,
}
