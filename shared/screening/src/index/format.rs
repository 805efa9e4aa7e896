//! The layout of an index file.
//!
//! A file consists of a header, a table of sections and the sections themselves, without gaps.
//! Checksums cover every byte. All numbers are little-endian.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::score::{MODEL_VERSION, bare};

/// Version of the file format. Increase this number when the layout of a section changes.
pub const FORMAT_VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"kyc-list";
const SECTIONS: usize = Section::Payload as usize + 1;
/// Length in bytes of the fields before the table: magic, format version, model version, file
/// length.
const PREAMBLE: usize = 8 + 4 + 4 + 8;
/// Length in bytes of a table entry: offset, length and CRC-32 of a section.
const TABLE_ENTRY: usize = 8 + 8 + 4;
/// Length in bytes of a record of [`Section::Tokens`].
pub(super) const TOKEN: usize = 13;
/// Length in bytes of a record of [`Section::Names`].
pub(super) const NAME: usize = 16;
/// Length in bytes of a record of [`Section::Entities`].
pub(super) const ENTITY: usize = 24;
/// Length in bytes of the header: the preamble, the table, and the CRC-32 of both.
pub(super) const HEADER: usize = PREAMBLE + SECTIONS * TABLE_ENTRY + 4;

/// The sections, in their order in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// [`Meta`], encoded with postcard.
    Meta,
    /// 13 bytes per token, sorted by text: offset in `TokenBytes` (4), length of the text (1),
    /// length of the skeleton (1), class (1), origin (1), variant group (1), letters (4).
    Tokens,
    /// The text of each token, followed by its skeleton.
    TokenBytes,
    /// Position in `Keys` of the first key of each bucket, then the number of all keys (4 bytes
    /// each).
    KeyBuckets,
    /// 8 bytes per key, sorted: the key (4) and the number of a token that has the key (4).
    Keys,
    /// Position in `Postings` of the first name of each token, then the number of all postings (4
    /// bytes each).
    PostingOffsets,
    /// Numbers of the names that have each token, in ascending order (4 bytes each).
    Postings,
    /// Position in `NameTokens` of the first token of each name, then the number of all entries (4
    /// bytes each).
    NameOffsets,
    /// Numbers of the tokens of each name, in the order of the name (4 bytes each).
    NameTokens,
    /// 16 bytes per name: entity (4), position among the names of the entity (2), kind in the two
    /// low bits and number of initials in the six high bits (1), number of significant tokens
    /// (1), searchable weight (4), minor weight (4).
    Names,
    /// 24 bytes per entity: offset in `Payload` (4), length (4), [`EntityHashes`] (8 and 8).
    Entities,
    /// The entities, encoded with postcard, and then the identifiers. An identifier takes 12 bytes:
    /// the hash of its value (8) and the number of an entity that has it (4). The identifiers are
    /// sorted.
    Payload,
}

/// Description of the list that an index was built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Name of the list, such as `ofac-sdn`.
    pub list: String,
    /// Version of the list.
    pub version: String,
    /// Publication date, `YYYY-MM-DD`, if it is known.
    pub date: Option<String>,
    /// Number of entities.
    pub entities: u32,
    /// Number of names of all entities together.
    pub names: u32,
    /// Number of entities by [`EntityKind`](crate::entity::EntityKind), such as `person`.
    pub kinds: BTreeMap<String, u32>,
    /// Length in bytes of the entities in [`Section::Payload`]. The identifiers follow them.
    pub(super) payload: u64,
}

/// Hashes of two views of an entity: the first eight bytes of their SHA-256. The order of names,
/// dates and other values does not affect the hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntityHashes {
    /// Hash of the fields that can change a score or its explanation.
    pub scored: u64,
    /// Hash of all fields.
    pub all: u64,
}

/// The reason why a file cannot be opened as an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The file is not an index.
    Foreign,
    /// The file has another format version.
    Format {
        /// Format version of the file.
        file: u32,
        /// Format version that this program reads.
        program: u32,
    },
    /// The file was built for another version of the matching model, so its scores would not be
    /// comparable.
    Model {
        /// Model version of the file.
        file: u32,
        /// Model version of this program.
        program: u32,
    },
    /// The file is shorter or longer than its header states.
    Length {
        /// Length of the file in bytes.
        actual: u64,
        /// Length in the header, in bytes.
        expected: u64,
    },
    /// A part of the file does not match its checksum, or its content is not valid.
    Damaged {
        /// Name of the damaged part.
        section: String,
    },
}

impl OpenError {
    pub(super) fn damaged(section: impl Into<String>) -> OpenError {
        OpenError::Damaged { section: section.into() }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Foreign => write!(f, "the file is not a watchlist index"),
            OpenError::Format { file, program } => write!(
                f,
                "the index has format {file}, but this program reads format {program}; \
                 rebuild the index"
            ),
            OpenError::Model { file, program } => write!(
                f,
                "the index is for matching model {file}, but this program uses model {program}; \
                 rebuild the index"
            ),
            OpenError::Length { actual, expected } => write!(
                f,
                "the index is damaged: it has {actual} bytes instead of {expected}; \
                 rebuild or copy it again"
            ),
            OpenError::Damaged { section } => write!(
                f,
                "the index is damaged: its {section} is not valid; rebuild or copy it again"
            ),
        }
    }
}

impl std::error::Error for OpenError {}

/// The sections of a file that is being built.
#[derive(Default)]
pub(super) struct Sections([Vec<u8>; SECTIONS]);

impl Sections {
    /// Appends bytes to a section.
    #[expect(clippy::indexing_slicing, reason = "there is one buffer per variant of `Section`")]
    pub(super) fn push(&mut self, section: Section, bytes: &[u8]) {
        self.0[section as usize].extend_from_slice(bytes);
    }

    /// Returns the bytes of a section.
    #[expect(clippy::indexing_slicing, reason = "there is one buffer per variant of `Section`")]
    pub(super) fn get(&self, section: Section) -> &[u8] {
        &self.0[section as usize]
    }

    /// Returns the complete file: header, table of sections, and sections.
    pub(super) fn into_file(self) -> Vec<u8> {
        let total = HEADER + self.0.iter().map(Vec::len).sum::<usize>();
        let mut file = Vec::with_capacity(total);
        file.extend_from_slice(&MAGIC);
        file.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        file.extend_from_slice(&MODEL_VERSION.to_le_bytes());
        file.extend_from_slice(&(total as u64).to_le_bytes());
        let mut offset = HEADER;
        for section in &self.0 {
            file.extend_from_slice(&(offset as u64).to_le_bytes());
            file.extend_from_slice(&(section.len() as u64).to_le_bytes());
            file.extend_from_slice(&crc32fast::hash(section).to_le_bytes());
            offset += section.len();
        }
        file.extend_from_slice(&crc32fast::hash(&file).to_le_bytes());
        // Each section is dropped after it is copied, so that the file and its sections are not in
        // memory twice.
        for section in self.0 {
            file.extend_from_slice(&section);
        }
        file
    }
}

/// The byte ranges of the sections of a file whose checksums are valid.
#[derive(Clone, Debug)]
pub(super) struct Layout([Range<usize>; SECTIONS]);

impl Layout {
    /// Checks a file and returns its layout. Refuses a file of another matching model.
    pub(super) fn read(file: &[u8]) -> Result<Layout, OpenError> {
        let (layout, model) = Layout::read_any_model(file)?;
        if model == MODEL_VERSION {
            Ok(layout)
        } else {
            Err(OpenError::Model { file: model, program: MODEL_VERSION })
        }
    }

    /// Checks a file that may have been built for another matching model. Returns its layout and
    /// its model version.
    pub(super) fn read_any_model(file: &[u8]) -> Result<(Layout, u32), OpenError> {
        if !file.starts_with(&MAGIC) {
            return Err(OpenError::Foreign);
        }
        let header: &[u8; HEADER] =
            file.first_chunk().ok_or_else(|| OpenError::damaged("header"))?;
        let (format, model) = (read_u32(header, 8), read_u32(header, 12));
        if format != FORMAT_VERSION {
            return Err(OpenError::Format { file: format, program: FORMAT_VERSION });
        }
        let (covered, _) = header.split_at(HEADER - 4);
        if crc32fast::hash(covered) != read_u32(header, HEADER - 4) {
            return Err(OpenError::damaged("header"));
        }
        let (actual, expected) = (file.len() as u64, read_u64(header, 16));
        if actual != expected {
            return Err(OpenError::Length { actual, expected });
        }
        let mut ranges: [Range<usize>; SECTIONS] = Default::default();
        let mut next = HEADER;
        for (number, range) in ranges.iter_mut().enumerate() {
            let damaged = || OpenError::damaged(format!("section {number}"));
            let entry = PREAMBLE + number * TABLE_ENTRY;
            let offset = usize::try_from(read_u64(header, entry)).map_err(|_| damaged())?;
            let length = usize::try_from(read_u64(header, entry + 8)).map_err(|_| damaged())?;
            let end = offset.checked_add(length).filter(|_| offset == next).ok_or_else(damaged)?;
            let bytes = file.get(offset..end).ok_or_else(damaged)?;
            if crc32fast::hash(bytes) != read_u32(header, entry + 16) {
                return Err(damaged());
            }
            *range = offset..end;
            next = end;
        }
        if next == file.len() {
            Ok((Layout(ranges), model))
        } else {
            Err(OpenError::damaged("table of sections"))
        }
    }

    /// Returns the bytes of a section of the file that this layout was read from.
    #[expect(
        clippy::indexing_slicing,
        reason = "there is one range per variant of `Section`, and each was checked to lie in the file"
    )]
    pub(super) fn section<'a>(&self, file: &'a [u8], section: Section) -> &'a [u8] {
        &file[self.0[section as usize].clone()]
    }
}

/// Reads the `u32` at a byte offset of a fixed-size record.
#[inline]
#[expect(clippy::expect_used, reason = "callers pass offsets of fields of the record")]
pub(super) fn read_u32<const N: usize>(record: &[u8; N], offset: usize) -> u32 {
    let bytes = record.get(offset..).and_then(<[u8]>::first_chunk);
    u32::from_le_bytes(*bytes.expect("the field lies within the record"))
}

/// Reads the `u64` at a byte offset of a fixed-size record.
#[inline]
#[expect(clippy::expect_used, reason = "callers pass offsets of fields of the record")]
pub(super) fn read_u64<const N: usize>(record: &[u8; N], offset: usize) -> u64 {
    let bytes = record.get(offset..).and_then(<[u8]>::first_chunk);
    u64::from_le_bytes(*bytes.expect("the field lies within the record"))
}

/// A section of `u32` numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers<'a>(&'a [[u8; 4]]);

impl<'a> Numbers<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Numbers<'a> {
        Numbers(bytes.as_chunks().0)
    }

    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    pub(super) fn get(self, position: usize) -> Option<u32> {
        self.0.get(position).copied().map(u32::from_le_bytes)
    }

    /// Returns the range from the offset at `position` to the next one, if both exist.
    pub(super) fn range(self, position: usize) -> Option<Range<usize>> {
        let (from, to) = self.get(position).zip(self.get(position + 1))?;
        Some(from as usize..to as usize)
    }

    /// Returns the numbers that the table `offsets` assigns to `position`. The result is empty
    /// if the file does not hold them, see [`View`](super::view::View).
    pub(super) fn slice(self, offsets: Numbers<'_>, position: usize) -> Numbers<'a> {
        let numbers = offsets.range(position).and_then(|range| self.0.get(range));
        Numbers(numbers.unwrap_or_default())
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u32> + 'a {
        self.0.iter().map(|number| u32::from_le_bytes(*number))
    }

    /// Returns whether the numbers contain `number`. The numbers must be in ascending order.
    pub(super) fn contains(self, number: u32) -> bool {
        self.0.binary_search_by_key(&number, |bytes| u32::from_le_bytes(*bytes)).is_ok()
    }
}

/// Returns the hash under which an identifier is stored. The hash covers the first 200 letters and
/// digits of the identifier, in upper case.
pub(super) fn identifier_hash(value: &str) -> u64 {
    digest(bare(value).as_bytes())
}

/// Returns the first eight bytes of SHA-256 as a little-endian number.
pub(super) fn digest(bytes: &[u8]) -> u64 {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
