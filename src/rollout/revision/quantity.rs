//! Kubernetes quantities: reading, comparing by value, and the canonical text.
//!
//! Kubernetes: `apimachinery/pkg/api/resource/quantity.go`. A quantity that is canonical in the
//! eyes of that parser keeps the text it came with, so `1.500` stays while `1500` stays and
//! `1000m` becomes `1`; hashes depend on exactly this.

use serde_json::Value;
use std::cmp::Ordering;
use std::fmt;

#[cfg(test)]
mod tests;

/// Digits that this type can hold; longer numbers are not quantities to us.
const MAX_DIGITS: usize = 30;
/// Powers of ten beyond this are not quantities to us.
const MAX_EXPONENT: i32 = 1_000;
/// The smallest step that a quantity can hold is 10 to this power.
const NANO: i32 = -9;
/// Decimal digits that an int64 surely holds; the parser's quick way is open below this.
const QUICK_DIGITS: i32 = 18;
const BINARY_STEP: i128 = 1024;

/// Which suffixes a quantity is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    DecimalSi,
    DecimalExponent,
    BinarySi,
}

/// A number of something: `mantissa` × 10^`exponent`.
#[derive(Debug, Clone)]
pub struct Quantity {
    mantissa: i128,
    exponent: i32,
    format: Format,
    /// The text that it was read from, when that is already canonical.
    text: Option<String>,
}

impl Default for Quantity {
    fn default() -> Self {
        Self { mantissa: 0, exponent: 0, format: Format::DecimalSi, text: None }
    }
}

/// The parts of a quantity's text.
struct Parts<'a> {
    negative: bool,
    /// Whole digits without leading zeros, at least `0`.
    whole: &'a str,
    fraction: &'a str,
    suffix: &'a str,
}

impl Quantity {
    /// Reads `1.5Gi`, `100m`, `2e3`, `-1`. None when Kubernetes would refuse it.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "0" {
            return Some(Self::default());
        }
        let parts = split(text)?;
        let (base, exponent, format) = interpret(parts.suffix)?;
        if parts.whole.len() + parts.fraction.len() > MAX_DIGITS || exponent.abs() > MAX_EXPONENT {
            return None;
        }
        let mut digits: i128 = format!("{}{}", parts.whole, parts.fraction).parse().ok()?;
        let mut places = i32::try_from(parts.fraction.len()).ok()?;
        if base == 2 {
            let factor = 1_i128.checked_shl(u32::try_from(exponent).ok()?)?;
            // Digits so far behind the point that the product has no room are finer than a nano.
            while places > 0 && digits.checked_mul(factor).is_none() {
                (digits, places) = (digits / 10 + (digits % 10).signum(), places - 1);
            }
            digits = digits.saturating_mul(factor);
        }
        let mantissa = if parts.negative { -digits } else { digits };
        let scale = if base == 2 { 0 } else { exponent };
        let quantity = Self { mantissa, exponent: scale - places, format, text: None };
        let kept = is_canonical_text(&parts, exponent, format).then(|| text.to_owned());
        Some(Self { text: kept, ..quantity.bounded() })
    }

    /// Reads a JSON string or number.
    pub fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text.trim()),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// -1, 0 or 1.
    pub const fn signum(&self) -> i128 {
        self.mantissa.signum()
    }

    /// One text for all spellings of a number: digits that do not end in zero, `e`, and the power of ten.
    pub fn by_value(&self) -> String {
        let (mantissa, exponent) = self.without_trailing_zeros();
        format!("{mantissa}e{exponent}")
    }

    /// Whether it is a whole number (or, with `step` -3, a whole number of thousandths).
    pub fn is_multiple_of(&self, step: i32) -> bool {
        self.scaled_down(step).is_none_or(|(_, exact)| exact)
    }

    /// Rounds away from zero to thousandths. None when there is nothing to round.
    pub fn rounded_up_to_milli(self) -> Option<Self> {
        let (mantissa, _) = self.scaled_down(-3)?;
        Some(Self { mantissa, exponent: -3, text: None, ..self })
    }

    /// Rounds up what is finer than a nano, and caps binary quantities at the largest int64.
    fn bounded(mut self) -> Self {
        if self.exponent < NANO && self.mantissa != 0 {
            let (mantissa, _) = self.scaled_down(NANO).unwrap_or((self.mantissa, true));
            self.mantissa = mantissa;
            self.exponent = NANO;
        }
        if self.format == Format::BinarySi {
            let cap = Self { mantissa: i128::from(i64::MAX), ..Self::default() };
            if self.magnitude().cmp(&cap) == Ordering::Greater {
                self.mantissa = cap.mantissa * self.mantissa.signum();
                self.exponent = 0;
            }
            let one = Self { mantissa: 1, ..Self::default() };
            if self.mantissa != 0 && self.magnitude().cmp(&one) == Ordering::Less {
                self.format = Format::DecimalSi;
            }
        }
        self
    }

    fn magnitude(&self) -> Self {
        Self { mantissa: self.mantissa.abs(), ..self.clone() }
    }

    /// The mantissa at a coarser exponent, rounded away from zero, and whether that was exact. None
    /// when the exponent is already that coarse.
    fn scaled_down(&self, exponent: i32) -> Option<(i128, bool)> {
        let places = u32::try_from(exponent - self.exponent).ok().filter(|p| *p > 0)?;
        let Some(divisor) = 10_i128.checked_pow(places) else {
            return Some((self.mantissa.signum(), self.mantissa == 0));
        };
        let (quotient, rest) = (self.mantissa / divisor, self.mantissa % divisor);
        Some((quotient + rest.signum(), rest == 0))
    }

    fn without_trailing_zeros(&self) -> (i128, i32) {
        if self.mantissa == 0 {
            return (0, 0);
        }
        let (mut mantissa, mut exponent) = (self.mantissa, self.exponent);
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        (mantissa, exponent)
    }

    /// The value as a whole number, when it is written with binary suffixes: whole, and 1024 or more.
    fn as_binary(&self) -> Option<i128> {
        let whole = match self.scaled_down(0) {
            Some((mantissa, true)) => mantissa,
            Some((_, false)) => return None,
            None => 10_i128.checked_pow(u32::try_from(self.exponent).ok()?)?.checked_mul(self.mantissa)?,
        };
        (self.format == Format::BinarySi && whole.abs() >= BINARY_STEP).then_some(whole)
    }

    fn write_binary(mut whole: i128, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut suffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].into_iter();
        let mut suffix = suffixes.next().unwrap_or_default();
        while whole % BINARY_STEP == 0 {
            let Some(next) = suffixes.next() else { break };
            suffix = next;
            whole /= BINARY_STEP;
        }
        write!(f, "{whole}{suffix}")
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// By value, whatever the formats.
impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        let (a, b) = (self.without_trailing_zeros(), other.without_trailing_zeros());
        if a.0.signum() != b.0.signum() || a.1 == b.1 {
            return a.0.cmp(&b.0);
        }
        let (coarse, fine, flipped) = if a.1 > b.1 { (a, b, false) } else { (b, a, true) };
        let places = u32::try_from(coarse.1 - fine.1).unwrap_or(u32::MAX);
        let ordering = match 10_i128.checked_pow(places).and_then(|power| coarse.0.checked_mul(power)) {
            Some(stretched) => stretched.cmp(&fine.0),
            // The coarser number is too large to write out, so its sign decides.
            None => coarse.0.cmp(&0),
        };
        if flipped { ordering.reverse() } else { ordering }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            return f.write_str(text);
        }
        if self.mantissa == 0 {
            return f.write_str("0");
        }
        if let Some(whole) = self.as_binary() {
            return Self::write_binary(whole, f);
        }
        let (mut mantissa, mut exponent) = self.without_trailing_zeros();
        while exponent % 3 != 0 {
            mantissa = mantissa.saturating_mul(10);
            exponent -= 1;
        }
        if self.format == Format::DecimalExponent {
            return if exponent == 0 { write!(f, "{mantissa}") } else { write!(f, "{mantissa}e{exponent}") };
        }
        write!(f, "{mantissa}{}", decimal_suffix(exponent))
    }
}

/// Whether the parser keeps the text as it is. This follows its quick way, oddities included:
/// `1.500` is kept, `0.5` is not.
fn is_canonical_text(parts: &Parts<'_>, exponent: i32, format: Format) -> bool {
    let digits = format!("{}{}", parts.whole, parts.fraction);
    let (Ok(whole), Ok(places)) = (i32::try_from(parts.whole.len()), i32::try_from(parts.fraction.len())) else {
        return false;
    };
    let Ok(number) = digits.parse::<i64>() else { return false };
    if format == Format::BinarySi {
        // 2^10 has about three decimal digits.
        let room = 15 - whole - exponent * 3 / 10 - 1;
        let fits = u32::try_from(exponent).is_ok_and(|e| number.checked_mul(1_i64 << e.min(62)).is_some());
        return places == 0 && room >= 0 && fits && number & 7 != 0;
    }
    let scale = exponent - places;
    let quick = QUICK_DIGITS - whole - places >= 0 && scale >= NANO;
    quick && scale % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0')
}

fn split(text: &str) -> Option<Parts<'_>> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, rest) = take_digits(rest);
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => take_digits(rest),
        None => ("", rest),
    };
    if text.is_empty() {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    Some(Parts { negative, whole, fraction, suffix })
}

fn take_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Base, exponent and format of a suffix.
fn interpret(suffix: &str) -> Option<(u8, i32, Format)> {
    const DECIMAL: [(&str, i32); 10] =
        [("", 0), ("n", -9), ("u", -6), ("m", -3), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
    const BINARY: [(&str, i32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((10, *exponent, Format::DecimalSi));
    }
    if let Some((_, exponent)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((2, *exponent, Format::BinarySi));
    }
    let digits = suffix.strip_prefix(['e', 'E']).filter(|d| !d.is_empty())?;
    Some((10, digits.parse().ok()?, Format::DecimalExponent))
}

fn decimal_suffix(exponent: i32) -> &'static str {
    match exponent {
        -9 => "n",
        -6 => "u",
        -3 => "m",
        3 => "k",
        6 => "M",
        9 => "G",
        12 => "T",
        15 => "P",
        18 => "E",
        _ => "",
    }
}
