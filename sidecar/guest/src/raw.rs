//! The allocator, the functions that the host calls and those that it offers. The one file with `unsafe` in it.
//!
//! What it rests on: a gear has one memory and one thread (threads are refused by the host and ruled out below), and the host
//! keeps the contract on buffers: it gives back what it was given, once, by the same length. A host that does not can
//! harm nothing but the inside of this sandbox.
#![allow(
    unsafe_code,
    reason = "linear memory and the host's functions can't be reached otherwise; nothing else here is unsafe"
)]

#[cfg(all(target_arch = "wasm32", target_feature = "atomics"))]
compile_error!("gear-guest is written for one thread; build without the target feature atomics");

#[cfg(target_arch = "wasm32")]
pub(crate) use sandbox::*;

/// Outside of the sandbox tests play the part of the host.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::{config_get, log};

#[cfg(any(target_arch = "wasm32", test))]
#[allow(clippy::cast_ptr_alignment, reason = "every block is aligned to 16, which its type can't say")]
mod heap {
    use core::{cell::Cell, ptr};

    use crate::class;

    /// Alignment of every block; wider ones are possible and take longer.
    pub(super) const ALIGN: usize = 16;

    /// Where a heap gets its memory from.
    pub(crate) trait Ground {
        /// First byte of the heap.
        fn start(&self) -> *mut u8;
        /// Makes sure that the memory reaches up to `end`; says whether it does.
        fn reach(&self, end: usize) -> bool;
    }

    /// Blocks by class: what was given back goes to the next who asks for the class, else the heap grows upwards.
    ///
    /// It never joins blocks. A kept instance therefore needs, for each class, what it once needed at the same time: bounded, and no
    /// message pays for another one's disorder.
    pub(crate) struct Heap<G> {
        ground: G,
        /// End of the last block; null before the first.
        top: Cell<*mut u8>,
        /// Memory is known to reach up to here.
        limit: Cell<usize>,
        /// The newest free block of each class; its first word points to the next.
        free: [Cell<*mut u8>; class::COUNT],
    }

    impl<G: Ground> Heap<G> {
        pub(crate) const fn new(ground: G) -> Self {
            Self {
                ground,
                top: Cell::new(ptr::null_mut()),
                limit: Cell::new(0),
                free: [const { Cell::new(ptr::null_mut()) }; class::COUNT],
            }
        }

        /// A block that can hold `size` bytes, or null.
        pub(crate) fn allocate(&self, size: usize, align: usize) -> *mut u8 {
            let Some((class, list)) = class::of(size).and_then(|class| Some((class, self.free.get(class)?))) else {
                return ptr::null_mut();
            };
            let block = list.get();
            if !block.is_null() && block.addr() & (align - 1) == 0 {
                // SAFETY: a block in a list has at least 16 bytes, is aligned to 16, belongs to nobody, and its first word was
                // written by `release`.
                list.set(unsafe { block.cast::<*mut u8>().read() });
                return block;
            }
            self.append(class::size(class), align.max(ALIGN))
        }

        /// A new block at the top, or null.
        fn append(&self, size: usize, align: usize) -> *mut u8 {
            let top = if self.top.get().is_null() { self.ground.start() } else { self.top.get() };
            let gap = top.addr().wrapping_neg() & (align - 1);
            let block = top.wrapping_add(gap);
            if block.addr() < top.addr() || !self.move_top(block, size) {
                return ptr::null_mut();
            }
            block
        }

        /// Puts the top `size` bytes behind `block`, if memory reaches so far.
        fn move_top(&self, block: *mut u8, size: usize) -> bool {
            let Some(end) = block.addr().checked_add(size) else { return false };
            if end > self.limit.get() {
                if !self.ground.reach(end) {
                    return false;
                }
                self.limit.set(end);
            }
            self.top.set(block.wrapping_add(size));
            true
        }

        /// Takes back a block.
        ///
        /// # Safety
        ///
        /// The block came from `allocate` or `resize` of this heap for `size` bytes, and is given back once.
        pub(crate) unsafe fn release(&self, block: *mut u8, size: usize) {
            let Some((class, list)) = class::of(size).and_then(|class| Some((class, self.free.get(class)?))) else {
                return;
            };
            if block.wrapping_add(class::size(class)) == self.top.get() {
                self.top.set(block);
                return;
            }
            // SAFETY: the block is this heap's again; it has at least 16 bytes and is aligned to 16.
            unsafe { block.cast::<*mut u8>().write(list.get()) };
            list.set(block);
        }

        /// A block of another size with the same content; where it was, if it can be.
        ///
        /// # Safety
        ///
        /// As for `release`; the block has `size` bytes that may be read.
        pub(crate) unsafe fn resize(&self, block: *mut u8, size: usize, align: usize, wanted: usize) -> *mut u8 {
            let (Some(old), Some(new)) = (class::of(size), class::of(wanted)) else { return ptr::null_mut() };
            if old == new {
                return block;
            }
            if block.wrapping_add(class::size(old)) == self.top.get() && self.move_top(block, class::size(new)) {
                return block;
            }
            let moved = self.allocate(wanted, align);
            if !moved.is_null() {
                // SAFETY: both blocks are live, different, and hold at least the smaller of the two sizes.
                unsafe { ptr::copy_nonoverlapping(block, moved, size.min(wanted)) };
                // SAFETY: passed on from the caller.
                unsafe { self.release(block, size) };
            }
            moved
        }
    }
}

#[cfg(target_arch = "wasm32")]
mod sandbox {
    use core::{
        alloc::{GlobalAlloc, Layout},
        cell::Cell,
        slice,
    };

    use alloc::boxed::Box;

    use super::heap::{Ground, Heap};
    use crate::{
        answer::{Answer, Bytes},
        log::Level,
    };

    const PAGE: usize = 65_536;

    /// A static of a program with one thread.
    struct Single<T>(T);

    // SAFETY: there is one thread.
    unsafe impl<T> Sync for Single<T> {}

    unsafe extern "C" {
        /// First byte behind stack and data; only its address means something.
        static mut __heap_base: u8;
    }

    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        #[link_name = "log"]
        safe fn host_log(level: u32, text: *const u8, len: usize);
        fn flux_config_get(key: *const u8, key_len: usize, buffer: *mut u8, buffer_len: usize) -> i32;
    }

    /// The memory behind what the linker laid out.
    struct Linear;

    impl Ground for Linear {
        fn start(&self) -> *mut u8 {
            &raw mut __heap_base
        }

        fn reach(&self, end: usize) -> bool {
            let pages = core::arch::wasm32::memory_size::<0>();
            let missing = end.div_ceil(PAGE).saturating_sub(pages);
            missing == 0 || core::arch::wasm32::memory_grow::<0>(missing) != usize::MAX
        }
    }

    static HEAP: Single<Heap<Linear>> = Single(Heap::new(Linear));

    /// The buffer that the host has asked for and not used yet: address, length.
    static LENT: Single<Cell<(usize, usize)>> = Single(Cell::new((0, 0)));

    /// What `flux_process` points at: code, address, length.
    static RECORD: Single<Cell<[usize; 3]>> = Single(Cell::new([0; 3]));

    struct Allocator;

    // SAFETY: `Heap` hands out blocks that don't overlap, of at least the size and alignment asked for, and null when there are none.
    unsafe impl GlobalAlloc for Allocator {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            HEAP.0.allocate(layout.size(), layout.align())
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: the contract of `GlobalAlloc`.
            unsafe { HEAP.0.release(block, layout.size()) }
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            // SAFETY: the contract of `GlobalAlloc`.
            unsafe { HEAP.0.resize(block, layout.size(), layout.align(), size) }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Allocator = Allocator;

    /// A buffer of `len` bytes for the host; 0 when there is no memory.
    #[unsafe(no_mangle)]
    extern "C" fn flux_alloc(len: usize) -> usize {
        let address = HEAP.0.allocate(len, 1).expose_provenance();
        LENT.0.set((address, len));
        address
    }

    /// Takes back a buffer: one of `flux_alloc`, or one that a result record named.
    #[unsafe(no_mangle)]
    extern "C" fn flux_free(address: usize, len: usize) {
        if address != 0 && len != 0 {
            // SAFETY: the host's part of the contract. Both kinds of buffer come from this heap and have exactly `len` bytes.
            unsafe { HEAP.0.release(core::ptr::with_exposed_provenance_mut(address), len) }
        }
    }

    /// The buffer at `address`, if it is the one that the host asked for last, and once.
    pub(crate) fn input<'a>(address: usize, len: usize) -> Option<&'a mut [u8]> {
        if address == 0 || LENT.0.replace((0, 0)) != (address, len) {
            return None;
        }
        let start = core::ptr::with_exposed_provenance_mut(address);
        // SAFETY: the heap gave out these bytes, the host has filled them, and nobody else in here knows of them. The host
        // gives them back after the call only.
        Some(unsafe { slice::from_raw_parts_mut(start, len) })
    }

    /// Puts an answer where the host reads it. The host gives the bytes back later.
    pub(crate) fn publish(answer: Answer, address: usize, len: usize) -> usize {
        let (address, len) = match answer.bytes {
            Bytes::Input => (address, len),
            Bytes::None => (0, 0),
            Bytes::Own(bytes) => {
                let len = bytes.len();
                (Box::into_raw(bytes).cast::<u8>().expose_provenance(), len)
            }
        };
        RECORD.0.set([answer.code as usize, address, len]);
        RECORD.0.as_ptr().addr()
    }

    pub(crate) fn log(level: Level, text: &str) {
        host_log(level as u32, text.as_ptr(), text.len());
    }

    /// Copies what fits of the value; its whole length.
    pub(crate) fn config_get(key: &str, buffer: &mut [u8]) -> Option<usize> {
        // SAFETY: the host writes within the buffer.
        let len = unsafe { flux_config_get(key.as_ptr(), key.len(), buffer.as_mut_ptr(), buffer.len()) };
        usize::try_from(len).ok()
    }

    /// A cell that is written once.
    #[cfg(not(feature = "std"))]
    pub(crate) struct Once<T>(core::cell::OnceCell<T>);

    // SAFETY: there is one thread.
    #[cfg(not(feature = "std"))]
    unsafe impl<T> Sync for Once<T> {}

    #[cfg(not(feature = "std"))]
    impl<T> Once<T> {
        pub(crate) const fn new() -> Self {
            Self(core::cell::OnceCell::new())
        }

        pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
            self.0.get_or_init(make)
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "the tests keep the allocator's contract by owning each block once; that is what they are made of"
)]
mod tests;
