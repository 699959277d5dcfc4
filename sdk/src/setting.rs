//! What the operator has set.

use crate::Fact;

/// The operator's value of a setting that the manifest declares; none where it is absent, `null` or empty.
///
/// A text is given without its quotes, anything else as the JSON that it is.
///
/// ```
/// use orla_sdk::{Fact, setting};
///
/// let settings = [
///     Fact { name: "model".to_owned(), value: r#""gpt-5.4-mini""#.to_owned() },
///     Fact { name: "retries".to_owned(), value: "3".to_owned() },
/// ];
/// assert_eq!(setting(&settings, "model").as_deref(), Some("gpt-5.4-mini"));
/// assert_eq!(setting(&settings, "retries").as_deref(), Some("3"));
/// assert_eq!(setting(&settings, "api"), None);
/// ```
#[must_use]
pub fn setting(settings: &[Fact], name: &str) -> Option<String> {
    let value = &settings.iter().find(|setting| setting.name == name)?.value;
    let text = match serde_json::from_str(value) {
        Ok(serde_json::Value::Null) => return None,
        Ok(serde_json::Value::String(text)) => text,
        Ok(_) | Err(_) => value.clone(),
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::setting;
    use crate::Fact;

    #[test]
    fn what_says_nothing_is_absent() {
        for value in ["null", "", r#""""#] {
            let settings = [Fact { name: "model".to_owned(), value: value.to_owned() }];
            assert_eq!(setting(&settings, "model"), None, "{value}");
        }
    }
}
