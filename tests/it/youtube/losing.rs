//! Answers that get lost, uploads that break off or are forgotten: whatever happens, there is one video.

use super::{GRANULE, UPLOAD, clip, connected, digest, film, host, published, was_uncertain, with};
use crate::harness::{BOTH, Host, Person};
use orla::connectors::Memories;
use orla_vendors::youtube::{Answer, Canned, Fault, Mode, Settings, Sim};
use serde_json::{Value, json};

/// The last stretch of a video of two, behind the question and the first.
const END: u32 = 2;

/// One video, whole.
async fn check(host: &Host, sim: &Sim, url: &str, done: &Value) {
    let videos = sim.videos();
    assert_eq!(videos.len(), 1, "{videos:#?}");
    assert_eq!(videos[0].sha256, digest(url).await);
    assert_eq!(done["receipt"][0]["id"], videos[0].id);
    host.check_books().await;
}

async fn uncertain(ada: &Person, post: &Value) -> Value {
    let done = published(ada, "film", post).await;
    assert!(was_uncertain(&done), "{done:#}");
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_whose_answer_is_lost_is_known_by_its_upload() {
    for backend in BOTH {
        for mode in [Mode::CutAfter, Mode::executed_then_status(503), Mode::TruncatedBody] {
            let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
            let (ada, _) = connected(&host, &sim).await;
            let url = clip(&host, GRANULE + 7);
            sim.fault(Fault::on("PUT", UPLOAD, mode).skip(END));
            let done = uncertain(&ada, &film(&url)).await;
            // The list of the channel's uploads was not needed.
            assert!(!sim.counts().contains_key("GET /youtube/v3/playlistItems"));
            check(&host, &sim, &url, &done).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_never_came_is_sent_after_two_looks() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let url = clip(&host, GRANULE + 7);
        sim.fault(Fault::on("PUT", UPLOAD, Mode::CutBefore).skip(END));
        let done = uncertain(&ada, &film(&url)).await;
        let upload = &sim.uploads()[0];
        // Before the first stretch, at two looks at least, and when it went on.
        assert!(upload.questions >= 4, "{upload:?}");
        assert_eq!(upload.stretches, [(0, GRANULE), (GRANULE, GRANULE + 7)]);
        check(&host, &sim, &url, &done).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_whose_upload_is_forgotten_is_found_among_the_channels_videos() {
    for backend in BOTH {
        let youtube = Settings { finished_upload_s: 0, list_lag_ms: 200, ..Settings::default() };
        let (host, sim) = host(backend, youtube, Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let url = clip(&host, GRANULE + 7);
        sim.fault(Fault::on("PUT", UPLOAD, Mode::CutAfter).skip(END));
        let done = uncertain(&ada, &film(&url)).await;
        assert!(sim.counts()["GET /youtube/v3/playlistItems"] >= 1);
        check(&host, &sim, &url, &done).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_never_came_and_whose_upload_is_forgotten_is_brought_anew() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let url = clip(&host, GRANULE + 7);
        sim.fault(Fault::on("PUT", UPLOAD, Mode::CutBefore).skip(END));
        // From then on, nobody knows the upload: not who looks, and not who goes on.
        let gone = Canned { status: 404, ..Canned::default() };
        sim.fault(Fault::on("PUT", UPLOAD, Mode::Status(gone)).times(4));
        let done = uncertain(&ada, &film(&url)).await;
        assert_eq!(sim.made().uploads, 2);
        check(&host, &sim, &url, &done).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_forgotten_on_its_way_is_begun_anew() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let url = clip(&host, GRANULE + 7);
        // The first stretch fails, and so does the question how much of it came: the execution ends. The next one finds
        // that the upload is gone, asks for its end as well, and begins anew.
        sim.fault(Fault::on("PUT", UPLOAD, Mode::status(503)).skip(1).times(2));
        sim.fault(Fault::on("PUT", UPLOAD, Mode::status(404)).times(2));
        let done = published(&ada, "film", &film(&url)).await;
        assert!(!was_uncertain(&done), "{done:#}");
        let uploads = sim.uploads();
        assert_eq!((uploads.len(), &uploads[0].stretches), (2, &Vec::new()));
        assert_eq!(uploads[1].stretches, [(0, GRANULE), (GRANULE, GRANULE + 7)]);
        check(&host, &sim, &url, &done).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_that_is_cut_goes_on_with_what_is_missing() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let url = clip(&host, 10 * GRANULE);
        // 60 % have come, and a little more than whole granules.
        sim.fault(Fault::on("PUT", UPLOAD, Mode::CutWithin { bytes: 6 * GRANULE + 9 }).skip(1));
        let done = published(&ada, "film", &film(&url)).await;
        assert_eq!(done["attempts"], 1, "it goes on at once: {done:#}");
        assert_eq!(sim.uploads()[0].stretches, [(6 * GRANULE, 9 * GRANULE), (9 * GRANULE, 10 * GRANULE)]);
        assert_eq!((sim.made().upload_bytes, sim.made().uploads), (10 * GRANULE + 9, 1));
        // A stretch that came whole, and of which only the answer is lost, is not sent again either.
        sim.fault(Fault::on("PUT", UPLOAD, Mode::CutAfter).skip(1));
        let more = with(film(&url), json!({"title": "More bread"}));
        published(&ada, "more", &more).await;
        assert_eq!(sim.uploads()[1].stretches, [(0, 9 * GRANULE), (9 * GRANULE, 10 * GRANULE)]);
        let cut = sim.requests().iter().filter(|request| request.status == Answer::Cut).count();
        assert_eq!((cut, sim.videos().len()), (2, 2));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thumbnail_and_a_comment_whose_answers_are_lost_are_there_once() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default(), Memories::Pooled).await;
        let (ada, _) = connected(&host, &sim).await;
        let (url, picture) = (clip(&host, 99), format!("{}/pictures/photo.jpg", host.sim.origin()));
        sim.fault(Fault::on("POST", "/upload/youtube/v3/thumbnails/set", Mode::CutAfter));
        sim.fault(Fault::on("POST", "/youtube/v3/commentThreads", Mode::CutAfter));
        let post = with(film(&url), json!({"media_urls": [url, picture], "first_comment": "First!"}));
        let done = uncertain(&ada, &post).await;
        assert_eq!((sim.comments().len(), &done["receipt"][1]["id"]), (1, &json!(sim.comments()[0].id)));
        assert_eq!(sim.videos()[0].thumbnail_sha256, Some(digest(&picture).await));
        // One that never came is said after two looks.
        sim.fault(Fault::on("POST", "/youtube/v3/commentThreads", Mode::CutBefore));
        let again = with(film(&url), json!({"title": "Again", "first_comment": "First!"}));
        let done = published(&ada, "again", &again).await;
        assert!(was_uncertain(&done) && sim.comments().len() == 2, "{done:#}");
        host.check_books().await;
    }
}
