//! The built-ins that take a predicate.

use std::collections::BTreeMap;

use super::super::ast::{BinaryOp, Builtin, Node};
use super::super::error::RuntimeError;
use super::super::key::Key;
use super::super::meter::Meter;
use super::super::value::{List, TableKind, Value};
use super::{Evaluated, Evaluator, Stop, arithmetic, as_bool, fail, functions};

/// A running loop: what `#` means.
pub(super) struct Loop {
    elements: Elements,
    index: usize,
    pub(super) accumulator: Value,
}

enum Elements {
    List(List),
    /// The bytes of a text, which Go iterates where its type is not known before.
    Text(std::sync::Arc<str>),
    /// A map: it has a length but no elements.
    Opaque(usize),
}

impl Loop {
    fn over(collection: Value) -> Result<Self, RuntimeError> {
        let elements = match collection {
            Value::List(list) => Elements::List(list),
            Value::Str(text) => Elements::Text(text),
            Value::Map(map) => Elements::Opaque(map.entries.len()),
            Value::Table(table) => Elements::Opaque(table.entries.len()),
            Value::Nil => return fail("reflect: call of reflect.Value.Len on zero Value"),
            other => return fail(format!("reflect: call of reflect.Value.Len on {} Value", other.go_type())),
        };
        Ok(Self { elements, index: 0, accumulator: Value::Nil })
    }

    fn len(&self) -> usize {
        match &self.elements {
            Elements::List(list) => list.items().len(),
            Elements::Text(text) => text.len(),
            Elements::Opaque(length) => *length,
        }
    }

    pub(super) fn element(&self) -> Result<Value, RuntimeError> {
        let found = match &self.elements {
            Elements::List(list) => list.items().get(self.index).cloned(),
            Elements::Text(text) => text.as_bytes().get(self.index).copied().map(Value::Byte),
            Elements::Opaque(_) => return fail("reflect: call of reflect.Value.Index on map Value"),
        };
        found.ok_or_else(|| RuntimeError::new("reflect: slice index out of range"))
    }

    pub(super) fn position(&self) -> i64 {
        i64::try_from(self.index).unwrap_or(i64::MAX)
    }
}

impl Evaluator<'_> {
    /// Runs a built-in that takes a predicate; the loop is left again however it ends.
    pub(super) fn with_predicate(&mut self, builtin: &Builtin) -> Evaluated {
        let Some(collection) = builtin.arguments.first() else { return Ok(fail("missing argument")?) };
        let collection = self.eval(collection)?;
        self.loops.push(Loop::over(collection)?);
        let length = self.loops.last().map_or(0, Loop::len);
        let predicate = builtin.arguments.get(1);
        let outcome = match builtin.name {
            "all" | "none" | "any" | "one" | "count" => self.counted(builtin.name, length, predicate),
            "filter" => self.filtered(builtin, length),
            "map" => self.mapped(length, predicate),
            "sum" => self.summed(length, predicate),
            "find" | "findIndex" => self.found(builtin, &mut (0..length)),
            "findLast" | "findLastIndex" => self.found(builtin, &mut (0..length).rev()),
            "groupBy" => self.grouped(length, predicate),
            "sortBy" => self.sorted(builtin, length),
            _ => self.reduced(builtin, length),
        };
        self.loops.pop();
        outcome
    }

    fn at(&mut self, index: usize) {
        if let Some(inside) = self.loops.last_mut() {
            inside.index = index;
        }
    }

    fn element(&self) -> Result<Value, RuntimeError> {
        self.loops.last().map_or(Ok(Value::Nil), Loop::element)
    }

    /// What the predicate gives for the element at `index`; without one, the element.
    fn about(&mut self, index: usize, predicate: Option<&Node>) -> Evaluated {
        self.at(index);
        match predicate {
            Some(predicate) => self.eval(predicate),
            None => Ok(self.element()?),
        }
    }

    fn passes(&mut self, index: usize, predicate: Option<&Node>) -> Result<bool, Stop> {
        let value = self.about(index, predicate)?;
        Ok(as_bool(&value)?)
    }

    fn counted(&mut self, name: &str, length: usize, predicate: Option<&Node>) -> Evaluated {
        let mut count: i64 = 0;
        for index in 0..length {
            let passes = self.passes(index, predicate)?;
            match name {
                "all" if !passes => return Ok(Value::Bool(false)),
                "none" if passes => return Ok(Value::Bool(false)),
                "any" if passes => return Ok(Value::Bool(true)),
                _ => count += i64::from(passes),
            }
        }
        Ok(match name {
            "count" => Value::Int(count),
            "one" => Value::Bool(count == 1),
            _ => Value::Bool(name != "any"),
        })
    }

    fn filtered(&mut self, builtin: &Builtin, length: usize) -> Evaluated {
        let mut items = Vec::new();
        for index in 0..length {
            if self.passes(index, builtin.arguments.get(1))? {
                items.push(self.hit(builtin)?);
            }
        }
        Ok(self.made_list(items)?)
    }

    /// What a search makes of the element it found.
    fn hit(&mut self, builtin: &Builtin) -> Evaluated {
        match (&builtin.map, self.loops.last()) {
            (Some(map), _) => self.eval(map),
            (None, Some(inside)) if builtin.name.ends_with("Index") => Ok(Value::Int(inside.position())),
            _ => Ok(self.element()?),
        }
    }

    fn mapped(&mut self, length: usize, predicate: Option<&Node>) -> Evaluated {
        let mut items = Vec::new();
        for index in 0..length {
            items.push(self.about(index, predicate)?);
        }
        Ok(self.made_list(items)?)
    }

    fn summed(&mut self, length: usize, predicate: Option<&Node>) -> Evaluated {
        let mut sum = Value::Int(0);
        for index in 0..length {
            let summand = self.about(index, predicate)?;
            self.meter.look(1)?;
            sum = arithmetic::binary(BinaryOp::Add, &summand, &sum, &mut self.meter)?;
        }
        Ok(sum)
    }

    fn found(&mut self, builtin: &Builtin, indices: &mut dyn Iterator<Item = usize>) -> Evaluated {
        for index in indices {
            if self.passes(index, builtin.arguments.get(1))? {
                return self.hit(builtin);
            }
        }
        if builtin.throws { Ok(fail("reflect: slice index out of range")?) } else { Ok(Value::Nil) }
    }

    fn grouped(&mut self, length: usize, predicate: Option<&Node>) -> Evaluated {
        let mut groups: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        for index in 0..length {
            let key = self.about(index, predicate)?;
            groups.entry(Key::of(&key)?).or_default().push(self.element()?);
            self.meter.look(1)?;
        }
        let entries = groups.into_iter().map(|(key, items)| (key, Value::list(items))).collect();
        Ok(Meter::nested(Value::table(TableKind::Groups, entries))?)
    }

    fn sorted(&mut self, builtin: &Builtin, length: usize) -> Evaluated {
        let order = match builtin.arguments.get(2) {
            Some(order) => self.eval(order)?,
            None => Value::text("asc"),
        };
        let descending = match &order {
            Value::Str(order) if order.as_ref() == "asc" => false,
            Value::Str(order) if order.as_ref() == "desc" => true,
            Value::Str(_) => return Ok(fail("unknown order, use asc or desc")?),
            other => return Err(RuntimeError::conversion(other.go_type(), "string").into()),
        };
        let mut keyed = Vec::new();
        for index in 0..length {
            let key = self.about(index, builtin.arguments.get(1))?;
            keyed.push((key, self.element()?));
        }
        let order = if descending { functions::Order::Descending } else { functions::Order::Ascending };
        let sorted = functions::sort(keyed, order, &mut self.meter)?;
        Ok(self.made_list(sorted.into_iter().map(|(_, item)| item).collect())?)
    }

    fn reduced(&mut self, builtin: &Builtin, length: usize) -> Evaluated {
        let (first, start) = match builtin.arguments.get(2) {
            Some(initial) => (self.eval(initial)?, 0),
            None => (self.element()?, 1),
        };
        let mut accumulator = first;
        for index in start..length {
            if let Some(inside) = self.loops.last_mut() {
                inside.accumulator = accumulator;
            }
            accumulator = self.about(index, builtin.arguments.get(1))?;
        }
        Ok(accumulator)
    }
}
