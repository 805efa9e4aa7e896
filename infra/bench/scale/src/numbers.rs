//! Calculates medians and percentiles, and formats Markdown tables.

use indicatif::HumanCount;

/// Returns the quantile by nearest rank: the smallest sample that at least `share` (0 to 1) of all
/// samples do not exceed. Returns NaN if there are no samples.
pub(crate) fn quantile(samples: &[f64], share: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

pub(crate) fn median(samples: &[f64]) -> f64 {
    quantile(samples, 0.5)
}

/// Formats a number with thousands separators: 1,000,000.
pub(crate) fn thousands(number: usize) -> String {
    HumanCount(number as u64).to_string()
}

/// Formats a Markdown table with aligned columns. All columns but the first are aligned to the right.
pub(crate) fn table<T: ToString>(head: &[T], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = head.iter().map(ToString::to_string).collect();
    let all = || std::iter::once(&header).chain(rows);
    let width = |column: usize| {
        let cells = all().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells =
            row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
                0 => format!(" {cell:<width$} |"),
                _ => format!(" {cell:>width$} |"),
            });
        format!("|{}\n", cells.collect::<String>())
    };
    let rule = widths.iter().enumerate().map(|(column, width)| match column {
        0 => format!("{}|", "-".repeat(width + 2)),
        _ => format!("{}:|", "-".repeat(width + 1)),
    });
    let rule: String = rule.collect();
    let body: String = rows.iter().map(line).collect();
    format!("{}|{rule}\n{body}", line(&header))
}
