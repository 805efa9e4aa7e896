//! Prints tables on a terminal.

use std::time::Duration;

/// A table with a header. The first columns contain text and are aligned to the left; the others
/// contain numbers and are aligned to the right.
pub(crate) struct Table {
    /// Number of columns with text.
    text_columns: usize,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(text_columns: usize, header: &[&str]) -> Table {
        Table { text_columns, rows: vec![header.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub(crate) fn print(&self) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).enumerate();
            let aligned: Vec<String> =
                cells.map(|(column, (cell, &width))| self.align(column, cell, width)).collect();
            println!("{}", aligned.join("  ").trim_end());
        }
    }

    fn align(&self, column: usize, cell: &str, width: usize) -> String {
        if column < self.text_columns {
            format!("{cell:<width$}")
        } else {
            format!("{cell:>width$}")
        }
    }
}

pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1e3)
}

pub(crate) fn microseconds(time: Duration) -> String {
    format!("{:.0}", time.as_secs_f64() * 1e6)
}

/// Formats a number of bytes as megabytes of 1,000,000 bytes.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{}.{:02}", bytes / 1_000_000, bytes % 1_000_000 / 10_000)
}

/// Formats a quotient with two decimal places, or a dash if the divisor is not positive.
pub(crate) fn ratio(dividend: f64, divisor: f64) -> String {
    if divisor > 0.0 { format!("{:.2}", dividend / divisor) } else { "-".to_owned() }
}
