//! Builds index files from entities.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use sha2::{Digest, Sha256};

use super::format::{Meta, Section, Sections, digest, identifier_hash};
use super::weights::Weights;
use crate::entity::{CountryKind, Entity};
use crate::normalise::{MAX_TOKENS, Token, prepare};
use crate::score::{Part, keys};

/// The list and the version that an index is built from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Name by which tenants choose the list, such as `ofac-sdn`.
    pub list: &'a str,
    /// Version of the list.
    pub version: &'a str,
    /// Publication date, `YYYY-MM-DD`, if it is known.
    pub date: Option<&'a str>,
}

/// The reason why an index cannot be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// Two entries have the same id, so a delta could not distinguish their changes.
    DuplicateId(String),
    /// A number or an offset exceeds the range that the file format has for it.
    TooLarge,
    /// An entry cannot be encoded.
    Entity {
        /// Id of the entry.
        id: String,
        /// Reason, for a human reader.
        cause: String,
    },
    /// The description of the list cannot be encoded.
    Meta {
        /// Reason, for a human reader.
        cause: String,
    },
    /// The new version of a list does not contain every entry that the delta lists as added or changed.
    IncompleteDelta {
        /// Number of entries that the delta names as added or changed.
        expected: usize,
        /// Number of those entries in the new version.
        actual: usize,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::DuplicateId(id) => {
                write!(f, "the list has two entries with the id {id}; give each entry its own id")
            }
            BuildError::TooLarge => {
                write!(f, "the list is too large for one index file; split it into several lists")
            }
            BuildError::Entity { id, cause } => write!(f, "entry {id} cannot be encoded: {cause}"),
            BuildError::Meta { cause } => {
                write!(f, "the description of the list cannot be encoded: {cause}")
            }
            BuildError::IncompleteDelta { expected, actual } => write!(
                f,
                "the new version holds {actual} of the {expected} added or changed entries; \
                 compare the two versions again"
            ),
        }
    }
}

impl std::error::Error for BuildError {}

/// Builds an index file of these entities. The same source and the same entities in the same order
/// always result in the same bytes.
///
/// # Errors
/// Returns a [`BuildError`] if two entities have the same id, if an entity cannot be encoded, or
/// if the list is too large for the file format.
pub fn build(
    source: Source<'_>,
    entities: impl IntoIterator<Item = Entity>,
) -> Result<Vec<u8>, BuildError> {
    let mut builder = Builder::default();
    for entity in entities {
        builder.add(&entity)?;
    }
    builder.finish(source)
}

/// Builds an index file from entities that are added one by one.
#[derive(Default)]
pub struct Builder {
    ids: HashSet<String>,
    /// Numbers of the names that have each token, in ascending order.
    postings: BTreeMap<Token, Vec<u32>>,
    names: Vec<IndexedName>,
    /// Content of the section [`Section::Entities`].
    entities: Vec<u8>,
    /// The encoded entities of the section [`Section::Payload`].
    payload: Vec<u8>,
    /// Hash of each identifier, and the number of the entity that has it.
    identifiers: Vec<(u64, u32)>,
    /// Number of entities by kind.
    kinds: BTreeMap<String, u32>,
    /// SHA-256 of each entity, sorted, so the order of the entities does not matter.
    content: BTreeSet<[u8; 32]>,
}

struct IndexedName {
    entity: u32,
    /// Position among the names of the entity.
    position: u16,
    /// Discriminant of the [`NameKind`](crate::entity::NameKind).
    kind: u8,
    tokens: Vec<Token>,
}

// The number of initials of a name has six bits in the index file.
const _: () = assert!(MAX_TOKENS < 1 << 6);

impl Builder {
    /// Adds an entity. Do not use the builder after an error.
    ///
    /// # Errors
    /// Returns a [`BuildError`] if an earlier entity has the same id, if the entity cannot be
    /// encoded, or if the list becomes too large for the file format.
    pub fn add(&mut self, entity: &Entity) -> Result<(), BuildError> {
        let number = fit(self.ids.len())?;
        if !self.ids.insert(entity.id.clone()) {
            return Err(BuildError::DuplicateId(entity.id.clone()));
        }
        *self.kinds.entry(entity.kind.into_str().to_owned()).or_default() += 1;
        self.add_names(number, entity)?;
        for identifier in &entity.identifiers {
            self.identifiers.push((identifier_hash(&identifier.value), number));
        }
        let encoded = encode(entity, &entity.id)?;
        let scored = encode(&matched(entity), &entity.id)?;
        let all = encode(&sorted(entity), &entity.id)?;
        let offset: u32 = fit(self.payload.len())?;
        let length: u32 = fit(encoded.len())?;
        self.entities.extend_from_slice(&offset.to_le_bytes());
        self.entities.extend_from_slice(&length.to_le_bytes());
        self.entities.extend_from_slice(&digest(&scored).to_le_bytes());
        self.entities.extend_from_slice(&digest(&all).to_le_bytes());
        self.content.insert(Sha256::digest(&all).into());
        self.payload.extend_from_slice(&encoded);
        Ok(())
    }

    fn add_names(&mut self, number: u32, entity: &Entity) -> Result<(), BuildError> {
        for (position, name) in entity.names.iter().enumerate() {
            let name_number = fit(self.names.len())?;
            let tokens = prepare(&name.text).tokens;
            for token in &tokens {
                let names = self.postings.entry(token.clone()).or_default();
                // A name can have the same token twice.
                if names.last() != Some(&name_number) {
                    names.push(name_number);
                }
            }
            let position = u16::try_from(position).map_err(|_| BuildError::Entity {
                id: entity.id.clone(),
                cause: "it has more than 65,536 names".to_owned(),
            })?;
            self.names.push(IndexedName {
                entity: number,
                position,
                kind: name.kind as u8,
                tokens,
            });
        }
        Ok(())
    }

    /// Returns a version name for the entities that were added so far: 16 hexadecimal digits of a
    /// hash of their content. The name does not depend on the format of the files, on the order of
    /// the entities, or on the order of the values in an entity.
    pub fn content(&self) -> String {
        let mut content = Sha256::new();
        self.content.iter().for_each(|entity| content.update(entity));
        let mut hex = hex::encode(content.finalize());
        hex.truncate(16);
        hex
    }

    /// Returns the index file.
    ///
    /// # Errors
    /// Returns a [`BuildError`] if the list is too large for the file format, or if its
    /// description cannot be encoded.
    pub fn finish(mut self, source: Source<'_>) -> Result<Vec<u8>, BuildError> {
        let meta = Meta {
            list: source.list.to_owned(),
            version: source.version.to_owned(),
            date: source.date.map(str::to_owned),
            entities: fit(self.ids.len())?,
            names: fit(self.names.len())?,
            kinds: self.kinds,
            payload: self.payload.len() as u64,
        };
        let meta = postcard::to_allocvec(&meta)
            .map_err(|error| BuildError::Meta { cause: error.to_string() })?;
        let mut sections = Sections::default();
        sections.push(Section::Meta, &meta);
        let keys = write_tokens(&self.postings, &mut sections)?;
        write_keys(keys, &mut sections)?;
        write_names(&self.names, &self.postings, &mut sections)?;
        sections.push(Section::Entities, &self.entities);
        sections.push(Section::Payload, &self.payload);
        self.identifiers.sort_unstable();
        self.identifiers.dedup();
        for (hash, entity) in &self.identifiers {
            sections.push(Section::Payload, &hash.to_le_bytes());
            sections.push(Section::Payload, &entity.to_le_bytes());
        }
        Ok(sections.into_file())
    }
}

/// Writes the tokens and their postings. Returns the spread keys of all tokens, each with the
/// number of its token.
fn write_tokens(
    postings: &BTreeMap<Token, Vec<u32>>,
    sections: &mut Sections,
) -> Result<Vec<(u32, u32)>, BuildError> {
    let mut token_keys = Vec::new();
    let (mut byte_count, mut posting_count) = (0_usize, 0_usize);
    sections.push(Section::PostingOffsets, &0_u32.to_le_bytes());
    for (number, (token, names)) in postings.iter().enumerate() {
        let number = fit(number)?;
        let part = Part::of(token);
        keys::all(&part, |key| token_keys.push((keys::spread(key), number)));
        sections.push(Section::Tokens, &fit::<u32>(byte_count)?.to_le_bytes());
        let lengths = [fit(part.text.len())?, fit(part.skeleton.len())?];
        sections.push(Section::Tokens, &lengths);
        sections.push(Section::Tokens, &[part.class as u8, part.origin as u8, part.variant]);
        sections.push(Section::Tokens, &part.letters.to_le_bytes());
        sections.push(Section::TokenBytes, part.text);
        sections.push(Section::TokenBytes, part.skeleton);
        byte_count += part.text.len() + part.skeleton.len();
        for name in names {
            sections.push(Section::Postings, &name.to_le_bytes());
        }
        posting_count += names.len();
        sections.push(Section::PostingOffsets, &fit::<u32>(posting_count)?.to_le_bytes());
    }
    Ok(token_keys)
}

/// Writes the keys in ascending order, and the position of the first key of each bucket.
fn write_keys(mut keys: Vec<(u32, u32)>, sections: &mut Sections) -> Result<(), BuildError> {
    keys.sort_unstable();
    keys.dedup();
    let bits = bucket_bits(keys.len());
    let mut rest = keys.iter().peekable();
    let mut key_count = 0_usize;
    for bucket in 0..1_u32 << bits {
        sections.push(Section::KeyBuckets, &fit::<u32>(key_count)?.to_le_bytes());
        while rest.next_if(|(key, _)| key >> (32 - bits) == bucket).is_some() {
            key_count += 1;
        }
    }
    sections.push(Section::KeyBuckets, &fit::<u32>(key_count)?.to_le_bytes());
    for (key, token) in &keys {
        sections.push(Section::Keys, &key.to_le_bytes());
        sections.push(Section::Keys, &token.to_le_bytes());
    }
    Ok(())
}

/// Writes the names and their tokens.
#[expect(clippy::expect_used, reason = "`add_names` enters every token of a name in `postings`")]
fn write_names(
    names: &[IndexedName],
    postings: &BTreeMap<Token, Vec<u32>>,
    sections: &mut Sections,
) -> Result<(), BuildError> {
    // `write_tokens` has checked that the number of tokens fits.
    let token_numbers: HashMap<&Token, u32> = postings.keys().zip(0..).collect();
    let mut member_count = 0_usize;
    sections.push(Section::NameOffsets, &0_u32.to_le_bytes());
    for name in names {
        let parts: Vec<Part<'_>> = name.tokens.iter().map(Part::of).collect();
        let weights = Weights::of(&parts);
        sections.push(Section::Names, &name.entity.to_le_bytes());
        sections.push(Section::Names, &name.position.to_le_bytes());
        let kind_and_initials = name.kind | weights.initials << 2;
        sections.push(Section::Names, &[kind_and_initials, weights.significant]);
        sections.push(Section::Names, &weights.searchable.to_le_bytes());
        sections.push(Section::Names, &weights.minor.to_le_bytes());
        for token in &name.tokens {
            let number = token_numbers.get(token).expect("every token of a name has a number");
            sections.push(Section::NameTokens, &number.to_le_bytes());
        }
        member_count += name.tokens.len();
        sections.push(Section::NameOffsets, &fit::<u32>(member_count)?.to_le_bytes());
    }
    Ok(())
}

/// Converts a number to its type in the file, or returns [`BuildError::TooLarge`] if it does not
/// fit.
fn fit<T: TryFrom<usize>>(number: usize) -> Result<T, BuildError> {
    T::try_from(number).map_err(|_| BuildError::TooLarge)
}

/// Returns the number of high bits of a key that select its bucket. A bucket then has two to four
/// keys on average, unless the index has only a few keys or more than 2^26.
fn bucket_bits(keys: usize) -> u32 {
    (keys / 2).max(2).ilog2().clamp(1, 24)
}

fn encode(entity: &Entity, id: &str) -> Result<Vec<u8>, BuildError> {
    postcard::to_allocvec(entity)
        .map_err(|error| BuildError::Entity { id: id.to_owned(), cause: error.to_string() })
}

/// Returns a copy of an entity with only the fields that can change a score or its explanation. The
/// values of each field are in a fixed order, because publishers reorder aliases and other values
/// without changing their meaning.
pub fn matched(entity: &Entity) -> Entity {
    let mut entity = Entity { programs: Vec::new(), remarks: None, ..sorted(entity) };
    for name in &mut entity.names {
        (name.given, name.family) = (None, None);
    }
    for country in &mut entity.countries {
        country.kind = CountryKind::Other;
    }
    entity.countries.dedup();
    entity
}

/// Returns a copy of an entity with the values of each field in a fixed order.
fn sorted(entity: &Entity) -> Entity {
    let mut entity = entity.clone();
    entity.names.sort_by(|a, b| (a.kind as u8, &a.text).cmp(&(b.kind as u8, &b.text)));
    entity.dates.sort_by_key(|date| (date.year, date.month, date.day, date.until_year, date.circa));
    entity.countries.sort_by(|a, b| (&a.code, a.kind as u8).cmp(&(&b.code, b.kind as u8)));
    entity
        .identifiers
        .sort_by(|a, b| (&a.kind, &a.value, &a.country).cmp(&(&b.kind, &b.value, &b.country)));
    entity.programs.sort();
    entity
}
