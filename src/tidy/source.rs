//! The Rust files of the repository, with what is needed to judge them.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use super::blank::blank;

/// Folders that hold Rust code.
const CODE: &[&str] = &["src", "tests", "benches", "e2e"];
/// Folders that are made, not written.
pub const MADE: &[&str] = &["target", ".git", "node_modules"];

/// Something to put right.
#[derive(Debug, PartialEq)]
pub struct Finding {
    /// Path from the root of the repository.
    pub path: String,
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.path, self.line, self.remedy)
    }
}

/// One Rust file.
#[derive(Debug)]
pub struct Source {
    /// Path from the root of the repository.
    pub path: String,
    /// Its text.
    pub text: String,
    /// The same lines, with comments and the insides of strings blanked.
    pub code: String,
    /// Lines (from 0) that exist in tests only.
    tests: BTreeSet<usize>,
}

impl Source {
    /// Takes a file apart; `test` says whether all of it is compiled for tests only.
    pub fn new(path: &str, text: &str, test: Whole) -> Self {
        let code = blank(text);
        let tests = match test {
            Whole::Test => (0..text.lines().count()).collect(),
            Whole::Code => marked_for_tests(&code),
        };
        Self { path: path.to_owned(), text: text.to_owned(), code, tests }
    }

    /// Whether line `index` (from 0) exists in tests only.
    pub fn in_tests(&self, index: usize) -> bool {
        self.tests.contains(&index)
    }

    /// The code outside tests, line by line, counted from 0.
    pub fn shipped(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().filter(|(index, _)| !self.in_tests(*index))
    }

    /// A finding in line `index` (from 0).
    pub fn finding(&self, index: usize, remedy: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line: index + 1, remedy: remedy.into() }
    }
}

/// What a file is compiled for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Whole {
    /// The program, but for what is marked.
    Code,
    /// Tests only.
    Test,
}

/// Lines under `#[cfg(test)]`: up to the end of the item, which is a block or ends with a semicolon.
fn marked_for_tests(code: &str) -> BTreeSet<usize> {
    let mut lines = BTreeSet::new();
    for (start, _) in code.match_indices("#[cfg(test)]") {
        let rest = &code[start..];
        let end = match rest.find(['{', ';']) {
            Some(at) if rest[at..].starts_with('{') => block_end(rest, at),
            Some(at) => at,
            None => rest.len(),
        };
        let first = code[..start].matches('\n').count();
        lines.extend(first..=first + rest[..end].matches('\n').count());
    }
    lines
}

/// Where the block that opens at `open` closes.
pub fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth <= 1 => return at,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// All Rust files.
#[derive(Debug)]
pub struct Tree {
    /// In the order of their paths.
    pub files: Vec<Source>,
    /// Files below `src` that no `mod` line names.
    pub orphans: Vec<String>,
}

impl Tree {
    /// Reads the repository.
    pub fn read() -> Self {
        let mut texts = Vec::new();
        for folder in CODE {
            for path in walk(&root().join(folder)) {
                if path.extension().is_some_and(|kind| kind == "rs") {
                    texts.push((shown(&path), std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
        texts.sort();
        Self::of(&texts)
    }

    /// Takes (path, text) pairs apart.
    pub fn of(texts: &[(String, String)]) -> Self {
        let (mut modules, mut tests) = (BTreeSet::new(), BTreeSet::new());
        for (path, text) in texts {
            for (module, whole) in declared(path, &blank(text)) {
                if whole == Whole::Test {
                    tests.insert(module.clone());
                }
                modules.insert(module);
            }
        }
        let files = texts.iter().map(|(path, text)| Source::new(path, text, whole(path, &tests))).collect();
        let orphan = |path: &&str| {
            path.starts_with("src/") && !["src/lib.rs", "src/main.rs"].contains(path) && !modules.contains(&stem(path))
        };
        let orphans = texts.iter().map(|(path, _)| path.as_str()).filter(orphan).map(str::to_owned).collect();
        Self { files, orphans }
    }
}

/// The path of a module: without `.rs` and `/mod.rs`.
fn stem(path: &str) -> String {
    path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix(".rs")).unwrap_or(path).to_owned()
}

/// What a file is compiled for: tests where its module, or one that it belongs to, is declared for tests.
fn whole(path: &str, tests: &BTreeSet<String>) -> Whole {
    let outside = path.starts_with("tests/") || path.starts_with("benches/") || path.contains("/tests/");
    let module = stem(path);
    let below = |test: &String| module == *test || module.starts_with(&format!("{test}/"));
    if outside || tests.iter().any(below) { Whole::Test } else { Whole::Code }
}

/// Modules that a file declares in files of their own.
fn declared(path: &str, code: &str) -> Vec<(String, Whole)> {
    let base = match path.rsplit_once('/') {
        Some((folder, "mod.rs" | "lib.rs" | "main.rs")) => folder.to_owned(),
        _ => stem(path),
    };
    let mut found = Vec::new();
    let mut whole = Whole::Code;
    for line in code.lines().map(str::trim) {
        let line = line.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ").trim_start_matches("pub ");
        if let Some(name) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            found.push((format!("{base}/{name}"), whole));
        }
        whole = if line == "#[cfg(test)]" { Whole::Test } else { Whole::Code };
    }
    found
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below `folder` that are written by people.
pub fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let made = MADE.iter().any(|name| path.file_name().is_some_and(|file| file == *name));
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !made => found.extend(walk(&path)),
            Ok(kind) if kind.is_file() && !made => found.push(path),
            _ => {}
        }
    }
    found
}

/// The path from the root of the repository.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().into_owned()
}

#[test]
fn tells_tests_from_code() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() {}\n}\nfn c() {}\n#[cfg(test)]\nuse d;\nfn e() {}\n";
    let source = Source::new("src/a.rs", text, Whole::Code);
    let shipped: Vec<usize> = source.shipped().map(|(index, _)| index).collect();
    assert_eq!(shipped, [0, 5, 8]);
    let files =
        |names: &[(&str, &str)]| names.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
    let tree = Tree::of(&files(&[
        ("src/lib.rs", "mod a;\n#[cfg(test)]\nmod tidy;"),
        ("src/a.rs", "mod b;"),
        ("src/a/b.rs", "fn b() {}"),
        ("src/a/lost.rs", "fn lost() {}"),
        ("src/tidy.rs", "mod deep;"),
        ("src/tidy/deep.rs", "fn deep() {}"),
    ]));
    assert_eq!(tree.orphans, ["src/a/lost.rs"]);
    let tests: Vec<&str> = tree.files.iter().filter(|file| file.in_tests(0)).map(|file| file.path.as_str()).collect();
    assert_eq!(tests, ["src/tidy.rs", "src/tidy/deep.rs"]);
}
