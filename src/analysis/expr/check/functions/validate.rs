//! Result types of built-ins that look at the kinds of their arguments (Go: `builtin/builtin.go`, `Validate`).

use super::super::super::types::{Kind, Type};
use super::super::super::value::{ListKind, TableKind};
use super::super::{Checked, refuse};

/// How Go prints the type of an argument in these complaints.
fn shown(ty: &Type) -> &'static str {
    if *ty == Type::Nil { "%!s(<nil>)" } else { ty.name() }
}

fn is_numeric_kind(kind: Kind) -> bool {
    matches!(kind, Kind::Int | Kind::Int64 | Kind::Float)
}

/// The type of a call of `name`, where what is unknown has type [`Type::Any`].
pub(super) fn result_type(name: &str, arguments: &[Type]) -> Checked {
    match name {
        "max" | "min" | "mean" | "median" => return aggregate(name, arguments),
        "now" => {
            return match arguments {
                [] | [Type::Zone] => Ok(Type::Time),
                _ => refuse(format!("invalid number of arguments (expected 0, got {})", arguments.len())),
            };
        }
        "date" => return date(arguments),
        "take" => return take(arguments),
        "concat" => return concat(arguments),
        _ => {}
    }
    let [argument] = arguments else {
        return refuse(format!("invalid number of arguments (expected 1, got {})", arguments.len()));
    };
    let kind = argument.kind();
    let listy = matches!(kind, Kind::Interface | Kind::Slice);
    let numeric = kind == Kind::Interface || is_numeric_kind(kind);
    let mapped = matches!(kind, Kind::Interface | Kind::Map);
    let invalid = format!("invalid argument for {name} (type {})", shown(argument));
    let (fits, result, complaint) = match name {
        "len" => (matches!(kind, Kind::Interface | Kind::Slice | Kind::Map | Kind::Str), Type::Int, invalid),
        "abs" => (numeric, argument.clone(), invalid),
        "ceil" | "floor" | "round" => (numeric, Type::Float, invalid),
        "int" => (numeric || kind == Kind::Str, Type::Int, invalid),
        "float" => (numeric || kind == Kind::Str, Type::Float, invalid),
        "first" | "last" => {
            (listy, declared_element(argument), format!("cannot get {name} element from {}", shown(argument)))
        }
        "keys" | "values" => (mapped, Type::any_list(), format!("cannot get {name} from {}", shown(argument))),
        "toPairs" => (mapped, Type::any_list(), format!("cannot transform {} to pairs", shown(argument))),
        "fromPairs" => (listy, Type::Table(TableKind::Any), format!("cannot transform {} from pairs", shown(argument))),
        _ => (listy, Type::any_list(), format!("cannot {name} {}", shown(argument))),
    };
    if fits { Ok(result) } else { refuse(complaint) }
}

/// The element type by Go's declaration, not what is known beyond it.
fn declared_element(list: &Type) -> Type {
    match list {
        Type::List(ListKind::Float, _) => Type::Float,
        Type::List(ListKind::Int, _) => Type::Int,
        Type::List(ListKind::Str, _) => Type::Str,
        Type::List(ListKind::Maps, _) => Type::Map,
        _ => Type::Any,
    }
}

fn aggregate(name: &str, arguments: &[Type]) -> Checked {
    let Some(first) = arguments.first() else { return refuse(format!("not enough arguments to call {name}")) };
    for argument in arguments {
        match argument.kind() {
            Kind::Interface | Kind::Slice => return Ok(Type::Any),
            kind if is_numeric_kind(kind) => {}
            _ => return refuse(format!("invalid argument for {name} (type {})", shown(argument))),
        }
    }
    Ok(first.clone())
}

fn date(arguments: &[Type]) -> Checked {
    let Some(first) = arguments.first() else {
        return refuse("invalid number of arguments (expected at least 1, got 0)");
    };
    let count = arguments.len() - usize::from(*first == Type::Zone);
    if count > 3 {
        return refuse(format!("invalid number of arguments (expected at most 3, got {count})"));
    }
    Ok(Type::Time)
}

fn take(arguments: &[Type]) -> Checked {
    let [list, count] = arguments else {
        return refuse(format!("invalid number of arguments (expected 2, got {})", arguments.len()));
    };
    if !matches!(list.kind(), Kind::Interface | Kind::Slice) {
        return refuse(format!("cannot take from {}", shown(list)));
    }
    if !matches!(count.kind(), Kind::Interface | Kind::Int | Kind::Int64) {
        return refuse(format!("cannot take {} elements", shown(count)));
    }
    // By its declaration: what is known of the elements is lost.
    Ok(match list {
        Type::List(ListKind::Any, _) => Type::any_list(),
        other => other.clone(),
    })
}

fn concat(arguments: &[Type]) -> Checked {
    if arguments.is_empty() {
        return refuse("invalid number of arguments (expected at least 1, got 0)");
    }
    match arguments.iter().find(|argument| !matches!(argument.kind(), Kind::Interface | Kind::Slice)) {
        Some(other) => refuse(format!("cannot concat {}", shown(other))),
        None => Ok(Type::any_list()),
    }
}
