//! Where a text holds a link.
//!
//! X replaces links with its own, so their length does not count. The grammar is that of twitter-text in what people
//! write: links with `http(s)://`, and bare domains under a well-known top level. Beyond that the post is counted letter
//! by letter, and X has the last word.

use std::ops::Range;

/// Top-level domains of countries: a bare `example.<one of these>` is a link.
const COUNTRIES: &str = " ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs \
    bt bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj \
    fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it \
    je jm jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp \
    mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa \
    re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr \
    tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw ";

/// Well-known generic top-level domains.
const GENERIC: &str = " academy agency app art asia bar biz blog cafe cat city cloud club com company consulting design \
    dev digital edu email events finance fund games global gov guide health info int jobs life link live ltd marketing \
    media mil mobi museum name net network news one online org page photos press pro science services shop site social \
    software solutions space store studio support systems team tech today tools top travel video website wiki work \
    works world xyz zone ";

/// The links of a text as ranges of bytes, in order.
pub(crate) fn find_all(text: &str) -> Vec<Range<usize>> {
    let mut links = Vec::new();
    let mut before = None;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        match link_length(&text[at..], before) {
            Some(length) => {
                links.push(at..at + length);
                at += length;
                before = text[..at].chars().next_back();
            }
            None => {
                at += character.len_utf8();
                before = Some(character);
            }
        }
    }
    links
}

/// The length of the link that `text` begins with, given the character before it.
fn link_length(text: &str, before: Option<char>) -> Option<usize> {
    if before.is_some_and(|before| before.is_ascii_alphanumeric() || "@＠$#＃".contains(before)) {
        return None;
    }
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    if scheme.is_none() && before.is_some_and(|before| "-_./".contains(before)) {
        return None;
    }
    let scheme_length = scheme.map_or(0, str::len);
    let rest = &text[scheme_length..];
    let domain_length = if scheme.is_some() {
        domain_length(rest, |character| !is_no_domain_character(character), is_any_top_level)
    } else {
        domain_length(rest, |character| character.is_ascii_alphanumeric(), is_known_top_level)
    }?;
    let port_length = port_length(&rest[domain_length..]);
    let rest = &rest[domain_length + port_length..];
    let path_length = path_length(rest);
    let query_length = query_length(&rest[path_length..]);
    Some(scheme_length + domain_length + port_length + path_length + query_length)
}

/// The length of the longest domain that `text` begins with.
fn domain_length(text: &str, is_letter: impl Fn(char) -> bool, is_top_level: impl Fn(&str) -> bool) -> Option<usize> {
    let run = run(text, |character| is_letter(character) || "-_.".contains(character));
    let mut longest = None;
    let mut end = 0;
    let mut name: Option<&str> = None;
    for label in run.split('.') {
        let edges = ['-', '_'];
        if label.is_empty() || label.starts_with(edges) || label.ends_with(edges) || label.chars().count() > 63 {
            break;
        }
        end += label.len();
        if name.is_some_and(|name| !name.contains('_')) && is_top_level(label) {
            longest = Some(end);
        }
        end += 1;
        name = Some(label);
    }
    // What goes on like this is an address of mail, or a word.
    longest.filter(|end| !text[*end..].starts_with(['@', '+', '-']))
}

fn is_no_domain_character(character: char) -> bool {
    character.is_ascii_punctuation() || character.is_whitespace() || character.is_control() || is_direction(character)
}

/// Marks that turn the direction of writing, and characters that text may not have.
fn is_direction(character: char) -> bool {
    matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{61C}')
        || matches!(character, '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

fn is_any_top_level(label: &str) -> bool {
    label.starts_with("xn--") || (label.chars().count() > 1 && label.chars().all(char::is_alphabetic))
}

fn is_known_top_level(label: &str) -> bool {
    let padded = format!(" {} ", label.to_ascii_lowercase());
    COUNTRIES.contains(&padded) || GENERIC.contains(&padded)
}

fn port_length(text: &str) -> usize {
    let digits = text.strip_prefix(':').map_or("", |rest| run(rest, |character| character.is_ascii_digit()));
    if digits.is_empty() { 0 } else { 1 + digits.len() }
}

fn path_length(text: &str) -> usize {
    if !text.starts_with('/') {
        return 0;
    }
    let path = run(text, |character| {
        character.is_alphanumeric() && character < '\u{1100}' || "!*';:=+,.$/%#[]-–_~@|&()".contains(character)
    });
    let mut end = path.len();
    while let Some(last) = path[..end].chars().next_back() {
        let balanced = path[..end].matches('(').count() >= path[..end].matches(')').count();
        if last.is_alphanumeric() || "=_#/+-".contains(last) || (last == ')' && balanced) {
            break;
        }
        end -= last.len_utf8();
    }
    end
}

fn query_length(text: &str) -> usize {
    if !text.starts_with('?') {
        return 0;
    }
    let query =
        run(text, |character| character.is_ascii_alphanumeric() || "!?*'@();:&=+$/%#[]-_.,~|".contains(character));
    let ends = |character: char| character.is_ascii_alphanumeric() || "-_&=#/".contains(character);
    query.rfind(ends).map_or(0, |last| last + 1)
}

/// The characters that `text` begins with for as long as they belong.
fn run(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|character| !belongs(character)).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::find_all;

    fn links(text: &str) -> Vec<&str> {
        find_all(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn links_with_a_scheme() {
        assert_eq!(links("see HTTP://Example.com/a?b=c#d, and"), ["HTTP://Example.com/a?b=c#d"]);
        assert_eq!(
            links("http://☃.net/ http://test_x.example.com:8080/y."),
            ["http://☃.net/", "http://test_x.example.com:8080/y"]
        );
        assert_eq!(
            links("http://example.com?foo=$bar.;baz?BAZ&c=d-#top/?stories+"),
            ["http://example.com?foo=$bar.;baz?BAZ&c=d-#top/?stories"]
        );
        assert_eq!(links("日本http://example.jp/日本"), ["http://example.jp/"]);
        assert_eq!(links("https://example.com/Русские_слова!"), ["https://example.com/Русские_слова"]);
    }

    #[test]
    fn bare_domains() {
        assert_eq!(links("test.com, foo.co.jp/x and T.CO."), ["test.com", "foo.co.jp/x", "T.CO"]);
        assert_eq!(links("いtest.comいtest.com"), ["test.com", "test.com"]);
        assert_eq!(links("end.Next e.g. 3.14 file.txt a@example.com me.co@example.com"), [""; 0]);
    }

    #[test]
    fn what_is_no_domain() {
        let long = "a".repeat(64);
        assert_eq!(
            links(&format!("https://{long}.com {long}.com http://localhost http://a_b.com http://-a.com")),
            [""; 0]
        );
        assert_eq!(links("#test.com @test.com $test.com xhttp://"), [""; 0]);
    }

    #[test]
    fn parentheses_belong_when_they_match() {
        assert_eq!(links("(https://x.com/a_(b)) https://x.com/c)"), ["https://x.com/a_(b)", "https://x.com/c"]);
    }
}
