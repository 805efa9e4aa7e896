//! The index of one version of one list: a file that is built once and used as it lies in
//! memory, read or mapped. Nothing is decoded but what a query touches.

mod build;
mod format;
mod retrieve;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use build::{Builder, Source, Unbuildable, build, matched};
pub use format::{FORMAT_VERSION, Refused};
use format::{Layout, Numbers, Section, number4, number8};
pub(crate) use retrieve::{Accumulator, Wanted};

use super::entity::{Entity, NameKind};
use super::normalise::{Class, Origin};
use super::score::{Part, keys};

/// What list an index is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    pub list: String,
    pub version: String,
    /// `YYYY-MM-DD`.
    pub date: Option<String>,
    pub entities: u32,
    pub names: u32,
    /// Entities by the word of their kind.
    pub kinds: BTreeMap<String, u32>,
    /// Bytes of the entities in their section; behind them lie the identifiers.
    payload: u64,
}

/// An index, checked as a whole when it was opened.
pub struct Index {
    bytes: Box<dyn AsRef<[u8]> + Send + Sync>,
    layout: Layout,
    meta: Meta,
}

impl Index {
    /// Opens an index in memory: bytes that were read, or a mapped file.
    pub fn open(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Index, Refused> {
        let layout = Layout::read(bytes.as_ref())?;
        Index::laid_out(bytes, layout)
    }

    /// What an index was built from, whatever matching model it was built for: to build it anew
    /// for this one.
    pub fn source_of(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
    ) -> Result<(Meta, Vec<Entity>), Refused> {
        let (layout, _) = Layout::of_any_model(bytes.as_ref())?;
        let index = Index::laid_out(bytes, layout)?;
        Ok((index.meta.clone(), index.entities().collect()))
    }

    fn laid_out(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
        layout: Layout,
    ) -> Result<Index, Refused> {
        let meta = layout.section(bytes.as_ref(), Section::Meta);
        let damaged = |_| Refused::Damaged { section: "description".to_owned() };
        let meta = postcard::from_bytes(meta).map_err(damaged)?;
        Ok(Index { bytes: Box::new(bytes), layout, meta })
    }

    /// Reads an index file.
    pub fn read(path: &Path) -> std::io::Result<Index> {
        let bytes = std::fs::read(path)?;
        Index::open(bytes)
            .map_err(|refused| std::io::Error::new(std::io::ErrorKind::InvalidData, refused))
    }

    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// All entities, as they were built.
    pub fn entities(&self) -> impl Iterator<Item = Entity> + '_ {
        let view = self.view();
        (0..self.meta.entities).filter_map(move |number| view.entity(number))
    }

    /// The entity with this id. Reads through the list: for showing one, not for matching.
    pub fn entity(&self, id: &str) -> Option<Entity> {
        let view = self.view();
        let number = (0..self.meta.entities).find(|number| view.id(*number) == Some(id))?;
        view.entity(number)
    }

    pub(super) fn view(&self) -> View<'_> {
        let file = (*self.bytes).as_ref();
        let section = |section| self.layout.section(file, section);
        let payload = section(Section::Payload);
        let split = usize::try_from(self.meta.payload).unwrap_or(usize::MAX).min(payload.len());
        let (payload, identifiers) = payload.split_at_checked(split).unwrap_or_default();
        let buckets = Numbers::new(section(Section::KeyBuckets));
        View {
            tokens: section(Section::Tokens).as_chunks().0,
            token_bytes: section(Section::TokenBytes),
            shift: 32 - buckets.len().saturating_sub(1).max(2).ilog2().min(31),
            buckets,
            keys: section(Section::Keys).as_chunks().0,
            posting_offsets: Numbers::new(section(Section::PostingOffsets)),
            postings: Numbers::new(section(Section::Postings)),
            name_offsets: Numbers::new(section(Section::NameOffsets)),
            name_tokens: Numbers::new(section(Section::NameTokens)),
            names: section(Section::Names).as_chunks().0,
            entities: section(Section::Entities).as_chunks().0,
            payload,
            identifiers: identifiers.as_chunks().0,
        }
    }
}

/// The sections of an open index.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    tokens: &'a [[u8; 13]],
    token_bytes: &'a [u8],
    buckets: Numbers<'a>,
    shift: u32,
    keys: &'a [[u8; 8]],
    posting_offsets: Numbers<'a>,
    postings: Numbers<'a>,
    name_offsets: Numbers<'a>,
    name_tokens: Numbers<'a>,
    names: &'a [[u8; 16]],
    entities: &'a [[u8; 24]],
    payload: &'a [u8],
    identifiers: &'a [[u8; 12]],
}

/// A name of the index.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameRecord {
    pub entity: u32,
    /// Among the names of its entity.
    pub place: u16,
    pub kind: NameKind,
    pub weights: Weights,
}

/// What a name weighs, by how its tokens are used in retrieval.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weights {
    /// Tokens by which a name is found.
    pub sought: f32,
    /// Little words, which only a comparison looks at.
    pub small: f32,
    pub significant: u8,
    pub initials: u8,
}

pub(super) fn is_sought(class: Class) -> bool {
    class.is_significant() || class == Class::Generic
}

pub(super) fn weights(parts: &[Part<'_>]) -> Weights {
    let mut weights = Weights::default();
    for part in parts {
        if is_sought(part.class) {
            weights.sought += part.weight();
        } else {
            weights.small += part.weight();
        }
        weights.significant += u8::from(part.class.is_significant());
        weights.initials += u8::from(part.class == Class::Initial);
    }
    weights
}

impl<'a> View<'a> {
    pub(super) fn names_count(&self) -> usize {
        self.names.len()
    }

    fn tokens_count(&self) -> usize {
        self.tokens.len()
    }

    fn token(&self, number: u32) -> Option<Part<'a>> {
        let record = self.tokens.get(number as usize)?;
        let [_, _, _, _, text, skeleton, class, origin, variant, ..] = *record;
        let text_from = number4(record, 0) as usize;
        let (text, skeleton) = (usize::from(text), usize::from(skeleton));
        let bytes = self.token_bytes.get(text_from..text_from + text + skeleton)?;
        let (text, skeleton) = bytes.split_at_checked(text)?;
        Some(Part {
            text,
            skeleton,
            class: Class::of_byte(class)?,
            origin: Origin::of_byte(origin)?,
            letters: number4(record, 9),
            variant,
        })
    }

    /// The tokens with this key, and those with which it collides.
    fn with_key(&self, key: u32) -> impl Iterator<Item = u32> + use<'a> {
        let key = keys::spread(key);
        let bucket = (key >> self.shift) as usize;
        let (from, to) = (self.buckets.get(bucket) as usize, self.buckets.get(bucket + 1) as usize);
        let entries = self.keys.get(from..to).unwrap_or_default();
        let same = entries.iter().filter(move |entry| number4(*entry, 0) == key);
        same.map(|entry| number4(entry, 4))
    }

    pub(super) fn name(&self, number: u32) -> Option<NameRecord> {
        let record = self.names.get(number as usize)?;
        let [_, _, _, _, low, high, kind, significant, ..] = *record;
        let kinds =
            [NameKind::Primary, NameKind::StrongAlias, NameKind::WeakAlias, NameKind::Former];
        Some(NameRecord {
            entity: number4(record, 0),
            place: u16::from_le_bytes([low, high]),
            kind: kinds.get(usize::from(kind & 3)).copied()?,
            weights: Weights {
                sought: f32::from_bits(number4(record, 8)),
                small: f32::from_bits(number4(record, 12)),
                significant,
                initials: kind >> 2,
            },
        })
    }

    /// The tokens of a name, into `parts`.
    pub(super) fn parts(&self, name: u32, parts: &mut Vec<Part<'a>>) {
        parts.clear();
        let tokens = self.name_tokens.between(self.name_offsets, name as usize);
        parts.extend(tokens.iter().filter_map(|token| self.token(token)));
    }

    pub(super) fn entity(&self, number: u32) -> Option<Entity> {
        postcard::from_bytes(self.entity_bytes(number)?).ok()
    }

    /// The id alone, which an entity begins with.
    pub(super) fn id(&self, number: u32) -> Option<&'a str> {
        postcard::take_from_bytes::<&str>(self.entity_bytes(number)?).ok().map(|(id, _)| id)
    }

    /// The hash of what is matched, and that of everything.
    pub(super) fn hashes(&self, number: u32) -> Option<(u64, u64)> {
        let record = self.entities.get(number as usize)?;
        Some((number8(record, 8), number8(record, 16)))
    }

    fn entity_bytes(&self, number: u32) -> Option<&'a [u8]> {
        let record = self.entities.get(number as usize)?;
        let (from, length) = (number4(record, 0) as usize, number4(record, 4) as usize);
        self.payload.get(from..from.checked_add(length)?)
    }

    /// The entities with an identifier of this value.
    pub(super) fn with_identifier(&self, value: &str) -> impl Iterator<Item = u32> + 'a {
        let hash = build::identifier_hash(value);
        let from = self.identifiers.partition_point(|entry| number8(entry, 0) < hash);
        let entries = self.identifiers.get(from..).unwrap_or_default();
        let same = entries.iter().take_while(move |entry| number8(*entry, 0) == hash);
        same.map(|entry| number4(entry, 8))
    }
}
