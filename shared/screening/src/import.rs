//! Imports the files of a list into an index.

use std::fmt;

use super::index::{BuildError, Builder, Source};
use super::lists::{self, Input, Refused, Report, dates};

/// The result of [`import`]: the index of a list and a report on its files.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The index file, see [`Index::open`](super::index::Index::open).
    pub index: Vec<u8>,
    /// Version of the list, as given to [`import`] or generated from the entries.
    pub version: String,
    /// Publication date, `YYYY-MM-DD`, if the files state a date with a month and a day.
    pub date: Option<String>,
    /// Counts of the values that were read, and lists of the records and values that could not be
    /// read.
    pub report: Report,
}

/// The reason why files cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportError {
    /// A file cannot be read as a list.
    Refused(Refused),
    /// The entries cannot be built into an index.
    Build(BuildError),
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImportError::Refused(error) => error.fmt(f),
            ImportError::Build(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ImportError {}

/// Reads the files of one list and builds an index of them. If `version` is `None`, a hash of the
/// entries becomes the version, so that files with the same content have the same version.
/// `progress` is called after each entry with the number of entries read so far.
///
/// # Errors
/// Returns an [`ImportError`] if a file cannot be read as a list, or if the entries cannot be built
/// into an index, for example because two of them have the same id.
pub fn import(
    list: &str,
    version: Option<&str>,
    files: Vec<Input<'_>>,
    progress: impl FnMut(u64),
) -> Result<Imported, ImportError> {
    import_entries(list, version, files, u64::MAX, progress)
}

/// Imports files like [`import`], but stops building an index when the index exceeds `max_bytes`.
///
/// # Errors
/// Returns an [`ImportError`] like [`import`], and [`BuildError::OverLimit`] for too large an index.
pub fn import_within(
    max_bytes: u64,
    list: &str,
    files: Vec<Input<'_>>,
) -> Result<Imported, ImportError> {
    import_entries(list, None, files, max_bytes, |_| ())
}

fn import_entries(
    list: &str,
    version: Option<&str>,
    files: Vec<Input<'_>>,
    max_bytes: u64,
    mut progress: impl FnMut(u64),
) -> Result<Imported, ImportError> {
    let mut builder = Builder::default();
    let mut build_result = Ok(());
    let mut count = 0;
    let report = lists::read(files, &mut |entity| {
        if build_result.is_ok() {
            build_result = builder.add(&entity);
            if build_result.is_ok() && builder.size() > max_bytes {
                build_result = Err(BuildError::OverLimit { limit: max_bytes });
                builder = Builder::default();
            }
        }
        count += 1;
        progress(count);
    })
    .map_err(ImportError::Refused)?;
    build_result.map_err(ImportError::Build)?;
    let version = version.map_or_else(|| builder.content(), str::to_owned);
    let date = report.published.as_deref().and_then(full_date);
    let source = Source { list, version: &version, date: date.as_deref() };
    let index = builder.finish(source).map_err(ImportError::Build)?;
    Ok(Imported { index, version, date, report })
}

/// Converts a publication date to `YYYY-MM-DD`. Returns `None` if the text is not a date with a
/// month and a day.
fn full_date(text: &str) -> Option<String> {
    let date = dates::parse(text)?;
    let (month, day) = date.month.zip(date.day)?;
    Some(format!("{:04}-{month:02}-{day:02}", date.year))
}
