//! What is not made is not charged, and what may have been begun is never begun again by itself.

use super::{BLOBS, PRICE, ask, balance, connected, count, ended, google, host, host_with};
use crate::harness::BOTH;
use orla::connectors::Memories;
use orla_vendors::vertex::{Fault, Mode, Settings};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_fails_late_or_withholds_costs_nothing() {
    for backend in BOTH {
        let (host, sim) = host(backend, google()).await;
        let ada = connected(&host, &sim, 1).await;
        let words =
            "Veo could not generate videos because the input violates Vertex AI's usage guidelines. Support codes: 1";
        let ends = [("Internal error.", Some((13, "Internal error.".to_owned())), None), (words, None, Some(words))];
        for (round, (words, fails_with, withheld)) in ends.into_iter().enumerate() {
            sim.change(|settings| {
                (settings.fails_with, settings.withheld) =
                    (fails_with, withheld.into_iter().map(str::to_owned).collect());
            });
            let failed = ended(&ada, &format!("round {round}"), &json!({"prompt": "A lighthouse"})).await;
            assert_eq!((failed["state"].as_str(), &failed["video"]), (Some("failed"), &json!(null)), "{failed:#}");
            assert!(failed["fault"]["message"].as_str().unwrap().contains(words), "in the vendor's words: {failed:#}");
            assert_eq!(failed["progress"]["percent"], 90, "{failed:#}");
            let receipt = &failed["receipt"];
            assert_eq!((&receipt["credits_held"], &receipt["credits_charged"]), (&json!(PRICE), &json!(0)));
            assert!(receipt["note"].as_str().unwrap().starts_with("Not charged"), "{receipt:#}");
            assert_eq!((balance(&ada).await, count(host.app.db(), BLOBS).await), ((PRICE, 0), 0));
            assert_eq!(sim.operations().len(), round + 1);
        }
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_video_that_the_vendor_forgets_is_looked_for_and_never_begun_again() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings { forgets: true, ..google() }).await;
        let ada = connected(&host, &sim, 1).await;
        let failed = ended(&ada, "forgotten", &json!({"prompt": "A lighthouse"})).await;
        assert_eq!((failed["state"].as_str(), failed["fault"]["kind"].as_str()), (Some("failed"), Some("not-found")));
        assert_eq!(failed["attempts"], 6, "its nodes may not have heard of it yet: {failed:#}");
        assert_eq!((sim.operations().len(), balance(&ada).await), (1, (PRICE, 0)));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_beginning_whose_answer_is_lost_is_uncertain_and_stays_alone() {
    for backend in BOTH {
        let (host, sim) = host(backend, google()).await;
        let ada = connected(&host, &sim, 2).await;
        let wish = json!({"prompt": "A lighthouse"});
        for (key, mode, begun) in [
            ("cut after", Mode::CutAfter, 1),
            ("answered 503 all the same", Mode::executed_then_status(503), 2),
            ("cut before", Mode::CutWithin { bytes: 3 }, 2),
        ] {
            sim.fault(Fault::on("POST", &sim.method("predictLongRunning"), mode));
            let lost = ended(&ada, key, &wish).await;
            assert_eq!(
                (lost["state"].as_str(), lost["fault"]["kind"].as_str()),
                (Some("uncertain"), Some("uncertain"))
            );
            assert_eq!((&lost["receipt"]["credits_charged"], balance(&ada).await), (&json!(0), (2 * PRICE, 0)));
            assert!(lost["receipt"]["note"].as_str().unwrap().contains("may bill"), "{lost:#}");
            // The key gives what it gave: only another wish begins another.
            assert_eq!(ask(&ada, key, &wish).await.expect(202)["id"], lost["id"]);
            assert_eq!(sim.operations().len(), begun, "{key}");
        }
        let made = ended(&ada, "knowingly", &wish).await;
        assert_eq!((made["state"].as_str(), sim.operations().len()), (Some("completed"), 3), "{made:#}");
        assert_eq!(balance(&ada).await, (PRICE, 0));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_in_passing_is_asked_again() {
    for backend in BOTH {
        let (host, sim) = host(backend, Settings { looks: 3, ..google() }).await;
        let ada = connected(&host, &sim, 1).await;
        let begin = sim.method("predictLongRunning");
        let look = sim.method("fetchPredictOperation");
        sim.fault(Fault::on("POST", &begin, Mode::status(429)));
        sim.fault(Fault::on("POST", &look, Mode::status(503)));
        sim.fault(Fault::on("POST", &look, Mode::CutAfter).skip(1));
        // The answer that has the video breaks off.
        sim.fault(Fault::on("POST", &look, Mode::TruncatedBody).skip(1));
        let made = ended(&ada, "passing", &json!({"prompt": "A lighthouse"})).await;
        assert_eq!((made["state"].as_str(), sim.operations().len()), (Some("completed"), 1), "{made:#}");
        assert_eq!((balance(&ada).await, count(host.app.db(), BLOBS).await), ((0, 0), 1));
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_meanwhile_is_renewed_by_the_host() {
    for backend in BOTH {
        let also = [("look_every_ms", "200")];
        let (host, sim) = host_with(backend, Settings { looks: 8, ..google() }, &also, Memories::Pooled).await;
        let ada = connected(&host, &sim, 1).await;
        let before = sim.made().tokens;
        let id = ask(&ada, "long", &json!({"prompt": "A lighthouse"})).await.expect(202);
        let id = id["id"].as_str().unwrap();
        super::until(&ada, id, |video| video["progress"]["percent"].is_number()).await;
        sim.expire_access_tokens();
        let made = super::until(&ada, id, |video| video["state"] == "completed").await;
        assert_eq!(made["fault"], json!(null), "{made:#}");
        assert_eq!((sim.made().tokens - before, sim.operations().len()), (1, 1));
        host.check_books().await;
    }
}
