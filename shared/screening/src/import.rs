//! From a list's files to an index of it.

use std::fmt;

use super::index::{Builder, Source, Unbuildable};
use super::lists::{self, Input, Refused, Report, dates};

/// A list that was read and built.
#[derive(Clone, Debug)]
pub struct Imported {
    /// An index file, for [`super::index::Index::open`].
    pub index: Vec<u8>,
    pub version: String,
    /// When it was published, as far as its files say so: `YYYY-MM-DD`.
    pub date: Option<String>,
    pub report: Report,
}

/// Why files did not become an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    Refused(Refused),
    Unbuildable(Unbuildable),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::Refused(refused) => refused.fmt(f),
            Failed::Unbuildable(unbuildable) => unbuildable.fmt(f),
        }
    }
}

impl std::error::Error for Failed {}

/// Reads the files of one list into an index. Without a `version` of its own the content names
/// it, so that files which say the same are the same version. `progress` is told how many
/// entries were read.
pub fn import(
    list: &str,
    version: Option<&str>,
    files: Vec<Input<'_>>,
    mut progress: impl FnMut(u64),
) -> Result<Imported, Failed> {
    let mut builder = Builder::default();
    let mut added = Ok(());
    let mut read = 0;
    let report = lists::read(files, &mut |entity| {
        if added.is_ok() {
            added = builder.add(&entity);
        }
        read += 1;
        progress(read);
    })
    .map_err(Failed::Refused)?;
    added.map_err(Failed::Unbuildable)?;
    let version = version.map_or_else(|| builder.content(), str::to_owned);
    let date = report.published.as_deref().and_then(dates::parse).and_then(|date| {
        let (month, day) = date.month.zip(date.day)?;
        Some(format!("{:04}-{month:02}-{day:02}", date.year))
    });
    let source = Source { list, version: &version, date: date.as_deref() };
    let index = builder.finish(source).map_err(Failed::Unbuildable)?;
    Ok(Imported { index, version, date, report })
}
