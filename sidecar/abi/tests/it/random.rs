//! Numbers that look random and are the same in every run.

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap() % bound.max(1)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    /// Damages a record, or makes another one of it.
    pub(crate) fn mutate(&mut self, record: &mut Vec<u8>) {
        const HEADS: [u8; 40] = [
            0x00, 0x17, 0x18, 0x1b, 0x20, 0x38, 0x40, 0x41, 0x50, 0x5f, 0x60, 0x61, 0x62, 0x7f, 0x80, 0x81, 0x82, 0x9f,
            0xa0, 0xa1, 0xaa, 0xbf, 0xc0, 0xc1, 0xc2, 0xc3, 0xc6, 0xd8, 0xd9, 0xe5, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9,
            0xfa, 0xfb, 0xfc, 0xff,
        ];
        let at = self.below(record.len());
        match self.below(8) {
            0 => record.truncate(at),
            1 => {
                let end = (at + 1 + self.below(8)).min(record.len());
                record.drain(at..end);
            }
            2 => {
                let end = (at + 1 + self.below(40)).min(record.len());
                let copy = record[at..end].to_vec();
                let to = self.below(record.len() + 1);
                record.splice(to..to, copy);
            }
            3 => record.insert(at, HEADS[self.below(HEADS.len())]),
            4 | 5 if !record.is_empty() => record[at] = HEADS[self.below(HEADS.len())],
            6 if !record.is_empty() => record[at] ^= 1 << self.below(8),
            7 if !record.is_empty() => {
                record[at] = record[at].wrapping_add_signed(if self.below(2) == 0 { 1 } else { -1 });
            }
            _ => record.push(self.byte()),
        }
    }
}
