//! String tokens: quoted ones with escapes, raw ones between backticks.

use super::super::error::CompileError;
use super::{Lexer, TokenKind};

const NOT_TERMINATED: &str = "literal not terminated";
const BAD_ESCAPE: &str = "invalid char escape";

impl Lexer<'_> {
    /// A string after its opening `quote`.
    pub(super) fn quoted(&mut self, quote: char) -> Result<(), CompileError> {
        let mut text = String::new();
        loop {
            match self.next() {
                None | Some('\n') => return Err(CompileError::new(NOT_TERMINATED)),
                Some('\\') => text.push(self.escape(quote)?),
                Some('\r') => text.push('\n'),
                Some(c) if c == quote => break,
                Some(c) => text.push(c),
            }
        }
        self.push(TokenKind::String, &text);
        Ok(())
    }

    fn escape(&mut self, quote: char) -> Result<char, CompileError> {
        let bad = || CompileError::new(BAD_ESCAPE);
        Ok(match self.next().ok_or_else(bad)? {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' => '\\',
            c if c == quote => c,
            'x' => self.code(16, 2)?,
            'u' if self.accept("{") => {
                let digits: usize = self.rest().chars().take_while(char::is_ascii_hexdigit).count();
                if !(1..=6).contains(&digits) {
                    return Err(bad());
                }
                let c = self.code(16, digits)?;
                if !self.accept("}") {
                    return Err(bad());
                }
                c
            }
            'u' => self.code(16, 4)?,
            'U' => self.code(16, 8)?,
            '0'..='3' => {
                self.position -= 1;
                self.code(8, 3)?
            }
            _ => return Err(bad()),
        })
    }

    /// The character of which the next `count` digits are the number. Half a surrogate pair becomes U+FFFD, as in Go.
    fn code(&mut self, radix: u32, count: usize) -> Result<char, CompileError> {
        let bad = || CompileError::new(BAD_ESCAPE);
        let mut code: u32 = 0;
        for _ in 0..count {
            let digit = self.next().and_then(|c| c.to_digit(radix)).ok_or_else(bad)?;
            code = code.checked_mul(radix).and_then(|shifted| shifted.checked_add(digit)).ok_or_else(bad)?;
        }
        if code > u32::from(char::MAX) {
            return Err(bad());
        }
        Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// A raw string after its opening backtick; two backticks stand for one.
    pub(super) fn raw(&mut self) -> Result<(), CompileError> {
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(CompileError::new(NOT_TERMINATED)),
                Some('`') if !self.accept("`") => break,
                Some(c) => text.push(c),
            }
        }
        self.push(TokenKind::String, &text);
        Ok(())
    }
}
