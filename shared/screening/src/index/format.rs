//! The layout of an index file: a header, a table of sections, the sections one after another.
//! Every byte is under a checksum, and all numbers are little-endian.

use std::fmt;
use std::ops::Range;

use crate::score::MODEL_VERSION;

/// Moves when a section changes its shape.
pub const FORMAT_VERSION: u32 = 1;

const MAGIC: [u8; 8] = *b"kyc-list";
const SECTIONS: usize = 12;
/// Magic, format, model, length of the file.
const FIXED: usize = 8 + 4 + 4 + 8;
/// Of each section the offset, the length and the checksum; behind the table its own checksum.
const ENTRY: usize = 8 + 8 + 4;
const HEADER: usize = FIXED + SECTIONS * ENTRY + 4;

/// The sections, in the order in which they lie in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// What list this is: [`super::Meta`], postcard.
    Meta,
    /// Of each token 13 bytes, sorted by text: offset, lengths, class, origin, variant, letters.
    Tokens,
    /// The letters of each token, its skeleton behind them.
    TokenBytes,
    /// Where the keys of each range of hashes begin.
    KeyBuckets,
    /// Hash and token, 8 bytes, sorted.
    Keys,
    /// Where the names of each token begin.
    PostingOffsets,
    /// Names, ascending within a token.
    Postings,
    /// Where the tokens of each name begin.
    NameOffsets,
    NameTokens,
    /// Of each name 16 bytes: entity, place among its names, kind and initials (in the
    /// two low and six high bits of a byte), significant tokens, weights.
    Names,
    /// Of each entity 24 bytes: where it lies in the payload, and its two hashes.
    Entities,
    /// Entities, postcard; then hash and entity of each identifier, 12 bytes, sorted.
    Payload,
}

/// Why a file is no index that this program can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not an index file at all.
    Foreign,
    /// Built by a program with another file format.
    Format { file: u32, program: u32 },
    /// Built for another version of the matching model: scores would not be comparable.
    Model { file: u32, program: u32 },
    /// Shorter or longer than it says.
    Length { file: u64, says: u64 },
    /// A checksum does not hold.
    Damaged { section: String },
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Foreign => write!(f, "this is no watchlist index"),
            Refused::Format { file, program } => write!(
                f,
                "the index has format {file}, this program reads {program}: build it again"
            ),
            Refused::Model { file, program } => write!(
                f,
                "the index is for matching model {file}, this program has {program}: build it again"
            ),
            Refused::Length { file, says } => {
                write!(f, "the index is damaged: {file} bytes long, and should be {says}")
            }
            Refused::Damaged { section } => {
                write!(f, "the index is damaged: the checksum of its {section} does not hold")
            }
        }
    }
}

impl std::error::Error for Refused {}

/// Puts a file together; `sections` in the order of [`Section`].
pub(super) fn write(sections: &[Vec<u8>; SECTIONS]) -> Vec<u8> {
    let total = HEADER + sections.iter().map(Vec::len).sum::<usize>();
    let mut file = Vec::with_capacity(total);
    file.extend_from_slice(&MAGIC);
    file.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    file.extend_from_slice(&MODEL_VERSION.to_le_bytes());
    file.extend_from_slice(&(total as u64).to_le_bytes());
    let mut offset = HEADER;
    for section in sections {
        file.extend_from_slice(&(offset as u64).to_le_bytes());
        file.extend_from_slice(&(section.len() as u64).to_le_bytes());
        file.extend_from_slice(&crc32fast::hash(section).to_le_bytes());
        offset += section.len();
    }
    file.extend_from_slice(&crc32fast::hash(&file).to_le_bytes());
    for section in sections {
        file.extend_from_slice(section);
    }
    file
}

/// Where the sections of a file lie, once all of it was found to be whole.
#[derive(Clone, Debug)]
pub(super) struct Layout([Range<usize>; SECTIONS]);

impl Layout {
    pub(super) fn read(file: &[u8]) -> Result<Layout, Refused> {
        let (layout, model) = Layout::of_any_model(file)?;
        match model == MODEL_VERSION {
            true => Ok(layout),
            false => Err(Refused::Model { file: model, program: MODEL_VERSION }),
        }
    }

    /// Also of a file that was built for another matching model, with that model.
    pub(super) fn of_any_model(file: &[u8]) -> Result<(Layout, u32), Refused> {
        if !file.starts_with(&MAGIC) {
            return Err(Refused::Foreign);
        }
        let damaged = |section: &str| Refused::Damaged { section: section.to_owned() };
        let (header, _) = file.split_at_checked(HEADER).ok_or_else(|| damaged("header"))?;
        let (format, model) = (number4(header, 8), number4(header, 12));
        if format != FORMAT_VERSION {
            return Err(Refused::Format { file: format, program: FORMAT_VERSION });
        }
        let (said, sum) = header.split_at_checked(HEADER - 4).ok_or_else(|| damaged("header"))?;
        if crc32fast::hash(said) != number4(sum, 0) {
            return Err(damaged("header"));
        }
        let says = number8(header, 16);
        if says != file.len() as u64 {
            return Err(Refused::Length { file: file.len() as u64, says });
        }
        let mut ranges: [Range<usize>; SECTIONS] = Default::default();
        let mut next = HEADER;
        for (place, range) in ranges.iter_mut().enumerate() {
            let entry = FIXED + place * ENTRY;
            let name = || damaged(&format!("section {place}"));
            let offset = usize::try_from(number8(header, entry)).map_err(|_| name())?;
            let length = usize::try_from(number8(header, entry + 8)).map_err(|_| name())?;
            let end = offset.checked_add(length).filter(|_| offset == next).ok_or_else(name)?;
            let bytes = file.get(offset..end).ok_or_else(name)?;
            if crc32fast::hash(bytes) != number4(header, entry + 16) {
                return Err(name());
            }
            *range = offset..end;
            next = end;
        }
        if next == file.len() { Ok((Layout(ranges), model)) } else { Err(damaged("table")) }
    }

    pub(super) fn section<'a>(&self, file: &'a [u8], section: Section) -> &'a [u8] {
        let range = self.0.get(section as usize).cloned().unwrap_or_default();
        file.get(range).unwrap_or_default()
    }
}

/// Four bytes as a number; 0 behind the end, which a checked file never reaches.
pub(super) fn number4(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..).and_then(<[u8]>::first_chunk);
    four.copied().map_or(0, u32::from_le_bytes)
}

pub(super) fn number8(bytes: &[u8], at: usize) -> u64 {
    let eight = bytes.get(at..).and_then(<[u8]>::first_chunk);
    eight.copied().map_or(0, u64::from_le_bytes)
}

/// A section of four-byte numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers<'a>(&'a [[u8; 4]]);

impl<'a> Numbers<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Numbers<'a> {
        Numbers(bytes.as_chunks().0)
    }

    pub(super) fn len(self) -> usize {
        self.0.len()
    }

    pub(super) fn get(self, place: usize) -> u32 {
        self.0.get(place).copied().map_or(0, u32::from_le_bytes)
    }

    /// The numbers between two entries of a table of offsets.
    pub(super) fn between(self, offsets: Numbers<'_>, place: usize) -> Numbers<'a> {
        let (from, to) = (offsets.get(place) as usize, offsets.get(place + 1) as usize);
        Numbers(self.0.get(from..to).unwrap_or_default())
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u32> + 'a {
        self.0.iter().map(|number| u32::from_le_bytes(*number))
    }

    pub(super) fn contains(self, number: u32) -> bool {
        self.0.binary_search_by_key(&number, |bytes| u32::from_le_bytes(*bytes)).is_ok()
    }
}
