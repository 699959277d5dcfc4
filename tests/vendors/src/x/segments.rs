//! The bytes of one upload as they arrive: hashed in the order of their index, never held whole.
//!
//! X documents that a chunk can be retried by itself and names no order in which chunks must come. So any order will
//! do and a repeated index replaces what it held, as long as that fits into [`HELD_BYTES`]: what has to make room is
//! hashed from the front, and after that the same bytes may come again, but no others.

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// Most bytes of segments that wait for an earlier one, or may still be replaced.
const HELD_BYTES: usize = 16 << 20;
/// Bytes of the beginning that show the type.
const HEAD_BYTES: usize = 16;

/// The segments of one upload.
#[derive(Default)]
pub(super) struct Segments {
    /// Digest of each segment that is hashed, from index 0 on.
    hashed: Vec<[u8; 32]>,
    hashed_bytes: u64,
    hash: Sha256,
    head: Vec<u8>,
    held: BTreeMap<u16, Bytes>,
    arrivals: Vec<u16>,
}

impl Segments {
    /// Take a segment; says what is wrong with one that cannot be taken.
    pub(super) fn insert(&mut self, index: u16, bytes: Bytes, total_bytes: u64) -> Result<(), &'static str> {
        if let Some(digest) = self.hashed.get(usize::from(index)) {
            if digest[..] != Sha256::digest(&bytes)[..] {
                return Err("The segment was received long ago with other bytes.");
            }
            self.arrivals.push(index);
            return Ok(());
        }
        let replaced_bytes = self.held.get(&index).map_or(0, Bytes::len);
        if bytes.is_empty() || self.size_bytes() - replaced_bytes as u64 + bytes.len() as u64 > total_bytes {
            return Err("The segment is empty or exceeds total_bytes.");
        }
        let replaced = self.held.insert(index, bytes);
        while self.held_bytes() > HELD_BYTES {
            if !self.hash_next() {
                match replaced {
                    Some(bytes) => self.held.insert(index, bytes),
                    None => self.held.remove(&index),
                };
                return Err("Too many segments wait for an earlier one.");
            }
        }
        self.arrivals.push(index);
        Ok(())
    }

    /// Bytes received, each segment counted once.
    pub(super) fn size_bytes(&self) -> u64 {
        self.hashed_bytes + self.held_bytes() as u64
    }

    /// Whether none is missing before the last one.
    pub(super) fn are_contiguous(&self) -> bool {
        self.held.keys().map(|index| usize::from(*index)).eq(self.hashed.len()..self.hashed.len() + self.held.len())
    }

    /// The first bytes of all.
    pub(super) fn head(&self) -> Vec<u8> {
        self.head.iter().chain(self.held.values().flatten()).copied().take(HEAD_BYTES).collect()
    }

    /// The index of every segment that was taken, in the order of arrival.
    pub(super) fn arrivals(&self) -> &[u16] {
        &self.arrivals
    }

    /// The SHA-256 of all bytes, which are let go of. Only for segments that are contiguous.
    pub(super) fn finish(&mut self) -> [u8; 32] {
        while self.hash_next() {}
        std::mem::take(&mut self.hash).finalize().into()
    }

    fn held_bytes(&self) -> usize {
        self.held.values().map(Bytes::len).sum()
    }

    /// Hash the segment that comes next, if it is there.
    fn hash_next(&mut self) -> bool {
        let next = self.held.first_entry().filter(|entry| usize::from(*entry.key()) == self.hashed.len());
        let Some(bytes) = next.map(|entry| entry.remove()) else { return false };
        self.head.extend(bytes.iter().take(HEAD_BYTES - self.head.len()));
        self.hash.update(&bytes);
        self.hashed.push(Sha256::digest(&bytes).into());
        self.hashed_bytes += bytes.len() as u64;
        true
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use sha2::{Digest, Sha256};

    use super::{HELD_BYTES, Segments};

    const SEGMENT_BYTES: usize = 4 << 20;

    fn segment(byte: u8) -> Bytes {
        vec![byte; SEGMENT_BYTES].into()
    }

    #[test]
    fn a_large_upload_is_hashed_as_it_comes() {
        let mut segments = Segments::default();
        let mut wanted = Sha256::new();
        let count = 3 * HELD_BYTES / SEGMENT_BYTES;
        for index in 0..count as u16 {
            let bytes = segment(index as u8);
            wanted.update(&bytes);
            segments.insert(index, bytes, u64::MAX).expect("it comes in order");
            assert!(segments.held_bytes() <= HELD_BYTES);
        }
        segments.insert(0, segment(0), u64::MAX).expect("the same bytes may come again");
        segments.insert(0, segment(1), u64::MAX).expect_err("other bytes may not");
        assert!(segments.are_contiguous());
        assert_eq!(segments.size_bytes(), (count * SEGMENT_BYTES) as u64);
        assert_eq!(segments.head(), [0; 16]);
        assert_eq!(segments.arrivals().len(), count + 1);
        assert_eq!(segments.finish()[..], wanted.finalize()[..]);
    }

    #[test]
    fn what_waits_for_the_first_segment_is_bounded() {
        let mut segments = Segments::default();
        let fitting = (HELD_BYTES / SEGMENT_BYTES) as u16;
        for index in (1..=fitting).rev() {
            segments.insert(index, segment(index as u8), u64::MAX).expect("there is room");
        }
        segments.insert(fitting + 1, segment(9), u64::MAX).expect_err("there is no more room");
        assert!(!segments.are_contiguous());
        segments.insert(0, segment(0), u64::MAX).expect("what all wait for always has room");
        assert!(segments.are_contiguous());
        let wanted = (0..=fitting).fold(Sha256::new(), |hash, index| hash.chain_update(segment(index as u8)));
        assert_eq!(segments.finish()[..], wanted.finalize()[..]);
    }
}
