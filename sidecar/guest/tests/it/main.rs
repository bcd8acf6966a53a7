//! Tests of what gear authors link.
#![cfg(test)]

mod cpp_header;
mod native;
