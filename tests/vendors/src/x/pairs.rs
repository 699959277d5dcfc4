//! Names and values as forms and query strings carry them, for endpoints whose set of names is closed.

use super::problem::Problem;

/// Decoded pairs, in the order in which they came.
pub(super) struct Pairs(Vec<(String, String)>);

impl Pairs {
    pub(super) fn parse(encoded: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(encoded).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The first name that came twice.
    pub(super) fn repeated(&self) -> Option<&str> {
        self.names().enumerate().find(|&(at, name)| self.names().take(at).any(|before| before == name)).map(|(_, n)| n)
    }

    /// The first name that is not allowed.
    pub(super) fn outside(&self, allowed: &[&str]) -> Option<&str> {
        self.names().find(|name| !allowed.contains(name))
    }

    /// A query string of the API, in which only these names may occur, each once.
    pub(super) fn query(text: Option<&str>, allowed: &[&str]) -> Result<Self, Problem> {
        let pairs = Self::parse(text.unwrap_or_default().as_bytes());
        if let Some(name) = pairs.outside(allowed) {
            let value = pairs.get(name).unwrap_or_default();
            let known = allowed.join(",");
            let message = format!("The query parameter [{name}] is not one of [{known}]");
            return Err(Problem::invalid(name, value, message));
        }
        if let Some(name) = pairs.repeated() {
            let message = format!("The query parameter [{name}] may be given once only");
            return Err(Problem::invalid(name, "", message));
        }
        Ok(pairs)
    }

    /// A comma-separated list of distinct members of a known set; an absent parameter is an empty list.
    pub(super) fn list(&self, name: &str, known: &[&str]) -> Result<Vec<String>, Problem> {
        let Some(text) = self.get(name) else { return Ok(Vec::new()) };
        let mut members = Vec::<String>::new();
        for member in text.split(',') {
            if !known.contains(&member) || members.iter().any(|before| before == member) {
                let known = known.join(",");
                let message = format!("The `{name}` query parameter value [{member}] is not one of [{known}]");
                return Err(Problem::invalid(name, member, message));
            }
            members.push(member.to_owned());
        }
        Ok(members)
    }
}
