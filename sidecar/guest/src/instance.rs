//! State that lives as long as an instance.

/// A value that is made once for each instance, when it is first asked for.
///
/// In a fresh instance for each message that is once for each message; in a kept one it lives on. The usual content is
/// the parsed configuration.
///
/// ```
/// use gear_guest::{PerInstance, config};
///
/// static CURRENCY: PerInstance<String> = PerInstance::new(|| config("currency").unwrap_or_else(|| "EUR".into()));
///
/// assert_eq!(*CURRENCY, "EUR");
/// ```
pub struct PerInstance<T> {
    cell: Cell<T>,
    make: fn() -> T,
}

#[cfg(feature = "std")]
type Cell<T> = std::sync::OnceLock<T>;
#[cfg(not(feature = "std"))]
type Cell<T> = crate::raw::Once<T>;

impl<T> PerInstance<T> {
    /// A value that `make` makes.
    #[must_use]
    pub const fn new(make: fn() -> T) -> Self {
        Self { cell: Cell::new(), make }
    }

    /// The value; made now if this is the first time.
    pub fn get(&self) -> &T {
        self.cell.get_or_init(self.make)
    }
}

impl<T> core::ops::Deref for PerInstance<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.get()
    }
}

impl<T> core::fmt::Debug for PerInstance<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PerInstance")
    }
}
