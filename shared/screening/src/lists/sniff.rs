//! Detects the format of a file from its first bytes.

use std::io::{self, BufRead, Cursor, Read};

use csv::{ReaderBuilder, StringRecord};
use strum::VariantNames;

use super::{Format, Input, Refused};

/// Number of bytes at the start of a file that are examined.
const HEAD_BYTES: u64 = 16 * 1024;

/// Kind of a file: its format, and its role if the format consists of several files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Ofac(OfacFile),
    Other(Format),
}

/// A file of OFAC's CSV set. The files have no header and differ in their numbers of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum OfacFile {
    Sdn,
    Alt,
    Add,
    Comments,
}

impl FileKind {
    pub(super) fn format(self) -> Format {
        match self {
            FileKind::Ofac(_) => Format::OfacCsv,
            FileKind::Other(format) => format,
        }
    }
}

impl OfacFile {
    const ALL: [OfacFile; 4] = [OfacFile::Sdn, OfacFile::Alt, OfacFile::Add, OfacFile::Comments];

    /// Returns the name under which OFAC publishes the file.
    pub(super) fn name(self) -> &'static str {
        match self {
            OfacFile::Sdn => "sdn.csv",
            OfacFile::Alt => "alt.csv",
            OfacFile::Add => "add.csv",
            OfacFile::Comments => "sdn_comments.csv",
        }
    }

    /// Returns the number of columns that every row of the file has.
    pub(super) fn width(self) -> usize {
        match self {
            OfacFile::Sdn => 12,
            OfacFile::Alt => 5,
            OfacFile::Add => 6,
            OfacFile::Comments => 2,
        }
    }
}

/// A file whose format was recognised.
pub(super) struct Source<'a> {
    pub(super) name: String,
    pub(super) kind: FileKind,
    /// Content of the file without a byte order mark.
    pub(super) read: Box<dyn BufRead + 'a>,
}

/// Detects the format of a file. Refuses a file in an unknown format.
pub(super) fn recognise(input: Input<'_>) -> Result<Source<'_>, Refused> {
    let Input { name, mut read } = input;
    let mut head = Vec::new();
    read.by_ref()
        .take(HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(|error| Refused::new(name, None, read_error(&error)))?;
    if head.starts_with(b"\xef\xbb\xbf") {
        head.drain(..3);
    }
    let kind = file_kind(&head).map_err(|reason| Refused::new(name, None, reason))?;
    Ok(Source { name: name.to_owned(), kind, read: Box::new(Cursor::new(head).chain(read)) })
}

/// Returns the reason to refuse a file that cannot be read.
pub(super) fn read_error(error: &io::Error) -> String {
    format!("the file cannot be read: {error}")
}

/// Reason for the refusal of an XML file with a document type. The entities in a document type
/// could expand without limit, and the supported formats do not use document types.
pub(super) const DOCTYPE: &str =
    "the file has a DOCTYPE, which is not supported; check that it is a watchlist";

fn file_kind(head: &[u8]) -> Result<FileKind, String> {
    let compressed: [&[u8]; 4] = [b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"BZh"];
    if compressed.iter().any(|magic| head.starts_with(magic)) {
        return Err("the file is compressed; decompress it first".to_owned());
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err("the file is UTF-16; convert it to UTF-8".to_owned());
    }
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start();
    if text.is_empty() {
        return Err("the file is empty; download it again".to_owned());
    }
    if text.starts_with('<') {
        return xml_kind(text);
    }
    if text.starts_with('{') {
        return Ok(FileKind::Other(Format::Ftm));
    }
    csv_kind(text)
}

/// Detects an XML format from the root element.
fn xml_kind(text: &str) -> Result<FileKind, String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let end = match rest {
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ => break,
        };
        rest = rest.split_once(end).map_or("", |(_, rest)| rest);
    }
    if rest.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("<!doctype")) {
        return Err(DOCTYPE.to_owned());
    }
    let tag = rest.strip_prefix('<').unwrap_or_default();
    let ends_name = |c: char| c.is_whitespace() || matches!(c, '>' | '/');
    let name = tag.split(ends_name).next().unwrap_or_default();
    match name.rsplit(':').next().unwrap_or_default() {
        "Sanctions" => Ok(FileKind::Other(Format::OfacXml)),
        "CONSOLIDATED_LIST" => Ok(FileKind::Other(Format::UnXml)),
        "export" => Ok(FileKind::Other(Format::EuXml)),
        "sdnList" => {
            Err("OFAC's older XML format is not supported; use SDN_ADVANCED.XML or the CSV files"
                .to_owned())
        }
        "html" | "HTML" => {
            Err("the file is a web page, not a watchlist; check the download address".to_owned())
        }
        _ => Err(unknown_format()),
    }
}

/// Detects a CSV format from the first two rows.
fn csv_kind(text: &str) -> Result<FileKind, String> {
    let line = text.lines().next().unwrap_or_default().to_ascii_lowercase();
    if line.contains(';') && line.contains("entity_logical") {
        return Ok(FileKind::Other(Format::EuCsv));
    }
    let mut rows = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
        .into_records();
    // A row that cannot be read is treated as an empty row.
    let mut next_row = || rows.next().and_then(Result::ok).unwrap_or_default();
    let first = next_row();
    let start = first.get(0).unwrap_or_default().trim();
    if !start.is_empty() && start.bytes().all(|byte| byte.is_ascii_digit()) {
        let file = OfacFile::ALL.into_iter().find(|file| file.width() == first.len());
        return file.map(FileKind::Ofac).ok_or_else(|| {
            format!(
                "the file begins like one of OFAC's CSV files but has {} columns; \
                 use the files as published",
                first.len()
            )
        });
    }
    if has_column(&first, "Unique ID") || has_column(&next_row(), "Unique ID") {
        return Ok(FileKind::Other(Format::UkCsv));
    }
    if line.starts_with("last updated") && text.contains("Group ID") {
        return Err("OFSI's former consolidated list is not supported; use the UK Sanctions List"
            .to_owned());
    }
    if has_column(&first, "name") {
        return Ok(FileKind::Other(Format::Plain));
    }
    if line.trim_start_matches('"').starts_with("name;") || line.contains(";name") {
        return Err("the columns are separated by semicolons; separate them by commas".to_owned());
    }
    Err(unknown_format())
}

fn has_column(header: &StringRecord, name: &str) -> bool {
    header.iter().any(|cell| cell.trim().eq_ignore_ascii_case(name))
}

fn unknown_format() -> String {
    format!(
        "the format is not recognised; the supported formats are {}",
        Format::VARIANTS.join(", ")
    )
}
