//! What is true of every video model: it judges any wish without a trap, the same each time, and names members that a wish has.

use super::{line, strange_texts};
use crate::connectors::blob::{Blob, Shape};
use crate::connectors::filming::{Filmed, VideoWish};
use crate::id::BlobId;
use crate::proving::ends::End;
use crate::proving::report::{Flaw, Line};
use crate::proving::stand::Stand;
use std::collections::BTreeMap;
use std::sync::Arc;

const MEMBERS: [&str; 9] =
    ["prompt", "negative_prompt", "image", "duration_seconds", "aspect_ratio", "resolution", "seed", "audio", "model"];

/// A wish that is out of the ordinary.
struct Strange {
    what: String,
    wish: VideoWish,
    image: Option<Arc<Blob>>,
}

/// Holds `check` against wishes that no case has.
pub(super) async fn of_check(stand: &Stand) -> Line {
    let all = wishes(stand);
    let tried = format!("{} strange wishes", all.len());
    let mut flaws = Vec::new();
    for strange in all {
        if let Err(flaw) = judge(stand, &strange).await {
            flaws.push(flaw.at(strange.what));
        }
    }
    line("check of videos", tried, flaws)
}

fn wishes(stand: &Stand) -> Vec<Strange> {
    let usual = || VideoWish { prompt: "A lighthouse at dusk".to_owned(), ..VideoWish::default() };
    let mut all = Vec::new();
    for (what, text) in strange_texts() {
        let bare = |what: String, wish| Strange { what, wish, image: None };
        all.push(bare(format!("the prompt {what}"), VideoWish { prompt: text.clone(), ..usual() }));
        all.push(bare(format!("the model {what}"), VideoWish { model: Some(text.clone()), ..usual() }));
        all.push(bare(format!("the aspect ratio {what}"), VideoWish { aspect_ratio: Some(text.clone()), ..usual() }));
        all.push(bare(format!("what must not be seen {what}"), VideoWish { negative_prompt: Some(text), ..usual() }));
    }
    for seconds in [0, u32::MAX] {
        let wish = VideoWish { duration_seconds: Some(seconds), ..usual() };
        all.push(Strange { what: format!("{seconds} seconds"), wish, image: None });
    }
    let wish = VideoWish { seed: Some(u64::MAX), ..usual() };
    all.push(Strange { what: format!("the seed {}", u64::MAX), wish, image: None });
    for (content_type, size_bytes) in [("image/png", 0), ("image/png", i64::MAX), ("video/mp4", 10), ("", 10)] {
        let blob = Blob {
            id: BlobId::new(),
            workspace_id: stand.workspace(),
            sha256: "0".repeat(64),
            size_bytes,
            content_type: content_type.to_owned(),
            shape: Shape::default(),
        };
        let what = format!("a picture of type `{content_type}` and {size_bytes} bytes");
        all.push(Strange { what, wish: usual(), image: Some(Arc::new(blob)) });
    }
    all
}

async fn judge(stand: &Stand, strange: &Strange) -> Result<(), Flaw> {
    let settings = BTreeMap::new();
    let filmed = Filmed { wish: &strange.wish, image: strange.image.as_ref(), settings: &settings };
    let ask = || stand.connectors().check_video(&stand.release, stand.workspace(), filmed);
    let violations = ask().await.map_err(|fault| Flaw::new(End::Fault(fault).to_string()))?;
    for violation in &violations {
        if !MEMBERS.contains(&violation.field.as_str()) {
            return Err(Flaw::new(format!("a violation names `{}`, which no wish has", violation.field)));
        }
        if violation.message.trim().is_empty() {
            return Err(Flaw::new(format!("the violation of `{}` says nothing", violation.field)));
        }
    }
    let again = ask().await.map_err(|fault| Flaw::new(End::Fault(fault).to_string()))?;
    let told = |end| End::Violations(end).to_string();
    if told(again) == told(violations) { Ok(()) } else { Err(Flaw::new("it is judged differently the second time")) }
}
