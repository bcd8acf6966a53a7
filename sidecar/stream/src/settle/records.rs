//! Records of one delivery on their way: outputs, or the parts of a dead letter.

use smallvec::SmallVec;

/// All records of one delivery.
pub type Records = SmallVec<[Record; 2]>;

/// One record, one sending of it. A record whose id is taken by another one is sent again under the next copy's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flight {
    /// Which record.
    pub index: u16,
    /// Which id: 0 is the record's own, `n` its own with `.x<n>`.
    pub copy: u8,
}

/// Highest copy; what collides more often is held.
pub(super) const LAST_COPY: u8 = 9;

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Record {
    /// To be sent, once more where `again`.
    Unsent {
        /// Its id.
        copy: u8,
        /// It was sent before under this id, by this delivery: finding it in the stream is no surprise.
        again: bool,
    },
    /// Sent, not answered.
    Sent {
        /// Its id.
        copy: u8,
        /// As above.
        again: bool,
    },
    /// Already there; to be looked at.
    Unknown {
        /// Its id.
        copy: u8,
        /// The question was asked.
        asked: bool,
    },
    /// In the stream, by this delivery.
    Stored,
    /// In the stream, by an earlier delivery of the same input.
    Earlier,
}

/// What is in the stream under a record's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Found {
    /// An output of the same input.
    Same,
    /// Something else.
    Other,
    /// Nothing any more.
    Gone,
}

/// How outputs are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tally {
    /// Handed to the publisher.
    Emitted(u16),
    /// Confirmed.
    Confirmed,
    /// Confirmed as already there.
    Duplicate,
    /// Given up before the server answered.
    Abandoned(u16),
}

impl Record {
    /// Whether it needs nothing more.
    #[must_use]
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Stored | Self::Earlier)
    }

    /// Whether an answer to this flight is an answer to what the record waits for.
    pub(super) const fn flies(self, flight: Flight) -> bool {
        matches!(self, Self::Sent { copy, .. } if copy == flight.copy)
    }

    pub(super) const fn asks(self, flight: Flight) -> bool {
        matches!(self, Self::Unknown { copy, asked: true } if copy == flight.copy)
    }

    /// The record after its time ran out: what was sent may or may not have arrived.
    pub(super) const fn overdue(self) -> Self {
        match self {
            Self::Sent { copy, .. } => Self::Unsent { copy, again: true },
            Self::Unknown { copy, .. } => Self::Unknown { copy, asked: false },
            other => other,
        }
    }

    /// The record after it was refused: what was sent did not arrive this time.
    pub(super) const fn refused(self) -> Self {
        match self {
            Self::Sent { copy, again } => Self::Unsent { copy, again },
            other => other.overdue(),
        }
    }
}
