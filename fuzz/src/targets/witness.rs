//! The witness file, which says what sled must contain.

use accord_store::fuzzing::{seal_witness, witness_of};

/// Size of the SHA-256 digest at the end of the file, in bytes.
const DIGEST_BYTES: usize = 32;

/// Reads the input as the whole file, which must have its digest, and as content with the digest that belongs to it.
/// What is written for a file that is read is the same file, so nothing of the file is left out.
pub(crate) fn run(data: &[u8]) {
    if witness_of(data).is_some() {
        let content = data.len().checked_sub(DIGEST_BYTES).expect("a file has a digest");
        assert_eq!(seal_witness(&data[..content]), data, "a file that is read has its digest");
    }
    let file = seal_witness(data);
    if let Some(written) = witness_of(&file) {
        assert_eq!(written, file, "a witness has one encoding");
        assert!(witness_of(&seal_witness(&[data, &[0]].concat())).is_none(), "nothing may follow");
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut content = b"accord witness 1".to_vec();
    content.push(5);
    content.extend([7; 32]);
    content.extend([2, 1]);
    content.extend(9u128.to_le_bytes());
    let empty = [&content[..], &[0]].concat();
    content.push(2);
    content.extend(b"a\0\x03");
    content.extend([8; 32]);
    content.push(0);
    content.extend(b"d\x01x\x04");
    content.extend([9; 32]);
    content.extend([1, 2]);
    content.extend([6; 32]);
    vec![seal_witness(&empty), empty, content]
}
