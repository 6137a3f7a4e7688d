//! Pieces of SVG. Every text that comes from outside goes through [`escape`].

use std::fmt::Write as _;

/// Colours for light and dark; readers of the picture without media queries get the light ones.
const STYLE: &str = "\
.paper{fill:#ffffff}.ink{fill:#1f2933}.soft{fill:#5f6b7a}.grid{stroke:#d9dee5;stroke-width:1}\
.axis{stroke:#8b96a5;stroke-width:1}.old{fill:#8fb4dd}.new{fill:#3f9b62}.errors{fill:#e0912f}.lost{fill:#d43f3f}\
.wish{stroke:#1f2933;stroke-width:1.5;stroke-dasharray:5 3;fill:none}.ready{stroke:#1c5c37;stroke-width:1.5;fill:none}\
.stripe-a{fill:#eef1f5}.stripe-b{fill:#dfe5ec}.good{fill:#2f7d4f}.bad{fill:#c53030}.neutral{fill:#52606d}\
.good-line{stroke:#2f7d4f}.bad-line{stroke:#c53030}.neutral-line{stroke:#9aa5b1}.on{fill:#ffffff}\
text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;font-size:12px}\
.small{font-size:11px}.title{font-size:17px;font-weight:600}.label{font-weight:600}\
@media (prefers-color-scheme:dark){.paper{fill:#14181d}.ink{fill:#e6eaf0}.soft{fill:#9aa5b1}.grid{stroke:#2b333d}\
.axis{stroke:#5f6b7a}.old{fill:#41668f}.new{fill:#3f9b62}.errors{fill:#d18a2c}.lost{fill:#e05252}.wish{stroke:#e6eaf0}\
.ready{stroke:#8fdcae}.stripe-a{fill:#1d232b}.stripe-b{fill:#283039}.good{fill:#4cb47a}.bad{fill:#e05252}\
.neutral{fill:#8b96a5}.good-line{stroke:#4cb47a}.bad-line{stroke:#e05252}.neutral-line{stroke:#5f6b7a}.on{fill:#14181d}}";

/// The begin of a picture.
pub fn open((width, height): (f64, f64), title: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n",
        escape(title)
    )
}

/// A text as it may stand in SVG and HTML.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Signs that XML does not allow at all.
            character if character.is_control() && !matches!(character, '\n' | '\t') => safe.push('\u{fffd}'),
            character => safe.push(character),
        }
    }
    safe
}

/// A number without needless digits.
pub fn short(number: f64) -> String {
    let rounded = (number * 10.0).round() / 10.0;
    rounded.to_string()
}

/// Where a text is held.
#[derive(Clone, Copy)]
pub enum Anchor {
    /// At its begin.
    Start,
    /// In its middle.
    Middle,
    /// At its end.
    End,
}

/// A text at a place.
pub fn text((x, y): (f64, f64), class: &str, anchor: Anchor, words: &str) -> String {
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    format!("<text x=\"{}\" y=\"{}\" class=\"{class}\"{anchor}>{}</text>\n", short(x), short(y), escape(words))
}

/// A straight line.
pub fn line((x1, y1): (f64, f64), (x2, y2): (f64, f64), class: &str) -> String {
    let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(short);
    format!("<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" class=\"{class}\"/>\n")
}

/// A rectangle: left, top, width, height.
pub fn rect((x, y, width, height): (f64, f64, f64, f64), class: &str) -> String {
    let [x, y, width, height] = [x, y, width.max(0.0), height.max(0.0)].map(short);
    format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" class=\"{class}\"/>\n")
}

/// A closed area, or an open line.
pub fn path(points: &[(f64, f64)], class: &str, end: &str) -> String {
    let mut d = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(d, "{}{} {}", if index == 0 { "M" } else { "L" }, short(*x), short(*y));
    }
    format!("<path d=\"{d}{end}\" class=\"{class}\"/>\n")
}

/// About how wide a text is, in the small size.
#[allow(clippy::cast_precision_loss, reason = "texts of a line")]
pub fn width(words: &str) -> f64 {
    words.chars().count() as f64 * 6.3
}

/// The text cut so that it is not wider; empty where next to nothing is left.
pub fn fitted(words: &str, room: f64) -> String {
    if width(words) <= room {
        return words.to_owned();
    }
    let kept: String = words
        .chars()
        .scan(0.0, |used, c| {
            *used += 6.3;
            (*used <= room - 8.0).then_some(c)
        })
        .collect();
    if kept.chars().count() < 4 { String::new() } else { format!("{}…", kept.trim_end()) }
}
