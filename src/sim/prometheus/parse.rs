//! `PromQL` texts into expressions.

use std::time::Duration;

use regex::Regex;

/// The deepest nesting of parentheses.
const MAX_DEPTH: usize = 32;

/// A query that this model does not understand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("1:{column}: parse error: {message}")]
pub struct ParseError {
    /// Where, from 1.
    pub column: usize,
    /// What was expected.
    pub message: String,
}

/// How a label must look.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Equal(String),
    NotEqual(String),
    Like(Regex),
    Unlike(Regex),
}

#[derive(Debug, Clone)]
pub(crate) struct Selector {
    pub metric: String,
    pub tests: Vec<(String, Test)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    Sum,
    Count,
    Max,
    Min,
    Average,
}

#[derive(Debug, Clone)]
pub(crate) enum Expr {
    Number(f64),
    Vector(f64),
    Instant(Selector),
    /// `rate`: per second.
    Rate(Selector, Duration),
    Increase(Selector, Duration),
    /// `histogram_quantile`.
    Quantile(f64, Box<Expr>),
    Aggregate(Fold, Vec<String>, Box<Expr>),
    Binary(Box<Expr>, Operator, Box<Expr>),
}

/// Reads a whole query.
pub(crate) fn parse(text: &str) -> Result<Expr, ParseError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let expr = parser.expr()?;
    parser.skip();
    if parser.rest().is_empty() { Ok(expr) } else { Err(parser.error("unexpected text after the expression")) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, message: &str) -> ParseError {
        ParseError { column: self.at + 1, message: message.to_owned() }
    }

    fn skip(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip();
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), ParseError> {
        if self.take(token) { Ok(()) } else { Err(self.error(&format!("expected {token:?}"))) }
    }

    /// A name; a keyword must not run on into one.
    fn word(&mut self) -> &'a str {
        self.skip();
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        self.at += end;
        word
    }

    fn keyword(&mut self, wanted: &str) -> bool {
        let before = self.at;
        let found = self.word() == wanted;
        if !found {
            self.at = before;
        }
        found
    }

    fn expr(&mut self) -> Result<Expr, ParseError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        let mut left = self.arith()?;
        while self.keyword("or") {
            left = Expr::Binary(Box::new(left), Operator::Or, Box::new(self.arith()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn arith(&mut self) -> Result<Expr, ParseError> {
        let mut left = self.product()?;
        loop {
            let operator = if self.take("+") {
                Operator::Add
            } else if self.take("-") {
                Operator::Subtract
            } else {
                return Ok(left);
            };
            left = Expr::Binary(Box::new(left), operator, Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Expr, ParseError> {
        let mut left = self.atom()?;
        loop {
            let operator = if self.take("*") {
                Operator::Multiply
            } else if self.take("/") {
                Operator::Divide
            } else {
                return Ok(left);
            };
            left = Expr::Binary(Box::new(left), operator, Box::new(self.atom()?));
        }
    }

    fn atom(&mut self) -> Result<Expr, ParseError> {
        if self.take("(") {
            let inner = self.expr()?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.rest().starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return Ok(Expr::Number(self.number()?));
        }
        let start = self.at;
        match self.word() {
            "" => Err(self.error("expected an expression")),
            "vector" => {
                self.expect("(")?;
                self.skip();
                let value = self.number()?;
                self.expect(")")?;
                Ok(Expr::Vector(value))
            }
            "sum" => self.aggregate(Fold::Sum),
            "count" => self.aggregate(Fold::Count),
            "max" => self.aggregate(Fold::Max),
            "min" => self.aggregate(Fold::Min),
            "avg" => self.aggregate(Fold::Average),
            "histogram_quantile" => {
                self.expect("(")?;
                self.skip();
                let quantile = self.number()?;
                self.expect(",")?;
                let inner = self.expr()?;
                self.expect(")")?;
                Ok(Expr::Quantile(quantile, Box::new(inner)))
            }
            "rate" => self.ranged(Expr::Rate),
            "increase" => self.ranged(Expr::Increase),
            metric => {
                self.skip();
                if self.rest().starts_with('(') {
                    self.at = start;
                    return Err(self.error(&format!("unknown function {metric:?}: this model knows sum, count, max, min, avg, rate, increase, histogram_quantile, vector")));
                }
                Ok(Expr::Instant(self.selector(metric)?))
            }
        }
    }

    fn number(&mut self) -> Result<f64, ParseError> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number = rest.get(..end).unwrap_or_default().parse().map_err(|_| self.error("expected a number"))?;
        self.at += end;
        Ok(number)
    }

    fn aggregate(&mut self, fold: Fold) -> Result<Expr, ParseError> {
        let mut by = self.grouping()?;
        self.expect("(")?;
        let inner = self.expr()?;
        self.expect(")")?;
        if by.is_empty() {
            by = self.grouping()?;
        }
        Ok(Expr::Aggregate(fold, by, Box::new(inner)))
    }

    fn grouping(&mut self) -> Result<Vec<String>, ParseError> {
        let mut labels = Vec::new();
        if !self.keyword("by") {
            return Ok(labels);
        }
        self.expect("(")?;
        while !self.take(")") {
            let label = self.word();
            if label.is_empty() {
                return Err(self.error("expected a label"));
            }
            labels.push(label.to_owned());
            self.take(",");
        }
        Ok(labels)
    }

    fn ranged(&mut self, make: impl Fn(Selector, Duration) -> Expr) -> Result<Expr, ParseError> {
        self.expect("(")?;
        let metric = self.word();
        let selector = self.selector(metric)?;
        self.expect("[")?;
        let window = self.duration()?;
        self.expect("]")?;
        self.expect(")")?;
        Ok(make(selector, window))
    }

    fn duration(&mut self) -> Result<Duration, ParseError> {
        let text = self.word();
        let window = crate::api::GoDuration::parse(text).map(crate::api::GoDuration::to_std).unwrap_or_default();
        if window.is_zero() { Err(self.error(&format!("{text:?} is no duration"))) } else { Ok(window) }
    }

    fn selector(&mut self, metric: &str) -> Result<Selector, ParseError> {
        let mut tests = Vec::new();
        if !self.take("{") {
            return Ok(Selector { metric: metric.to_owned(), tests });
        }
        while !self.take("}") {
            let label = self.word().to_owned();
            let operator = ["=~", "!~", "!=", "="].into_iter().find(|operator| self.take(operator));
            let operator = operator.ok_or_else(|| self.error("expected =, !=, =~ or !~"))?;
            let value = self.text()?;
            let pattern =
                || Regex::new(&format!("^(?:{value})$")).map_err(|_| self.error("unreadable regular expression"));
            let test = match operator {
                "=~" => Test::Like(pattern()?),
                "!~" => Test::Unlike(pattern()?),
                "!=" => Test::NotEqual(value),
                _ => Test::Equal(value),
            };
            tests.push((label, test));
            if !self.take(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(Selector { metric: metric.to_owned(), tests })
    }

    fn text(&mut self) -> Result<String, ParseError> {
        self.skip();
        let quote = self.rest().chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
        let quote = quote.ok_or_else(|| self.error("expected a quoted text"))?;
        self.at += 1;
        let mut value = String::new();
        let mut escaped = false;
        for c in self.rest().chars() {
            self.at += c.len_utf8();
            match c {
                _ if escaped => value.push(c),
                '\\' if quote != '`' => {}
                c if c == quote => return Ok(value),
                c => value.push(c),
            }
            escaped = c == '\\' && !escaped && quote != '`';
        }
        Err(self.error("unterminated text"))
    }
}
