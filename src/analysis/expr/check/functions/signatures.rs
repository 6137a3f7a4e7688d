//! Signatures of functions with fixed parameter types.

use std::sync::Arc;

use super::super::super::types::{Function, Type};
use super::super::super::value::ListKind;

/// A signature in short: letters of the parameters, a colon, the letter of the result (see [`letter`]).
/// Where a built-in has several, the first that fits counts.
const BUILTINS: &[(&str, &[&str])] = &[
    ("type", &["a:s"]),
    ("string", &["a:s"]),
    ("trim", &["s:s", "ss:s"]),
    ("trimPrefix", &["ss:s", "s:s"]),
    ("trimSuffix", &["ss:s", "s:s"]),
    ("upper", &["s:s"]),
    ("lower", &["s:s"]),
    ("split", &["ss:S", "ssi:S"]),
    ("splitAfter", &["ss:S", "ssi:S"]),
    ("replace", &["sssi:s", "sss:s"]),
    ("repeat", &["si:s"]),
    ("join", &["Ss:s", "As:s", "A:s", "Ss:s", "S:s"]),
    ("indexOf", &["ss:i"]),
    ("lastIndexOf", &["ss:i"]),
    ("hasPrefix", &["ss:b"]),
    ("hasSuffix", &["ss:b"]),
    ("toJSON", &["a:s"]),
    ("fromJSON", &["s:a"]),
    ("toBase64", &["s:s"]),
    ("fromBase64", &["s:s"]),
    ("duration", &["s:d"]),
    ("timezone", &["s:z"]),
    ("sort", &["As:A", "Is:A", "Fs:A", "Ss:A", "A:A", "F:A", "S:A", "I:A"]),
    ("bitand", &["ii:i"]),
    ("bitor", &["ii:i"]),
    ("bitxor", &["ii:i"]),
    ("bitnand", &["ii:i"]),
    ("bitshl", &["ii:i"]),
    ("bitshr", &["ii:i"]),
    ("bitushr", &["ii:i"]),
    ("bitnot", &["i:i"]),
];

fn letter(letter: char) -> Type {
    match letter {
        's' => Type::Str,
        'i' => Type::Int,
        'b' => Type::Bool,
        'd' => Type::Duration,
        'z' => Type::Zone,
        'A' => Type::any_list(),
        'S' => Type::List(ListKind::Str, Arc::new(Type::Str)),
        'F' => Type::List(ListKind::Float, Arc::new(Type::Float)),
        'I' => Type::List(ListKind::Int, Arc::new(Type::Int)),
        _ => Type::Any,
    }
}

/// The signatures of a built-in; none if its arguments are validated by rules of their own.
pub(super) fn of_builtin(name: &str) -> Option<Vec<(Vec<Type>, Type)>> {
    let (_, overloads) = BUILTINS.iter().find(|(known, _)| *known == name)?;
    let read = |signature: &&str| {
        let (parameters, result) = signature.split_once(':').unwrap_or((signature, "a"));
        (parameters.chars().map(letter).collect(), result.chars().next().map_or(Type::Any, letter))
    };
    Some(overloads.iter().map(read).collect())
}

/// The signature of one of Argo's functions.
pub(super) fn of_function(function: Function) -> (Vec<Type>, Type) {
    match function {
        Function::AsInt => (vec![Type::Any], Type::Int64),
        Function::AsFloat => (vec![Type::Any], Type::Float),
        Function::IsNaN | Function::IsInf => (vec![Type::Float], Type::Bool),
        Function::IsNil => (vec![Type::Any], Type::Bool),
        Function::Default | Function::Builtin(_) | Function::Method(_) => (vec![Type::Any, Type::Any], Type::Any),
    }
}
