//! Names and values as forms and query strings carry them.

/// Decoded pairs, in the order in which they came.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// What was given under a name, unless it is empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    /// Why it is refused: a name that came twice, or one that is not known.
    pub(crate) fn fault(&self, known: &[&str]) -> Option<String> {
        let names = || self.0.iter().map(|(name, _)| name.as_str());
        let repeated = names().enumerate().find(|(at, name)| names().take(*at).any(|before| before == *name));
        if let Some((_, name)) = repeated {
            return Some(format!("Parameter \"{name}\" is given twice."));
        }
        let unknown = names().find(|name| !known.contains(name));
        unknown.map(|name| format!("Parameter \"{name}\" is not known."))
    }
}
