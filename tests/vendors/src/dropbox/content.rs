//! What files contain: made while it is sent, the same each time, whatever its size.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{pictures, videos};

const BLOCK_BYTES: u64 = 64 << 10;
/// The blocks that a content hash is made of (documented under "Content hash").
const HASHED_BYTES: u64 = 4 << 20;

/// The bytes of a file. In JSON: `"photo_jpg"`, `{"noise": {"size_bytes": 5000, "seed": 7}}`, `{"text": "Hello"}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Content {
    /// Noise in which every stretch differs from every other, so that a digest shows whether one is missing or astray.
    Noise {
        /// Its length.
        size_bytes: u64,
        /// Another seed makes another noise.
        #[serde(default)]
        seed: u64,
    },
    /// These words in UTF-8.
    Text(String),
    /// A small real PNG.
    SquarePng,
    /// A small real JPEG.
    PhotoJpg,
    /// A small real GIF.
    AnimGif,
    /// A real PNG of exactly that many bytes, 290 at least; with fewer it is empty.
    Png {
        /// Its length.
        size_bytes: usize,
    },
    /// Begins as an MP4, with noise to play; 32 bytes at least and less than 4 GiB, or it is empty.
    Mp4 {
        /// Its length.
        size_bytes: u64,
    },
}

type Pieces = Box<dyn Iterator<Item = Bytes> + Send>;

impl Content {
    /// How many bytes there are.
    pub fn size_bytes(&self) -> u64 {
        match self {
            Self::Noise { size_bytes, .. } => *size_bytes,
            Self::Text(words) => words.len() as u64,
            Self::SquarePng | Self::PhotoJpg | Self::AnimGif => self.picture().len() as u64,
            Self::Png { size_bytes } if pictures::big_png_ends(*size_bytes).is_some() => *size_bytes as u64,
            Self::Mp4 { size_bytes } if (32..=u64::from(u32::MAX)).contains(size_bytes) => *size_bytes,
            Self::Png { .. } | Self::Mp4 { .. } => 0,
        }
    }

    fn picture(&self) -> &'static [u8] {
        match self {
            Self::SquarePng => pictures::SQUARE_PNG,
            Self::PhotoJpg => pictures::PHOTO_JPG,
            Self::AnimGif => pictures::ANIM_GIF,
            Self::Noise { .. } | Self::Text(_) | Self::Png { .. } | Self::Mp4 { .. } => &[],
        }
    }

    /// A stretch of it, in pieces. It must lie within the file.
    pub(super) fn pieces(&self, range: Range<u64>) -> Pieces {
        let inner = range.start as usize..range.end as usize;
        match self {
            _ if range.is_empty() => Box::new(std::iter::empty()),
            Self::Noise { seed, .. } => {
                let seed = *seed;
                Box::new(blocks(range, move |number| noise(seed, number)))
            }
            Self::Text(words) => Box::new(std::iter::once(Bytes::copy_from_slice(&words.as_bytes()[inner]))),
            Self::SquarePng | Self::PhotoJpg | Self::AnimGif => {
                Box::new(std::iter::once(Bytes::from_static(self.picture()).slice(inner)))
            }
            Self::Png { size_bytes } => {
                let size_bytes = *size_bytes as u64;
                let (head, tail) = pictures::big_png_ends(size_bytes as usize).unwrap_or_default();
                Box::new(blocks(range, move |number| padded(number, size_bytes, &head, &tail)))
            }
            Self::Mp4 { size_bytes } => Box::new(videos::blocks(range, *size_bytes)),
        }
    }

    /// The hash of the concatenated hashes of its blocks of 4 MiB, in hexadecimal.
    pub fn content_hash(&self) -> String {
        let size_bytes = self.size_bytes();
        let mut all = Sha256::new();
        for start in (0..size_bytes).step_by(HASHED_BYTES as usize) {
            let mut block = Sha256::new();
            let end = (start + HASHED_BYTES).min(size_bytes);
            self.pieces(start..end).for_each(|piece| block.update(&piece));
            all.update(block.finalize());
        }
        hex::encode(all.finalize())
    }
}

/// The hashes that were asked for: that of a large file takes a while.
#[derive(Default)]
pub(super) struct Hashes(Mutex<HashMap<Content, String>>);

impl Hashes {
    pub(super) fn of(&self, content: &Content) -> String {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(hash) = known().get(content) {
            return hash.clone();
        }
        let hash = content.content_hash();
        known().insert(content.clone(), hash.clone());
        hash
    }
}

/// A stretch of a file whose numbered blocks are made one by one.
fn blocks(range: Range<u64>, make: impl Fn(u64) -> Vec<u8>) -> impl Iterator<Item = Bytes> {
    (range.start / BLOCK_BYTES..range.end.div_ceil(BLOCK_BYTES)).map(move |number| {
        let begins = number * BLOCK_BYTES;
        let from = range.start.saturating_sub(begins) as usize;
        let to = (range.end - begins).min(BLOCK_BYTES) as usize;
        Bytes::from(make(number)).slice(from..to)
    })
}

/// SplitMix64 of the position of each word.
fn noise(seed: u64, number: u64) -> Vec<u8> {
    const WORDS: u64 = BLOCK_BYTES / 8;
    let mut block = Vec::with_capacity(BLOCK_BYTES as usize);
    for at in number * WORDS..(number + 1) * WORDS {
        let state = seed.wrapping_add((at + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        block.extend((state ^ (state >> 31)).to_le_bytes());
    }
    block
}

/// A block of a file that is zeros between a head and a tail.
fn padded(number: u64, size_bytes: u64, head: &[u8], tail: &[u8]) -> Vec<u8> {
    let begins = number * BLOCK_BYTES;
    let mut block = vec![0; BLOCK_BYTES as usize];
    for (part, at) in [(head, 0), (tail, size_bytes - tail.len() as u64)] {
        for (byte, place) in part.iter().zip(at..) {
            let inside = place.checked_sub(begins).and_then(|offset| block.get_mut(offset as usize));
            if let Some(inside) = inside {
                *inside = *byte;
            }
        }
    }
    block
}

#[cfg(test)]
mod tests {
    use super::Content;

    fn every_kind() -> [Content; 7] {
        [
            Content::Noise { size_bytes: 200_001, seed: 3 },
            Content::Text("“quoted” 🦀".to_owned()),
            Content::SquarePng,
            Content::PhotoJpg,
            Content::AnimGif,
            Content::Png { size_bytes: 150_000 },
            Content::Mp4 { size_bytes: 140_000 },
        ]
    }

    #[test]
    fn a_stretch_is_that_of_the_whole() {
        for content in every_kind() {
            let size = content.size_bytes();
            let whole = content.pieces(0..size).collect::<Vec<_>>().concat();
            assert_eq!(whole.len() as u64, size, "{content:?}");
            for range in [0..1, size / 3..size / 2, size - 2..size, size..size] {
                let stretch = content.pieces(range.clone()).collect::<Vec<_>>().concat();
                assert_eq!(stretch, whole[range.start as usize..range.end as usize], "{content:?} {range:?}");
            }
        }
    }

    #[test]
    fn a_padded_picture_keeps_its_end() {
        let picture = Content::Png { size_bytes: 70_000 };
        let whole = picture.pieces(0..70_000).collect::<Vec<_>>().concat();
        assert!(whole.starts_with(b"\x89PNG") && whole[69_992..].starts_with(b"IEND"));
    }

    #[test]
    fn nothing_has_the_hash_of_nothing() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Content::Noise { size_bytes: 0, seed: 0 }.content_hash(), empty);
        assert_eq!(Content::Png { size_bytes: 9 }.content_hash(), empty);
    }
}
