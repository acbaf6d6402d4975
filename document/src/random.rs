//! Numbers for tests that look random and are the same in each run (xorshift).

/// The state of the generator, which must not be 0.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Returns the next number, which is below `limit`. A limit of 0 counts as 1.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}
