//! What is wrong with one field, in the words of the Kubernetes API.
//!
//! The texts end in the `InvalidSpec` condition, where people and tools read them. Kubernetes:
//! `apimachinery/pkg/util/validation/field/errors.go`.

use std::fmt;

use crate::analysis::golang::quoted_body;

#[cfg(test)]
mod tests;

/// The sort of an error; [`ErrorKind::name`] is the machine-readable form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A referenced value does not exist.
    NotFound,
    /// A value is missing.
    Required,
    /// A value stands twice.
    Duplicate,
    /// A value is wrong.
    Invalid,
    /// A value is none of those that are known.
    NotSupported,
    /// A value may not stand here.
    Forbidden,
    /// A value is too long.
    TooLong,
    /// A check of a whole failed.
    Internal,
    /// A value has the wrong JSON type.
    TypeInvalid,
}

impl ErrorKind {
    /// The name that Kubernetes gives it, such as `FieldValueInvalid`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::Internal => "InternalError",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::Internal => "Internal error",
        }
    }

    /// Whether the text shows the value.
    const fn shows_value(self) -> bool {
        !matches!(self, Self::Required | Self::Forbidden | Self::TooLong | Self::Internal)
    }
}

/// One error; its text is `<field>: <kind>[: <value>][: <detail>]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FieldError {
    /// What kind of mistake it is.
    pub kind: ErrorKind,
    /// Where, such as `spec.strategy.steps[0].setWeight`.
    pub field: String,
    /// The value as it is printed: quoted text, a number, or JSON. Empty where the kind shows none.
    pub bad_value: String,
    /// What is wrong with it; may be empty.
    pub detail: String,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.kind.label())?;
        if self.kind.shows_value() {
            write!(f, ": {}", self.bad_value)?;
        }
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

/// The place of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(String);

impl Path {
    /// The path of the whole.
    pub fn new(root: &str) -> Self {
        Self(root.to_owned())
    }

    #[must_use]
    /// The path of a field.
    pub fn child(&self, name: &str) -> Self {
        Self(format!("{}.{name}", self.0))
    }

    #[must_use]
    /// The path of an item.
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// A key of a map: `limits[cpu]`.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        Self(format!("{}[{key}]", self.0))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The errors found so far, in order.
#[derive(Debug, Default)]
pub struct Report(pub Vec<FieldError>);

impl Report {
    fn add(&mut self, kind: ErrorKind, path: &Path, bad_value: String, detail: &str) {
        self.0.push(FieldError { kind, field: path.to_string(), bad_value, detail: detail.to_owned() });
    }

    /// `bad` is the printed value: see [`quote`].
    pub fn invalid(&mut self, path: &Path, bad: impl fmt::Display, detail: &str) {
        self.add(ErrorKind::Invalid, path, bad.to_string(), detail);
    }

    /// An error for each message about a text.
    pub fn invalid_text(&mut self, path: &Path, text: &str, messages: impl IntoIterator<Item = String>) {
        for message in messages {
            self.invalid(path, quote(text), &message);
        }
    }

    /// Something is missing.
    pub fn required(&mut self, path: &Path, detail: &str) {
        self.add(ErrorKind::Required, path, String::new(), detail);
    }

    /// Something may not stand here.
    pub fn forbidden(&mut self, path: &Path, detail: &str) {
        self.add(ErrorKind::Forbidden, path, String::new(), detail);
    }

    /// A check of a whole, with no single value to blame.
    pub fn internal(&mut self, path: &Path, detail: &str) {
        self.add(ErrorKind::Internal, path, String::new(), detail);
    }

    /// A value stands twice.
    pub fn duplicate(&mut self, path: &Path, text: &str) {
        self.add(ErrorKind::Duplicate, path, quote(text), "");
    }

    /// A referenced value does not exist.
    pub fn not_found(&mut self, path: &Path, text: &str, detail: &str) {
        self.add(ErrorKind::NotFound, path, quote(text), detail);
    }

    /// A value is too long.
    pub fn too_long(&mut self, path: &Path, limit: usize) {
        self.add(ErrorKind::TooLong, path, String::new(), &format!("may not be more than {limit} bytes"));
    }

    /// A value has the wrong JSON type.
    pub fn type_invalid(&mut self, path: &Path, bad: String, detail: &str) {
        self.add(ErrorKind::TypeInvalid, path, bad, detail);
    }

    /// `supported` in the order in which it is told.
    pub fn not_supported(&mut self, path: &Path, text: &str, supported: &[&str]) {
        let names: Vec<_> = supported.iter().map(|name| quote(name)).collect();
        self.add(ErrorKind::NotSupported, path, quote(text), &format!("supported values: {}", names.join(", ")));
    }
}

/// A text as Go's `%q` prints it.
pub fn quote(text: &str) -> String {
    format!("\"{}\"", quoted_body(text))
}
