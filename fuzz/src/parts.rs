//! Inputs that consist of several parts.

/// The bytes between two parts. Lengths in front of the parts would be wrong after most mutations. A separator lets a
/// fuzzer insert, remove and exchange parts.
const SEPARATOR: &[u8] = b"\xff\xfe--";

/// Returns the parts of an input, at most `most` of them.
pub(crate) fn split(mut data: &[u8], most: usize) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while parts.len() < most {
        let end = data.windows(SEPARATOR.len()).position(|bytes| bytes == SEPARATOR);
        let Some(end) = end else {
            parts.push(data);
            break;
        };
        parts.push(&data[..end]);
        data = &data[end + SEPARATOR.len()..];
    }
    parts
}

/// Returns the input that has these parts.
pub(crate) fn join<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    parts.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(SEPARATOR)
}
