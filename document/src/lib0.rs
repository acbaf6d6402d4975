//! Reads and writes the primitives of the lib0 v1 encoding. Every read is checked against the bytes that are left, so
//! that no declared length can make the reader allocate or loop beyond the input.
//!
//! Source: lib0 `encoding.js`/`decoding.js`, as used by Yjs 13 and y-protocols 1.

use thiserror::Error;

/// The reason why bytes are not valid lib0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[allow(missing_docs)] // The error messages describe the variants.
pub enum ReadError {
    #[error("the data ends in the middle of a value")]
    Truncated,
    #[error("a number does not fit its type")]
    Overflow,
    #[error("a text is not valid UTF-8")]
    Utf8,
    #[error("extra bytes follow the last value")]
    Trailing,
}

/// A cursor over bytes that never reads past their end.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Returns a cursor at the start of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Returns the number of bytes that are left.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Returns whether no byte is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads one byte, or returns an error if none is left.
    pub fn byte(&mut self) -> Result<u8, ReadError> {
        let (&first, rest) = self.rest.split_first().ok_or(ReadError::Truncated)?;
        self.rest = rest;
        Ok(first)
    }

    /// Reads the next `len` bytes, or returns an error if fewer are left.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], ReadError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(ReadError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Reads an unsigned LEB128 number of at most 64 bits.
    pub fn var_u64(&mut self) -> Result<u64, ReadError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(ReadError::Overflow);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ReadError::Overflow)
    }

    /// Reads an unsigned LEB128 number of at most 32 bits.
    pub fn var_u32(&mut self) -> Result<u32, ReadError> {
        u32::try_from(self.var_u64()?).map_err(|_| ReadError::Overflow)
    }

    /// Skips a signed number of at most 10 bytes: six bits and a sign in the first byte, and seven bits in each
    /// further byte.
    pub fn skip_var_int(&mut self) -> Result<(), ReadError> {
        for _ in 0..10 {
            if self.byte()? & 0x80 == 0 {
                return Ok(());
            }
        }
        Err(ReadError::Overflow)
    }

    /// Reads a count of things that take at least one byte each. A count larger than the number of bytes left is an
    /// error.
    pub fn count(&mut self) -> Result<usize, ReadError> {
        let count = usize::try_from(self.var_u64()?).map_err(|_| ReadError::Overflow)?;
        if count > self.rest.len() {
            return Err(ReadError::Truncated);
        }
        Ok(count)
    }

    /// Reads bytes that are preceded by their length.
    pub fn buf(&mut self) -> Result<&'a [u8], ReadError> {
        let len = self.count()?;
        self.take(len)
    }

    /// Reads a text that is preceded by its length in bytes. Text that is not valid UTF-8 is an error.
    pub fn string(&mut self) -> Result<&'a str, ReadError> {
        std::str::from_utf8(self.buf()?).map_err(|_| ReadError::Utf8)
    }
}

/// Returns the number of bytes that [`Write::put_buf`] writes for these bytes.
pub(crate) fn buf_len(bytes: &[u8]) -> usize {
    let bits = usize::BITS - bytes.len().leading_zeros();
    bytes.len() + bits.div_ceil(7).max(1) as usize
}

/// Appends lib0 primitives to a byte vector.
pub trait Write {
    /// Writes an unsigned LEB128 number.
    fn put_var(&mut self, value: u64);
    /// Writes bytes preceded by their length.
    fn put_buf(&mut self, bytes: &[u8]);
}

impl Write for Vec<u8> {
    fn put_var(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.push((value as u8 & 0x7f) | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
    }

    fn put_buf(&mut self, bytes: &[u8]) {
        self.put_var(bytes.len() as u64);
        self.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_round_trip_at_their_edges() {
        for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            bytes.put_var(value);
            assert_eq!(Reader::new(&bytes).var_u64(), Ok(value));
        }
    }

    #[test]
    fn bytes_take_as_many_bytes_as_is_said() {
        for len in [0, 1, 127, 128, 16_383, 16_384] {
            let (bytes, mut written) = (vec![0; len], Vec::new());
            written.put_buf(&bytes);
            assert_eq!(written.len(), buf_len(&bytes), "{len}");
        }
    }

    #[test]
    fn a_declared_length_beyond_the_input_is_an_error_not_an_allocation() {
        let mut bytes = Vec::new();
        bytes.put_var(u64::from(u32::MAX));
        assert_eq!(Reader::new(&bytes).buf(), Err(ReadError::Truncated));
        assert_eq!(Reader::new(&[0xff; 11]).var_u64(), Err(ReadError::Overflow));
    }
}
