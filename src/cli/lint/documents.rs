//! A manifest file cut into its objects, each with the line where it begins.

use serde_json::Value;

use crate::cli::failure::Failure;

/// One object of a file.
#[derive(Debug, Clone)]
pub struct Document {
    /// The file, as it was named.
    pub file: String,
    /// Lines of the file before the object.
    pub before: usize,
    /// The object as text.
    pub text: String,
    /// The object.
    pub value: Value,
}

/// The objects of a file; empty documents are left out, and lists (`kind: List`) are taken apart.
///
/// # Errors
/// When it is not YAML.
pub fn documents(file: &str, text: &str) -> Result<Vec<Document>, Failure> {
    let mut found = Vec::new();
    for (before, part) in parts(text) {
        // Blank lines in front keep the parser's own line numbers right.
        let padded = format!("{}{part}", "\n".repeat(before));
        let value: Value = serde_saphyr::from_str(&padded)
            .map_err(|error| Failure::new(format!("{file} is not valid YAML: {error}")))?;
        let document = |value: Value| Document { file: file.to_owned(), before, text: part.clone(), value };
        match value {
            Value::Null => {}
            Value::Object(mut list) if list.get("kind").is_some_and(|kind| kind == "List") => {
                let items = list.remove("items");
                let items = items.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
                found.extend(items.into_iter().map(document));
            }
            value => found.push(document(value)),
        }
    }
    Ok(found)
}

/// Splits at lines that begin with `---`; no text of a document can stand there.
fn parts(text: &str) -> Vec<(usize, String)> {
    let mut parts = vec![(0, String::new())];
    for (number, line) in text.lines().enumerate() {
        let is_separator =
            line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
        if is_separator {
            parts.push((number + 1, String::new()));
        } else if let Some((_, part)) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    parts.retain(|(_, part)| part.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')));
    parts
}
