//! Which format a file is, told from its first bytes.

use std::io::{self, BufRead, Cursor, Read};

use super::{Format, Input, Refused};

/// How much of a file is looked at.
const HEAD: u64 = 16 * 1024;

/// A format, and for OFAC's CSV set which of its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Sdn,
    Alt,
    Add,
    Comments,
    Other(Format),
}

impl Shape {
    pub(super) fn format(self) -> Format {
        match self {
            Shape::Other(format) => format,
            Shape::Sdn | Shape::Alt | Shape::Add | Shape::Comments => Format::OfacCsv,
        }
    }
}

/// A file that was recognised.
pub(super) struct Source<'a> {
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) read: Box<dyn BufRead + 'a>,
}

pub(super) fn recognise(input: Input<'_>) -> Result<Source<'_>, Refused> {
    let Input { name, mut read } = input;
    let mut head = Vec::new();
    let taken = read.by_ref().take(HEAD).read_to_end(&mut head);
    taken.map_err(|error| Refused::new(name, None, unreadable(&error)))?;
    if head.starts_with(b"\xef\xbb\xbf") {
        head.drain(..3);
    }
    let shape = shape(&head).map_err(|why| Refused::new(name, None, why))?;
    Ok(Source { name: name.to_owned(), shape, read: Box::new(Cursor::new(head).chain(read)) })
}

pub(super) fn unreadable(error: &io::Error) -> String {
    format!("could not be read: {error}")
}

fn shape(head: &[u8]) -> Result<Shape, String> {
    let compressed: [&[u8]; 4] = [b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"BZh"];
    if compressed.iter().any(|magic| head.starts_with(magic)) {
        return Err("is compressed; unpack it first".to_owned());
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err("is UTF-16; UTF-8 is read".to_owned());
    }
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start();
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if text.starts_with('<') {
        return xml(text);
    }
    if text.starts_with('{') {
        return Ok(Shape::Other(Format::Ftm));
    }
    csv(text)
}

fn xml(text: &str) -> Result<Shape, String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let end = match rest {
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ => break,
        };
        rest = rest.split_once(end).map(|(_, rest)| rest).unwrap_or_default();
    }
    if rest.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype")) {
        return Err("has a DOCTYPE; no list has one".to_owned());
    }
    let name = rest.strip_prefix('<').unwrap_or_default();
    let name = name.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next();
    let name = name.unwrap_or_default();
    match name.rsplit(':').next().unwrap_or_default() {
        "Sanctions" => Ok(Shape::Other(Format::OfacXml)),
        "CONSOLIDATED_LIST" => Ok(Shape::Other(Format::UnXml)),
        "export" => Ok(Shape::Other(Format::EuXml)),
        "sdnList" => Err("is OFAC's older XML; take SDN_ADVANCED.XML or the CSV files".to_owned()),
        "html" | "HTML" => Err("is a web page".to_owned()),
        _ => Err("is XML of no format that is known".to_owned()),
    }
}

fn csv(text: &str) -> Result<Shape, String> {
    let unknown = || "is of no format that is known".to_owned();
    let line = text.lines().next().unwrap_or_default().to_ascii_lowercase();
    if line.contains(';') && line.contains("entity_logical") {
        return Ok(Shape::Other(Format::EuCsv));
    }
    let mut rows = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
        .into_records()
        .take(2);
    let mut row = || rows.next().and_then(Result::ok).unwrap_or_default();
    let first = row();
    let cell = |row: &::csv::StringRecord, name: &str| {
        row.iter().any(|cell| cell.trim().eq_ignore_ascii_case(name))
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let start = first.get(0).unwrap_or_default().trim();
    if number(start) {
        return match first.len() {
            12 => Ok(Shape::Sdn),
            5 => Ok(Shape::Alt),
            6 => Ok(Shape::Add),
            2 => Ok(Shape::Comments),
            many => Err(format!("begins like one of OFAC's CSV files, but has {many} columns")),
        };
    }
    if cell(&first, "Unique ID") || cell(&row(), "Unique ID") {
        return Ok(Shape::Other(Format::UkCsv));
    }
    if line.starts_with("last updated") && text.contains("Group ID") {
        return Err("is OFSI's former consolidated list; take the UK Sanctions List".to_owned());
    }
    if cell(&first, "name") {
        return Ok(Shape::Other(Format::Plain));
    }
    if line.trim_start_matches('"').starts_with("name;") || line.contains(";name") {
        return Err("is separated by semicolons; a plain list is separated by commas".to_owned());
    }
    Err(unknown())
}
