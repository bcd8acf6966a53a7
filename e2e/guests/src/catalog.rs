//! The fixtures with one fixed meaning, and what must become of each.

mod answers;
mod failures;
mod hostcalls;
mod proposals;
mod shapes;
mod start;

use crate::{FixtureError, skeleton};

/// A guest, and what must become of it.
#[derive(Debug)]
pub struct Fixture {
    /// What [`crate::wasm`] is asked for.
    pub name: &'static str,
    /// What must become of it.
    pub expect: Expect,
    source: Source,
}

/// What must become of a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// It loads, and answers the first message so.
    Answers(Answer),
    /// It loads, and the first message fails so.
    Fails(Failure),
    /// It is no gear, whatever it is granted; reason and sentence hold this text.
    Refused(&'static str),
    /// It imports this, which is refused unless granted; some of these no grant gives.
    NeedsGrant(&'static str),
    /// It is a gear as far as can be read, and costs so much to compile that the limits on the compiler itself stop it.
    CompileLimit,
}

/// What a guest makes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The same bytes.
    Echo,
    /// The same bytes as many times, as a CBOR array.
    Copies(u32),
    /// This record, whatever came in.
    Record(&'static [u8]),
    /// Nothing, by an empty array.
    Nothing,
    /// Nothing, by code 2 or, in the ABI of fluxrig's racks, a length of 0.
    Drop,
    /// A refusal.
    Reject {
        /// 1, or the guest's own number.
        code: u8,
        /// What it says.
        reason: &'static str,
    },
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The guest trapped.
    Trap,
    /// It used up its time.
    GuestTime,
    /// It was refused memory and then ended badly.
    Memory,
    /// The start function or `_initialize` failed.
    Start,
    /// It broke the rules of the ABI.
    Abi,
    /// It returned something that is no valid record.
    Output,
}

#[derive(Debug)]
enum Source {
    /// Instructions of the entrypoint of a flux1 gear.
    Process(&'static str),
    /// Imports and further fields of a flux1 gear; it has to bring its entrypoint.
    Gear { imports: &'static str, fields: &'static str },
    /// Imports of a flux1 gear that echoes.
    Imports(&'static str),
    /// Further fields of a flux1 gear that echoes.
    Echo(&'static str),
    /// A whole module.
    Wat(&'static str),
    /// Text that a function makes.
    Text(fn() -> String),
    /// Bytes as they are.
    Bytes(&'static [u8]),
    /// Bytes that a function makes.
    Made(fn() -> Vec<u8>),
}

impl Fixture {
    const fn new(name: &'static str, expect: Expect, source: Source) -> Self {
        Self { name, expect, source }
    }

    /// The module's bytes.
    pub(crate) fn assemble(&self) -> Result<Vec<u8>, FixtureError> {
        let text = match &self.source {
            Source::Bytes(bytes) => return Ok(bytes.to_vec()),
            Source::Made(make) => return Ok(make()),
            Source::Text(make) => make(),
            Source::Process(instructions) => skeleton::process(instructions),
            Source::Gear { imports, fields } => skeleton::gear(imports, fields),
            Source::Imports(imports) => skeleton::gear(imports, &skeleton::entrypoint(skeleton::ECHO)),
            Source::Echo(fields) => skeleton::gear("", &format!("{}{fields}", skeleton::entrypoint(skeleton::ECHO))),
            Source::Wat(text) => (*text).to_owned(),
        };
        assemble(self.name, &text)
    }
}

/// Turns text into a module.
pub(crate) fn assemble(name: &str, text: &str) -> Result<Vec<u8>, FixtureError> {
    wat::parse_str(text).map_err(|cause| FixtureError::Assemble { name: name.to_owned(), cause: Box::new(cause) })
}

/// Every fixture, by topic.
pub(crate) fn all() -> impl Iterator<Item = &'static Fixture> {
    [answers::FIXTURES, failures::FIXTURES, hostcalls::FIXTURES, proposals::FIXTURES, shapes::FIXTURES, start::FIXTURES]
        .into_iter()
        .flatten()
}

/// The fixture called `name`.
pub(crate) fn find(name: &str) -> Option<&'static Fixture> {
    all().find(|fixture| fixture.name == name)
}
