//! List formats: files as their publishers make them, read into [`Entity`].
//!
//! A format is told from the content, never from a file's name. A record that can't be read is
//! reported with its position and left out; a file that can't be trusted (another format, cut
//! off, one record in twenty damaged, nothing in it) is refused whole, because a list that is
//! silently too short is the worst list there is. After a refusal, what was handed over before
//! it is to be thrown away.
//!
//! UN, EU XML, FollowTheMoney and plain lists are streamed. The other formats spread an entry over
//! files, sections or rows, so those are held until their end. No CSV may have more than a gigabyte.

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

use std::fmt;
use std::io::BufRead;

pub use identifiers::KINDS as IDENTIFIER_KINDS;
pub use report::{Counts, Report, Skipped, Unread};

use crate::entity::Entity;
use report::Tally;
use sniff::Source;

/// A file to read.
pub struct Input<'a> {
    /// The file's name, for messages.
    pub name: &'a str,
    pub read: Box<dyn BufRead + 'a>,
}

/// A format that can be read.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Format {
    /// OFAC's sdn.csv, with alt.csv, add.csv and sdn_comments.csv where they are there:
    /// <https://www.treasury.gov/ofac/downloads/dat_spec.txt>.
    OfacCsv,
    /// OFAC's SDN_ADVANCED.XML: <https://ofac.treasury.gov/sanctions-list-service>.
    OfacXml,
    /// The UN Security Council's list: <https://www.un.org/sc/resources/sc-sanctions.xsd>.
    UnXml,
    /// The EU's list, layout 1.1 and that of 2018: <https://webgate.ec.europa.eu/fsd/fsf>.
    EuCsv,
    /// The EU's list, schema 1.1: <https://webgate.ec.europa.eu/fsd/fsf>.
    EuXml,
    /// The UK's list: <https://www.gov.uk/government/publications/the-uk-sanctions-list>.
    UkCsv,
    /// FollowTheMoney entities, one a line: <https://followthemoney.tech/explorer/>.
    Ftm,
    /// A tenant's own list: [`plain`].
    Plain,
}

/// Why a file was refused whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub file: String,
    /// From 1, where the fault has a place.
    pub line: Option<u64>,
    pub why: String,
}

impl Refused {
    fn new(file: &str, line: impl Into<Option<u64>>, why: impl Into<String>) -> Refused {
        Refused { file: file.to_owned(), line: line.into(), why: why.into() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", _) => f.write_str(&self.why),
            (file, Some(line)) => write!(f, "{file}, line {line}: {}", self.why),
            (file, None) => write!(f, "{file}: {}", self.why),
        }
    }
}

impl std::error::Error for Refused {}

/// Reads the files of one list and hands over its entries, in the order of the list.
pub fn read(inputs: Vec<Input<'_>>, entity: &mut dyn FnMut(Entity)) -> Result<Report, Refused> {
    let sources = inputs.into_iter().map(sniff::recognise).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = sources.first() else {
        return Err(Refused::new("", None, "no file was given"));
    };
    let format = first.shape.format();
    if let Some(other) = sources.iter().find(|source| source.shape.format() != format) {
        let why = format!(
            "is {}, but {} is {}: one list is read from files of one format",
            other.shape.format().into_str(),
            first.name,
            format.into_str()
        );
        return Err(Refused::new(&other.name, None, why));
    }
    let name = first.name.clone();
    let mut tally = Tally::new(format, entity);
    match format {
        Format::OfacCsv => ofac_csv::read(sources, &mut tally)?,
        _ => {
            for source in sources {
                read_one(source, &mut tally)?;
            }
        }
    }
    tally.finish(&name)
}

fn read_one(source: Source<'_>, tally: &mut Tally<'_>) -> Result<(), Refused> {
    match source.shape.format() {
        Format::OfacCsv => ofac_csv::read(vec![source], tally),
        Format::OfacXml => ofac_xml::read(source, tally),
        Format::UnXml => un_xml::read(source, tally),
        Format::EuCsv => eu_csv::read(source, tally),
        Format::EuXml => eu_xml::read(source, tally),
        Format::UkCsv => uk_csv::read(source, tally),
        Format::Ftm => ftm::read(source, tally),
        Format::Plain => plain::read(source, tally),
    }
}
