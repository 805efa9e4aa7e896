//! Building an index file.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use sha2::{Digest, Sha256};

use super::format::{self, Section};
use super::{Meta, weights};
use crate::entity::{CountryKind, Entity};
use crate::normalise::{Token, prepare};
use crate::score::{Part, bare, keys};

/// Which list is built, and which version of it.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// As tenants choose it, like `ofac-sdn`.
    pub list: &'a str,
    /// As its publisher or the time of reading names it.
    pub version: &'a str,
    /// When it was published, as far as known: `YYYY-MM-DD`.
    pub date: Option<&'a str>,
}

/// Why no index can be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unbuildable {
    /// Two entries with one id: deltas could not tell them apart.
    SameId(String),
    /// More than the file can number.
    TooLarge,
    /// An entry that does not encode.
    Entity { id: String, cause: String },
}

impl fmt::Display for Unbuildable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unbuildable::SameId(id) => write!(f, "the list has two entries with the id {id}"),
            Unbuildable::TooLarge => write!(f, "the list is too large for one index file"),
            Unbuildable::Entity { id, cause } => {
                write!(f, "entry {id} cannot be written: {cause}")
            }
        }
    }
}

impl std::error::Error for Unbuildable {}

/// An index file of these entities. The same entities in the same order give the same bytes.
pub fn build(
    source: Source<'_>,
    entities: impl IntoIterator<Item = Entity>,
) -> Result<Vec<u8>, Unbuildable> {
    let mut builder = Builder::default();
    for entity in entities {
        builder.add(&entity)?;
    }
    builder.finish(source)
}

/// An index in the making: entities are added one by one, as a list is read.
#[derive(Default)]
pub struct Builder {
    ids: HashMap<String, ()>,
    /// Of each token the names that have it.
    tokens: BTreeMap<Token, Vec<u32>>,
    names: Vec<Listed>,
    entities: Vec<u8>,
    payload: Vec<u8>,
    identifiers: Vec<(u64, u32)>,
    counts: BTreeMap<String, u32>,
    content: BTreeSet<[u8; 32]>,
}

struct Listed {
    entity: u32,
    place: u16,
    kind: u8,
    tokens: Vec<Token>,
}

impl Builder {
    /// Adds an entity. After a refusal the builder is to be thrown away.
    pub fn add(&mut self, entity: &Entity) -> Result<(), Unbuildable> {
        let number = u32::try_from(self.ids.len()).map_err(|_| Unbuildable::TooLarge)?;
        if self.ids.insert(entity.id.clone(), ()).is_some() {
            return Err(Unbuildable::SameId(entity.id.clone()));
        }
        *self.counts.entry(entity.kind.into_str().to_owned()).or_default() += 1;
        for (place, name) in entity.names.iter().enumerate() {
            let number_of_name =
                u32::try_from(self.names.len()).map_err(|_| Unbuildable::TooLarge)?;
            let tokens = prepare(&name.text).tokens;
            for token in &tokens {
                let names = self.tokens.entry(token.clone()).or_default();
                if names.last() != Some(&number_of_name) {
                    names.push(number_of_name);
                }
            }
            let place = u16::try_from(place).map_err(|_| Unbuildable::Entity {
                id: entity.id.clone(),
                cause: "it has more names than 65,536".to_owned(),
            })?;
            self.names.push(Listed { entity: number, place, kind: name.kind as u8, tokens });
        }
        for identifier in &entity.identifiers {
            self.identifiers.push((identifier_hash(&identifier.value), number));
        }
        let unwritable = |cause: postcard::Error| Unbuildable::Entity {
            id: entity.id.clone(),
            cause: cause.to_string(),
        };
        let bytes = postcard::to_allocvec(entity).map_err(unwritable)?;
        let matched = postcard::to_allocvec(&matched(entity)).map_err(unwritable)?;
        let all = postcard::to_allocvec(&in_order(entity)).map_err(unwritable)?;
        let offset = u32::try_from(self.payload.len()).map_err(|_| Unbuildable::TooLarge)?;
        let length = u32::try_from(bytes.len()).map_err(|_| Unbuildable::TooLarge)?;
        self.entities.extend_from_slice(&offset.to_le_bytes());
        self.entities.extend_from_slice(&length.to_le_bytes());
        self.entities.extend_from_slice(&digest(&matched).to_le_bytes());
        self.entities.extend_from_slice(&digest(&all).to_le_bytes());
        self.content.insert(Sha256::digest(&all).into());
        self.payload.extend_from_slice(&bytes);
        Ok(())
    }

    /// Names what was added so far: the same entities have the same content, whatever their files
    /// looked like and in whatever order they stand. 16 hexadecimal digits.
    pub fn content(&self) -> String {
        let mut content = Sha256::new();
        self.content.iter().for_each(|entity| content.update(entity));
        let mut hex = hex::encode(content.finalize());
        hex.truncate(16);
        hex
    }

    pub fn finish(mut self, source: Source<'_>) -> Result<Vec<u8>, Unbuildable> {
        let numbers: HashMap<&Token, u32> = self.tokens.keys().zip(0_u32..).collect();
        let mut sections: [Vec<u8>; 12] = Default::default();
        let mut put = |section: Section, bytes: &[u8]| {
            if let Some(section) = sections.get_mut(section as usize) {
                section.extend_from_slice(bytes);
            }
        };
        let mut found: Vec<(u32, u32)> = Vec::new();
        let (mut letters, mut postings, mut members) = (0_u32, 0_u32, 0_u32);
        put(Section::PostingOffsets, &0_u32.to_le_bytes());
        for ((token, names), number) in self.tokens.iter().zip(0_u32..) {
            let part = Part::of(token);
            keys::all(&part, |key| found.push((keys::spread(key), number)));
            put(Section::Tokens, &letters.to_le_bytes());
            put(
                Section::Tokens,
                &[
                    part.text.len() as u8,
                    part.skeleton.len() as u8,
                    part.class as u8,
                    part.origin as u8,
                    part.variant,
                ],
            );
            put(Section::Tokens, &part.letters.to_le_bytes());
            put(Section::TokenBytes, part.text);
            put(Section::TokenBytes, part.skeleton);
            letters += (part.text.len() + part.skeleton.len()) as u32;
            for name in names {
                put(Section::Postings, &name.to_le_bytes());
            }
            postings += names.len() as u32;
            put(Section::PostingOffsets, &postings.to_le_bytes());
        }
        put(Section::NameOffsets, &0_u32.to_le_bytes());
        for name in &self.names {
            let parts: Vec<Part<'_>> = name.tokens.iter().map(Part::of).collect();
            let weights = weights(&parts);
            put(Section::Names, &name.entity.to_le_bytes());
            put(Section::Names, &name.place.to_le_bytes());
            put(Section::Names, &[name.kind | weights.initials << 2, weights.significant]);
            put(Section::Names, &weights.sought.to_le_bytes());
            put(Section::Names, &weights.small.to_le_bytes());
            for token in &name.tokens {
                let number = numbers.get(token).copied().unwrap_or_default();
                put(Section::NameTokens, &number.to_le_bytes());
                members += 1;
            }
            put(Section::NameOffsets, &members.to_le_bytes());
        }
        found.sort_unstable();
        found.dedup();
        let bits = bucket_bits(found.len());
        let mut entries = found.iter().peekable();
        let mut before = 0_u32;
        for bucket in 0..1_u64 << bits {
            put(Section::KeyBuckets, &before.to_le_bytes());
            while entries.next_if(|(key, _)| u64::from(key >> (32 - bits)) == bucket).is_some() {
                before += 1;
            }
        }
        put(Section::KeyBuckets, &before.to_le_bytes());
        for (key, token) in &found {
            put(Section::Keys, &key.to_le_bytes());
            put(Section::Keys, &token.to_le_bytes());
        }
        put(Section::Entities, &self.entities);
        self.identifiers.sort_unstable();
        self.identifiers.dedup();
        let meta = Meta {
            list: source.list.to_owned(),
            version: source.version.to_owned(),
            date: source.date.map(str::to_owned),
            entities: self.ids.len() as u32,
            names: self.names.len() as u32,
            kinds: self.counts.clone(),
            payload: self.payload.len() as u64,
        };
        put(Section::Payload, &self.payload);
        for (hash, entity) in &self.identifiers {
            put(Section::Payload, &hash.to_le_bytes());
            put(Section::Payload, &entity.to_le_bytes());
        }
        let meta = postcard::to_allocvec(&meta).map_err(|cause| Unbuildable::Entity {
            id: "(list)".to_owned(),
            cause: cause.to_string(),
        })?;
        put(Section::Meta, &meta);
        Ok(format::write(&sections))
    }
}

/// So many high bits of a key choose its bucket: about two keys in each.
fn bucket_bits(keys: usize) -> u32 {
    (keys / 2).max(2).ilog2().clamp(1, 24)
}

/// What of an entity can change a score or an explanation of it.
/// What of an entity can change a score, in an order of its own: publishers turn lists of aliases
/// round without meaning anything by it.
pub fn matched(entity: &Entity) -> Entity {
    let mut entity = Entity { programs: Vec::new(), remarks: None, ..in_order(entity) };
    for name in &mut entity.names {
        (name.given, name.family) = (None, None);
    }
    for country in &mut entity.countries {
        country.kind = CountryKind::Other;
    }
    entity.countries.dedup();
    entity
}

fn in_order(entity: &Entity) -> Entity {
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

pub(super) fn identifier_hash(value: &str) -> u64 {
    digest(bare(value).as_bytes())
}

/// The first eight bytes of SHA-256.
fn digest(bytes: &[u8]) -> u64 {
    let digest = Sha256::digest(bytes);
    digest.first_chunk().copied().map_or(0, u64::from_le_bytes)
}
