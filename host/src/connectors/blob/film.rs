//! How long a film lasts and how large it is, by the boxes of an MP4 or QuickTime file (ISO/IEC 14496-12). The heads of boxes
//! are read and what lies between them is skipped, so a film of a gigabyte costs as little as a short one, wherever its index
//! stands.

use super::measuring::pixels;
use super::{Blob, Blobs, Shape};
use mp4_atom::{Atom, Decode as _, FourCC, Header, Matrix, Mehd, Moov, Mvex, Mvhd, Tkhd, Trak};

/// Most boxes that are looked at: a file that hides its index behind more is not measured.
const MOST_BOXES: usize = 400;
/// Most bytes of a box that are read; those that matter have about a hundred.
const MOST_BODY_BYTES: u64 = 1_024;
/// The longest head of a box.
const HEAD_BYTES: u64 = 16;

/// A box and where it lies.
struct Found {
    kind: FourCC,
    body: u64,
    end: u64,
}

struct Reader<'a> {
    blobs: &'a Blobs,
    blob: &'a Blob,
    boxes_left: usize,
}

/// Measures a film; `None` where its boxes make no sense.
pub(super) async fn measure(blobs: &Blobs, blob: &Blob) -> Option<Shape> {
    let mut reader = Reader { blobs, blob, boxes_left: MOST_BOXES };
    let index = reader.find(Moov::KIND, 0, blob.size()).await?;
    let (mut duration_ms, mut largest) = (None, None::<Shape>);
    let mut at = index.body;
    while let Some(found) = reader.next(at, index.end).await {
        at = found.end;
        if found.kind == Mvhd::KIND {
            let movie: Mvhd = reader.body(&found).await?;
            duration_ms = duration_ms.or(milliseconds(movie.duration, movie.timescale));
            if duration_ms.is_none() {
                duration_ms = reader.fragments(&index).await.and_then(|all| milliseconds(all, movie.timescale));
            }
        } else if found.kind == Trak::KIND
            && let Some(head) = reader.find(Tkhd::KIND, found.body, found.end).await
            && let Some(track) = reader.body::<Tkhd>(&head).await
            && let Some(shape) = shown(&track)
        {
            largest = largest.filter(|other| area(other) >= area(&shape)).or(Some(shape));
        }
    }
    Some(Shape { duration_ms, ..largest.unwrap_or_default() })
}

impl Reader<'_> {
    /// The box that begins here, where there is one that ends within bounds.
    async fn next(&mut self, at: u64, end: u64) -> Option<Found> {
        self.boxes_left = self.boxes_left.checked_sub(1)?;
        let length = end.checked_sub(at)?.min(HEAD_BYTES);
        let head = self.blobs.read_all(self.blob, at, length).await.ok()?;
        let mut rest = head.as_slice();
        let Header { kind, size } = Header::decode(&mut rest).ok()?;
        let body = at + (head.len() - rest.len()) as u64;
        let ends_at = size.map_or(Some(end), |size| body.checked_add(size as u64))?;
        (ends_at <= end).then_some(Found { kind, body, end: ends_at })
    }

    /// The first box of a kind in a stretch.
    async fn find(&mut self, kind: FourCC, mut at: u64, end: u64) -> Option<Found> {
        loop {
            let found = self.next(at, end).await?;
            if found.kind == kind {
                return Some(found);
            }
            at = found.end;
        }
    }

    async fn body<T: Atom>(&self, found: &Found) -> Option<T> {
        let length = (found.end - found.body).min(MOST_BODY_BYTES);
        let body = self.blobs.read_all(self.blob, found.body, length).await.ok()?;
        T::decode_body(&mut body.as_slice()).ok()
    }

    /// How long all fragments last together, where a film comes in fragments and says so.
    async fn fragments(&mut self, index: &Found) -> Option<u64> {
        let all = self.find(Mvex::KIND, index.body, index.end).await?;
        let head = self.find(Mehd::KIND, all.body, all.end).await?;
        Some(self.body::<Mehd>(&head).await?.fragment_duration)
    }
}

/// A duration of so many parts of a second; all ones say that it is not known.
fn milliseconds(duration: u64, timescale: u32) -> Option<i64> {
    let known = !matches!(duration, 0 | u64::MAX) && duration != u64::from(u32::MAX) && timescale > 0;
    known.then(|| u128::from(duration) * 1_000 / u128::from(timescale)).and_then(|ms| i64::try_from(ms).ok())
}

/// How large a track is when it is shown: a telephone held upright turns the picture by its matrix.
fn shown(track: &Tkhd) -> Option<Shape> {
    let (width, height) = (usize::from(track.width.integer()), usize::from(track.height.integer()));
    let Matrix { a, d, .. } = track.matrix;
    if (a, d) == (0, 0) { pixels(height, width) } else { pixels(width, height) }
}

fn area(shape: &Shape) -> i64 {
    shape.width.unwrap_or(0) * shape.height.unwrap_or(0)
}
