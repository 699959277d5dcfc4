//! The rules of media, which manifests write down as data, told in words: what the network takes, and by how much a medium is
//! beside it.

use crate::connectors::blob::Blob;
use orla_manifest::{Bounds, MediaRule, Publishing};

/// The rule for a medium.
pub(super) fn of<'a>(publishing: &'a Publishing, blob: &Blob) -> Option<&'a MediaRule> {
    publishing.media.iter().find(|rule| rule.content_type == blob.content_type)
}

/// Everything that a network has against a medium, a sentence each. What is not known of it is left to the network.
pub(super) fn broken(publishing: &Publishing, blob: &Blob) -> Vec<String> {
    let kind = &blob.content_type;
    let Some(rule) = of(publishing, blob) else {
        let taken: Vec<&str> = publishing.media.iter().map(|rule| rule.content_type.as_str()).collect();
        let taken = if taken.is_empty() { "no media at all".to_owned() } else { taken.join(", ") };
        return vec![format!("The network takes no {kind}. It takes {taken}.")];
    };
    let mut words = Vec::new();
    if let Some(excess) = blob.size().checked_sub(rule.max_bytes).filter(|excess| *excess > 0) {
        let (size, most) = (blob.size(), rule.max_bytes);
        words
            .push(format!("It has {size} bytes; the network takes {kind} of {most} bytes at most: {excess} too many."));
    }
    let known = |measure: Option<i64>| measure.and_then(|measure| u64::try_from(measure).ok());
    let (width, height) = (known(blob.shape.width), known(blob.shape.height));
    let pixels = |side: u64| if side == 1 { "1 pixel".to_owned() } else { format!("{side} pixels") };
    words.extend(width.and_then(|width| beside(rule.width, width, "wide", pixels)));
    words.extend(height.and_then(|height| beside(rule.height, height, "high", pixels)));
    words.extend(width.zip(height).and_then(|sides| out_of_ratio(rule.ratio_percent, sides)));
    words.extend(known(blob.shape.duration_ms).and_then(|length| beside(rule.duration_ms, length, "long", seconds)));
    words
}

/// A measure that is out of its bounds.
fn beside(bounds: Option<Bounds>, measure: u64, how: &str, told: impl Fn(u64) -> String) -> Option<String> {
    let Bounds { min, max } = bounds?;
    let (bound, end, by, than) = match (min, max) {
        (Some(min), _) if measure < min => (min, "at least", min - measure, "too few"),
        (_, Some(max)) if measure > max => (max, "at most", measure - max, "too many"),
        _ => return None,
    };
    let (measure, bound, by) = (told(measure), told(bound), told(by));
    Some(format!("It is {measure} {how}; the network takes {bound} {end}: {by} {than}."))
}

/// Width against height, compared without rounding.
fn out_of_ratio(bounds: Option<Bounds>, (width, height): (u64, u64)) -> Option<String> {
    let Bounds { min, max } = bounds?;
    let (percent, of) = (u128::from(width) * 100, |bound: u64| u128::from(bound) * u128::from(height));
    let (bound, end, cure) = match (min, max) {
        (Some(min), _) if percent < of(min) => (min, "at least", "less high"),
        (_, Some(max)) if percent > of(max) => (max, "at most", "less wide"),
        _ => return None,
    };
    let by = percent.abs_diff(of(bound));
    // In hundredths of a percent, rounded up: what is out of bounds is never told as nothing.
    let hundredths = |percents: u128| (percents * 100).div_ceil(u128::from(height).max(1));
    let told = |hundredths: u128| format!("{}.{:02} %", hundredths / 100, hundredths % 100);
    Some(format!(
        "With {width} × {height} pixels its width is {} of its height; the network takes {bound} % {end}, which it misses by {}. \
         Make it {cure}.",
        told(percent * 100 / u128::from(height).max(1)),
        told(hundredths(by)),
    ))
}

fn seconds(milliseconds: u64) -> String {
    let (whole, rest) = (milliseconds / 1_000, milliseconds % 1_000);
    if rest == 0 { format!("{whole} s") } else { format!("{whole}.{rest:03} s") }
}

#[cfg(test)]
mod tests {
    use super::broken;
    use crate::connectors::blob::{Blob, Shape};
    use crate::id::{BlobId, WorkspaceId};
    use orla_manifest::{Bounds, MediaRule, Publishing};

    fn publishing() -> Publishing {
        let between = |min, max| Some(Bounds { min: Some(min), max: Some(max) });
        let rule = MediaRule {
            content_type: "video/mp4".to_owned(),
            max_bytes: 1_000,
            width: between(320, 1_440),
            height: between(200, 1_800),
            ratio_percent: between(80, 191),
            duration_ms: between(3_000, 60_000),
            ..MediaRule::default()
        };
        Publishing { media: vec![rule], ..Publishing::default() }
    }

    fn words(size_bytes: i64, width: i64, height: i64, duration_ms: i64) -> Vec<String> {
        let blob = Blob {
            id: BlobId::new(),
            workspace_id: WorkspaceId::new(),
            sha256: String::new(),
            size_bytes,
            content_type: "video/mp4".to_owned(),
            shape: Shape { width: Some(width), height: Some(height), duration_ms: Some(duration_ms) },
        };
        broken(&publishing(), &blob)
    }

    #[test]
    fn what_is_within_bounds_is_taken_and_what_is_just_over_is_not() {
        for (size, width, height, length) in
            [(1_000, 1_440, 1_800, 60_000), (1, 382, 200, 3_000), (1, 800, 1_000, 3_000)]
        {
            assert_eq!(words(size, width, height, length), Vec::<String>::new());
        }
        let excess = |at: usize, words: &[String]| {
            assert_eq!(words.len(), 1, "{words:?}");
            words[0].split(": ").nth(at).unwrap_or_default().to_owned()
        };
        assert_eq!(excess(1, &words(1_001, 500, 500, 3_000)), "1 too many.");
        assert_eq!(excess(1, &words(1, 1_441, 1_000, 3_000)), "1 pixel too many.");
        assert_eq!(excess(1, &words(1, 319, 300, 3_000)), "1 pixel too few.");
        assert_eq!(excess(1, &words(1, 1_441, 1_801, 3_000)[..1]), "1 pixel too many.");
        assert_eq!(excess(1, &words(1, 320, 199, 3_000)), "1 pixel too few.");
        assert_eq!(excess(1, &words(1, 500, 500, 60_001)), "0.001 s too many.");
        assert_eq!(excess(1, &words(1, 500, 500, 2_500)), "0.500 s too few.");
    }

    #[test]
    fn a_ratio_is_compared_without_rounding() {
        let one = |width, height| {
            let words = words(1, width, height, 3_000);
            assert_eq!(words.len(), 1, "{words:?}");
            words[0].clone()
        };
        // 1.911 and 0.7994, where 1.91 and 0.8 are the bounds.
        assert!(one(1_433, 750).contains("takes 191 % at most, which it misses by 0.07 %"), "{}", one(1_433, 750));
        assert!(one(1_439, 1_800).contains("takes 80 % at least, which it misses by 0.06 %"), "{}", one(1_439, 1_800));
    }

    #[test]
    fn all_that_is_wrong_is_told_and_what_is_unknown_is_not() {
        assert_eq!(words(2_000, 5_000, 100, 70_000).len(), 5);
        let unknown = Blob {
            id: BlobId::new(),
            workspace_id: WorkspaceId::new(),
            sha256: String::new(),
            size_bytes: 1,
            content_type: "video/mp4".to_owned(),
            shape: Shape::default(),
        };
        assert_eq!(broken(&publishing(), &unknown), Vec::<String>::new());
        let other = Blob { content_type: "image/png".to_owned(), ..unknown };
        assert_eq!(broken(&publishing(), &other), ["The network takes no image/png. It takes video/mp4."]);
    }
}
