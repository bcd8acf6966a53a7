//! A map that keeps its order.

use alloc::vec::Vec;
use core::borrow::Borrow;

/// Pairs in the order in which they were read or inserted. Where a key comes twice, the last one counts, as in
/// fluxrig; both are kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Map<K, V>(Vec<(K, V)>);

impl<K, V> Map<K, V> {
    /// No pairs.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Pairs, duplicates included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no pairs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pairs, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The pairs, in order, with values to change.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// Appends a pair without looking for its key.
    pub fn push(&mut self, key: K, value: V) {
        self.0.push((key, value));
    }
}

impl<K: PartialEq, V> Map<K, V> {
    /// The value of a key.
    #[must_use]
    pub fn get<Q: PartialEq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.iter().rev().find(|(own, _)| own.borrow() == key).map(|(_, value)| value)
    }

    /// The value of a key, to change.
    #[must_use]
    pub fn get_mut<Q: PartialEq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.0.iter_mut().rev().find(|(own, _)| (*own).borrow() == key).map(|(_, value)| value)
    }

    /// Sets the value of a key, in its place when it is there, else at the end. Returns the old value.
    pub fn insert(&mut self, key: impl Into<K>, value: impl Into<V>) -> Option<V> {
        let (key, value) = (key.into(), value.into());
        if let Some((_, old)) = self.0.iter_mut().rev().find(|(own, _)| *own == key) {
            return Some(core::mem::replace(old, value));
        }
        self.0.push((key, value));
        None
    }

    /// Removes all pairs of a key. Returns the value that counted.
    pub fn remove<Q: PartialEq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let last = self.0.iter().rposition(|(own, _)| own.borrow() == key)?;
        let (_, value) = self.0.remove(last);
        self.0.retain(|(own, _)| own.borrow() != key);
        Some(value)
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> FromIterator<(K, V)> for Map<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl<K, V> Extend<(K, V)> for Map<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        self.0.extend(pairs);
    }
}

impl<K, V> IntoIterator for Map<K, V> {
    type Item = (K, V);
    type IntoIter = alloc::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::{string::String, vec};

    use super::*;

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        let mut map: Map<String, i32> = vec![("a".into(), 1), ("b".into(), 2), ("a".into(), 3)].into_iter().collect();
        assert_eq!(map.get("a"), Some(&3));
        assert_eq!(map.insert("a", 4), Some(3));
        assert_eq!(map.get("a"), Some(&4));
        assert_eq!(map.remove("a"), Some(4));
        assert_eq!((map.get("a"), map.len()), (None, 1));
    }

    #[test]
    fn order_is_kept() {
        let mut map = Map::<String, i32>::new();
        for (key, value) in [("z", 1), ("a", 2), ("z", 3)] {
            map.insert(key, value);
        }
        assert!(map.iter().map(|(key, value)| (key.as_str(), *value)).eq([("z", 3), ("a", 2)]));
    }
}
