//! The walk over the ten fields.

use super::{Container, Known, Pairs, Peek, Slot, What};
use crate::{
    Field, Hop, Id,
    cbor::{Bare, Items, Reader, Result, Str, kind},
    error::Wanted,
};

/// Reads the record that begins where the reader is.
pub(crate) fn read<'a>(reader: &mut Reader<'a>) -> Result<Peek<'a>> {
    let mut found = Peek {
        bytes: &[],
        id: Id::NIL,
        flags: 0,
        payload: 0,
        numeric_ids: false,
        known: Known::default(),
        top: Slot::Missing,
        id_at: None,
        meta: Slot::Missing,
        data: Slot::Missing,
        path: Slot::Missing,
    };
    let mut seen = Seen::default();
    found.top = container(reader, 0, kind::MAP, Wanted::Record, |reader, items| match field(reader)? {
        Some(field) if seen.is_first(field.bit()) => {
            found.field(reader, field, items.depth).map_err(|error| error.within(field))
        }
        _ => reader.skip(items.depth),
    })?;
    Ok(found)
}

/// Fields that came before: only the first of each counts.
#[derive(Default)]
pub(crate) struct Seen(u16);

impl Seen {
    pub(crate) fn is_first(&mut self, bit: u16) -> bool {
        let first = self.0 & bit == 0;
        self.0 |= bit;
        first
    }
}

/// Reads an array or a map, or null, element by element.
#[inline]
pub(crate) fn container<'a>(
    reader: &mut Reader<'a>,
    depth: u8,
    major: u8,
    wanted: Wanted,
    mut each: impl FnMut(&mut Reader<'a>, &Items) -> Result<()>,
) -> Result<Slot> {
    let Bare { start, head, depth, .. } = reader.bare(depth)?;
    if head.is_null() {
        return Ok(Slot::null(reader, depth));
    }
    if head.major != major {
        return Err(reader.unfit(wanted));
    }
    let body = reader.at();
    let mut items = reader.open(head, depth)?;
    while reader.more(&mut items)? {
        each(reader, &items)?;
    }
    Ok(Slot::Here(Container::closed(start, body, head, &items, reader)))
}

/// The key of a pair where the library fills a struct; `None` for a number, which is nobody's key.
fn key<'a>(reader: &mut Reader<'a>) -> Result<Option<Str<'a>>> {
    let head = reader.head()?;
    match head.major {
        kind::TEXT => reader.text(head).map(Some),
        kind::UINT | kind::NINT if i64::try_from(head.value).is_ok() => Ok(None),
        _ => Err(reader.unfit(Wanted::Key)),
    }
}

/// The field that the key of a pair of the record means.
#[inline]
pub(crate) fn field(reader: &mut Reader<'_>) -> Result<Option<Field>> {
    match reader.short_text() {
        Some(key) => Ok(Field::of(key)),
        None => Ok(key(reader)?.and_then(|key| Field::of(key.copied(&mut [0; 6])?))),
    }
}

/// One hop; the library takes null for a hop of zeros.
#[inline]
pub(crate) fn hop(reader: &mut Reader<'_>, depth: u8) -> Result<Hop> {
    match reader.usual_hop() {
        Some((g, p)) => Ok(Hop::new(g, p, reader.int64(reader.deeper(depth)?)?)),
        None => any_hop(reader, depth),
    }
}

fn any_hop(reader: &mut Reader<'_>, depth: u8) -> Result<Hop> {
    let (mut hop, mut seen) = (Hop::default(), Seen::default());
    container(reader, depth, kind::MAP, Wanted::Hop, |reader, items| {
        let mut letter = [0];
        let key = key(reader)?.and_then(|key| key.copied(&mut letter)?.first().copied());
        match key.map(|letter| letter.to_ascii_lowercase()) {
            Some(b'g') if seen.is_first(1) => hop.g = reader.id(items.depth)?,
            Some(b'p') if seen.is_first(2) => hop.p = reader.id(items.depth)?,
            Some(b't') if seen.is_first(4) => hop.t = reader.int64(items.depth)?,
            _ => reader.skip(items.depth)?,
        }
        Ok(())
    })?;
    Ok(hop)
}

/// The pairs of `meta` or `data`, or null.
#[inline]
pub(crate) fn table<'a>(
    reader: &mut Reader<'a>,
    depth: u8,
    what: What,
    mut each: impl FnMut(&Pairs<'a>),
) -> Result<Slot> {
    let Bare { start, head, depth, .. } = reader.bare(depth)?;
    if head.is_null() {
        return Ok(Slot::null(reader, depth));
    }
    if head.major != kind::MAP {
        return Err(reader.unfit(Wanted::Table));
    }
    let body = reader.at();
    let mut pairs = Pairs::open(*reader, head, depth, what)?;
    while pairs.advance()? {
        each(&pairs);
    }
    *reader = pairs.reader;
    Ok(pairs.items.map_or(Slot::Missing, |items| Slot::Here(Container::closed(start, body, head, &items, reader))))
}

impl<'a> Peek<'a> {
    fn field(&mut self, reader: &mut Reader<'a>, field: Field, depth: u8) -> Result<()> {
        match field {
            Field::Id => {
                let start = reader.at();
                self.id = self.identity(reader, depth)?;
                self.id_at = Some((start, reader.at()));
            }
            Field::RefId | Field::SrcId => {
                self.identity(reader, depth)?;
            }
            Field::Trace => {
                reader.text_or_null(depth)?;
            }
            Field::Meta => {
                self.meta = table(reader, depth, What::Texts, |pair| {
                    self.payload += pair.size;
                    if let Some(known) = self.known.slot(pair.key) {
                        *known = Some(pair.text);
                    }
                })?;
            }
            Field::Data => {
                self.data = table(reader, depth, What::Anything, |pair| self.payload += pair.size)?;
            }
            Field::Flags => self.flags = reader.uint32(depth)?,
            Field::Raw => self.payload += reader.raw(depth, |_| {})?.unwrap_or(0) as u64,
            Field::Path => {
                self.path = container(reader, depth, kind::ARRAY, Wanted::Hops, |reader, items| {
                    let hop = hop(reader, items.depth)?;
                    self.numeric_ids |= matches!(hop.g, Id::Number(_)) | matches!(hop.p, Id::Number(_));
                    Ok(())
                })?;
            }
            Field::Ts => {
                reader.int64(depth)?;
            }
        }
        Ok(())
    }

    fn identity(&mut self, reader: &mut Reader<'a>, depth: u8) -> Result<Id> {
        let id = reader.id(depth)?;
        self.numeric_ids |= matches!(id, Id::Number(_));
        Ok(id)
    }
}
