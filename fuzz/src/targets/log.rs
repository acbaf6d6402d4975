//! The files of a log after a crash or damage.

use accord_store::fuzzing::{LOG_BLOCK_BYTES, LogFiles, open_log, salvage_log};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The bodies of the batches of two segments. The last batch of the log has several blocks.
const BATCHES: [&[usize]; 2] = [&[0, 5, 1_300, 472], &[20, 473, 30, 2_400]];
const MAX_DAMAGES: usize = 12;
const BYTES_PER_DAMAGE: usize = 6;
/// The number of the opening. The segments have the numbers 1 and 2.
const EPOCH: u64 = 3;
const DISK: &str = "the temporary folder can be written";

/// What happens to one block of a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// The block was never written.
    Zeroes,
    /// A byte of the block is another one.
    Flip { at: usize, bits: u8 },
    /// The block has the content of another block of the log.
    Copy { file: usize, block: usize },
}

/// Damages the files of a log and opens it. It must open exactly if all it lost is a part of the last batch that is left,
/// and everything behind. A salvage must return only batches that were written.
pub(crate) fn run(data: &[u8]) {
    static WHOLE: OnceLock<(LogFiles, Vec<Vec<u8>>)> = OnceLock::new();
    let (whole, written) = WHOLE.get_or_init(whole);
    let mut files = whole.clone();
    for bytes in data.chunks_exact(BYTES_PER_DAMAGE).take(MAX_DAMAGES) {
        damage(&mut files, whole, bytes);
    }
    let left = torn(whole, &files);
    let folder = folder();
    let folder = folder.path();
    files.put(folder).expect(DISK);
    // With a witness, a salvage looks for batches behind damaged headers, which takes a tenth of a second.
    let has_witness = data.len() % BYTES_PER_DAMAGE == 1;
    let salvaged = salvage_log(folder, has_witness.then_some(EPOCH));
    let opened = open_log(folder, EPOCH, Some(b"new"));
    match (&left, &opened) {
        (Some(left), Ok(bodies)) => {
            assert_eq!(bodies, &written[..*left], "the whole batches");
            let again = open_log(folder, EPOCH + 1, None).expect("a log opens again");
            assert_eq!(again, [&written[..*left], &[b"new".to_vec()]].concat(), "at once");
        }
        (None, Err(_)) => {}
        (Some(left), Err(error)) => panic!("{left} batches are whole, but: {error}"),
        (None, Ok(bodies)) => panic!("a damaged log opens with {} batches", bodies.len()),
    }
    for (number, body) in salvaged {
        let at = usize::try_from(number).unwrap_or(usize::MAX).wrapping_sub(1);
        assert_eq!(written.get(at), Some(&body), "batch {number} was never written");
    }
}

/// Returns an empty folder, which is in memory if that is possible. It is removed when the value is dropped.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect(DISK)
}

/// Returns the files of a whole log, and the bodies of its batches.
fn whole() -> (LogFiles, Vec<Vec<u8>>) {
    let mut number = 0u8;
    let bodies = BATCHES.map(|lens| {
        lens.iter()
            .map(|&len| {
                number += 1;
                vec![number; len]
            })
            .collect::<Vec<_>>()
    });
    let files = LogFiles::written(&bodies, folder().path()).expect(DISK);
    (files, bodies.concat())
}

fn damage(files: &mut LogFiles, whole: &LogFiles, bytes: &[u8]) {
    let number = |byte: u8| usize::from(byte);
    let file = number(bytes[0] >> 4) % files.0.len();
    let blocks = files.0[file].len() / LOG_BLOCK_BYTES;
    let block = number(bytes[1]) % blocks;
    let damage = match bytes[0] % 4 {
        0 | 1 => Damage::Zeroes,
        2 => {
            Damage::Flip { at: number(bytes[2]) * 2 + number(bytes[3] & 1), bits: bytes[4].max(1) }
        }
        _ => Damage::Copy { file: number(bytes[2]) % files.0.len(), block: number(bytes[3]) },
    };
    let place = block * LOG_BLOCK_BYTES..(block + 1) * LOG_BLOCK_BYTES;
    match damage {
        Damage::Zeroes => files.0[file][place].fill(0),
        Damage::Flip { at, bits } => files.0[file][place.start + at % LOG_BLOCK_BYTES] ^= bits,
        Damage::Copy { file: from, block } => {
            let block = block % (whole.0[from].len() / LOG_BLOCK_BYTES);
            let copied = &whole.0[from][block * LOG_BLOCK_BYTES..(block + 1) * LOG_BLOCK_BYTES];
            files.0[file][place].copy_from_slice(copied);
        }
    }
}

/// Returns the number of whole batches if damaged files are those of a log whose last batch is torn: each of its blocks
/// is as it was written or zero, and nothing is behind it. Returns `None` for any other damage.
fn torn(whole: &LogFiles, files: &LogFiles) -> Option<usize> {
    let mut left = 0;
    let mut is_torn = false;
    for ((file, before), lens) in files.0.iter().zip(&whole.0).zip(BATCHES) {
        let mut blocks = file.chunks(LOG_BLOCK_BYTES).zip(before.chunks(LOG_BLOCK_BYTES));
        if blocks.next().is_none_or(|(now, then)| now != then) {
            return None;
        }
        for len in lens {
            let count = LogFiles::blocks_of(*len);
            let batch: Vec<_> = blocks.by_ref().take(count).collect();
            let is_zero = |now: &[u8]| now.iter().all(|&byte| byte == 0);
            if batch.iter().any(|(now, then)| now != then && !is_zero(now)) {
                return None;
            }
            let is_whole = batch.iter().all(|(now, then)| now == then);
            if is_torn && !batch.iter().all(|(now, _)| is_zero(now)) {
                return None;
            }
            is_torn |= !is_whole;
            left += usize::from(is_whole);
        }
        if blocks.any(|(now, _)| now.iter().any(|&byte| byte != 0)) {
            return None;
        }
    }
    Some(left)
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let zeroes = |file: u8, block: u8| [file << 4, block, 0, 0, 0, 0];
    vec![
        Vec::new(),
        zeroes(1, 6).to_vec(),
        (5..10).flat_map(|block| zeroes(1, block)).collect(),
        vec![0x12, 3, 40, 1, 4, 0],
        vec![0x13, 9, 0, 3, 0, 0],
        [zeroes(1, 4), zeroes(1, 9)].concat(),
        vec![0x02, 0, 40, 1, 4, 0, 0],
    ]
}
