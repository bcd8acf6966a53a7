//! Where to cut, and what to put there.

use alloc::vec::Vec;

use super::{
    Edit, NoRoom, Parts,
    parts::{Cut, Part, Small},
};
use crate::{
    Hop, Id, MAX_DEPTH, MAX_ELEMENTS, Peek,
    cbor::{Str, kind},
    peek::{Container, PORT_KEY, Pairs, Slot, What},
};

/// All cuts of an edit. Those that begin at one place apply in the order in which they were made: what goes to the end
/// of a field is made before what goes to the end of the record.
pub(super) struct Cuts<'a> {
    record: Peek<'a>,
    cuts: Vec<Cut<'a>>,
}

impl<'a> Cuts<'a> {
    pub(super) fn new(record: &Peek<'a>) -> Self {
        Self { record: *record, cuts: Vec::with_capacity(4) }
    }

    fn replace(&mut self, start: usize, end: usize, with: Part<'a>) {
        self.cuts.push(Cut { start, end, with });
    }

    fn insert(&mut self, at: usize, with: Part<'a>) {
        self.replace(at, at, with);
    }

    /// Makes a container that is there hold `len` elements. Returns where a new one goes, and the depth of it.
    fn resize(&mut self, slot: Slot, major: u8, len: usize) -> Result<(usize, u8), NoRoom> {
        if len > MAX_ELEMENTS {
            return Err(NoRoom::Elements);
        }
        let head = Part::Small(Small::EMPTY.head(major, len as u64));
        match slot {
            Slot::Here(Container { start, body, end, len: before, definite, depth }) => {
                if definite && len != before {
                    self.replace(start, body, head);
                }
                Ok((end, depth))
            }
            Slot::Null { at, depth } => {
                self.replace(at, at + 1, head);
                Ok((at + 1, deeper(depth)?))
            }
            Slot::Missing => Err(NoRoom::Depth),
        }
    }

    pub(super) fn id(&mut self, edit: &Edit<'a>) {
        if let (Some(id), Some((start, end))) = (edit.id, self.record.id_at) {
            self.replace(start, end, Part::Small(Small::EMPTY.id(Id::Uuid(id))));
        }
    }

    pub(super) fn path(&mut self, edit: &Edit<'a>) -> Result<(), NoRoom> {
        if !matches!(self.record.path, Slot::Missing) {
            let (end, depth) = self.resize(self.record.path, kind::ARRAY, self.record.hops() + 1)?;
            deeper(depth)?;
            self.insert(end, Part::Small(Small::EMPTY.hop(&edit.hop)));
        }
        Ok(())
    }

    pub(super) fn meta(&mut self, edit: &Edit<'a>) -> Result<(), NoRoom> {
        let drops = edit.drop_port && self.record.known.port.is_some();
        if matches!(self.record.meta, Slot::Missing) || (edit.set.is_empty() && !drops) {
            return Ok(());
        }
        let removed = self.remove(|key| {
            edit.drop_port && key.is(PORT_KEY.as_bytes()) || edit.set.iter().any(|(set, _)| key.is(set.as_bytes()))
        });
        let len = self.record.meta.len() - removed + edit.set.len();
        let (end, _) = self.resize(self.record.meta, kind::MAP, len)?;
        self.entries(end, edit.set);
        Ok(())
    }

    /// Removes entries of `meta`; returns how many.
    fn remove(&mut self, unwanted: impl Fn(Str<'_>) -> bool) -> usize {
        let record = self.record;
        let mut pairs = Pairs::of(record.bytes, record.meta, What::Texts);
        let (mut removed, mut source, mut source_goes) = (0, None, false);
        // The walk succeeded before, when the record was checked.
        while let Ok(true) = pairs.advance() {
            let (goes, end) = (unwanted(pairs.key), pairs.reader.at());
            if goes {
                removed += 1;
                self.replace(pairs.start, end, Part::Slice(&[]));
            }
            if !pairs.inherited {
                (source, source_goes) = (record.bytes.get(pairs.value_at..end), goes);
            } else if let (Some(value), true, false) = (source, source_goes, goes) {
                self.replace(pairs.value_at, end, Part::Slice(value));
            }
        }
        removed
    }

    fn entries(&mut self, at: usize, entries: &'a [(&'a str, &'a str)]) {
        for text in entries.iter().flat_map(|(key, value)| [key, value]) {
            self.insert(at, Part::Small(Small::EMPTY.head(kind::TEXT, text.len() as u64)));
            self.insert(at, Part::Slice(text.as_bytes()));
        }
    }

    /// Appends the pairs that the record does not have.
    pub(super) fn top(&mut self, edit: &Edit<'a>) -> Result<(), NoRoom> {
        let id = edit.id.filter(|_| self.record.id_at.is_none());
        let meta = matches!(self.record.meta, Slot::Missing) && !edit.set.is_empty();
        let path = matches!(self.record.path, Slot::Missing);
        let added = usize::from(id.is_some()) + usize::from(meta) + usize::from(path);
        if added == 0 {
            return Ok(());
        }
        let (end, depth) = self.resize(self.record.top, kind::MAP, self.record.top.len() + added)?;
        let depth = deeper(depth)?;
        if let Some(id) = id {
            self.insert(end, Part::Small(Small::EMPTY.put(b"\x62id").id(Id::Uuid(id))));
        }
        if meta {
            self.insert(end, Part::Small(Small::EMPTY.put(b"\x64meta").head(kind::MAP, edit.set.len() as u64)));
            self.entries(end, edit.set);
        }
        if path {
            deeper(depth)?;
            self.insert(end, Part::Small(pair_with(&edit.hop)));
        }
        Ok(())
    }

    pub(super) fn into_parts(mut self, id: Id, hops: usize) -> Parts<'a> {
        self.cuts.sort_by_key(|cut| cut.start);
        let record = self.record.bytes;
        let removed: usize = self.cuts.iter().map(|cut| cut.end - cut.start).sum();
        let added: usize = self.cuts.iter().map(|cut| cut.with.bytes().len()).sum();
        Parts { record, cuts: self.cuts, len: record.len() - removed + added, id, hops }
    }
}

fn pair_with(hop: &Hop) -> Small {
    Small::EMPTY.put(b"\x64path\x81").hop(hop)
}

fn deeper(depth: u8) -> Result<u8, NoRoom> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(NoRoom::Depth) }
}
