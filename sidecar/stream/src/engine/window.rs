//! What is in hand: a slot for each delivery, named by place and generation.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Instant,
};

use async_nats::Subject;
use smallvec::SmallVec;

use crate::{Input, Output, RevisionTag, attempts::Attempts, dead_letter::Part, ledger::Reason, settle::State};

/// Names a delivery in hand. Good until it is done, never for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(super) slot: u16,
    pub(super) generation: u32,
}

/// One delivery in hand.
#[derive(Debug)]
pub(super) struct InHand {
    pub(super) state: State,
    pub(super) input: Input,
    pub(super) reply: Subject,
    pub(super) delivered: u64,
    pub(super) attempts: Attempts,
    /// Number of the last asking other than for records.
    pub(super) serial: u16,
    pub(super) made: Option<Made>,
    /// When the current asking is overdue.
    pub(super) overdue: Option<Instant>,
    pub(super) held_since: Option<Instant>,
    pub(super) retry: Instant,
    /// When the server wants to hear of it next.
    pub(super) progress: Instant,
    /// When the server's patience ends.
    pub(super) patience: Instant,
}

/// What came of the call.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) revision: Arc<RevisionTag>,
    pub(super) outputs: Vec<Output>,
    pub(super) letter: Option<Reason>,
    pub(super) parts: Vec<Part>,
    /// Records that were already there: record, stream, sequence.
    pub(super) there: SmallVec<[(u16, String, u64); 1]>,
    /// The attempts record to store, and what it says for people.
    pub(super) failure: Option<&'static str>,
    /// Records counted as being on their way: how many, how many bytes.
    pub(super) out: (usize, usize),
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    tenant: Option<InHand>,
}

/// All slots.
#[derive(Debug, Default)]
pub(super) struct Window {
    slots: Vec<Slot>,
    free: Vec<u16>,
    len: usize,
    bytes: usize,
}

impl Window {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn insert(&mut self, tenant: InHand) -> Option<Key> {
        let slot = if let Some(slot) = self.free.pop() {
            slot
        } else {
            let slot = u16::try_from(self.slots.len()).ok()?;
            self.slots.push(Slot::default());
            slot
        };
        self.len += 1;
        self.bytes += tenant.input.payload.len();
        let place = self.slots.get_mut(usize::from(slot))?;
        place.tenant = Some(tenant);
        Some(Key { slot, generation: place.generation })
    }

    /// Drops a delivery where it lies. How many records of it are counted as being on their way, and how many bytes, comes back.
    pub(super) fn remove(&mut self, key: Key) -> Option<(usize, usize)> {
        let place = self.slots.get_mut(usize::from(key.slot)).filter(|place| place.generation == key.generation)?;
        let tenant = place.tenant.as_ref()?;
        let out = tenant.made.as_ref().map_or((0, 0), |made| made.out);
        self.bytes -= tenant.input.payload.len();
        self.len -= 1;
        place.tenant = None;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(key.slot);
        Some(out)
    }

    pub(super) fn get(&mut self, key: Key) -> Option<&mut InHand> {
        let place = self.slots.get_mut(usize::from(key.slot)).filter(|place| place.generation == key.generation)?;
        place.tenant.as_mut()
    }

    pub(super) fn contains(&mut self, key: Key) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        let tenants = (0u16..).zip(&self.slots).filter(|(_, place)| place.tenant.is_some());
        tenants.map(|(slot, place)| Key { slot, generation: place.generation }).collect()
    }
}

/// Messages that this process gave up without a call going wrong: a lost connection, an ack without an answer, a hold.
/// Their redelivery is no sign of a crash. Bounded: what is forgotten is only looked at more closely.
#[derive(Debug, Default)]
pub(crate) struct Forgiven {
    known: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Forgiven {
    const KEPT: usize = 16_384;

    pub(super) fn add(&mut self, sequence: u64) {
        if self.known.insert(sequence) {
            self.order.push_back(sequence);
        }
        if self.order.len() > Self::KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    pub(super) fn take(&mut self, sequence: u64) -> bool {
        self.known.remove(&sequence)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn tenant(sequence: u64, size: usize) -> InHand {
        let now = Instant::now();
        InHand {
            state: State::new(false),
            input: Input { subject: "s".into(), payload: vec![0; size].into(), sequence, timestamp: 0 },
            reply: "r".into(),
            delivered: 1,
            attempts: Attempts::default(),
            serial: 0,
            made: None,
            overdue: None,
            held_since: None,
            retry: now,
            progress: now,
            patience: now,
        }
    }

    #[test]
    fn a_key_is_good_for_one_tenant() {
        let mut window = Window::default();
        let first = window.insert(tenant(1, 10)).unwrap();
        window.remove(first).unwrap();
        let second = window.insert(tenant(2, 20)).unwrap();
        assert_eq!(first.slot, second.slot, "the place is taken again");
        assert!(window.get(first).is_none() && window.remove(first).is_none(), "by another name");
        assert_eq!(window.get(second).unwrap().input.sequence, 2);
        assert_eq!((window.len(), window.bytes(), window.keys()), (1, 20, vec![second]));
    }

    #[test]
    fn what_is_forgiven_is_forgiven_once_and_not_without_bound() {
        let mut forgiven = Forgiven::default();
        forgiven.add(7);
        assert!(forgiven.take(7) && !forgiven.take(7));
        for sequence in 0..=u64::try_from(Forgiven::KEPT).unwrap() {
            forgiven.add(sequence + 100);
        }
        assert!(!forgiven.take(100) && forgiven.take(101));
        assert!(forgiven.known.len() <= Forgiven::KEPT);
    }
}
