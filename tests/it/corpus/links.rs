//! Links are the vendor's to hand out, for one connection each, and to the hosts that the manifest names.

use crate::harness::{BOTH, Host, Person};
use serde_json::{Value, json};

/// Lets the vendor hand a URL out, and gives what the host shows of it to the connector.
async fn sealed(host: &Host, person: &Person, url: &str) -> String {
    host.sim.change(|settings| settings.script = json!({"next": url}).to_string());
    let done = run(person, "sealed").await;
    done["fault"]["message"].as_str().unwrap().to_owned()
}

/// Runs a script of the probe to its end.
async fn run(person: &Person, script: &str) -> Value {
    let post = json!({"platform": "probe", "content": script});
    let id = person.post("/social/publish", &post).await.expect(202)["id"].as_str().unwrap().to_owned();
    person.wait(&id, &["published", "failed"]).await
}

fn is_refused(done: &Value, words: &str) {
    assert_eq!((done["state"].as_str(), done["fault"]["kind"].as_str()), (Some("failed"), Some("bug")), "{done:#}");
    assert!(done["fault"]["message"].as_str().unwrap().contains(words), "{done:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_serves_the_connection_that_it_was_given_to_and_no_other() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let (ada, mallory) = (host.connected("ada", "probe").await, host.connected("mallory", "probe").await);
        let link = sealed(&host, &ada, &format!("{}/2/users/me", host.sim.origin())).await;
        assert!(link.starts_with("orla-link:"), "{link}");
        let done = run(&ada, &format!("follow {link}\ncommit a by a link")).await;
        assert_eq!(done["state"], "published", "{done:#}");
        let before = host.sim.requests().len();
        is_refused(&run(&mallory, &format!("follow {link}")).await, "no link");
        // Altered, it is nobody's.
        let (rest, last) = link.split_at(link.len() - 4);
        let altered = if last == "AAAA" { "AAAB" } else { "AAAA" };
        is_refused(&run(&ada, &format!("follow {rest}{altered}")).await, "no link");
        assert_eq!(host.sim.requests().len(), before);
        host.check_books().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_the_vendor_only_repeats_leads_nowhere() {
    for backend in BOTH {
        let host = Host::start(backend).await;
        let mallory = host.connected("mallory", "probe").await;
        for url in [
            "https://evil.example/",
            "https://api.x.com.evil.example/",
            "https://api.x.com@evil.example/",
            r"https://evil.example\@api.x.com/",
            "https://evil.example/#api.x.com",
            "http://api.x.com/",
            "//evil.example/",
            "javascript:alert(1)",
        ] {
            assert_eq!(sealed(&host, &mallory, url).await, "no link", "{url}");
        }
        // What mints tokens stays the host's, even where the vendor points at it.
        for path in ["/2/oauth2/token", "/2/oauth2/%74oken"] {
            let link = sealed(&host, &mallory, &format!("{}{path}", host.sim.origin())).await;
            let before = host.sim.requests().len();
            is_refused(&run(&mallory, &format!("follow {link}")).await, "mints tokens");
            assert_eq!(host.sim.requests().len(), before, "{path}");
        }
    }
}
