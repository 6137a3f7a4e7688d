//! From source text to tokens, by the rules of Go's `expr-lang` (`parser/lexer`). It never looks at meaning.

mod number;
mod text;

use std::fmt;

use super::error::CompileError;

/// What kind of word a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Identifier,
    Number,
    String,
    Operator,
    Bracket,
    Eof,
}

/// One word of the source; of a string, what it says without its quotes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub value: String,
}

impl Token {
    pub fn is(&self, kind: TokenKind, value: &str) -> bool {
        self.kind == kind && self.value == value
    }

    pub fn is_operator(&self, value: &str) -> bool {
        self.is(TokenKind::Operator, value)
    }

    pub fn is_bracket(&self, value: &str) -> bool {
        self.is(TokenKind::Bracket, value)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TokenKind::Eof => f.write_str("EOF"),
            kind => write!(f, "{kind:?}({:?})", self.value),
        }
    }
}

/// Splits `source` into tokens; the last one is always [`TokenKind::Eof`].
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, CompileError> {
    let mut lexer = Lexer { source, position: 0, tokens: Vec::new() };
    while lexer.token()? {}
    lexer.push(TokenKind::Eof, "");
    Ok(lexer.tokens)
}

pub(super) fn is_alphabetic(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphabetic()
}

fn is_alphanumeric(c: char) -> bool {
    is_alphabetic(c) || c.is_numeric()
}

struct Lexer<'a> {
    source: &'a str,
    position: usize,
    tokens: Vec<Token>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.position += c.len_utf8();
        Some(c)
    }

    /// Takes the next character if it is one of `valid`.
    fn accept(&mut self, valid: &str) -> bool {
        let taken = self.peek().is_some_and(|c| valid.contains(c));
        if taken {
            self.next();
        }
        taken
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn since(&self, start: usize) -> &'a str {
        self.source.get(start..self.position).unwrap_or_default()
    }

    fn push(&mut self, kind: TokenKind, value: &str) {
        self.tokens.push(Token { kind, value: value.to_owned() });
    }

    /// Reads one token, or skips a space or a comment; false at the end.
    fn token(&mut self) -> Result<bool, CompileError> {
        let start = self.position;
        let Some(c) = self.next() else { return Ok(false) };
        match c {
            _ if c.is_whitespace() => {}
            '\'' | '"' => self.quoted(c)?,
            '`' => self.raw()?,
            '0'..='9' => self.number(start)?,
            '.' if self.peek().is_some_and(|next| next.is_ascii_digit()) => self.number(start)?,
            '/' if self.accept("/") => self.position += self.rest().find('\n').unwrap_or(self.rest().len()),
            '/' if self.accept("*") => {
                let end = self.rest().find("*/").ok_or_else(|| CompileError::new("unclosed comment"))?;
                self.position += end + 2;
            }
            '#' => self.pointer(start),
            '(' | '[' | '{' | ')' | ']' | '}' => self.push(TokenKind::Bracket, self.since(start)),
            _ => {
                let second = match c {
                    '.' => ".",
                    '?' => ".?",
                    '|' => "|",
                    ':' => ":",
                    '&' | '!' | '=' | '*' | '<' | '>' => "&=*",
                    ',' | ';' | '%' | '+' | '-' | '^' | '/' => "",
                    _ if is_alphanumeric(c) => {
                        self.identifier(start);
                        return Ok(true);
                    }
                    _ => {
                        return Err(CompileError::new(format!("unrecognized character: U+{:04X} {c:?}", u32::from(c))));
                    }
                };
                self.accept(second);
                self.push(TokenKind::Operator, self.since(start));
            }
        }
        Ok(true)
    }

    fn skip_word(&mut self) {
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
    }

    fn identifier(&mut self, start: usize) {
        self.skip_word();
        let word = self.since(start);
        let kind = match word {
            "not" | "in" | "or" | "and" | "matches" | "contains" | "startsWith" | "endsWith" | "let" | "if"
            | "else" => TokenKind::Operator,
            _ => TokenKind::Identifier,
        };
        self.push(kind, word);
    }

    /// `#`, and the name that may follow it at once: `#index`, `#acc`.
    fn pointer(&mut self, start: usize) {
        self.accept("#");
        self.push(TokenKind::Operator, self.since(start));
        let name = self.position;
        self.skip_word();
        if self.position > name {
            self.push(TokenKind::Identifier, self.since(name));
        }
    }
}
