//! What an evaluation has used of its bounds.

use super::error::RuntimeError;
use super::limits::{BYTES_PER_STEP, ELEMENTS_PER_STEP, MAX_ELEMENTS, MAX_STEPS, MAX_TEXT_BYTES, MAX_VALUE_DEPTH};
use super::value::Value;

/// Counts steps and elements, and stops what goes beyond.
#[derive(Debug, Default)]
pub(super) struct Meter {
    steps: u64,
    /// Elements and bytes handled that did not fill a step yet.
    elements_left_over: u64,
    elements: usize,
}

impl Meter {
    /// Uses up steps.
    pub fn step(&mut self, steps: u64) -> Result<(), RuntimeError> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MAX_STEPS {
            return Err(RuntimeError::new(format!(
                "expression takes more than {MAX_STEPS} steps: judge fewer elements"
            )));
        }
        Ok(())
    }

    /// Pays for looking at so many elements.
    pub fn look(&mut self, elements: usize) -> Result<(), RuntimeError> {
        let total = self.elements_left_over.saturating_add(elements as u64);
        self.elements_left_over = total % ELEMENTS_PER_STEP;
        self.step(total / ELEMENTS_PER_STEP)
    }

    /// Pays for creating so many elements (Go: `vm.memGrow`).
    pub fn grow(&mut self, elements: usize) -> Result<(), RuntimeError> {
        self.elements = self.elements.saturating_add(elements);
        if self.elements >= MAX_ELEMENTS { Err(RuntimeError::new("memory budget exceeded")) } else { Ok(()) }
    }

    /// Pays for a text of so many bytes, before it is made.
    pub fn text(&mut self, bytes: usize) -> Result<(), RuntimeError> {
        if bytes > MAX_TEXT_BYTES {
            return Err(RuntimeError::new("memory budget exceeded"));
        }
        self.step(bytes as u64 / BYTES_PER_STEP)
    }

    /// `value`, if it does not nest too deep.
    pub fn nested(value: Value) -> Result<Value, RuntimeError> {
        if value.depth() > MAX_VALUE_DEPTH {
            return Err(RuntimeError::new(format!("value nests deeper than {MAX_VALUE_DEPTH}")));
        }
        Ok(value)
    }
}
