//! Columns aligned by their widest cell, two blanks apart; the last one is not padded.

use super::paint::width;

const GAP: usize = 2;

/// Rows of equal length that become aligned lines.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with a first row of headings.
    pub fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|&heading| heading.to_owned()).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The lines, each with its end of line.
    pub fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max();
        let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in &self.rows {
            for (index, (cell, widest)) in row.iter().zip(&widths).enumerate() {
                text.push_str(cell);
                if index + 1 < row.len() {
                    text.extend(std::iter::repeat_n(' ', widest - width(cell) + GAP));
                }
            }
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aligns_by_what_is_seen() {
        let mut table = Table::new(&["NAME", "S", "X"]);
        table.row(vec!["├──⧉ a".to_owned(), "\u{1b}[32m✔\u{1b}[0m".to_owned(), "1".to_owned()]);
        assert_eq!(table.render(), "NAME    S  X\n├──⧉ a  \u{1b}[32m✔\u{1b}[0m  1\n");
    }
}
