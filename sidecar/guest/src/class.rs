//! Sizes of the blocks that the allocator hands out.
//!
//! A request is rounded up to the next size of its class: multiples of 16 up to 64, then four steps for each doubling. So at
//! most a fifth of a large block is wasted, a block that grew a little stays where it is, and the class follows from the
//! size alone: blocks need no header, and whoever knows the length of a buffer can give it back.

/// Number of classes; the last one holds blocks of 2 GiB.
pub(crate) const COUNT: usize = 104;

/// Class of a block that can hold `size` bytes; `None` when no memory is that large.
pub(crate) const fn of(size: usize) -> Option<usize> {
    if size <= 64 {
        return Some(size.saturating_sub(1) / 16);
    }
    if size > 1 << 31 {
        return None;
    }
    let last = size - 1;
    let top = last.ilog2() as usize;
    let quarter = (last >> (top - 2)) & 3;
    Some(4 + (top - 6) * 4 + quarter)
}

/// Bytes of a block of `class`.
pub(crate) const fn size(class: usize) -> usize {
    if class < 4 {
        return (class + 1) * 16;
    }
    let (top, quarter) = ((class - 4) / 4 + 6, (class - 4) % 4);
    (1 << top) + ((quarter + 1) << (top - 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_fits_its_class_and_not_the_one_below() {
        let around = (0..=31).flat_map(|bit| [(1_usize << bit) - 1, 1 << bit, (1 << bit) + 1]);
        for wanted in (1..5_000).chain(around).filter(|wanted| (1..=1 << 31).contains(wanted)) {
            let class = of(wanted).unwrap();
            assert!(class < COUNT, "{wanted}");
            assert!(size(class) >= wanted, "{wanted} in {}", size(class));
            assert!(class == 0 || size(class - 1) < wanted, "{wanted} fits the class below");
            assert_eq!(size(class) % 16, 0, "{wanted}");
        }
        assert_eq!(of((1 << 31) + 1), None);
        assert_eq!(size(COUNT - 1), 1 << 31);
    }

    #[test]
    fn a_fifth_is_wasted_at_most() {
        for wanted in 65..100_000 {
            let block = size(of(wanted).unwrap());
            assert!((block - wanted) * 5 <= block, "{wanted} in {block}");
        }
    }
}
