//! The machine under random and under all events.

use std::collections::{HashSet, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::disposition::{Class, End};

/// What an observer of the effects knows.
#[allow(clippy::struct_excessive_bools, reason = "each is one thing that was seen, and they come in any mixture")]
#[derive(Debug, Default, Clone)]
struct Watcher {
    counted: Vec<Class>,
    ended: Option<End>,
    naked: Option<Why>,
    called: bool,
    marked: bool,
    recorded: bool,
    needs_mark: bool,
    late: bool,
    emitted: u32,
    closed: u32,
    done: bool,
}

impl Watcher {
    fn see(&mut self, before: &State, event: Event, after: &State, effects: &Effects) {
        assert!(!self.done || effects.is_empty(), "{before:?} {event:?} did {effects:?} after it was done");
        self.late |= event == Event::Late;
        self.marked |= event == Event::Marked && matches!(before.phase, Phase::Marking { .. });
        self.recorded |= event == Event::Recorded && matches!(before.phase, Phase::Recording { .. });
        self.needs_mark |= matches!(after.phase, Phase::Suspected { .. });
        for effect in effects {
            self.see_effect(before, event, *effect);
        }
        self.done = after.is_done();
        assert_eq!(self.done, !self.counted.is_empty(), "{before:?} {event:?} {after:?}");
        if self.done {
            assert_eq!(self.emitted, self.closed, "{before:?} {event:?}: outputs are counted once");
        }
    }

    fn see_effect(&mut self, before: &State, event: Event, effect: Effect) {
        match effect {
            Effect::Call => {
                assert!(!self.called, "called twice");
                assert!(!self.needs_mark || self.marked, "a suspect was called before it was marked");
                self.called = true;
            }
            Effect::End(end) => {
                assert!(self.ended.is_none(), "ended twice");
                if let Phase::Sending { records, .. } = &before.phase {
                    let open: Vec<_> = (0u16..).zip(records).filter(|(_, record)| !record.is_safe()).collect();
                    let answered = match event {
                        Event::Stored(flight) | Event::Duplicate(flight) | Event::LookedUp(flight, Found::Same) => {
                            flight
                        }
                        other => panic!("{before:?} was ended by {other:?}"),
                    };
                    assert!(
                        matches!(open[..], [(index, _)] if index == answered.index),
                        "{before:?} {event:?}: {open:?}"
                    );
                }
                assert!(end != End::Term || !self.late, "terminated after the server's patience");
                self.ended = Some(end);
            }
            Effect::Nak(why) => {
                assert!(self.naked.is_none() && self.ended.is_none(), "given back twice, or after its end");
                assert!(!self.late, "given back after the server's patience");
                assert!(why != Why::Failed || self.recorded, "given back before the attempt was stored");
                self.naked = Some(why);
            }
            Effect::InProgress => assert!(!self.late),
            Effect::Count(class) => {
                self.counted.push(class);
                assert_eq!(self.counted.len(), 1, "counted twice");
                let acked = matches!(
                    class,
                    Class::Ok
                        | Class::Dropped
                        | Class::Rejected
                        | Class::DeadLettered
                        | Class::Probe
                        | Class::AlreadyEmitted
                );
                assert!(!acked || self.ended.is_some(), "{class:?} without an end");
                assert!(class != Class::Retried || self.recorded);
            }
            Effect::Tally(Tally::Emitted(count)) => self.emitted += u32::from(count),
            Effect::Tally(Tally::Abandoned(count)) => self.closed += u32::from(count),
            Effect::Tally(Tally::Confirmed | Tally::Duplicate) => self.closed += 1,
            _ => {}
        }
    }
}

fn fates() -> Vec<Fate> {
    let mut all = vec![Fate::Ack(Class::Probe), Fate::Ack(Class::Dropped), Fate::Retry(1)];
    for class in [Class::Ok, Class::Rejected] {
        all.extend((0..3).map(|outputs| Fate::Publish { outputs, class }));
    }
    for (class, end) in [(Class::Rejected, End::Ack), (Class::DeadLettered, End::Term)] {
        all.extend((1..3).filter_map(NonZeroU16::new).map(|parts| Fate::Bury { parts, class, end }));
    }
    all
}

/// Every event there is, with flights of two records and two copies.
fn events() -> Vec<Event> {
    let flights: Vec<_> = (0..2).flat_map(|index| (0..3).map(move |copy| Flight { index, copy })).collect();
    let buried = Fate::Bury { parts: NonZeroU16::MIN, class: Class::DeadLettered, end: End::Term };
    let mut all = vec![
        Event::Arrived { again: false },
        Event::Arrived { again: true },
        Event::Recalled(Recalled::Accounted),
        Event::Recalled(Recalled::Suspect(1)),
        Event::Recalled(Recalled::Crashed(buried)),
        Event::Begin,
        Event::Marked,
        Event::Recorded,
        Event::Confirmed,
        Event::Unconfirmed,
        Event::Denied,
        Event::Overdue,
        Event::Retry,
        Event::GiveUp,
        Event::Progress,
        Event::Late,
        Event::Stop,
        Event::Deadline,
        Event::Disconnected,
    ];
    all.extend(fates().into_iter().map(Event::Verdict));
    for flight in flights {
        all.extend([Event::Stored(flight), Event::Duplicate(flight), Event::Refused(flight)]);
        all.extend([Found::Same, Found::Other, Found::Gone].map(|found| Event::LookedUp(flight, found)));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    #[test]
    fn no_order_of_events_breaks_an_invariant(
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..60), ordered in any::<bool>(),
    ) {
        let events = events();
        let (mut state, mut watcher) = (State::new(ordered), Watcher::default());
        for pick in picks {
            let event = *pick.get(&events);
            let (next, effects) = step(state.clone(), event);
            watcher.see(&state, event, &next, &effects);
            state = next;
        }
    }
}

/// All states that can be reached with at most two records.
fn reachable() -> Vec<State> {
    let events = events();
    let (mut seen, mut queue) = (HashSet::new(), VecDeque::from([State::new(false), State::new(true)]));
    while let Some(state) = queue.pop_front() {
        for event in &events {
            let (next, _) = step(state.clone(), *event);
            if seen.insert(next.clone()) {
                queue.push_back(next);
            }
        }
    }
    seen.into_iter().collect()
}

/// The kindest answer that the world can give to a state.
fn kind_answer(state: &State) -> Event {
    if state.held {
        return Event::Retry;
    }
    match &state.phase {
        Phase::Arrived => Event::Arrived { again: false },
        Phase::Recalling => Event::Recalled(Recalled::Accounted),
        Phase::Suspected { .. } | Phase::Waiting => Event::Begin,
        Phase::Marking { .. } => Event::Marked,
        Phase::Calling => Event::Verdict(Fate::Ack(Class::Dropped)),
        Phase::Recording { .. } => Event::Recorded,
        Phase::Settling { .. } => Event::Confirmed,
        Phase::Done => Event::Progress,
        Phase::Sending { records, .. } => {
            let open = (0u16..).zip(records).find(|(_, record)| !record.is_safe());
            match open {
                Some((index, Record::Unknown { copy, asked: true })) => {
                    Event::LookedUp(Flight { index, copy: *copy }, Found::Same)
                }
                Some((index, Record::Sent { copy, .. })) => Event::Stored(Flight { index, copy: *copy }),
                _ => Event::Overdue,
            }
        }
    }
}

#[test]
fn every_path_ends_once_the_world_answers() {
    let states = reachable();
    assert!(states.len() > 200, "{} states", states.len());
    for start in states {
        let mut state = start.clone();
        for _ in 0..20 {
            let event = kind_answer(&state);
            state = step(state, event).0;
        }
        assert!(state.is_done(), "{start:?} came to {state:?}");
    }
}

#[test]
fn every_state_ends_when_the_process_or_the_connection_does() {
    for state in reachable() {
        for event in [Event::Deadline, Event::Disconnected] {
            let (after, effects) = step(state.clone(), event);
            assert!(after.is_done());
            assert!(!effects.iter().any(|effect| matches!(effect, Effect::Nak(_) | Effect::End(_))), "{state:?}");
        }
    }
}

fn run(events: &[Event]) -> (State, Vec<Effect>) {
    let mut all = Vec::new();
    let mut state = State::new(false);
    for event in events {
        let (next, effects) = step(state, *event);
        state = next;
        all.extend(effects);
    }
    (state, all)
}

const FIRST: Flight = Flight { index: 0, copy: 0 };
const SECOND: Flight = Flight { index: 1, copy: 0 };
const ONE: Fate = Fate::Publish { outputs: 1, class: Class::Ok };
const TWO: Fate = Fate::Publish { outputs: 2, class: Class::Ok };

#[test]
fn the_input_is_acked_after_the_last_confirmation() {
    let start = [Event::Arrived { again: false }, Event::Begin, Event::Verdict(TWO), Event::Stored(SECOND)];
    let (state, effects) = run(&start);
    assert!(!effects.contains(&Effect::End(End::Ack)));
    let (state, effects) = step(state, Event::Stored(FIRST));
    assert_eq!(effects[..], [Effect::Tally(Tally::Confirmed), Effect::End(End::Ack)]);
    let (state, effects) = step(state, Event::Confirmed);
    assert!(state.is_done());
    assert_eq!(effects[..], [Effect::Count(Class::Ok)]);
}

#[test]
fn outputs_that_were_all_there_make_it_already_emitted() {
    let events = [
        Event::Arrived { again: false },
        Event::Begin,
        Event::Verdict(TWO),
        Event::Duplicate(FIRST),
        Event::Duplicate(SECOND),
        Event::LookedUp(FIRST, Found::Same),
        Event::LookedUp(SECOND, Found::Same),
        Event::Confirmed,
    ];
    let (_, effects) = run(&events);
    assert!(effects.contains(&Effect::LookUp(FIRST)) && effects.contains(&Effect::LookUp(SECOND)));
    assert_eq!(effects.last(), Some(&Effect::Count(Class::AlreadyEmitted)));
}

#[test]
fn a_collision_is_sent_again_under_another_id_and_never_taken_for_success() {
    let copy = Flight { index: 0, copy: 1 };
    let start = [Event::Arrived { again: false }, Event::Begin, Event::Verdict(ONE), Event::Duplicate(FIRST)];
    let (state, _) = run(&start);
    let (state, effects) = step(state, Event::LookedUp(FIRST, Found::Other));
    assert_eq!(effects[..], [Effect::Alarm(FIRST), Effect::Send(copy)]);
    let (state, effects) = step(state, Event::Stored(FIRST));
    assert!(effects.is_empty(), "a late answer to the first id is no answer to the second: {effects:?}");
    let (_, effects) = step(state, Event::Stored(copy));
    assert_eq!(effects.last(), Some(&Effect::End(End::Ack)));
}

#[test]
fn a_publish_without_an_answer_is_sent_again_and_its_duplicate_is_no_surprise() {
    let events = [
        Event::Arrived { again: false },
        Event::Begin,
        Event::Verdict(ONE),
        Event::Overdue,
        Event::Retry,
        Event::Duplicate(FIRST),
        Event::Confirmed,
    ];
    let (_, effects) = run(&events);
    assert!(effects.contains(&Effect::Hold) && effects.contains(&Effect::Send(FIRST)));
    assert!(!effects.contains(&Effect::LookUp(FIRST)));
    assert_eq!(effects.last(), Some(&Effect::Count(Class::Ok)));
}

#[test]
fn a_stop_gives_back_what_has_not_begun_and_leaves_the_rest() {
    let (_, effects) = run(&[Event::Arrived { again: false }, Event::Stop]);
    assert_eq!(effects[1..], [Effect::Nak(Why::Stopping), Effect::Count(Class::Released)]);
    let (state, _) = run(&[Event::Arrived { again: false }, Event::Begin]);
    let (state, effects) = step(state, Event::Stop);
    assert!(effects.is_empty() && !state.is_done());
    let ordered = step(State::new(true), Event::Arrived { again: false }).0;
    assert_eq!(step(ordered, Event::Stop).1[..], [Effect::Count(Class::Released)]);
}

#[test]
fn a_letter_that_is_there_already_is_not_looked_at() {
    let buried = Fate::Bury { parts: NonZeroU16::MIN, class: Class::DeadLettered, end: End::Term };
    let events = [Event::Arrived { again: false }, Event::Begin, Event::Verdict(buried), Event::Duplicate(FIRST)];
    let (_, effects) = run(&events);
    assert_eq!(effects[2..], [Effect::SendAll, Effect::End(End::Term)]);
}
