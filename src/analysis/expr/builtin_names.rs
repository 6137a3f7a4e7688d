//! The names of the built-in functions, and how each reads its arguments.

/// How an argument of a built-in is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    /// An expression.
    Plain,
    /// An expression about each element, with `#` in it.
    Predicate,
    /// As [`Argument::Plain`], and may be left out.
    OptionalPlain,
    /// As [`Argument::Predicate`], and may be left out.
    OptionalPredicate,
}

use Argument::{OptionalPlain, OptionalPredicate, Plain, Predicate};

/// Built-ins that take a predicate.
const WITH_PREDICATE: &[(&str, &[Argument])] = &[
    ("all", &[Plain, Predicate]),
    ("none", &[Plain, Predicate]),
    ("any", &[Plain, Predicate]),
    ("one", &[Plain, Predicate]),
    ("filter", &[Plain, Predicate]),
    ("map", &[Plain, Predicate]),
    ("count", &[Plain, OptionalPredicate]),
    ("sum", &[Plain, OptionalPredicate]),
    ("find", &[Plain, Predicate]),
    ("findIndex", &[Plain, Predicate]),
    ("findLast", &[Plain, Predicate]),
    ("findLastIndex", &[Plain, Predicate]),
    ("groupBy", &[Plain, Predicate]),
    ("sortBy", &[Plain, Predicate, OptionalPlain]),
    ("reduce", &[Plain, Predicate, OptionalPlain]),
];

/// Built-ins that take values only.
const PLAIN: &[&str] = &[
    "len",
    "type",
    "abs",
    "ceil",
    "floor",
    "round",
    "int",
    "float",
    "string",
    "trim",
    "trimPrefix",
    "trimSuffix",
    "upper",
    "lower",
    "split",
    "splitAfter",
    "replace",
    "repeat",
    "join",
    "indexOf",
    "lastIndexOf",
    "hasPrefix",
    "hasSuffix",
    "max",
    "min",
    "mean",
    "median",
    "toJSON",
    "fromJSON",
    "toBase64",
    "fromBase64",
    "now",
    "duration",
    "date",
    "timezone",
    "first",
    "last",
    "get",
    "take",
    "keys",
    "values",
    "toPairs",
    "fromPairs",
    "reverse",
    "uniq",
    "concat",
    "flatten",
    "sort",
    "bitand",
    "bitor",
    "bitxor",
    "bitnand",
    "bitshl",
    "bitshr",
    "bitushr",
    "bitnot",
];

/// The arguments of a built-in that takes a predicate.
pub(super) fn predicate_builtin(name: &str) -> Option<(&'static str, &'static [Argument])> {
    WITH_PREDICATE.iter().find(|(known, _)| *known == name).copied()
}

/// The lasting name of a built-in that takes values only.
pub(super) fn plain_builtin(name: &str) -> Option<&'static str> {
    PLAIN.iter().find(|known| **known == name).copied()
}

/// The lasting name of any built-in.
pub(super) fn builtin(name: &str) -> Option<&'static str> {
    plain_builtin(name).or_else(|| predicate_builtin(name).map(|(known, _)| known))
}
