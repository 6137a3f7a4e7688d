//! Texts from outside (answers of servers, messages of other controllers, values of users), as long as a status can
//! carry them: the API server refuses an object of 1.5 MB, and one that cannot be written is stuck.

/// The most that a message takes in JSON, in bytes.
pub const LONGEST: usize = 1 << 10;
/// What a text ends with that was cut.
const MARK: char = '…';

/// A text of at most [`LONGEST`] bytes of JSON.
pub fn shortened(text: impl Into<String>) -> String {
    within(text, LONGEST)
}

/// The text, or its beginning and an ellipsis, in at most `limit` bytes of JSON. What was shortened stays as it is.
pub fn within(text: impl Into<String>, limit: usize) -> String {
    let mut text = text.into();
    let room = limit.saturating_sub(MARK.len_utf8());
    let (mut length, mut kept) = (0, 0);
    for (at, letter) in text.char_indices() {
        length += in_json(letter);
        if length <= room {
            kept = at + letter.len_utf8();
        }
        if length > limit {
            text.truncate(kept);
            text.push(MARK);
            return text;
        }
    }
    text
}

/// Bytes that a character takes in a text of JSON.
const fn in_json(letter: char) -> usize {
    match letter {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(text: &str) -> usize {
        serde_json::to_string(text).unwrap().len() - 2
    }

    #[test]
    fn cuts_between_characters_and_says_so() {
        assert_eq!(within("weiß", 5), "weiß");
        assert_eq!(within("weiß!", 5), "we…");
        assert_eq!(within("\u{1}\u{1}", 9), "\u{1}…");
        assert_eq!(shortened("a".repeat(LONGEST)).len(), LONGEST);
    }

    proptest! {
        #[test]
        fn is_bounded_and_a_beginning(text in any::<String>(), limit in 3_usize..60) {
            let cut = within(text.clone(), limit);
            prop_assert!(json(&cut) <= limit);
            prop_assert_eq!(within(cut.clone(), limit), cut.clone());
            match cut.strip_suffix(MARK).filter(|_| cut != text) {
                Some(kept) => prop_assert!(text.starts_with(kept) && json(&text) > limit),
                None => prop_assert_eq!(cut, text),
            }
        }
    }
}
