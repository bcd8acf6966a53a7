//! The codec from outside: against the rules it is written to, against itself, and against fluxrig's own library.
#![cfg(test)]

mod bytes;
mod canonical;
mod corpus;
mod golden;
mod kinds;
mod limits;
mod odd;
#[path = "../support/oracle.rs"]
mod oracle;
mod property;
mod random;
mod rows;
mod verdict;

/// What the fuzz targets check, so that their corpora can be replayed here.
#[path = "../../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "a library of its own in the workspace of the fuzz targets")]
mod checks;
