//! What was costly to make and is asked for again: the values used last, as many as fit.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Values by key, up to a budget of bytes. One is kept in any case.
#[derive(Debug)]
pub(crate) struct Kept<K, V> {
    budget: usize,
    /// The one used last at the end.
    all: Mutex<Vec<One<K, V>>>,
}

#[derive(Debug)]
struct One<K, V> {
    key: K,
    value: V,
    bytes: usize,
}

impl<K: PartialEq, V: Clone> Kept<K, V> {
    pub(crate) fn new(budget: usize) -> Self {
        Self { budget, all: Mutex::default() }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let mut all = self.lock();
        let at = all.iter().position(|one| one.key == *key)?;
        let found = all.remove(at);
        let value = found.value.clone();
        all.push(found);
        Some(value)
    }

    pub(crate) fn put(&self, key: K, value: V, bytes: usize) {
        let mut all = self.lock();
        all.retain(|one| one.key != key);
        all.push(One { key, value, bytes });
        let size = |all: &[One<K, V>]| all.iter().map(|one| one.bytes).sum::<usize>();
        while all.len() > 1 && size(&all) > self.budget {
            all.remove(0);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<One<K, V>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_used_for_the_longest_goes_first() {
        let kept = Kept::new(10);
        for key in ["a", "b", "c"] {
            kept.put(key, key, 3);
        }
        assert_eq!(kept.get(&"a"), Some("a"));
        kept.put("d", "d", 4);
        assert_eq!(
            ["a", "b", "c", "d"].map(|key| kept.get(&key).is_some()),
            [true, false, true, true]
        );
        kept.put("e", "e", 99);
        assert_eq!(
            ["a", "c", "d", "e"].map(|key| kept.get(&key).is_some()),
            [false, false, false, true]
        );
    }
}
