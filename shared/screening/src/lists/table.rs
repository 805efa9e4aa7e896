//! CSV files, row by row.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::BufRead;

use csv::{ByteRecord, ErrorKind, Position, Reader, ReaderBuilder, Terminator};

use super::Refused;
use super::input::{MAX_HELD, Meter};
use super::sniff::{Source, unreadable};
use super::text::Encoding;

/// The rows of a CSV file.
pub(super) struct Table<'a> {
    name: String,
    reader: Reader<Meter<Box<dyn BufRead + 'a>>>,
    delimiter: u8,
    encoding: Encoding,
    record: ByteRecord,
    width: Option<usize>,
    /// What the last row lacked.
    fault: Option<String>,
    /// Whether it ended in a cell of several lines.
    long: bool,
}

/// A row, with the line on which it begins.
pub(super) struct Row {
    pub(super) line: u64,
    /// As far as they can be read.
    pub(super) cells: Vec<String>,
    /// Why the row can't be used, if it can't.
    pub(super) fault: Option<String>,
}

/// Remarks run over lines; nothing runs over more than this.
const MAX_LINES: u64 = 100;
/// Of a row whose columns do not add up, which is where a stray quote shows.
const MAX_LINES_FAULTY: u64 = 5;

impl<'a> Table<'a> {
    pub(super) fn new(source: Source<'a>, delimiter: u8, encoding: Encoding) -> Table<'a> {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            // `\r\n` as a terminator would leave the reader a line behind.
            .terminator(Terminator::Any(b'\n'))
            .from_reader(Meter::new(source.read, MAX_HELD));
        let (width, fault) = (None, None);
        let record = ByteRecord::new();
        Table { name: source.name, reader, delimiter, encoding, record, width, fault, long: false }
    }

    /// From here on rows of another width are bad.
    pub(super) fn columns(&mut self, width: usize) {
        self.width = Some(width);
    }

    /// The next row that is not empty.
    pub(super) fn next(&mut self) -> Result<Option<Row>, Refused> {
        loop {
            self.reader.get_mut().mark();
            let line = self.reader.position().line();
            let more = self.reader.read_byte_record(&mut self.record);
            let more = more.map_err(|error| {
                let why = match error.kind() {
                    ErrorKind::Io(error) => unreadable(error),
                    _ => format!("could not be read: {error}"),
                };
                Refused::new(&self.name, line, why)
            })?;
            if !more {
                return self.end(line);
            }
            // DOS ended text files with 0x1A, and OFAC still does.
            let ends =
                |cell: &[u8]| cell.iter().all(|byte| matches!(byte, 0x1a | b' ' | b'\t' | b'\r'));
            if !self.record.iter().all(ends) {
                let line = self.record.position().map_or(line, Position::line);
                let lines = self.reader.position().line().saturating_sub(line);
                let row = self.row(line);
                let most = if row.fault.is_some() { MAX_LINES_FAULTY } else { MAX_LINES };
                if lines > most {
                    let why = format!(
                        "has a row of {lines} lines: a quote that is not closed swallowed others"
                    );
                    return Err(Refused::new(&self.name, line, why));
                }
                return Ok(Some(row));
            }
        }
    }

    fn row(&mut self, line: u64) -> Row {
        let cells = self.record.iter().map(|cell| self.encoding.decode(cell).map(Cow::into_owned));
        let (cells, fault) = match cells.collect::<Result<Vec<String>, String>>() {
            Ok(mut cells) => {
                if let Some(last) = cells.last_mut().filter(|last| last.ends_with('\r')) {
                    last.pop();
                }
                (unwrapped(cells, self.delimiter), None)
            }
            Err(why) => (Vec::new(), Some(why)),
        };
        self.long = self.record.iter().next_back().is_some_and(|cell| cell.contains(&b'\n'));
        let wrong = self.width.filter(|width| fault.is_none() && *width != cells.len());
        self.fault = wrong.map(|width| format!("has {} columns instead of {width}", cells.len()));
        let fault = fault.or_else(|| self.fault.clone());
        Row { line, cells, fault }
    }

    /// A quote that is not closed, or a last row that lacks columns and its line end, tells of a file
    /// that was cut.
    fn end(&mut self, line: u64) -> Result<Option<Row>, Refused> {
        let reader = self.reader.get_ref();
        let why = match &self.fault {
            _ if reader.in_quotes() && (self.long || !reader.at_line_end()) => {
                Some("is cut off: it ends within a quoted field".to_owned())
            }
            _ if reader.at_line_end() => None,
            fault => fault.as_ref().map(|fault| format!("is cut off: its last row {fault}")),
        };
        why.map_or(Ok(None), |why| Err(Refused::new(&self.name, line, why)))
    }
}

/// Copies of the EU's list exist whose lines were quoted whole once more: such a line is one field,
/// and the row is within.
fn unwrapped(cells: Vec<String>, delimiter: u8) -> Vec<String> {
    let [only] = cells.as_slice() else { return cells };
    if delimiter == b',' || !only.contains(char::from(delimiter)) {
        return cells;
    }
    let within = only.trim_end_matches(['\t', ' ', ',']);
    let reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(within.as_bytes());
    let row = reader.into_records().next().and_then(Result::ok);
    row.map(|row| row.iter().map(str::to_owned).collect()).unwrap_or(cells)
}

/// Where the columns of a file with a header are.
pub(super) struct Header {
    places: HashMap<String, usize>,
}

impl Header {
    /// The first column of a name counts; names are compared without case and spaces around.
    pub(super) fn of(cells: &[String]) -> Header {
        let mut places = HashMap::new();
        for (place, cell) in cells.iter().enumerate() {
            places.entry(cell.trim().to_ascii_lowercase()).or_insert(place);
        }
        Header { places }
    }

    /// The name of the first column, in lower case.
    pub(super) fn first(&self) -> Option<&str> {
        self.places.iter().find(|(_, place)| **place == 0).map(|(name, _)| name.as_str())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// The cell below `name` (lower case), empty if there is none.
    pub(super) fn cell<'r>(&self, row: &'r [String], name: &str) -> &'r str {
        let cell = self.places.get(name).and_then(|place| row.get(*place));
        cell.map(String::as_str).unwrap_or_default()
    }
}
