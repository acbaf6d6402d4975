//! Tests of what a log tells apart: batches, a torn tail, and damage.

use super::block::BLOCK_BYTES;
use super::*;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;

/// Returns the place behind the last batch, and the bodies of all batches.
type Found = (Position, Vec<Vec<u8>>);

fn open(dir: &Path, settled: Position) -> Result<OpenedLog, LogError> {
    Log::open(dir, settled, 7)
}

fn found(dir: &Path, settled: Position) -> Result<Found, LogError> {
    let opened = open(dir, settled)?;
    let bodies = opened.batches.into_iter().map(|batch| batch.body).collect();
    Ok((opened.log.position(), bodies))
}

fn body(number: usize, len: usize) -> Vec<u8> {
    vec![number as u8 + 1; len]
}

/// Writes batches of the given lengths into a new log.
fn written(dir: &Path, lens: &[usize]) -> Position {
    let mut log = open(dir, Position::START).unwrap().log;
    for (number, len) in lens.iter().enumerate() {
        log.append(&body(number, *len)).unwrap();
    }
    log.position()
}

/// Returns the only segment of a log.
fn only_file(dir: &Path) -> PathBuf {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    files.pop().unwrap()
}

fn copy_of(dir: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

#[test]
fn batches_come_back_in_order_over_segments_and_openings() {
    let dir = tempfile::tempdir().unwrap();
    let lens = [0, 1, 471, 472, 473, 900_000, 200_000, 3_000_000, 5];
    let mut last = Position::START;
    for (number, len) in lens.into_iter().enumerate() {
        let mut opened = Log::open(dir.path(), Position::START, number as u64).unwrap();
        assert_eq!(opened.batches.len(), number);
        assert_eq!(opened.log.position(), last);
        last = opened.log.append(&body(number, len)).unwrap();
    }
    let (position, bodies) = found(dir.path(), Position::START).unwrap();
    assert_eq!(position, last);
    let expected: Vec<_> = lens.into_iter().enumerate().map(|(n, len)| body(n, len)).collect();
    assert!(bodies == expected);
}

#[test]
fn settled_segments_are_zeroed_and_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path(), Position::START).unwrap().log;
    let mut settled = Position::START;
    for number in 0..20 {
        let position = log.append(&body(number, 400_000)).unwrap();
        if number % 5 == 4 {
            log.free_upto(settled.batch).unwrap();
            settled = position;
        }
    }
    assert!(log.bytes() <= 8 * SEGMENT_BYTES, "{}", log.bytes());
    // Ten segments were needed, and fewer files were made.
    assert!(log.next_file <= 9, "{}", log.next_file);
    assert_eq!(
        log.bytes(),
        fs::read_dir(dir.path())
            .unwrap()
            .map(|f| f.unwrap().metadata().unwrap().len())
            .sum::<u64>()
    );
    let last = log.position();
    drop(log);
    let (position, bodies) = found(dir.path(), settled).unwrap();
    assert_eq!(position, last);
    assert_eq!(bodies.last(), Some(&body(19, 400_000)));
    for spare in open(dir.path(), settled).unwrap().log.spares {
        let bytes = fs::read(spare.path()).unwrap();
        assert!(block::is_zero(&bytes[BLOCK_BYTES..]));
    }
}

/// After a loss of power, each block of the last write is there or not. Whatever is missing, the batches before come back,
/// and new batches follow them.
#[test]
fn any_part_of_the_last_batch_can_be_missing() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), &[10, 1_000, 2_500]);
    let blocks = batch::stored_bytes(&body(2, 2_500)) as usize / BLOCK_BYTES;
    let start = BLOCK_BYTES
        + batch::stored_bytes(&body(0, 10)) as usize
        + batch::stored_bytes(&body(1, 1_000)) as usize;
    for missing in 1..(1_u32 << blocks) {
        let copy = copy_of(dir.path());
        let file = OpenOptions::new().write(true).open(only_file(copy.path())).unwrap();
        for block in (0..blocks).filter(|block| missing & (1 << block) != 0) {
            file.write_all_at(&[0; BLOCK_BYTES], (start + block * BLOCK_BYTES) as u64).unwrap();
        }
        let mut opened = open(copy.path(), Position::START).unwrap();
        assert_eq!(opened.batches.len(), 2, "{missing:b}");
        opened.log.append(b"next").unwrap();
        drop(opened);
        let (position, bodies) = found(copy.path(), Position::START).unwrap();
        assert_eq!((position.batch, bodies[2].as_slice()), (3, &b"next"[..]), "{missing:b}");
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path(), &[10, 1_000, 2_500]);
    let whole = fs::read(only_file(dir.path())).unwrap();
    let written = whole.iter().rposition(|&byte| byte != 0).unwrap() + 1;
    let bits = (0..8 * written).step_by(37).chain((written * 8..whole.len() * 8).step_by(99_991));
    for bit in bits {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let copy = tempfile::tempdir().unwrap();
        fs::write(copy.path().join("1.log"), bytes).unwrap();
        let result = found(copy.path(), Position::START);
        assert!(matches!(result, Err(LogError::Damaged(_))), "bit {bit}: {result:?}");
    }
    for len in (0..whole.len()).step_by(4_099) {
        let copy = tempfile::tempdir().unwrap();
        fs::write(copy.path().join("1.log"), &whole[..len]).unwrap();
        assert!(matches!(found(copy.path(), Position::START), Err(LogError::Damaged(_))), "{len}");
    }
}

#[test]
fn missing_batches_and_segments_are_damage() {
    let dir = tempfile::tempdir().unwrap();
    let last = written(dir.path(), &[600_000, 600_000, 600_000]);
    let mut files: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 3);
    for (number, file) in files.iter().enumerate() {
        let copy = copy_of(dir.path());
        fs::remove_file(copy.path().join(file.file_name().unwrap())).unwrap();
        let settled = if number == 2 { last } else { Position::START };
        assert!(matches!(found(copy.path(), settled), Err(LogError::Damaged(_))), "{number}");
    }
    // Zeroes in place of a whole batch in the middle are damage, too.
    let copy = copy_of(dir.path());
    let second = copy.path().join(files[1].file_name().unwrap());
    let file = OpenOptions::new().write(true).open(second).unwrap();
    file.write_all_at(&vec![0; SEGMENT_BYTES as usize - BLOCK_BYTES], BLOCK_BYTES as u64).unwrap();
    assert!(matches!(found(copy.path(), Position::START), Err(LogError::Damaged(_))));
    // Another log's batch is not the one that was settled.
    let other = Position { digest: [9; 32], ..last };
    assert!(matches!(found(dir.path(), other), Err(LogError::Damaged(_))));
}
