//! The URLs at which Instagram fetches media: they open one medium, for hours, for whoever has them, and nobody else gets one.

use super::{Settings, at, connected, connector, host, post, published};
use crate::harness::{Answer, BOTH, client};
use crate::operating::doctor::{examined, sentences};
use crate::operating::operator;
use crate::secrets::{contains, dump, log};
use orla::config::{Config, ConnectorConfig};
use reqwest::Method;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_url_gives_the_bytes_whole_in_stretches_or_by_their_head() {
    let lines = log();
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default()).await;
        let (ada, _) = connected(&host, &sim, "ada").await;
        let photo = at(&host, "photo.jpg");
        published(&ada, "image", post("Look", &[&photo])).await;
        let container = sim.instagram_containers().remove(0);
        let url = container.url.unwrap();
        let whole = client().get(&url).send().await.unwrap();
        let head = |response: &reqwest::Response, name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!((whole.status().as_u16(), head(&whole, "content-type")), (200, "image/jpeg".to_owned()));
        assert_eq!((head(&whole, "content-length"), head(&whole, "accept-ranges")), ("1764".into(), "bytes".into()));
        assert!(head(&whole, "content-security-policy").contains("sandbox"));
        let bytes = whole.bytes().await.unwrap();
        assert_eq!(Some(hex::encode(Sha256::digest(&bytes))), container.sha256);
        let about = client().head(&url).send().await.unwrap();
        assert_eq!((about.status().as_u16(), head(&about, "content-length")), (200, "1764".to_owned()));
        assert!(about.bytes().await.unwrap().is_empty());
        let stretch = client().get(&url).header("range", "bytes=10-19").send().await.unwrap();
        assert_eq!((stretch.status().as_u16(), head(&stretch, "content-range")), (206, "bytes 10-19/1764".into()));
        assert_eq!(stretch.bytes().await.unwrap(), bytes.slice(10..20));
        let behind = client().get(&url).header("range", "bytes=1764-").send().await.unwrap();
        assert_eq!(head(&behind, "content-range"), "bytes */1764");
        Answer::of(behind).await.refused(416, "no_such_range");
        let put = client().put(&url).send().await.unwrap();
        Answer::of(put).await.refused(405, "method_not_allowed");
        // What opens it stands nowhere but in the network's hands.
        let token = url.rsplit('/').next().unwrap();
        let answers = ada.get("/social/publications").await.expect(200).to_string();
        for (what, bytes) in
            [("the database", dump(&host).await), ("the log", lines.bytes()), ("an answer", answers.into())]
        {
            assert!(bytes.len() > 100 && !contains(&bytes, token), "it is in {what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_forgers_get_nothing() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default()).await;
        let photo = at(&host, "photo.jpg");
        let mut urls = Vec::new();
        for name in ["ada", "mallory"] {
            let (person, _) = connected(&host, &sim, name).await;
            published(&person, "image", post(name, &[&photo])).await;
            urls.push(sim.instagram_containers().pop().unwrap().url.unwrap());
        }
        assert_ne!(urls[0], urls[1]);
        let token = urls[0].rsplit('/').next().unwrap();
        let other = urls[1].rsplit('/').next().unwrap();
        let mut forged = vec!["x".to_owned(), "%00".to_owned(), token[1..].to_owned(), format!("{token}AA")];
        // A letter changed at each place, and the beginning of one token with the end of another.
        for at in 0..token.len() {
            let letter = if token.as_bytes()[at] == b'A' { 'B' } else { 'A' };
            forged.push(format!("{}{letter}{}", &token[..at], &token[at + 1..]));
            forged.push(format!("{}{}", &token[..at], &other[at.min(other.len())..]));
        }
        let tried: Vec<String> =
            forged.into_iter().filter(|forged| forged != token && forged != other && !forged.is_empty()).collect();
        assert!(tried.len() > 200);
        for forged in tried {
            let answer = client().get(format!("{}/media/{forged}", host.url)).send().await.unwrap();
            // The key's name at the beginning only says where to look, and the last letter has bits to spare.
            let is_spelling = answer.status() == 200;
            assert!(!is_spelling || forged.len() == token.len(), "{forged}");
            if !is_spelling {
                Answer::of(answer).await.refused(404, "not_found");
            }
        }
        for path in ["/media", "/media/"] {
            Answer::of(client().get(format!("{}{path}", host.url)).send().await.unwrap())
                .await
                .refused(404, "not_found");
        }
    }
}

/// What stands for another tenant's URL is a text like any other.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_a_url_of_another_tenants_medium_by_writing_what_stands_for_it() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default()).await;
        let (ada, _) = connected(&host, &sim, "ada").await;
        let photo = at(&host, "photo.jpg");
        let done = published(&ada, "image", post("Mine", &[&photo])).await;
        let sha256 = sim.instagram_containers()[0].sha256.clone().unwrap();
        let stand_in = format!("orla-media-{}-{sha256}", done["id"].as_str().unwrap());
        let (mallory, _) = connected(&host, &sim, "mallory").await;
        published(&mallory, "theirs", post(&stand_in, &[&photo])).await;
        assert_eq!(sim.instagram_media().pop().unwrap().caption, stand_in);
        // Neither does a guest that writes it by itself.
        mallory.connect(&host.sim, "probe", "orla_demo").await;
        let script = json!({"platform": "probe", "content": format!("commit a {stand_in}")});
        mallory.published(&script, "probe", &["published"]).await;
        assert_eq!(host.sim.posts().pop().unwrap().text, stand_in);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_instagram_cannot_reach_the_host_a_post_is_refused_with_the_cure() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings::default()).await;
        let (mut ada, _) = connected(&host, &sim, "ada").await;
        // The same host before the real Instagram, which is not asked: this host is not on the Internet.
        let mut config: Config = host.app.config().clone();
        let outside = ConnectorConfig { endpoints: Default::default(), ..connector(&sim) };
        config.connectors.insert("instagram".to_owned(), outside);
        let host = host.again_with(config).await;
        ada.url = host.url.clone();
        let refused = ada.publish(&post("Look", &[&at(&host, "photo.jpg")]), "image").await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["field"]),
            (422, &json!("parts/0/media/0")),
            "{}",
            refused.body
        );
        let told = refused.body["detail"].as_str().unwrap();
        for words in ["Instagram", &host.url, "PUBLIC_URL", "https"] {
            assert!(told.contains(words), "{words}: {told}");
        }
        // Films are uploaded, so they may be planned; and what does not tell its type is looked at before it is sent.
        let tomorrow = host.app.now().after(Duration::from_secs(86_400));
        let clip = at(&host, "clip-5000.mp4");
        let film = json!({"platform": "instagram", "media_urls": [clip], "publish_at": tomorrow});
        let taken = ada.publish(&film, "film").await.expect(202);
        let cancel = format!("/social/publications/{}/cancel", taken["id"].as_str().unwrap());
        ada.call(Method::POST, &cancel, None).await.expect(200);
        let nameless = at(&host, &format!("redirect-to?url={}", at(&host, "photo.jpg")));
        let done = ada.published(&post("Look", &[&nameless]), "nameless", &["published", "failed"]).await;
        assert_eq!((&done["state"], &done["fault"]["kind"]), (&json!("failed"), &json!("invalid")), "{done:#}");
        assert!(done["fault"]["message"].as_str().unwrap().contains("PUBLIC_URL"), "{done:#}");
        assert_eq!(sim.instagram_made().containers, 0);
        // The doctor says it before anybody tries.
        let found = examined(&operator(&host).await, "instagram", false).await;
        assert!(sentences(&found, "note").iter().any(|note| note.contains("fetches such media")), "{found:#}");
        host.check_books().await;
    }
}
