//! Reads watchlist files in the formats of their publishers. Every reader produces [`Entity`]
//! values.
//!
//! The format is detected from the content, never from a file name. A record that cannot be read is
//! skipped and reported with its position. A file is refused as a whole if it is cut off,
//! malformed, too large, empty or in an unknown format. A list is also refused if at least three of
//! its records, and more than one in twenty, cannot be read. A list that is silently too short
//! would be worse than an error, because screening would continue without the lost names. When
//! [`read`] fails, discard the entities that it handed over before the error.
//!
//! UN XML, EU XML, FollowTheMoney and plain lists are streamed. The other formats spread an entry
//! over several files, sections or rows, so their entries are held in memory until the end of the
//! input. Every CSV file, and OFAC's XML file, may have at most one gibibyte.

pub mod countries;
pub mod dates;
mod entry;
mod eu_csv;
mod eu_xml;
mod ftm;
mod held;
mod identifiers;
mod input;
mod ofac_csv;
mod ofac_party;
mod ofac_remarks;
mod ofac_xml;
pub mod plain;
mod report;
mod sniff;
mod table;
mod text;
mod uk_csv;
mod un_xml;
mod xml;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, VariantNames};

use std::fmt;
use std::io::BufRead;

pub use identifiers::KINDS as IDENTIFIER_KINDS;
pub use report::{Counts, Report, SkippedRecord, UnreadableValue};

use crate::entity::Entity;
use report::Tally;
use sniff::Source;

/// A file to read.
pub struct Input<'a> {
    /// Name of the file. It appears in messages and does not affect the detected format.
    pub name: &'a str,
    /// Content of the file, uncompressed.
    pub read: Box<dyn BufRead + 'a>,
}

/// A list format that [`read`] supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[derive(Display, EnumString, VariantNames)]
#[strum(serialize_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Format {
    /// OFAC's sdn.csv, optionally with alt.csv, add.csv and sdn_comments.csv:
    /// <https://www.treasury.gov/ofac/downloads/dat_spec.txt>.
    OfacCsv,
    /// OFAC's SDN_ADVANCED.XML: <https://ofac.treasury.gov/sanctions-list-service>.
    OfacXml,
    /// The UN Security Council's list: <https://www.un.org/sc/resources/sc-sanctions.xsd>.
    UnXml,
    /// The EU's list as CSV, layout 1.1 or the layout of 2018:
    /// <https://webgate.ec.europa.eu/fsd/fsf>.
    EuCsv,
    /// The EU's list as XML, schema 1.1: <https://webgate.ec.europa.eu/fsd/fsf>.
    EuXml,
    /// The UK's list: <https://www.gov.uk/government/publications/the-uk-sanctions-list>.
    UkCsv,
    /// FollowTheMoney entities, one per line: <https://followthemoney.tech/explorer/>.
    Ftm,
    /// A tenant's own list, described in [`plain`].
    Plain,
}

/// The error of [`read`], which refuses a file as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Name of the file, or empty if the error does not concern a particular file.
    pub file: String,
    /// Line of the fault, counted from 1. `None` if the fault has no position.
    pub line: Option<u64>,
    /// The fault, and what the caller can do about it.
    pub reason: String,
}

impl Refused {
    fn new(file: &str, line: impl Into<Option<u64>>, reason: impl Into<String>) -> Refused {
        Refused { file: file.to_owned(), line: line.into(), reason: reason.into() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", _) => f.write_str(&self.reason),
            (file, Some(line)) => write!(f, "{file}, line {line}: {}", self.reason),
            (file, None) => write!(f, "{file}: {}", self.reason),
        }
    }
}

impl std::error::Error for Refused {}

/// Reads the files of one list and passes each entry to `entity`, in the order of the list. Returns
/// a report on the entries and on everything that could not be read.
///
/// # Errors
/// Returns [`Refused`] if `inputs` is empty, if the files have different formats, if a file cannot
/// be read, or if a file or the list is refused for a reason in the [module documentation](self).
/// Entries that were passed to `entity` before the error must then be discarded.
pub fn read(inputs: Vec<Input<'_>>, entity: &mut dyn FnMut(Entity)) -> Result<Report, Refused> {
    let sources = inputs.into_iter().map(sniff::recognise).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = sources.first() else {
        return Err(Refused::new("", None, "no file was given; pass at least one"));
    };
    let format = first.kind.format();
    if let Some(other) = sources.iter().find(|source| source.kind.format() != format) {
        let reason = format!(
            "the format is {}, but the format of {} is {}; import them as separate lists",
            other.kind.format(),
            first.name,
            format
        );
        return Err(Refused::new(&other.name, None, reason));
    }
    let first_name = first.name.clone();
    let mut tally = Tally::new(format, entity);
    match format {
        Format::OfacCsv => ofac_csv::read(sources, &mut tally)?,
        Format::OfacXml => read_each(sources, &mut tally, ofac_xml::read)?,
        Format::UnXml => read_each(sources, &mut tally, un_xml::read)?,
        Format::EuCsv => read_each(sources, &mut tally, eu_csv::read)?,
        Format::EuXml => read_each(sources, &mut tally, eu_xml::read)?,
        Format::UkCsv => read_each(sources, &mut tally, uk_csv::read)?,
        Format::Ftm => read_each(sources, &mut tally, ftm::read)?,
        Format::Plain => read_each(sources, &mut tally, plain::read)?,
    }
    tally.finish(&first_name)
}

/// Reads files one after the other, for a format whose files are independent.
fn read_each(
    sources: Vec<Source<'_>>,
    tally: &mut Tally<'_>,
    reader: fn(Source<'_>, &mut Tally<'_>) -> Result<(), Refused>,
) -> Result<(), Refused> {
    sources.into_iter().try_for_each(|source| reader(source, tally))
}
