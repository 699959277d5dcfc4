//! Parameters as Stripe takes them: form-encoded, with brackets for what is nested, and nothing that is not known.

use serde_json::{Map, Value};

use super::problem::Problem;

const MAX_METADATA: usize = 50;
const MAX_METADATA_KEY_CHARS: usize = 40;
const MAX_METADATA_VALUE_CHARS: usize = 500;

/// Decoded pairs, in the order in which they came.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn parse(encoded: &[u8]) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(encoded).into_owned().collect();
        for (at, (name, _)) in pairs.iter().enumerate() {
            let again = pairs[..at].iter().any(|(before, _)| before == name) && !name.ends_with("[]");
            if again || segments(name).is_none() {
                return Err(Problem::at(name, format!("Invalid parameter name, or one that came twice: {name}")));
            }
        }
        Ok(Self(pairs))
    }

    /// Refuses every name that no pattern has, and every empty value outside of metadata. In a pattern, `#` stands for a
    /// place in a list and `*` for any name.
    pub(super) fn check(&self, known: &[&str]) -> Result<(), Problem> {
        for (name, value) in &self.0 {
            let Some(pattern) = known.iter().find(|pattern| matches(pattern, name)) else {
                return Err(Problem::unknown(name));
            };
            if value.is_empty() && !pattern.ends_with("[*]") {
                return Err(Problem::empty(name));
            }
        }
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Problem> {
        self.get(name).ok_or_else(|| Problem::missing(name))
    }

    /// A whole number of a range.
    pub(super) fn integer(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, Problem> {
        let Some(given) = self.get(name) else { return Ok(None) };
        let digits = given.strip_prefix('-').unwrap_or(given);
        let number = given.parse::<i64>().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let Some(number) = number else {
            let message = format!("Invalid integer: {given}");
            return Err(Problem::at(name, message).coded("parameter_invalid_integer"));
        };
        if !(least..=most).contains(&number) {
            return Err(Problem::at(name, format!("This value must be between {least} and {most}: {number}.")));
        }
        Ok(Some(number))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.get(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(Problem::at(name, format!("Invalid boolean: {other}"))),
        }
    }

    /// One of a few words.
    pub(super) fn one_of<'a>(&'a self, name: &str, words: &[&str]) -> Result<Option<&'a str>, Problem> {
        match self.get(name) {
            Some(given) if !words.contains(&given) => {
                Err(Problem::at(name, format!("Invalid {name}: must be one of {}", words.join(", "))))
            }
            given => Ok(given),
        }
    }

    /// The texts of a list, written `name[]` or `name[0]`.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let pattern = format!("{name}[#]");
        self.0.iter().filter(|(given, _)| matches(&pattern, given)).map(|(_, value)| value.as_str()).collect()
    }

    /// How many places a list of structures has. They count from 0 without a gap.
    pub(super) fn places(&self, name: &str) -> Result<usize, Problem> {
        let mut places = 0;
        for (given, _) in &self.0 {
            let parts = segments(given).unwrap_or_default();
            if parts.first() == Some(&name) && parts.len() > 1 {
                let place = parts[1].parse::<usize>().ok().filter(|place| *place <= places);
                let place = place.ok_or_else(|| Problem::at(given, format!("Invalid array: {given}")))?;
                places = places.max(place + 1);
            }
        }
        Ok(places)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(given, _)| segments(given).unwrap_or_default().first() == Some(&name))
    }

    /// The metadata under a name, empty values included: they take a key away.
    pub(super) fn metadata(&self, name: &str) -> Result<Map<String, Value>, Problem> {
        let mut metadata = Map::new();
        for (given, value) in &self.0 {
            let Some(key) = given.strip_prefix(name).and_then(|rest| rest.strip_prefix('[')?.strip_suffix(']')) else {
                continue;
            };
            if key.chars().count() > MAX_METADATA_KEY_CHARS || value.chars().count() > MAX_METADATA_VALUE_CHARS {
                let message = format!(
                    "Metadata keys can be up to {MAX_METADATA_KEY_CHARS} characters long, values up to \
                     {MAX_METADATA_VALUE_CHARS}."
                );
                return Err(Problem::at(given, message));
            }
            metadata.insert(key.to_owned(), value.clone().into());
        }
        if metadata.len() > MAX_METADATA {
            return Err(Problem::at(name, format!("You can have at most {MAX_METADATA} keys in metadata.")));
        }
        Ok(metadata)
    }

    /// The metadata of something new.
    pub(super) fn new_metadata(&self, name: &str) -> Result<Value, Problem> {
        Ok(changed_metadata(&Value::Null, self.metadata(name)?))
    }

    /// All of it in one text that is the same for the same parameters.
    pub(super) fn fingerprint(&self) -> String {
        let mut pairs = self.0.clone();
        pairs.sort();
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }
}

/// Metadata with changes, of which empty ones take a key away.
pub(super) fn changed_metadata(old: &Value, changes: Map<String, Value>) -> Value {
    let mut metadata = old.as_object().cloned().unwrap_or_default();
    metadata.extend(changes);
    metadata.retain(|_, value| value.as_str() != Some(""));
    Value::Object(metadata)
}

/// `a[b][c]` in its parts; nothing if the brackets are wrong.
fn segments(name: &str) -> Option<Vec<&str>> {
    let Some((first, rest)) = name.split_once('[') else {
        return (!name.is_empty() && !name.contains(']')).then(|| vec![name]);
    };
    let rest = rest.strip_suffix(']')?;
    let parts: Vec<&str> = std::iter::once(first).chain(rest.split("][")).collect();
    (!first.is_empty() && parts.iter().all(|part| !part.contains(['[', ']']))).then_some(parts)
}

fn matches(pattern: &str, name: &str) -> bool {
    let (Some(pattern), Some(name)) = (segments(pattern), segments(name)) else { return false };
    pattern.len() == name.len()
        && pattern.iter().zip(name).all(|(pattern, given)| match *pattern {
            "#" => given.bytes().all(|byte| byte.is_ascii_digit()),
            "*" => !given.is_empty(),
            word => word == given,
        })
}

#[cfg(test)]
mod tests {
    use super::{matches, segments};

    #[test]
    fn names_are_read_by_their_brackets() {
        assert_eq!(segments("a[0][b]"), Some(vec!["a", "0", "b"]));
        assert_eq!(segments("a[]"), Some(vec!["a", ""]));
        for wrong in ["", "[a]", "a]", "a[b", "a[b]c", "a[[b]]"] {
            assert_eq!(segments(wrong), None, "{wrong}");
        }
        assert!(matches("line_items[#][price]", "line_items[12][price]") && matches("expand[#]", "expand[]"));
        assert!(matches("metadata[*]", "metadata[user id]") && !matches("metadata[*]", "metadata[a][b]"));
        assert!(!matches("line_items[#][price]", "line_items[a][price]") && !matches("mode", "mode[a]"));
    }
}
