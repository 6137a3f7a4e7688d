//! One thing that is wrong, where it is, and what to do.

use std::fmt;

use serde::Serialize;

/// What sort of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Sort {
    /// A field that its kind does not know.
    UnknownField,
    /// A value of a wrong type.
    Type,
    /// A required field that is missing, or a value outside a closed set: the API server refuses it.
    Schema,
    /// A rule of the controller.
    Rule,
    /// A rule that Siskin adds.
    Strict,
    /// Nothing wrong, but a surprise: it does not count for the exit code.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The file, as it was named.
    pub file: String,
    /// Line of the field, or of what is nearest to it; from 1.
    pub line: usize,
    /// Kind of the object.
    pub kind: String,
    /// Name of the object.
    pub name: String,
    /// Path of the field.
    pub path: String,
    /// What sort of thing it is.
    pub sort: Sort,
    /// What is wrong.
    pub message: String,
    /// What to do; may be empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fix: String,
}

impl Finding {
    /// The error of a strict decoder that stops here, in Go's words.
    pub(super) fn decoding_error(&self) -> Option<String> {
        let leaf = self.path.rsplit('.').next().unwrap_or_default();
        let what = match self.sort {
            Sort::UnknownField => format!("unknown field {leaf:?}"),
            Sort::Type => format!("cannot unmarshal field {}: {}", self.path, self.message),
            _ => return None,
        };
        Some(format!("error unmarshaling JSON: while decoding JSON: json: {what}"))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, kind, name, path, sort, message, fix } = self;
        let mark = if *sort == Sort::Warning { "warning: " } else { "" };
        writeln!(f, "{file}:{line}: {kind} {name}: {path}: {mark}{message}")?;
        if fix.is_empty() { Ok(()) } else { writeln!(f, "    fix: {fix}") }
    }
}
