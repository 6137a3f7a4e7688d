//! How a Go struct looks on the wire: its keys in order, their types, and when each is left out.
//!
//! The tables in [`super::pod_table`] and [`super::rollout_table`] are made of these. They know
//! nothing of defaults or meaning.

/// A struct of the API.
#[derive(Debug)]
pub struct Struct {
    /// The Go type's name, for messages.
    pub name: &'static str,
    /// Keys in the order in which Go writes them.
    pub fields: &'static [Field],
}

/// One key of a struct.
#[derive(Debug)]
pub struct Field {
    /// The JSON key.
    pub key: &'static str,
    /// What stands under it.
    pub kind: Kind,
    /// When it is written.
    pub presence: Presence,
}

/// The type of a value.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text.
    Text,
    /// True or false.
    Bool,
    /// A number of 32 bits.
    Int32,
    /// A number of 64 bits.
    Int64,
    /// Base64 text.
    Bytes,
    /// `resource.Quantity`: text or a number.
    Quantity,
    /// An integer or text.
    IntOrString,
    /// RFC 3339 text, whole seconds.
    Time,
    /// Any JSON, kept as it is.
    Raw,
    /// A struct.
    Struct(&'static Struct),
    /// A list.
    List(&'static Kind),
    /// An object with free keys.
    Map(&'static Kind),
}

/// When a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// A value without `omitempty`: an absent one is written as its zero.
    Always,
    /// A value with `omitempty`: not when false, 0 or empty. Structs are always written.
    WhenFilled,
    /// A value with `omitzero`.
    UnlessZero,
    /// A pointer with `omitempty`: not when absent or null.
    WhenSet,
    /// A pointer without `omitempty`: an absent one is written as null.
    OrNull,
}

impl Presence {
    /// Whether the Go field is a pointer, so that absent and zero differ.
    pub const fn is_pointer(self) -> bool {
        matches!(self, Self::WhenSet | Self::OrNull)
    }
}

impl Struct {
    /// The field with this JSON key.
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }
}

pub(super) const fn always(key: &'static str, kind: Kind) -> Field {
    Field { key, kind, presence: Presence::Always }
}

pub(super) const fn when_filled(key: &'static str, kind: Kind) -> Field {
    Field { key, kind, presence: Presence::WhenFilled }
}

pub(super) const fn unless_zero(key: &'static str, kind: Kind) -> Field {
    Field { key, kind, presence: Presence::UnlessZero }
}

pub(super) const fn when_set(key: &'static str, kind: Kind) -> Field {
    Field { key, kind, presence: Presence::WhenSet }
}

pub(super) const fn or_null(key: &'static str, kind: Kind) -> Field {
    Field { key, kind, presence: Presence::OrNull }
}
