//! What can become a container, and what of it is fetched.

use orla_vendors::instagram::{Kind, Settings};

use crate::{Bench, MEDIA, SCOPES, code};

#[tokio::test]
async fn an_image_is_fetched_when_its_container_is_made() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let id = person.image(&[("caption", "Look #tea"), ("alt_text", "A cup")]).await;
    let container = bench.sim.instagram_containers().remove(0);
    assert_eq!((container.id, container.kind, container.size_bytes), (id.clone(), Kind::Image, 1_764));
    assert_eq!((container.caption.as_deref(), container.alt_text.as_deref()), (Some("Look #tea"), Some("A cup")));
    assert_eq!(person.status(&id).await, "FINISHED");
    assert_eq!(bench.sim.counts()["GET /pictures/photo.jpg"], 1);
}

#[tokio::test]
async fn what_is_no_jpeg_at_its_url_is_refused() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let redirected = bench.picture(&format!("redirect-to?url={}", bench.picture("photo.jpg")));
    for (url, expected) in [
        (bench.picture("square.png"), (36_001, 2_207_005)),
        (bench.picture("not-an-image.txt"), (36_001, 2_207_005)),
        (bench.picture("nothing.jpg"), (9_004, 2_207_052)),
        (redirected, (9_004, 2_207_052)),
        ("http://127.0.0.1:1/a.jpg".to_owned(), (9_004, 2_207_052)),
        (bench.picture("big-8388609.png"), (36_000, 2_207_004)),
        ("nonsense".to_owned(), (100, 0)),
        ("ftp://a.example/a.jpg".to_owned(), (100, 0)),
        ("https://a.example/ä.jpg".to_owned(), (100, 0)),
    ] {
        assert_eq!(code(person.post(MEDIA, &[("image_url", &url)])).await, expected, "{url}");
    }
    assert_eq!(bench.sim.instagram_made().containers, 0);
}

#[tokio::test]
async fn parameters_that_do_not_fit_are_refused() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let (image, film) = (bench.picture("photo.jpg"), bench.picture("clip-5000.mp4"));
    let image = ("image_url", image.as_str());
    let film = ("video_url", film.as_str());
    let upload = ("upload_type", "resumable");
    let child = ("is_carousel_item", "true");
    for form in [
        vec![],
        vec![image, film],
        vec![image, ("surprise", "1")],
        vec![image, ("media_type", "REELS")],
        vec![film],
        vec![film, ("media_type", "VIDEO")],
        vec![upload, ("media_type", "NONSENSE")],
        vec![("upload_type", "other"), ("media_type", "REELS")],
        vec![image, child, ("caption", "children have none")],
        vec![image, ("media_type", "STORIES"), ("caption", "nor have stories")],
        vec![upload, ("media_type", "REELS"), ("alt_text", "for images")],
        vec![image, ("share_to_feed", "true")],
        vec![image, ("is_carousel_item", "perhaps")],
    ] {
        assert_eq!(code(person.post(MEDIA, &form)).await.0, 100, "{form:?}");
    }
    let long = "x".repeat(2_201);
    assert_eq!(code(person.post(MEDIA, &[image, ("caption", &long)])).await, (36_004, 2_207_010));
    assert_eq!(code(person.post(MEDIA, &[image, ("caption", &"#a ".repeat(31))])).await, (36_004, 2_207_010));
    assert_eq!(code(person.post(MEDIA, &[image, ("caption", &"@a ".repeat(21))])).await, (100, 2_207_040));
    assert_eq!(code(person.post(MEDIA, &[image, ("alt_text", &long)])).await, (100, 0));
    assert_eq!(bench.sim.instagram_made().containers, 0);
}

#[tokio::test]
async fn a_carousel_has_two_to_ten_finished_children_of_its_own() {
    let bench = Bench::start().await;
    let person = bench.person(SCOPES);
    let mut children = Vec::new();
    for _ in 0..11 {
        children.push(person.image(&[("is_carousel_item", "true")]).await);
    }
    let carousel = |ids: &[String]| {
        let list = ids.join(",");
        person.post(MEDIA, &[("media_type", "CAROUSEL"), ("children", &list), ("caption", "Both")])
    };
    let alone = person.image(&[]).await;
    for ids in [vec![], children[..1].to_vec(), children.clone(), vec![children[0].clone(), children[0].clone()]] {
        let expected = if ids.is_empty() { (100, 0) } else { (100, 2_207_028) };
        assert_eq!(code(carousel(&ids)).await, expected, "{} children", ids.len());
    }
    assert_eq!(code(carousel(&[children[0].clone(), alone])).await, (100, 2_207_028), "that is no child");
    let made = crate::body(crate::sent(carousel(&children[..2])).await, reqwest::StatusCode::OK).await;
    assert_eq!(code(carousel(&children[1..3])).await, (100, 2_207_028), "a child has one carousel");
    let film =
        person.made(MEDIA, &[("upload_type", "resumable"), ("media_type", "VIDEO"), ("is_carousel_item", "true")]);
    assert_eq!(code(carousel(&[children[3].clone(), film.await])).await, (100, 2_207_028), "not finished");
    let id = crate::text(&made["id"]);
    assert_eq!(person.status(&id).await, "FINISHED");
    let medium = person.published(&id).await;
    let shown = person.read(&format!("{medium}?fields=media_type,children{{id}}")).await;
    assert_eq!(shown["media_type"], "CAROUSEL_ALBUM");
    assert_eq!(shown["children"]["data"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn containers_are_counted_and_live_for_a_day() {
    let bench = Bench::with(Settings { containers_a_day: 2, ..Settings::default() }).await;
    let person = bench.person(SCOPES);
    let first = person.image(&[]).await;
    person.image(&[]).await;
    let url = bench.picture("photo.jpg");
    assert_eq!(code(person.post(MEDIA, &[("image_url", &url)])).await, (9, 2_207_042));
    bench.sim.advance(86_400);
    assert_eq!(person.status(&first).await, "EXPIRED");
    person.image(&[]).await;
}
