//! Texts as reads show them: HTML (documented under "Guidelines" and "Status"; details are observed).

use super::settings::Account;
use super::text::{Piece, pieces};

/// How much of a link is to be seen.
const SHOWN_OF_LINK: usize = 30;

/// A text as HTML. Mentions are links if they name one of these accounts: nobody else can be found from here.
pub(super) fn html(text: &str, origin: &str, accounts: &[Account]) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut html = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Words(words) => html += &escape(words),
            Piece::Link(url) => html += &link(url),
            Piece::Mention { whole, name } => html += &mention(whole, name, origin, accounts),
            Piece::Hashtag(name) => {
                let path = url::form_urlencoded::byte_serialize(name.to_lowercase().as_bytes()).collect::<String>();
                html += &format!(
                    "<a href=\"{origin}/tags/{path}\" class=\"mention hashtag\" rel=\"tag\">#<span>{name}</span></a>"
                );
            }
        }
    }
    paragraphs(&html)
}

/// The account that a mention means, if it is one of this instance.
pub(super) fn mentioned<'a>(whole: &str, name: &str, accounts: &'a [Account]) -> Option<&'a Account> {
    let is_local = !whole.trim_start_matches('@').contains('@');
    accounts.iter().find(|account| is_local && account.username.eq_ignore_ascii_case(name))
}

fn mention(whole: &str, name: &str, origin: &str, accounts: &[Account]) -> String {
    match mentioned(whole, name, accounts) {
        Some(Account { username, .. }) => format!(
            "<span class=\"h-card\" translate=\"no\"><a href=\"{origin}/@{username}\" class=\"u-url \
             mention\">@<span>{username}</span></a></span>"
        ),
        None => escape(whole),
    }
}

/// A link, of which scheme and end are hidden.
fn link(url: &str) -> String {
    let scheme = url.find("://").map_or(0, |at| at + 3);
    let prefix = if url[scheme..].starts_with("www.") { scheme + 4 } else { scheme };
    let (hidden, rest) = url.split_at(prefix);
    let cut = rest.char_indices().nth(SHOWN_OF_LINK).map_or(rest.len(), |(at, _)| at);
    let (shown, tail) = rest.split_at(cut);
    let class = if tail.is_empty() { "" } else { "ellipsis" };
    format!(
        "<a href=\"{url}\" target=\"_blank\" rel=\"nofollow noopener\" translate=\"no\"><span \
         class=\"invisible\">{hidden}</span><span class=\"{class}\">{shown}</span><span \
         class=\"invisible\">{tail}</span></a>",
        url = escape(url),
        hidden = escape(hidden),
        shown = escape(shown),
        tail = escape(tail),
    )
}

/// An empty line ends a paragraph, any other end of a line is a `<br />`.
fn paragraphs(html: &str) -> String {
    let html = html.replace("\r\n", "\n");
    let mut paragraphs = vec![String::new()];
    for (at, line) in html.split('\n').enumerate() {
        match paragraphs.last_mut() {
            Some(last) if line.is_empty() && !last.is_empty() => paragraphs.push(String::new()),
            Some(last) => {
                if at > 0 && !last.is_empty() {
                    last.push_str("<br />");
                }
                last.push_str(line);
            }
            None => {}
        }
    }
    let written = paragraphs.iter().filter(|paragraph| !paragraph.is_empty());
    written.map(|paragraph| format!("<p>{paragraph}</p>")).collect()
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::html;
    use crate::mastodon::Account;

    fn shown(text: &str) -> String {
        html(text, "http://a.example", &[Account::new("1", "ann", "Ann")])
    }

    #[test]
    fn lines_and_paragraphs_are_kept_and_signs_escaped() {
        assert_eq!(shown("a < \"b\" & 'c'"), "<p>a &lt; &quot;b&quot; &amp; &#39;c&#39;</p>");
        assert_eq!(shown("one\ntwo\r\n\r\nthree\n\n\nfour"), "<p>one<br />two</p><p>three</p><p>four</p>");
        assert_eq!(shown(""), "");
    }

    #[test]
    fn links_mentions_and_hashtags_become_links() {
        assert_eq!(
            shown("https://www.example.com/a-path-that-is-long-enough?a=1&b=2"),
            "<p><a href=\"https://www.example.com/a-path-that-is-long-enough?a=1&amp;b=2\" target=\"_blank\" \
             rel=\"nofollow noopener\" translate=\"no\"><span class=\"invisible\">https://www.</span><span \
             class=\"ellipsis\">example.com/a-path-that-is-lon</span><span \
             class=\"invisible\">g-enough?a=1&amp;b=2</span></a></p>"
        );
        assert_eq!(
            shown("@Ann and @bob #Tag"),
            "<p><span class=\"h-card\" translate=\"no\"><a href=\"http://a.example/@ann\" class=\"u-url \
             mention\">@<span>ann</span></a></span> and @bob <a href=\"http://a.example/tags/tag\" class=\"mention \
             hashtag\" rel=\"tag\">#<span>Tag</span></a></p>"
        );
        assert_eq!(shown("@ann@b.example"), "<p>@ann@b.example</p>");
    }
}
