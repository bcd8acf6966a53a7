//! The gear `pan-masker`, version 2. Of a card number the first six digits stay and the last four, or as many as the configuration key `keep` says (0 to 4).
#![no_std]

extern crate alloc;

use alloc::vec::Vec;

use gear_guest::{PerInstance, Verdict, config, fail, gear};
use pan_masker::{Keep, process_in_place};

static KEEP: PerInstance<Keep> =
    PerInstance::new(|| match Keep::FIRST_SIX_LAST_FOUR.configured(config("keep").as_deref()) {
        Ok(keep) => keep,
        Err(sentence) => fail(&sentence),
    });

/// A wrong configuration ends the instance before its first message, so the revision is refused and no message is.
fn start() {
    KEEP.get();
}

fn mask(record: &mut [u8]) -> Verdict<Vec<u8>> {
    match process_in_place(record, *KEEP) {
        Ok(None) => Verdict::Pass,
        Ok(Some(record)) => Verdict::Emit(record),
        Err(error) => Verdict::reject(error.text()),
    }
}

gear!(mask, start = start);
