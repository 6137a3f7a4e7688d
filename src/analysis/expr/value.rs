//! The values of the condition language, with the distinctions that Go's types make visible.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{Zoned, tz::TimeZone};

use super::key::Key;
use super::types::Function;
use crate::api::duration::GoDuration;

/// What a Go slice holds: it decides how a list compares and what it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// `[]any`: decoded JSON, and whatever most functions make.
    Any,
    /// A nil `[]any`: empty, and equal to `nil`.
    NilAny,
    /// A nil `[]string`.
    NilStr,
    /// `[]float64`: a Prometheus vector.
    Float,
    /// `[]int`: a range.
    Int,
    /// `[]string`: what `split` makes.
    Str,
    /// `[]map[string]any`: rows.
    Maps,
    /// `[][2]any`: what `toPairs` makes.
    Pairs,
    /// `[2]any`: one of them.
    Pair,
}

impl ListKind {
    /// The name of the Go type.
    pub const fn go_name(self) -> &'static str {
        match self {
            Self::Any | Self::NilAny => "[]interface {}",
            Self::Float => "[]float64",
            Self::Int => "[]int",
            Self::Str | Self::NilStr => "[]string",
            Self::Maps => "[]map[string]interface {}",
            Self::Pairs => "[][2]interface {}",
            Self::Pair => "[2]interface {}",
        }
    }

    /// Whether both have the same Go type.
    pub fn same_type(self, other: Self) -> bool {
        self.go_name() == other.go_name()
    }
}

/// A list: immutable and shared.
#[derive(Clone, Debug)]
pub struct List {
    pub(super) kind: ListKind,
    depth: u16,
    pub(super) items: Arc<Vec<Value>>,
}

impl List {
    /// A list of `kind` with these elements.
    pub fn new(kind: ListKind, items: Vec<Value>) -> Self {
        let depth = items.iter().map(Value::depth).max().unwrap_or(0).saturating_add(1);
        Self { kind, depth, items: Arc::new(items) }
    }

    /// The elements.
    pub fn items(&self) -> &[Value] {
        &self.items
    }
}

/// A map with text keys (`map[string]any`): immutable and shared.
#[derive(Debug)]
pub struct Fields {
    depth: u16,
    pub(super) entries: BTreeMap<Arc<str>, Value>,
}

/// Which Go type a map with keys of any type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// `map[any][]any`: what `groupBy` makes.
    Groups,
    /// `map[any]any`: what `fromPairs` makes.
    Any,
}

/// A map with keys of any type.
#[derive(Debug)]
pub struct Table {
    depth: u16,
    pub(super) kind: TableKind,
    pub(super) entries: BTreeMap<Key, Value>,
}

/// A value of the condition language.
#[derive(Clone, Debug)]
pub enum Value {
    /// Go's untyped `nil`.
    Nil,
    /// `bool`.
    Bool(bool),
    /// `int`.
    Int(i64),
    /// `int64`: what `asInt` gives. Compares with `Int` by value, but is another key of a map.
    Int64(i64),
    /// `uint8`: a byte of a text.
    Byte(u8),
    /// `float64`.
    Float(f64),
    /// `string`.
    Str(Arc<str>),
    /// A slice.
    List(List),
    /// `map[string]any`.
    Map(Arc<Fields>),
    /// A map with other keys.
    Table(Arc<Table>),
    /// `time.Time`: an instant and the zone it is told in.
    Time(Arc<Zoned>),
    /// `time.Duration`.
    Duration(GoDuration),
    /// `time.Month`, 1 to 12.
    Month(i8),
    /// `time.Weekday`, 0 (Sunday) to 6.
    Weekday(i8),
    /// `*time.Location`.
    Zone(TimeZone),
    /// A function by its name.
    Function(Function),
}

impl Value {
    /// A text.
    pub fn text(text: &str) -> Self {
        Self::Str(Arc::from(text))
    }

    /// A list of any elements (`[]any`).
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(List::new(ListKind::Any, items))
    }

    /// A vector of numbers (`[]float64`), as Prometheus gives it.
    pub fn floats(items: impl IntoIterator<Item = f64>) -> Self {
        Self::List(List::new(ListKind::Float, items.into_iter().map(Self::Float).collect()))
    }

    /// A list of maps (`[]map[string]any`); elements that are no maps become empty maps.
    pub fn rows(items: impl IntoIterator<Item = Value>) -> Self {
        let row = |item| if matches!(item, Self::Map(_)) { item } else { Self::map(BTreeMap::new()) };
        Self::List(List::new(ListKind::Maps, items.into_iter().map(row).collect()))
    }

    /// A map with text keys.
    pub fn map(entries: BTreeMap<Arc<str>, Value>) -> Self {
        let depth = entries.values().map(Self::depth).max().unwrap_or(0).saturating_add(1);
        Self::Map(Arc::new(Fields { depth, entries }))
    }

    pub(super) fn table(kind: TableKind, entries: BTreeMap<Key, Value>) -> Self {
        let depth = entries.values().map(Self::depth).max().unwrap_or(0).saturating_add(1);
        Self::Table(Arc::new(Table { depth, kind, entries }))
    }

    /// How deep lists and maps nest in it; 0 for a plain value.
    pub(super) fn depth(&self) -> u16 {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            Self::Table(table) => table.depth,
            _ => 0,
        }
    }

    /// Whether Go calls it nil: `nil` itself, or a nil slice.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Nil | Self::List(List { kind: ListKind::NilAny | ListKind::NilStr, .. }))
    }

    /// Nil, or a list without elements: what a provider without data gives.
    pub fn is_nil_or_empty(&self) -> bool {
        match self {
            Self::Nil => true,
            Self::List(list) => list.items.is_empty(),
            _ => false,
        }
    }

    /// The name of its Go type (`%T`), such as `float64` or `<nil>`.
    pub fn go_type(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Byte(_) => "uint8",
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::List(list) => list.kind.go_name(),
            Self::Map(_) => "map[string]interface {}",
            Self::Table(table) => table.kind.go_name(),
            Self::Time(_) => "time.Time",
            Self::Duration(_) => "time.Duration",
            Self::Month(_) => "time.Month",
            Self::Weekday(_) => "time.Weekday",
            Self::Zone(_) => "*time.Location",
            Self::Function(function) => function.go_name(),
        }
    }
}

impl TableKind {
    /// The name of the Go type.
    pub const fn go_name(self) -> &'static str {
        match self {
            Self::Groups => "map[interface {}][]interface {}",
            Self::Any => "map[interface {}]interface {}",
        }
    }
}

impl From<serde_json::Value> for Value {
    /// As Go decodes JSON into `any`: every number is a `float64`.
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(flag) => Self::Bool(flag),
            serde_json::Value::Number(number) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            serde_json::Value::String(text) => Self::Str(Arc::from(text)),
            serde_json::Value::Array(items) => Self::list(items.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(fields) => {
                Self::map(fields.into_iter().map(|(name, value)| (Arc::from(name), Self::from(value))).collect())
            }
        }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}
