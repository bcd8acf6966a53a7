//! Logs, spans and the guard together.
#![cfg(test)]

mod whole;
