//! The line of a field in block-style YAML, found by indentation. In flow style, and in JSON on one line, the nearest
//! parent that has a line of its own is found instead.

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// Something that begins in a line, with its column.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    Key(String),
    Item,
}

struct Event {
    line: usize,
    column: usize,
    mark: Mark,
}

/// Line of the field at `path` (such as `spec.steps[0].pause`), from 1; that of its nearest parent where it is not
/// found, and of the first line of the object where nothing is.
///
/// Messages of the controller leave the strategy out of a path (`spec.strategy.steps[0]`); it is put back here.
pub(super) fn line_of(text: &str, path: &str) -> usize {
    let events = events(text);
    let mut paths = vec![path.to_owned()];
    if let Some(below) = path.strip_prefix("spec.strategy.") {
        paths.extend(["canary", "blueGreen"].map(|strategy| format!("spec.strategy.{strategy}.{below}")));
    }
    let found = paths.iter().map(|path| deepest(&events, path)).max_by_key(|(_, missed)| std::cmp::Reverse(*missed));
    found.map_or(1, |(line, _)| line + 1)
}

/// The line of the last step that is found, and how many steps are not.
fn deepest(events: &[Event], path: &str) -> (usize, usize) {
    let (mut from, mut to) = (0, events.len());
    let mut line = events.first().map_or(0, |event| event.line);
    let steps = steps(path);
    for (done, step) in steps.iter().enumerate() {
        let Some(found) = find(events, from, to, step) else { return (line, steps.len() - done) };
        let Some(event) = events.get(found) else { return (line, steps.len() - done) };
        line = event.line;
        from = found + 1;
        to = end(events, found, to);
    }
    (line, 0)
}

/// `a.b[0].c` in steps; a dot inside brackets (`annotations[a.b/c]`) belongs to the key.
fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut name, mut inside) = (String::new(), false);
    let flush = |name: &mut String, steps: &mut Vec<Step>| {
        if !name.is_empty() {
            steps.push(Step::Key(std::mem::take(name)));
        }
    };
    for character in path.chars() {
        match (character, inside) {
            ('.', false) => flush(&mut name, &mut steps),
            ('[', false) => {
                flush(&mut name, &mut steps);
                inside = true;
            }
            (']', true) => {
                let text = std::mem::take(&mut name);
                steps.push(text.parse().map_or_else(|_| Step::Key(text), Step::Index));
                inside = false;
            }
            _ => name.push(character),
        }
    }
    flush(&mut name, &mut steps);
    steps
}

/// The event of a step among the direct children in `from..to`.
fn find(events: &[Event], from: usize, to: usize, step: &Step) -> Option<usize> {
    let column = events.get(from..to)?.first()?.column;
    let mut children = (from..to).filter(|at| events.get(*at).is_some_and(|event| event.column == column));
    match step {
        Step::Key(name) => {
            children.find(|at| events.get(*at).is_some_and(|event| event.mark == Mark::Key(name.clone())))
        }
        Step::Index(index) => {
            children.filter(|at| events.get(*at).is_some_and(|event| event.mark == Mark::Item)).nth(*index)
        }
    }
}

/// Where what belongs to the event at `found` ends. A list may stand at the column of its own key.
fn end(events: &[Event], found: usize, to: usize) -> usize {
    let Some(own) = events.get(found) else { return to };
    let is_key = own.mark != Mark::Item;
    let ends = |event: &Event| {
        event.column < own.column || (event.column == own.column && !(is_key && event.mark == Mark::Item))
    };
    (found + 1..to).find(|at| events.get(*at).is_some_and(ends)).unwrap_or(to)
}

fn events(text: &str) -> Vec<Event> {
    let mut events = Vec::new();
    for (line, content) in text.lines().enumerate() {
        let mut rest = content.trim_start_matches(' ');
        let mut column = content.len() - rest.len();
        if rest.starts_with('#') {
            continue;
        }
        while rest == "-" || rest.starts_with("- ") {
            events.push(Event { line, column, mark: Mark::Item });
            let after = rest.get(1..).unwrap_or_default().trim_start_matches(' ');
            column += rest.len() - after.len();
            rest = after;
        }
        if let Some(name) = key(rest) {
            events.push(Event { line, column, mark: Mark::Key(name) });
        }
    }
    events
}

/// The key at the beginning of a line, without quotes.
fn key(rest: &str) -> Option<String> {
    for quote in ['"', '\''] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            let (name, after) = quoted.split_once(quote)?;
            return after.trim_start().starts_with(':').then(|| name.to_owned());
        }
    }
    let end = rest.char_indices().find(|(at, character)| {
        *character == ':' && rest.get(at + 1..).is_some_and(|after| after.is_empty() || after.starts_with([' ', '\t']))
    });
    end.and_then(|(at, _)| rest.get(..at)).map(|name| name.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# comment: here
kind: Rollout
metadata:
  annotations: {a: b}
spec:
  steps:
  - setWeight: 10
  - pause:
      duration: 1m
  - - nested: 1
  containers:
    - name: a
      \"image\": x
    - image: y
";

    #[test]
    fn finds_lines() {
        for (path, line) in [
            ("kind", 2),
            ("metadata.annotations", 4),
            ("metadata.annotations.a", 4),
            ("spec", 5),
            ("spec.steps", 6),
            ("spec.steps[0].setWeight", 7),
            ("spec.steps[1].pause.duration", 9),
            ("spec.steps[2][0].nested", 10),
            ("spec.containers[0].image", 13),
            ("spec.containers[1].image", 14),
            ("spec.containers[1].missing", 14),
            ("spec.nowhere.at.all", 5),
            ("", 2),
        ] {
            assert_eq!(line_of(TEXT, path), line, "{path}");
        }
        assert_eq!(line_of("{\"spec\": {}}", "spec"), 1);
        let canary = "spec:\n  strategy:\n    canary:\n      steps:\n      - setWeight: 101\n";
        assert_eq!(line_of(canary, "spec.strategy.steps[0].setWeight"), 5);
    }
}
