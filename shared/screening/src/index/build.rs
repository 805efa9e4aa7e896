//! Builds index files from entities.

use std::collections::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};
use std::fmt;
use std::hash::{BuildHasher, RandomState};

use sha2::{Digest, Sha256};

use super::format::{
    ENTITY, HEADER, Meta, NAME, Section, Sections, TOKEN, digest, identifier_hash, read_u32,
};
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
    /// The index would be larger than the caller allows.
    OverLimit {
        /// The limit in bytes.
        limit: u64,
    },
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
            BuildError::OverLimit { limit } => write!(
                f,
                "the index of the list would have more than {} MB; split it into several lists",
                limit / (1024 * 1024)
            ),
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
///
/// A list can have millions of names, so the builder holds as little as possible in addition to the
/// sections of the file: each token once, and numbers of 4 bytes instead of tokens in names.
#[derive(Default)]
pub struct Builder {
    /// Hash of each id, and the number of the entity that has it.
    ids: HashMap<u64, u32>,
    hasher: RandomState,
    /// Number of each token, in the order in which the tokens first occurred.
    tokens: HashMap<Token, u32>,
    names: Vec<IndexedName>,
    /// Numbers of the tokens of all names, one name after the other.
    name_tokens: Vec<u32>,
    /// The sections [`Section::Entities`] and [`Section::Payload`]. [`Builder::finish`] adds the
    /// others.
    sections: Sections,
    /// Hash of each identifier, and the number of the entity that has it.
    identifiers: Vec<(u64, u32)>,
    /// Number of entities by kind.
    kinds: BTreeMap<String, u32>,
    /// SHA-256 of each entity, in the order of the entities.
    content: Vec<[u8; 32]>,
    /// Number of bytes that the tokens and their keys take in the file.
    token_bytes: usize,
}

struct IndexedName {
    entity: u32,
    /// Position among the names of the entity.
    position: u16,
    /// Discriminant of the [`NameKind`](crate::entity::NameKind).
    kind: u8,
    /// Number of tokens.
    tokens: u8,
}

// The number of initials of a name has six bits in the index file, and `IndexedName` has eight bits
// for the number of tokens.
const _: () = assert!(MAX_TOKENS < 1 << 6);

impl Builder {
    /// Adds an entity. Do not use the builder after an error.
    ///
    /// # Errors
    /// Returns a [`BuildError`] if an earlier entity has the same id, if the entity cannot be
    /// encoded, or if the list becomes too large for the file format.
    pub fn add(&mut self, entity: &Entity) -> Result<(), BuildError> {
        let number = fit(self.content.len())?;
        if let Some(earlier) = self.ids.insert(self.hasher.hash_one(&entity.id), number)
            && self.id(earlier) == Some(entity.id.as_str())
        {
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
        let offset: u32 = fit(self.sections.get(Section::Payload).len())?;
        let length: u32 = fit(encoded.len())?;
        self.sections.push(Section::Entities, &offset.to_le_bytes());
        self.sections.push(Section::Entities, &length.to_le_bytes());
        self.sections.push(Section::Entities, &digest(&scored).to_le_bytes());
        self.sections.push(Section::Entities, &digest(&all).to_le_bytes());
        self.content.push(Sha256::digest(&all).into());
        self.sections.push(Section::Payload, &encoded);
        Ok(())
    }

    /// Returns the id of an entity that was added.
    fn id(&self, number: u32) -> Option<&str> {
        let record =
            self.sections.get(Section::Entities).as_chunks::<ENTITY>().0.get(number as usize)?;
        let encoded = self.sections.get(Section::Payload).get(read_u32(record, 0) as usize..)?;
        // The id is the first field.
        postcard::take_from_bytes::<&str>(encoded).ok().map(|(id, _)| id)
    }

    fn add_names(&mut self, number: u32, entity: &Entity) -> Result<(), BuildError> {
        for (position, name) in entity.names.iter().enumerate() {
            let tokens = prepare(&name.text).tokens;
            let position = u16::try_from(position).map_err(|_| BuildError::Entity {
                id: entity.id.clone(),
                cause: "it has more than 65,536 names".to_owned(),
            })?;
            self.names.push(IndexedName {
                entity: number,
                position,
                kind: name.kind as u8,
                tokens: fit(tokens.len())?,
            });
            for token in tokens {
                let next = fit(self.tokens.len())?;
                let entry = self.tokens.entry(token);
                if let Entry::Vacant(entry) = &entry {
                    self.token_bytes += token_size(entry.key());
                }
                self.name_tokens.push(*entry.or_insert(next));
            }
        }
        // The file has a 32-bit number for each name and for each token of a name.
        fit::<u32>(self.names.len()).and(fit::<u32>(self.name_tokens.len())).map(drop)
    }

    /// Returns the approximate size in bytes that the index file would have if no other entity was
    /// added. It counts duplicate keys and postings, which the file does not contain.
    pub fn size(&self) -> u64 {
        let written =
            self.sections.get(Section::Entities).len() + self.sections.get(Section::Payload).len();
        // A record and an offset for each name; a number and a posting for each of its tokens.
        let names = self.names.len() * (NAME + 4) + self.name_tokens.len() * (4 + 4);
        (HEADER + written + names + self.token_bytes + self.identifiers.len() * 12) as u64
    }

    /// Returns a version name for the entities that were added so far: 16 hexadecimal digits of a
    /// hash of their content. The name does not depend on the format of the files, on the order of
    /// the entities, or on the order of the values in an entity.
    pub fn content(&self) -> String {
        let mut sorted = self.content.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let mut content = Sha256::new();
        sorted.iter().for_each(|entity| content.update(entity));
        let mut hex = hex::encode(content.finalize());
        hex.truncate(16);
        hex
    }

    /// Returns the index file.
    ///
    /// # Errors
    /// Returns a [`BuildError`] if the list is too large for the file format, or if its
    /// description cannot be encoded.
    pub fn finish(self, source: Source<'_>) -> Result<Vec<u8>, BuildError> {
        let Builder { tokens, names, name_tokens, mut sections, mut identifiers, kinds, .. } = self;
        let meta = Meta {
            list: source.list.to_owned(),
            version: source.version.to_owned(),
            date: source.date.map(str::to_owned),
            entities: fit(self.content.len())?,
            names: fit(names.len())?,
            kinds,
            payload: sections.get(Section::Payload).len() as u64,
        };
        // Each value is dropped as soon as it is written, before the next section grows.
        drop((self.ids, self.content));
        let meta = postcard::to_allocvec(&meta)
            .map_err(|error| BuildError::Meta { cause: error.to_string() })?;
        sections.push(Section::Meta, &meta);
        identifiers.sort_unstable();
        identifiers.dedup();
        for (hash, entity) in &identifiers {
            sections.push(Section::Payload, &hash.to_le_bytes());
            sections.push(Section::Payload, &entity.to_le_bytes());
        }
        drop(identifiers);
        let (tokens, name_tokens) = sort_tokens(tokens, name_tokens);
        write_names(&names, &tokens, &name_tokens, &mut sections)?;
        write_postings(&names, tokens.len(), &name_tokens, &mut sections)?;
        drop((names, name_tokens));
        let keys = write_tokens(&tokens, &mut sections)?;
        drop(tokens);
        write_keys(keys, &mut sections)?;
        Ok(sections.into_file())
    }
}

/// Sorts the tokens, and replaces the number of each token in the names by its place in the order.
#[expect(clippy::indexing_slicing, reason = "every number is below the number of tokens")]
fn sort_tokens(tokens: HashMap<Token, u32>, mut name_tokens: Vec<u32>) -> (Vec<Token>, Vec<u32>) {
    let mut sorted: Vec<(Token, u32)> = tokens.into_iter().collect();
    sorted.sort_unstable();
    let mut places = vec![0; sorted.len()];
    for ((_, number), place) in sorted.iter().zip(0..) {
        places[*number as usize] = place;
    }
    for number in &mut name_tokens {
        *number = places[*number as usize];
    }
    (sorted.into_iter().map(|(token, _)| token).collect(), name_tokens)
}

/// Returns the number of bytes that a token and its keys take in an index file at most.
fn token_size(token: &Token) -> usize {
    let part = Part::of(token);
    let mut keys = 0;
    keys::all(&part, |_| keys += 1);
    // A record, the text, and the position of the postings. The table of the buckets has at most one
    // number for each two keys.
    TOKEN + part.text.len() + part.skeleton.len() + 4 + keys * (8 + 2)
}

/// Returns the numbers of the tokens of each name.
fn tokens_by_name<'n>(
    names: &'n [IndexedName],
    name_tokens: &'n [u32],
) -> impl Iterator<Item = &'n [u32]> {
    let mut rest = name_tokens;
    names.iter().map(move |name| {
        let (tokens, after) = rest.split_at(usize::from(name.tokens));
        rest = after;
        tokens
    })
}

/// Writes the tokens. Returns the spread keys of all tokens, each with the number of its token.
fn write_tokens(tokens: &[Token], sections: &mut Sections) -> Result<Vec<(u32, u32)>, BuildError> {
    let mut token_keys = Vec::new();
    let mut byte_count = 0_usize;
    for (number, token) in tokens.iter().enumerate() {
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
    }
    Ok(token_keys)
}

/// Writes the numbers of the names that have each token, in ascending order.
#[expect(clippy::indexing_slicing, reason = "every number of a token is below `token_count`")]
fn write_postings(
    names: &[IndexedName],
    token_count: usize,
    name_tokens: &[u32],
    sections: &mut Sections,
) -> Result<(), BuildError> {
    // A name can have the same token twice.
    let distinct = |tokens: &[u32], place: usize| !tokens[..place].contains(&tokens[place]);
    let mut counts = vec![0_u32; token_count];
    for tokens in tokens_by_name(names, name_tokens) {
        for place in (0..tokens.len()).filter(|place| distinct(tokens, *place)) {
            counts[tokens[place] as usize] += 1;
        }
    }
    // The place of the next posting of each token.
    let mut next = counts;
    let mut posting_count = 0_u32;
    sections.push(Section::PostingOffsets, &0_u32.to_le_bytes());
    for next in &mut next {
        let count = std::mem::replace(next, posting_count);
        posting_count = posting_count.checked_add(count).ok_or(BuildError::TooLarge)?;
        sections.push(Section::PostingOffsets, &posting_count.to_le_bytes());
    }
    let mut postings = vec![0_u32; posting_count as usize];
    for (tokens, name) in tokens_by_name(names, name_tokens).zip(0..) {
        for place in (0..tokens.len()).filter(|place| distinct(tokens, *place)) {
            let next = &mut next[tokens[place] as usize];
            postings[*next as usize] = name;
            *next += 1;
        }
    }
    postings.iter().for_each(|name| sections.push(Section::Postings, &name.to_le_bytes()));
    Ok(())
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

/// Writes the names and the numbers of their tokens.
#[expect(clippy::indexing_slicing, reason = "every token of a name has a number below their count")]
fn write_names(
    names: &[IndexedName],
    tokens: &[Token],
    name_tokens: &[u32],
    sections: &mut Sections,
) -> Result<(), BuildError> {
    let mut member_count = 0_usize;
    let mut parts = Vec::new();
    sections.push(Section::NameOffsets, &0_u32.to_le_bytes());
    for (name, numbers) in names.iter().zip(tokens_by_name(names, name_tokens)) {
        parts.clear();
        parts.extend(numbers.iter().map(|number| Part::of(&tokens[*number as usize])));
        let weights = Weights::of(&parts);
        sections.push(Section::Names, &name.entity.to_le_bytes());
        sections.push(Section::Names, &name.position.to_le_bytes());
        let kind_and_initials = name.kind | weights.initials << 2;
        sections.push(Section::Names, &[kind_and_initials, weights.significant]);
        sections.push(Section::Names, &weights.searchable.to_le_bytes());
        sections.push(Section::Names, &weights.minor.to_le_bytes());
        for number in numbers {
            sections.push(Section::NameTokens, &number.to_le_bytes());
        }
        member_count += numbers.len();
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
