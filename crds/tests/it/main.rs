//! What is committed is what the types say, and a real API server holds people to it.
#![cfg(test)]

mod cel;
mod generated;
