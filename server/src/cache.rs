//! A cache of values that are expensive to compute. When the values take too many bytes together, the least recently
//! used ones are evicted.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A least-recently-used cache, bounded by bytes. The most recently used value is never evicted, even if it alone
/// exceeds the bound.
#[derive(Debug)]
pub(crate) struct LruCache<K, V> {
    max_bytes: usize,
    entries: Mutex<Entries<K, V>>,
}

#[derive(Debug)]
struct Entries<K, V> {
    by_key: HashMap<K, CacheEntry<V>>,
    /// Keys by the number of their last use, the least recently used first.
    by_use: BTreeMap<u64, K>,
    /// Size of all values, in bytes.
    bytes: usize,
    /// Number that the next use gets. It grows with each use.
    next_use: u64,
}

#[derive(Debug)]
struct CacheEntry<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<K, V> LruCache<K, V>
where
    K: Clone + Eq + Hash,
    V: Clone,
{
    /// Creates an empty cache of at most `max_bytes`. Callers say how many bytes each value takes.
    pub(crate) fn new(max_bytes: usize) -> Self {
        let entries =
            Entries { by_key: HashMap::new(), by_use: BTreeMap::new(), bytes: 0, next_use: 0 };
        Self { max_bytes, entries: Mutex::new(entries) }
    }

    /// Returns the value of a key, or `None` if it is not cached. The value counts as used now.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.lock().touch(key).map(|entry| entry.value.clone())
    }

    /// Returns the value of a key, or inserts the value that `make` returns. A new value counts as 0 bytes until
    /// [`resize`](Self::resize) sets its size.
    pub(crate) fn get_or_insert_with(&self, key: &K, make: impl FnOnce() -> V) -> V {
        let mut entries = self.lock();
        if let Some(entry) = entries.touch(key) {
            return entry.value.clone();
        }
        let value = make();
        entries.insert(key.clone(), value.clone(), 0);
        value
    }

    /// Inserts a value of `bytes` bytes, replacing the previous value of the key.
    pub(crate) fn insert(&self, key: K, value: V, bytes: usize) {
        let mut entries = self.lock();
        entries.remove(&key);
        entries.insert(key, value, bytes);
        entries.evict(self.max_bytes);
    }

    /// Sets the size of a key's value, in bytes, and evicts other values if all together are too large. The value
    /// counts as used now. Does nothing if the key is no longer in the cache.
    pub(crate) fn resize(&self, key: &K, bytes: usize) {
        let mut entries = self.lock();
        let Some(entry) = entries.touch(key) else { return };
        let before = std::mem::replace(&mut entry.bytes, bytes);
        entries.bytes = entries.bytes - before + bytes;
        entries.evict(self.max_bytes);
    }

    pub(crate) fn remove(&self, key: &K) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Entries<K, V>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash, V> Entries<K, V> {
    /// Marks a value as used now, and returns its entry, or `None` if the key is not cached.
    fn touch(&mut self, key: &K) -> Option<&mut CacheEntry<V>> {
        let entry = self.by_key.get_mut(key)?;
        if let Some(key) = self.by_use.remove(&entry.used) {
            self.by_use.insert(self.next_use, key);
        }
        entry.used = self.next_use;
        self.next_use += 1;
        Some(entry)
    }

    fn insert(&mut self, key: K, value: V, bytes: usize) {
        self.by_use.insert(self.next_use, key.clone());
        self.by_key.insert(key, CacheEntry { value, bytes, used: self.next_use });
        self.next_use += 1;
        self.bytes += bytes;
    }

    fn remove(&mut self, key: &K) {
        let Some(entry) = self.by_key.remove(key) else { return };
        self.by_use.remove(&entry.used);
        self.bytes -= entry.bytes;
    }

    fn evict(&mut self, max_bytes: usize) {
        while self.bytes > max_bytes && self.by_key.len() > 1 {
            let Some((_, key)) = self.by_use.pop_first() else { return };
            self.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns for each key whether it is in the cache, without marking it as used.
    fn held<const N: usize>(cache: &LruCache<&str, &str>, keys: [&str; N]) -> [bool; N] {
        keys.map(|key| cache.lock().by_key.contains_key(key))
    }

    #[test]
    fn the_least_recently_used_values_go_first() {
        let cache = LruCache::new(10);
        for key in ["a", "b", "c"] {
            cache.insert(key, key, 3);
        }
        assert_eq!(cache.get(&"a"), Some("a"));
        cache.insert("d", "d", 4);
        assert_eq!(held(&cache, ["a", "b", "c", "d"]), [true, false, true, true]);
        cache.insert("e", "e", 99);
        assert_eq!(held(&cache, ["a", "c", "d", "e"]), [false, false, false, true]);
        cache.insert("f", "f", 1);
        assert_eq!(held(&cache, ["e", "f"]), [false, true]);
    }

    #[test]
    fn a_value_that_grows_makes_room_and_one_that_was_removed_stays_away() {
        let cache = LruCache::new(10);
        assert_eq!(cache.get_or_insert_with(&"a", || "made"), "made");
        assert_eq!(cache.get_or_insert_with(&"a", || "made again"), "made");
        cache.insert("b", "b", 6);
        cache.resize(&"a", 4);
        assert_eq!(held(&cache, ["a", "b"]), [true, true]);
        cache.resize(&"a", 5);
        assert_eq!(held(&cache, ["a", "b"]), [true, false]);
        cache.remove(&"a");
        cache.resize(&"a", 5);
        assert_eq!(held(&cache, ["a"]), [false]);
        assert_eq!(cache.lock().bytes, 0);
    }
}
