//! Number tokens.

use super::super::error::CompileError;
use super::{Lexer, TokenKind, is_alphanumeric};

impl Lexer<'_> {
    /// The number that begins at `start`: decimal, hexadecimal, octal or binary, with `_` between digits.
    pub(super) fn number(&mut self, start: usize) -> Result<(), CompileError> {
        self.position = start;
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        let integer_end = self.position;
        if self.accept(".") {
            if self.peek() == Some('.') {
                // `1..5` is a range, not the number `1.`.
                self.position = integer_end;
                self.push(TokenKind::Number, self.since(start));
                return Ok(());
            }
            self.accept_run(digits);
        }
        if self.accept("eE") {
            self.accept("+-");
            self.accept_run(digits);
        }
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return Err(CompileError::new(format!("bad number syntax: {:?}", self.since(start))));
        }
        self.push(TokenKind::Number, self.since(start));
        Ok(())
    }
}
