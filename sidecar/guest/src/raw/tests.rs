use std::{vec, vec::Vec};

use super::heap::{ALIGN, Ground, Heap};
use crate::class;

/// Memory that ends.
struct Arena {
    words: Vec<u128>,
}

impl Ground for Arena {
    fn start(&self) -> *mut u8 {
        self.words.as_ptr().cast_mut().cast()
    }

    fn reach(&self, end: usize) -> bool {
        end <= self.start().addr() + self.words.len() * 16
    }
}

fn heap(bytes: usize) -> Heap<Arena> {
    Heap::new(Arena { words: vec![0; bytes / 16] })
}

/// A block that somebody owns, filled with a mark.
struct Held {
    at: *mut u8,
    size: usize,
    mark: u8,
}

impl Held {
    fn fill(&self) {
        unsafe { self.at.write_bytes(self.mark, self.size) }
    }

    fn intact(&self, upto: usize) -> bool {
        (0..self.size.min(upto)).all(|at| unsafe { self.at.add(at).read() } == self.mark)
    }
}

/// Numbers without order, the same on every run.
fn numbers(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    }
}

#[test]
fn blocks_never_overlap_and_keep_their_content() {
    for seed in 0..20 {
        let (heap, mut number) = (heap(8 << 20), numbers(seed));
        let mut held: Vec<Held> = Vec::new();
        for step in 0..5_000_usize {
            match number(4) {
                0 if !held.is_empty() => {
                    let gone = held.swap_remove(number(held.len()));
                    assert!(gone.intact(usize::MAX), "seed {seed}, step {step}");
                    unsafe { heap.release(gone.at, gone.size) };
                }
                1 if !held.is_empty() => {
                    let index = number(held.len());
                    let (wanted, block) = (1 + number(6_000), &mut held[index]);
                    block.at = unsafe { heap.resize(block.at, block.size, 1, wanted) };
                    assert!(!block.at.is_null() && block.intact(wanted), "seed {seed}, step {step}");
                    block.size = wanted;
                    block.fill();
                }
                _ if held.len() < 400 => {
                    let (size, align) = (1 + number(6_000), 1 << number(8));
                    let at = heap.allocate(size, align);
                    assert!(
                        !at.is_null() && at.addr() % align == 0 && at.addr() % ALIGN == 0,
                        "seed {seed}, step {step}"
                    );
                    held.push(Held { at, size, mark: u8::try_from(step % 251).unwrap() });
                    held.last().unwrap().fill();
                }
                _ => {}
            }
        }
        assert!(held.iter().all(|block| block.intact(usize::MAX)), "seed {seed}");
    }
}

#[test]
fn what_was_given_back_is_used_again() {
    let heap = heap(1 << 16);
    let message = |size: usize| {
        let (input, scratch) = (heap.allocate(size, 1), heap.allocate(100, 8));
        let output = heap.allocate(size + 40, 1);
        assert!(!input.is_null() && !scratch.is_null() && !output.is_null());
        unsafe {
            heap.release(scratch, 100);
            heap.release(output, size + 40);
            heap.release(input, size);
        }
    };
    // Sixty-four times what the arena holds.
    for round in 0..10_000 {
        message(300 + round % 100);
    }
}

#[test]
fn a_heap_without_room_says_so_and_goes_on() {
    let heap = heap(4096);
    assert!(heap.allocate(5_000, 1).is_null());
    assert!(heap.allocate(usize::MAX, 1).is_null());
    let block = heap.allocate(4_096, 1);
    assert!(!block.is_null());
    assert!(heap.allocate(1, 1).is_null());
    assert!(unsafe { heap.resize(block, 4_096, 1, 4_097) }.is_null());
    unsafe { heap.release(block, 4_096) };
    assert_eq!(heap.allocate(1, 1), block);
}

#[test]
fn the_last_block_grows_where_it_is() {
    let heap = heap(1 << 16);
    let first = heap.allocate(10, 1);
    let mut size = 10;
    for wanted in [20, 100, 1_000, 10_000, 50_000] {
        assert_eq!(unsafe { heap.resize(first, size, 1, wanted) }, first);
        size = wanted;
    }
    let second = heap.allocate(1, 1);
    assert_eq!(second.addr() - first.addr(), class::size(class::of(50_000).unwrap()));
    let moved = unsafe { heap.resize(first, size, 1, 10) };
    assert_ne!(moved, first);
}
