//! Static types: what is known of a value before there is one. Compatibility lives here: Argo compiles each
//! condition against the Go type of the result, so `result > 1` on a vector is an error and not a verdict.

use std::sync::Arc;

use super::value::{ListKind, TableKind, Value};

/// The static type of `result`; a program compiled for one shape judges only results of that shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// No data: a nil pointer, a nil slice, or JSON `null`.
    Nil,
    /// A JSON boolean.
    Bool,
    /// A Go `int`.
    Int,
    /// A number: a Prometheus scalar, a Datadog value, a JSON number.
    Float,
    /// A text.
    Str,
    /// A JSON array.
    List,
    /// A vector of numbers (`[]float64`).
    FloatList,
    /// Rows (`[]map[string]any`).
    MapList,
    /// A JSON object.
    Map,
    /// Anything: nothing is known before evaluation.
    Any,
}

impl Shape {
    /// The shape of this result.
    pub fn of(result: &Value) -> Self {
        match result {
            Value::Nil => Self::Nil,
            Value::Bool(_) => Self::Bool,
            Value::Int(_) => Self::Int,
            Value::Float(_) => Self::Float,
            Value::Str(_) => Self::Str,
            Value::Map(_) => Self::Map,
            Value::List(list) => match list.kind {
                ListKind::Float => Self::FloatList,
                ListKind::Maps => Self::MapList,
                ListKind::Any => Self::List,
                _ => Self::Any,
            },
            _ => Self::Any,
        }
    }

    pub(super) fn static_type(self) -> Type {
        match self {
            Self::Nil => Type::Nil,
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Float => Type::Float,
            Self::Str => Type::Str,
            Self::List => Type::list_of(Type::Any),
            Self::FloatList => Type::List(ListKind::Float, Arc::new(Type::Float)),
            Self::MapList => Type::List(ListKind::Maps, Arc::new(Type::Map)),
            Self::Map => Type::Map,
            Self::Any => Type::Any,
        }
    }
}

/// A function that is no built-in of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `asInt(any) int64`.
    AsInt,
    /// `asFloat(any) float64`.
    AsFloat,
    /// `isNaN(float64) bool`.
    IsNaN,
    /// `isInf(float64) bool`.
    IsInf,
    /// `isNil(any) bool`: about the whole result, whatever its argument.
    IsNil,
    /// `default(any, any) any`: the whole result, or the second argument if that is nil.
    Default,
    /// A built-in named without being called; there is no such value at run time.
    Builtin(&'static str),
    /// A method named without being called.
    Method(&'static str),
}

impl Function {
    pub(super) fn go_name(self) -> &'static str {
        match self {
            Self::AsInt => "func(interface {}) int64",
            Self::AsFloat => "func(interface {}) float64",
            Self::IsNaN | Self::IsInf => "func(float64) bool",
            Self::IsNil => "func(interface {}) bool",
            Self::Default => "func(interface {}, interface {}) interface {}",
            Self::Builtin(_) | Self::Method(_) => "func()",
        }
    }
}

/// Go's kinds, as far as they occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Invalid,
    Bool,
    Int,
    Int64,
    Float,
    Interface,
    Func,
    Map,
    Pointer,
    Slice,
    Str,
    Struct,
}

/// A static type.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Type {
    /// Nothing is known, not even an interface type; not assignable to anything.
    Unknown,
    /// Go's `any`.
    Any,
    /// The type of `nil`.
    Nil,
    Bool,
    Int,
    Int64,
    Float,
    Str,
    /// A slice and what is known of its elements, which may be more than its Go type says.
    List(ListKind, Arc<Type>),
    /// `map[string]any`.
    Map,
    /// A map with keys of any type.
    Table(TableKind),
    Time,
    Duration,
    Month,
    Weekday,
    Zone,
    Function(Function),
}

impl Type {
    /// `[]any`, the elements of which are known to be `element`.
    pub fn list_of(element: Type) -> Self {
        Self::List(ListKind::Any, Arc::new(element))
    }

    /// `[]any` of anything.
    pub fn any_list() -> Self {
        Self::list_of(Self::Any)
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Unknown | Self::Nil => Kind::Invalid,
            Self::Any => Kind::Interface,
            Self::Bool => Kind::Bool,
            Self::Int | Self::Month | Self::Weekday => Kind::Int,
            Self::Int64 | Self::Duration => Kind::Int64,
            Self::Float => Kind::Float,
            Self::Str => Kind::Str,
            Self::List(..) => Kind::Slice,
            Self::Map | Self::Table(_) => Kind::Map,
            Self::Time => Kind::Struct,
            Self::Zone => Kind::Pointer,
            Self::Function(_) => Kind::Func,
        }
    }

    /// The name of the Go type in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unknown | Self::Nil => "unknown",
            Self::Any => "interface {}",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Float => "float64",
            Self::Str => "string",
            Self::List(kind, _) => kind.go_name(),
            Self::Map => "map[string]interface {}",
            Self::Table(kind) => kind.go_name(),
            Self::Time => "time.Time",
            Self::Duration => "time.Duration",
            Self::Month => "time.Month",
            Self::Weekday => "time.Weekday",
            Self::Zone => "*time.Location",
            Self::Function(function) => function.go_name(),
        }
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown | Self::Any)
    }

    pub fn is_integer(&self) -> bool {
        matches!(self, Self::Int | Self::Int64)
    }

    pub fn is_number(&self) -> bool {
        self.is_integer() || *self == Self::Float
    }

    pub fn is_list(&self) -> bool {
        matches!(self, Self::List(..))
    }

    /// What indexing or iterating gives.
    pub fn element(&self) -> Type {
        match self {
            Self::List(_, element) => element.as_ref().clone(),
            Self::Map | Self::Table(TableKind::Any) => Self::Any,
            Self::Table(TableKind::Groups) => Self::any_list(),
            _ => Self::Unknown,
        }
    }

    /// Whether Go would assign a value of this type to a variable of `target`.
    pub fn assignable_to(&self, target: &Type) -> bool {
        if *self == Self::Nil {
            return matches!(target.kind(), Kind::Pointer | Kind::Interface | Kind::Func | Kind::Map | Kind::Slice);
        }
        if *self == Self::Unknown || matches!(target, Self::Unknown | Self::Nil) {
            return false;
        }
        match (self, target) {
            (_, Self::Any) => true,
            (Self::List(own, _), Self::List(other, _)) => own.same_type(*other),
            _ => self == target,
        }
    }

    /// Whether `==` between the two makes sense.
    pub fn comparable_to(&self, other: &Type) -> bool {
        self.is_unknown()
            || other.is_unknown()
            || *self == Self::Nil
            || *other == Self::Nil
            || (self.is_number() && other.is_number())
            || (self.is_list() && other.is_list())
            || self.assignable_to(other)
    }
}
