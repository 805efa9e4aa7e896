//! Reads CSV files, and detects damaged rows and files that are cut off.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::BufRead;

use csv::{ByteRecord, ErrorKind, Position, Reader, ReaderBuilder, Terminator};

use super::Refused;
use super::input::{MAX_HELD, Meter};
use super::sniff::{Source, read_error};
use super::text::Encoding;

/// Maximum number of lines of a row. Remarks may have several lines, but no real row has more than
/// this.
const MAX_LINES: u64 = 100;

/// Maximum number of lines of a row with a wrong number of columns. A stray quote joins many rows
/// into one, and the result seldom has the right number of columns.
const MAX_LINES_FAULTY: u64 = 5;

/// The rows of a CSV file.
pub(super) struct Table<'a> {
    name: String,
    reader: Reader<Meter<Box<dyn BufRead + 'a>>>,
    delimiter: u8,
    encoding: Encoding,
    record: ByteRecord,
    /// Number of columns that each row must have.
    width: Option<usize>,
    /// Fault of the last row if it has a wrong number of columns, such as
    /// `must have 12 columns, not 3`.
    last_width_fault: Option<String>,
    /// True if the last cell of the last row has several lines.
    is_last_cell_multiline: bool,
}

/// A row of a CSV file.
pub(super) struct Row {
    /// Line on which the row begins, counted from 1.
    pub(super) line: u64,
    /// The cells of the row. Empty if a cell cannot be decoded.
    pub(super) cells: Vec<String>,
    /// Reason why the row must be skipped, if it must.
    pub(super) fault: Option<String>,
}

impl<'a> Table<'a> {
    pub(super) fn new(source: Source<'a>, delimiter: u8, encoding: Encoding) -> Table<'a> {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            // With the terminator `\r\n` the line numbers of the reader would lag by one.
            .terminator(Terminator::Any(b'\n'))
            .from_reader(Meter::new(source.read, MAX_HELD));
        Table {
            name: source.name,
            reader,
            delimiter,
            encoding,
            record: ByteRecord::new(),
            width: None,
            last_width_fault: None,
            is_last_cell_multiline: false,
        }
    }

    /// Sets the number of columns that every later row must have. A row with another number is
    /// faulty.
    pub(super) fn set_width(&mut self, width: usize) {
        self.width = Some(width);
    }

    /// Returns the next row that is not blank, or `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Row>, Refused> {
        loop {
            self.reader.get_mut().start_record();
            let line = self.reader.position().line();
            match self.reader.read_byte_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return self.end(line),
                Err(error) => {
                    let reason = match error.kind() {
                        ErrorKind::Io(error) => read_error(error),
                        _ => format!("the file cannot be read: {error}"),
                    };
                    return Err(Refused::new(&self.name, line, reason));
                }
            }
            if self.record.iter().all(is_blank) {
                continue;
            }
            let line = self.record.position().map_or(line, Position::line);
            let lines = self.reader.position().line().saturating_sub(line);
            let row = self.row(line);
            let max_lines = if row.fault.is_some() { MAX_LINES_FAULTY } else { MAX_LINES };
            if lines > max_lines {
                let reason = format!(
                    "a row has {lines} lines, probably because of a quote that is not closed; \
                     correct the file or download it again"
                );
                return Err(Refused::new(&self.name, line, reason));
            }
            return Ok(Some(row));
        }
    }

    fn row(&mut self, line: u64) -> Row {
        let last_cell = self.record.iter().next_back();
        self.is_last_cell_multiline = last_cell.is_some_and(|cell| cell.contains(&b'\n'));
        let cells = self.record.iter().map(|cell| self.encoding.decode(cell).map(Cow::into_owned));
        match cells.collect::<Result<Vec<String>, String>>() {
            Ok(mut cells) => {
                if let Some(last) = cells.last_mut().filter(|last| last.ends_with('\r')) {
                    last.pop();
                }
                let cells = unwrap_quoted_row(cells, self.delimiter);
                let width = self.width.filter(|width| *width != cells.len());
                self.last_width_fault =
                    width.map(|width| format!("must have {width} columns, not {}", cells.len()));
                let fault = self.last_width_fault.as_ref().map(|fault| format!("the row {fault}"));
                Row { line, cells, fault }
            }
            Err(reason) => {
                self.last_width_fault = None;
                Row { line, cells: Vec::new(), fault: Some(reason) }
            }
        }
    }

    /// Returns `None` at the end of a complete file, and refuses a file that was cut off. A file
    /// was cut off if it ends inside a quoted cell, or if its last row has a wrong number of
    /// columns and no line end.
    fn end(&self, line: u64) -> Result<Option<Row>, Refused> {
        let meter = self.reader.get_ref();
        if meter.is_in_quotes() && (self.is_last_cell_multiline || !meter.is_at_line_end()) {
            let reason = "the file is cut off inside a quoted field; download it again";
            return Err(Refused::new(&self.name, line, reason));
        }
        match &self.last_width_fault {
            Some(fault) if !meter.is_at_line_end() => {
                let reason =
                    format!("the file is cut off: the last row {fault}; download it again");
                Err(Refused::new(&self.name, line, reason))
            }
            _ => Ok(None),
        }
    }
}

/// Returns whether a cell is blank. DOS ended text files with 0x1A, and OFAC's files still end with
/// this byte.
fn is_blank(cell: &[u8]) -> bool {
    cell.iter().all(|byte| matches!(byte, 0x1a | b' ' | b'\t' | b'\r'))
}

/// Unwraps a row that was quoted as a whole. Some copies of the EU's list have such rows: the CSV
/// reader returns them as one cell, and that cell contains the real row.
fn unwrap_quoted_row(cells: Vec<String>, delimiter: u8) -> Vec<String> {
    let [only] = cells.as_slice() else { return cells };
    if delimiter == b',' || !only.contains(char::from(delimiter)) {
        return cells;
    }
    let inner = only.trim_end_matches(['\t', ' ', ',']);
    let reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(inner.as_bytes());
    match reader.into_records().next() {
        Some(Ok(row)) => row.iter().map(str::to_owned).collect(),
        _ => cells,
    }
}

/// The column names of a CSV file.
pub(super) struct Header {
    /// Position of each column, by the name of the column in lower case.
    places: HashMap<String, usize>,
}

impl Header {
    /// Reads the names of the columns. Case and surrounding white space do not matter. If two
    /// columns have the same name, the first one is used.
    pub(super) fn new(cells: &[String]) -> Header {
        let mut places = HashMap::new();
        for (place, cell) in cells.iter().enumerate() {
            places.entry(cell.trim().to_ascii_lowercase()).or_insert(place);
        }
        Header { places }
    }

    /// Returns the name of the first column in lower case, or `None` if the header has no columns.
    pub(super) fn first(&self) -> Option<&str> {
        self.places.iter().find(|(_, place)| **place == 0).map(|(name, _)| name.as_str())
    }

    /// Returns whether there is a column with this name, which must be in lower case.
    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Returns the cell of `row` in the column `name`, which must be in lower case. Returns an
    /// empty string if the column or the cell does not exist.
    pub(super) fn cell<'r>(&self, row: &'r [String], name: &str) -> &'r str {
        let cell = self.places.get(name).and_then(|place| row.get(*place));
        cell.map_or("", String::as_str)
    }
}

/// A row whose cells are accessed by the names of their columns, in lower case.
pub(super) struct Columns<'r> {
    pub(super) header: &'r Header,
    pub(super) cells: &'r [String],
}

impl<'r> Columns<'r> {
    /// Returns the trimmed cell in a column, or an empty string if the column or the cell does not
    /// exist.
    pub(super) fn get(&self, name: &str) -> &'r str {
        self.header.cell(self.cells, name).trim()
    }
}
