//! The tag language of arguments: `{{ name }}` is replaced by the value of `name`. No logic, no nesting, one pass.
//!
//! Source: Argo `utils/template/template.go` on `valyala/fasttemplate`.

/// What opens a tag.
const OPEN: &str = "{{";
/// What closes a tag.
const CLOSE: &str = "}}";

/// A text whose tags could not all be replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The last tag that nothing is known of, as written.
    #[error("failed to resolve {{{{{0}}}}}")]
    Unresolved(String),
    /// A tag that is opened and not closed.
    #[error("Cannot find end tag=\"}}}}\" in the template={template:?} starting from {rest:?}")]
    Unclosed {
        /// The whole text.
        template: String,
        /// What follows the opening.
        rest: String,
    },
}

/// Replaces each tag of `text` by what `value_of` knows of its trimmed name. Replaced text is not looked at again.
///
/// # Errors
/// A tag without an end, or the last tag that `value_of` does not know.
pub(crate) fn replace_tags(
    text: &str,
    mut value_of: impl FnMut(&str) -> Option<String>,
) -> Result<String, TemplateError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut unresolved = None;
    while let Some((before, after)) = rest.split_once(OPEN) {
        out.push_str(before);
        let Some((tag, tail)) = after.split_once(CLOSE) else {
            return Err(TemplateError::Unclosed { template: text.to_owned(), rest: after.to_owned() });
        };
        match value_of(tag.trim()) {
            Some(value) => out.push_str(&value),
            None => unresolved = Some(tag.to_owned()),
        }
        rest = tail;
    }
    out.push_str(rest);
    unresolved.map_or(Ok(out), |tag| Err(TemplateError::Unresolved(tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str) -> Result<String, String> {
        replace_tags(text, |name| (name == "a").then(|| "{{a}}".to_owned())).map_err(|error| error.to_string())
    }

    #[test]
    fn replaces_once() {
        assert_eq!(replaced("x"), Ok("x".to_owned()));
        assert_eq!(replaced("<{{ a }}|{{a}}>"), Ok("<{{a}}|{{a}}>".to_owned()));
    }

    #[test]
    fn says_what_it_does_not_know() {
        assert_eq!(replaced("{{ b }}{{c }}{{a}}"), Err("failed to resolve {{c }}".to_owned()));
        assert_eq!(replaced("{{{a}}}"), Err("failed to resolve {{{a}}".to_owned()));
        let unclosed = "Cannot find end tag=\"}}\" in the template=\"{{a\" starting from \"a\"";
        assert_eq!(replaced("{{a"), Err(unclosed.to_owned()));
    }
}
