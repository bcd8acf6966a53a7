//! What the sandbox promises, shown on guests in text form.
#![cfg(test)]

mod answers;
mod capabilities;
mod compiling;
mod hostile;
mod kept;
mod limits;
mod starved;
mod support;
mod threads;
mod time;
