//! The header `Link` (RFC 8288, section 3), read strictly: a value that breaks the grammar has no links.

/// A link: where it leads, and what lies there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// A URI reference, as it stands in the header.
    pub(super) uri: String,
    relations: Vec<String>,
}

impl Target {
    /// Whether it is a link of this relation. Relations are compared without regard to case (section 2.1).
    pub(super) fn is(&self, relation: &str) -> bool {
        self.relations.iter().any(|own| own.eq_ignore_ascii_case(relation))
    }
}

const SPACE: [char; 2] = [' ', '\t'];

/// The links of one value of the header, in their order; `None` where it breaks the grammar.
pub(super) fn parse(value: &str) -> Option<Vec<Target>> {
    let mut targets = Vec::new();
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(targets);
        }
        let (uri, after) = rest.strip_prefix('<')?.split_once('>')?;
        let (parameters, after) = parameters(after)?;
        rest = after.trim_start_matches(SPACE);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
        let first = |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        // An anchor says that the link is another page's (section 3.2); of several relations the first counts (3.3).
        if first("anchor").is_none()
            && let Some(relations) = first("rel")
        {
            let relations = relations.split_ascii_whitespace().map(str::to_owned).collect();
            targets.push(Target { uri: uri.trim_matches(SPACE).to_owned(), relations });
        }
    }
}

/// Names, in lowercase, with their values.
type Parameters = Vec<(String, String)>;

/// The parameters behind a target, and what comes after them.
fn parameters(text: &str) -> Option<(Parameters, &str)> {
    let mut parameters = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(SPACE);
        let Some(after) = rest.strip_prefix(';') else { return Some((parameters, rest)) };
        let after = after.trim_start_matches(SPACE);
        let (name, after) = split_at_any(after, &[';', ',', '=', ' ', '\t', '"', '<']);
        rest = after.trim_start_matches(SPACE);
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start_matches(SPACE);
            (value, rest) = match after.strip_prefix('"') {
                Some(quoted) => unquote(quoted)?,
                None => {
                    let (token, after) = split_at_any(after, &[';', ',', ' ', '\t', '"', '<']);
                    (token.to_owned(), after)
                }
            };
        }
        if !name.is_empty() {
            parameters.push((name.to_ascii_lowercase(), value));
        }
    }
}

fn split_at_any<'a>(text: &'a str, ends: &[char]) -> (&'a str, &'a str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

/// The text of a quoted string whose opening quote is gone (RFC 9110, section 5.6.4), and what comes after it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::parse;

    /// Where the link of a relation leads.
    fn leads(value: &str, relation: &str) -> Option<String> {
        parse(value)?.into_iter().find(|target| target.is(relation)).map(|target| target.uri)
    }

    #[test]
    fn pages_as_they_are_usually_linked() {
        let value = r#"<https://a.example/x?max_id=7>; rel="next", <https://a.example/x?min_id=9>; rel="prev""#;
        assert_eq!(leads(value, "next").as_deref(), Some("https://a.example/x?max_id=7"));
        assert_eq!(leads(value, "prev").as_deref(), Some("https://a.example/x?min_id=9"));
        assert_eq!(leads(value, "first"), None);
    }

    #[test]
    fn separators_within_a_target_or_quotes_separate_nothing() {
        let value = r#"</a,b;c?d=>; title="x, <https://evil.example>; rel=\"next\"; y"; rel="next", </e>; rel=last"#;
        assert_eq!(leads(value, "next").as_deref(), Some("/a,b;c?d="));
        assert_eq!(leads(value, "last").as_deref(), Some("/e"));
        assert_eq!(parse(value).map(|targets| targets.len()), Some(2));
    }

    #[test]
    fn spaces_case_and_empty_members_do_not_matter() {
        for value in ["</a>;rel=next", " , </a> ; REL = \"NeXT\" ;, ", "</a>; rel=\"start next\"", "< /a >;;rel=next"] {
            assert_eq!(leads(value, "next").as_deref(), Some("/a"), "{value}");
        }
    }

    #[test]
    fn the_first_relation_counts_and_an_anchored_link_is_anothers() {
        assert_eq!(leads("</a>; rel=prev; rel=next", "next"), None);
        assert_eq!(leads("</a>; anchor=\"/other\"; rel=next", "next"), None);
        assert_eq!(leads("</a>; title=next", "next"), None);
    }

    #[test]
    fn what_breaks_the_grammar_has_no_links() {
        for value in ["/a; rel=next", "</a; rel=next", "</a>; rel=\"next", "</a> rel=next", "</a>; rel=next </b>"] {
            assert_eq!(parse(value), None, "{value}");
        }
        assert_eq!(parse(""), Some(vec![]));
    }
}
