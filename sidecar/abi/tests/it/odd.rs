//! Valid encodings that nobody would choose.

use gear_abi::{Hop, Id, Message, Value};

use crate::random::Random;

/// Encodes a message with heads longer than needed, strings in chunks, open containers, keys in any order and letter
/// case, second keys that do not count, keys that nobody knows, and tags.
pub(crate) struct Odd(Random);

impl Odd {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Random::new(seed))
    }

    pub(crate) fn encode(&mut self, message: &Message) -> Vec<u8> {
        let fields = self.fields(message);
        let present: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
        let mut pairs: Vec<Vec<u8>> = fields.into_iter().map(|(_, pair)| pair).collect();
        for at in (1..pairs.len()).rev() {
            pairs.swap(at, self.0.below(at + 1));
        }
        while self.chance(30) {
            let at = self.0.below(pairs.len() + 1);
            let mut key = self.text("unknown");
            key.extend(self.value(&Value::Array(vec![
                Value::Nint(u64::MAX),
                Value::Map([(1u64.into(), 2u64.into())].into_iter().collect()),
            ])));
            pairs.insert(at, key);
        }
        for name in present {
            if self.chance(10) {
                // Behind the one that counts; of any type, since nobody reads it.
                let name = if self.chance(50) { name.to_uppercase() } else { name.into() };
                let mut pair = self.text(&name);
                pair.extend([0xf5]);
                pairs.push(pair);
            }
        }
        let mut out = Vec::new();
        while self.chance(10) {
            out.extend([0xd9, 0xd9, 0xf7]);
        }
        let len = pairs.len();
        out.extend(self.container(5, len, pairs.concat()));
        out
    }

    /// The fields of a message; what is empty may be null, or not there at all.
    fn fields(&mut self, message: &Message) -> Vec<(&'static str, Vec<u8>)> {
        let mut pairs = Vec::new();
        let mut put = |odd: &mut Self, name: &'static str, empty: bool, value: Vec<u8>| {
            let value = match odd.0.below(4) {
                0 if empty => return,
                1 if empty => vec![0xf6 + u8::from(odd.chance(50))],
                _ => value,
            };
            let key = if odd.chance(10) { name.to_uppercase() } else { name.into() };
            let mut pair = odd.text(&key);
            if odd.chance(5) {
                pair.extend([0xd8, 0x63]);
            }
            pair.extend(value);
            pairs.push((name, pair));
        };
        for (name, id) in [("id", message.id), ("ref_id", message.ref_id), ("src_id", message.src_id)] {
            let value = self.id(id);
            put(self, name, id == Id::NIL, value);
        }
        let trace = self.text(&message.trace);
        put(self, "trace", message.trace.is_empty(), trace);
        let mut meta = Vec::new();
        for (key, value) in message.meta.iter() {
            meta.extend(self.text(key));
            meta.extend(self.text(value));
        }
        let meta = self.container(5, message.meta.len(), meta);
        put(self, "meta", message.meta.is_empty(), meta);
        let mut data = Vec::new();
        for (key, value) in message.data.iter() {
            data.extend(self.text(key));
            data.extend(self.value(value));
        }
        let data = self.container(5, message.data.len(), data);
        put(self, "data", message.data.is_empty(), data);
        let flags = self.head(0, u64::from(message.flags));
        put(self, "flags", message.flags == 0, flags);
        match &message.raw {
            Some(raw) => {
                let raw = self.string(2, raw);
                put(self, "raw", false, raw);
            }
            None => put(self, "raw", true, vec![0xf6]),
        }
        let hops: Vec<u8> = message.path.iter().flat_map(|hop| self.hop(hop)).collect();
        let path = self.container(4, message.path.len(), hops);
        put(self, "path", message.path.is_empty(), path);
        let ts = self.int(message.ts);
        put(self, "ts", message.ts == 0, ts);
        pairs
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.0.below(100) < percent
    }

    fn head(&mut self, major: u8, value: u64) -> Vec<u8> {
        let least = crate::bytes::head(major, value).len() - 1;
        let widths = [0, 1, 2, 4, 8];
        let longer: Vec<usize> = widths.into_iter().filter(|width| *width >= least).collect();
        let width = if self.chance(20) { longer[self.0.below(longer.len())] } else { least };
        if width == least {
            return crate::bytes::head(major, value);
        }
        let info = 24 + u8::try_from(width.trailing_zeros()).unwrap();
        [&[major << 5 | info], &value.to_be_bytes()[8 - width..]].concat()
    }

    fn int(&mut self, value: i64) -> Vec<u8> {
        match u64::try_from(value) {
            Ok(value) => self.head(0, value),
            Err(_) => self.head(1, (!value).unsigned_abs()),
        }
    }

    fn text(&mut self, content: &str) -> Vec<u8> {
        self.string(3, content.as_bytes())
    }

    fn string(&mut self, major: u8, content: &[u8]) -> Vec<u8> {
        if !self.chance(15) {
            return [self.head(major, content.len() as u64), content.to_vec()].concat();
        }
        let mut out = vec![major << 5 | 31];
        let mut rest = content;
        while !rest.is_empty() {
            let mut n = 1 + self.0.below(rest.len());
            // A text is cut between two characters.
            while major == 3 && rest.get(n).is_some_and(|byte| byte & 0xc0 == 0x80) {
                n += 1;
            }
            out.extend(self.head(major, n as u64));
            out.extend(&rest[..n]);
            rest = &rest[n..];
        }
        out.push(0xff);
        out
    }

    fn container(&mut self, major: u8, len: usize, content: Vec<u8>) -> Vec<u8> {
        if self.chance(25) {
            [vec![major << 5 | 31], content, vec![0xff]].concat()
        } else {
            [self.head(major, len as u64), content].concat()
        }
    }

    fn id(&mut self, id: Id) -> Vec<u8> {
        match id {
            Id::Uuid(uuid) if self.chance(5) => {
                let numbers: Vec<u8> = uuid.0.iter().flat_map(|byte| self.head(0, u64::from(*byte))).collect();
                self.container(4, 16, numbers)
            }
            Id::Uuid(uuid) => self.string(2, &uuid.0),
            Id::Number(number) => self.head(0, number),
        }
    }

    fn hop(&mut self, hop: &Hop) -> Vec<u8> {
        let pairs = [
            [self.text("g"), self.id(hop.g)].concat(),
            [self.text("p"), self.id(hop.p)].concat(),
            [self.text("t"), self.int(hop.t)].concat(),
        ];
        let first = self.0.below(3);
        let turned: Vec<u8> = (0..3).flat_map(|at| pairs[(first + at) % 3].clone()).collect();
        self.container(5, 3, turned)
    }

    fn value(&mut self, value: &Value) -> Vec<u8> {
        match value {
            Value::Uint(number) => self.head(0, *number),
            Value::Nint(number) => self.head(1, *number),
            Value::Bytes(content) => self.string(2, content),
            Value::Text(content) => self.text(content),
            Value::Array(items) => {
                let content: Vec<u8> = items.iter().flat_map(|item| self.value(item)).collect();
                self.container(4, items.len(), content)
            }
            Value::Map(map) => {
                let mut content = Vec::new();
                for (key, item) in map.iter() {
                    content.extend(self.value(key));
                    content.extend(self.value(item));
                }
                self.container(5, map.len(), content)
            }
            Value::Tag(number, content) => [self.head(6, *number), self.value(content)].concat(),
            Value::Float(number) => [&[0xfb][..], &number.to_bits().to_be_bytes()].concat(),
            Value::Simple(number) => crate::bytes::head(7, u64::from(*number)),
            Value::Bool(truth) => vec![0xf4 + u8::from(*truth)],
            Value::Null => vec![0xf6 + u8::from(self.chance(30))],
        }
    }
}
