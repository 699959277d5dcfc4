//! The content of a video, as it comes: hashed and not kept. Of a stretch that breaks off, YouTube keeps whole granules.

use sha2::{Digest, Sha256};

/// What stretches are multiples of, but for the last.
pub(super) const GRANULE_BYTES: usize = 256 << 10;

/// What tells the type of a file, in bytes.
const HEAD_BYTES: usize = 12;

/// What has come.
#[derive(Default)]
pub(super) struct Content {
    kept_bytes: u64,
    head: Vec<u8>,
    hash: Sha256,
    /// What came since the last whole granule.
    rest: Vec<u8>,
}

impl Content {
    pub(super) fn kept_bytes(&self) -> u64 {
        self.kept_bytes
    }

    pub(super) fn take(&mut self, piece: &[u8]) {
        let mut piece = piece;
        while self.rest.len() + piece.len() >= GRANULE_BYTES {
            let (first, later) = piece.split_at(GRANULE_BYTES - self.rest.len());
            self.rest.extend_from_slice(first);
            self.keep();
            piece = later;
        }
        self.rest.extend_from_slice(piece);
    }

    /// Nothing more comes: the rest is kept as well.
    pub(super) fn end(&mut self) {
        self.keep();
    }

    /// The stretch broke off: its last, broken granule is lost.
    pub(super) fn break_off(&mut self) {
        self.rest.clear();
    }

    fn keep(&mut self) {
        let missing = HEAD_BYTES.saturating_sub(self.head.len()).min(self.rest.len());
        self.head.extend_from_slice(&self.rest[..missing]);
        self.hash.update(&self.rest);
        self.kept_bytes += self.rest.len() as u64;
        self.rest.clear();
    }

    /// Its SHA-256, in hexadecimal.
    pub(super) fn sha256(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }

    /// Whether it begins as MP4 and its kin, WebM and Matroska, AVI or MPEG do.
    pub(super) fn is_video(&self) -> bool {
        let starts = |magic: &[u8]| self.head.starts_with(magic);
        self.head.get(4..8) == Some(b"ftyp")
            || starts(b"\x1A\x45\xDF\xA3")
            || (starts(b"RIFF") && self.head.get(8..12) == Some(b"AVI "))
            || starts(b"\0\0\x01\xBA")
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, GRANULE_BYTES};

    #[test]
    fn whole_granules_are_kept_and_a_broken_one_is_lost() {
        let mut content = Content::default();
        content.take(&vec![7; GRANULE_BYTES + 5]);
        content.take(&vec![7; GRANULE_BYTES]);
        assert_eq!(content.kept_bytes(), 2 * GRANULE_BYTES as u64);
        content.break_off();
        content.take(&[7; 9]);
        content.end();
        assert_eq!(content.kept_bytes(), 2 * GRANULE_BYTES as u64 + 9);
        let mut whole = Content::default();
        whole.take(&vec![7; 2 * GRANULE_BYTES + 9]);
        whole.end();
        assert_eq!(content.sha256(), whole.sha256());
    }
}
