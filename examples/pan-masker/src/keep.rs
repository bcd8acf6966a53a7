//! How much of a card number stays readable.

use alloc::string::String;

/// Digits that may be shown in all: what the card schemes allow is the first six and the last four.
const MOST: usize = 10;

/// How many digits stay readable at either end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    pub(crate) first: usize,
    pub(crate) last: usize,
}

impl Keep {
    /// The last four.
    pub const LAST_FOUR: Self = Self { first: 0, last: 4 };
    /// The first six and the last four.
    pub const FIRST_SIX_LAST_FOUR: Self = Self { first: 6, last: 4 };

    /// With as many digits at the end as `value` says, the gear's configuration key `keep`; as it was when there is none.
    /// More than ten digits in all are refused.
    pub fn configured(self, value: Option<&str>) -> Result<Self, String> {
        let Some(text) = value else { return Ok(self) };
        let most = MOST - self.first;
        match text.parse() {
            Ok(last) if last <= most => Ok(Self { last, ..self }),
            // Put together by hand: the machinery behind `format!` is larger than the whole gear.
            _ => Err([
                "config.keep is \"",
                text,
                "\", a whole number from 0 to ",
                if most == MOST { "10" } else { "4" },
                " is expected; correct spec.config.keep",
            ]
            .concat()),
        }
    }
}
