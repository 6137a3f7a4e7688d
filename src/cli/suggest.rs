//! "Did you mean": the known name that is nearest to a misspelt one.

/// Names further away than this are no help.
const FARTHEST: usize = 3;
/// Longest names that are compared; a longer one is nobody's typing error.
const LONGEST: usize = 128;

/// The nearest of `known`, where one is near enough. Ties go to the first.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = FARTHEST.min(name.chars().count() / 3 + 1);
    let scored = known.into_iter().map(|candidate| (score(name, candidate), candidate));
    scored.filter(|(score, _)| *score <= limit).min_by_key(|(score, _)| *score).map(|(_, candidate)| candidate)
}

/// Edit distance without regard to case; a difference in case alone costs nothing.
fn score(name: &str, candidate: &str) -> usize {
    distance(&name.to_lowercase(), &candidate.to_lowercase())
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other.
pub fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().take(LONGEST).collect();
    let to: Vec<char> = to.chars().take(LONGEST).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, have) in from.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, want) in to.iter().enumerate() {
            let cell = |line: &[usize], at: usize| line.get(at).copied().unwrap_or(usize::MAX / 2);
            let replaced = cell(&last, column) + usize::from(have != want);
            let mut best = replaced.min(cell(&last, column + 1) + 1).min(cell(&next, column) + 1);
            let swapped = row > 0 && column > 0 && from.get(row - 1) == Some(want) && to.get(column - 1) == Some(have);
            if swapped {
                best = best.min(cell(&before, column - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        for (from, to, edits) in
            [("", "abc", 3), ("kitten", "sitting", 3), ("setWeigth", "setWeight", 1), ("x", "x", 0)]
        {
            assert_eq!(distance(from, to), edits, "{from} {to}");
            assert_eq!(distance(to, from), edits, "{to} {from}");
        }
    }

    #[test]
    fn finds_what_was_meant_and_nothing_else() {
        let known = ["setWeight", "pause", "experiment", "analysis", "setCanaryScale"];
        assert_eq!(nearest("setweigth", known), Some("setWeight"));
        assert_eq!(nearest("pauses", known), Some("pause"));
        assert_eq!(nearest("anaylsis", known), Some("analysis"));
        assert_eq!(nearest("wait", known), None);
        assert_eq!(nearest("foo", ["bar"]), None);
    }
}
