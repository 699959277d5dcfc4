//! How wide and high a JPEG is: the frame header of ISO/IEC 10918-1, B.2.2.

/// Width and height; nothing if the bytes are no JPEG.
pub(super) fn size(bytes: &[u8]) -> Option<(u16, u16)> {
    let mut rest = bytes.strip_prefix(b"\xFF\xD8")?;
    loop {
        let (marker, after) = (*rest.get(1)?, rest.get(2..)?);
        if rest[0] != 0xFF {
            return None;
        }
        let number = |at: usize| Some(u16::from_be_bytes([*after.get(at)?, *after.get(at + 1)?]));
        match marker {
            // Padding before a marker.
            0xFF => rest = &rest[1..],
            // The frame header of one of the processes; the three left out are of other segments.
            0xC0..=0xCF if ![0xC4, 0xC8, 0xCC].contains(&marker) => return Some((number(5)?, number(3)?)),
            _ => rest = after.get(usize::from(number(0)?)..)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn a_jpeg_has_a_size_and_nothing_else_has() {
        assert_eq!(size(crate::pictures::PHOTO_JPG), Some((160, 120)));
        assert_eq!(size(crate::pictures::SQUARE_PNG), None);
        assert_eq!(size(&crate::pictures::PHOTO_JPG[..20]), None);
        assert_eq!(size(b""), None);
    }
}
