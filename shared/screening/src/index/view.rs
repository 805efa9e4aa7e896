//! Reads the records of an open index.

use super::format::{
    ENTITY, EntityHashes, NAME, Numbers, TOKEN, identifier_hash, read_u32, read_u64,
};
use super::weights::Weights;
use crate::entity::{Entity, NameKind};
use crate::normalise::{Class, Origin};
use crate::score::{Part, keys};

/// The sections of an open index.
///
/// A file that [`Builder`](super::Builder) wrote only refers to records that exist, and its
/// checksums show that it is unchanged. A file can still be forged with valid checksums. Reading
/// such a file must not panic in a function that screens customers, so a reference to a record
/// that does not exist reads as `None` or as an empty list.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(super) tokens: &'a [[u8; TOKEN]],
    pub(super) token_bytes: &'a [u8],
    pub(super) key_buckets: Numbers<'a>,
    /// Number of low bits of a key that do not select its bucket.
    pub(super) bucket_shift: u32,
    pub(super) keys: &'a [[u8; 8]],
    pub(super) posting_offsets: Numbers<'a>,
    pub(super) postings: Numbers<'a>,
    pub(super) name_offsets: Numbers<'a>,
    pub(super) name_tokens: Numbers<'a>,
    pub(super) names: &'a [[u8; NAME]],
    pub(super) entities: &'a [[u8; ENTITY]],
    pub(super) entity_bytes: &'a [u8],
    pub(super) identifiers: &'a [[u8; 12]],
}

/// A name in the index.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameRecord {
    /// Number of the entity that has the name.
    pub entity: u32,
    /// Position among the names of the entity.
    pub position: u16,
    pub kind: NameKind,
    pub(super) weights: Weights,
}

impl<'a> View<'a> {
    pub(super) fn name_count(&self) -> usize {
        self.names.len()
    }

    pub(super) fn token_count(&self) -> usize {
        self.tokens.len()
    }

    pub(super) fn token(&self, number: u32) -> Option<Part<'a>> {
        let record = self.tokens.get(number as usize)?;
        let [_, _, _, _, text_length, skeleton_length, class, origin, variant, ..] = *record;
        let from = read_u32(record, 0) as usize;
        let (text_length, skeleton_length) =
            (usize::from(text_length), usize::from(skeleton_length));
        let bytes = self.token_bytes.get(from..from + text_length + skeleton_length)?;
        let (text, skeleton) = bytes.split_at_checked(text_length)?;
        Some(Part {
            text,
            skeleton,
            class: Class::from_byte(class)?,
            origin: Origin::from_byte(origin)?,
            letters: read_u32(record, 9),
            variant,
        })
    }

    /// Returns the numbers of the tokens with a key. Keys are hashes, so the result may include
    /// other tokens whose keys collide with this one.
    pub(super) fn tokens_with_key(&self, key: u32) -> impl Iterator<Item = u32> + use<'a> {
        let key = keys::spread(key);
        let bucket = (key >> self.bucket_shift) as usize;
        let entries = self.key_buckets.range(bucket).and_then(|range| self.keys.get(range));
        let entries = entries.unwrap_or_default();
        let equal = entries.iter().filter(move |entry| read_u32(entry, 0) == key);
        equal.map(|entry| read_u32(entry, 4))
    }

    /// Returns the numbers of the tokens with exactly this text. A text can have one token for each
    /// class and origin.
    pub(super) fn tokens_with_text<'t>(
        &self,
        text: &'t [u8],
    ) -> impl Iterator<Item = u32> + use<'a, 't> {
        let view = *self;
        let is_equal = move |token: &u32| view.token(*token).is_some_and(|part| part.text == text);
        self.tokens_with_key(keys::exact(text)).filter(is_equal)
    }

    /// Returns the numbers of the names that have a token, in ascending order.
    pub(super) fn names_with_token(&self, token: u32) -> Numbers<'a> {
        self.postings.slice(self.posting_offsets, token as usize)
    }

    pub(crate) fn name(&self, number: u32) -> Option<NameRecord> {
        let record = self.names.get(number as usize)?;
        let [_, _, _, _, low, high, kind_and_initials, significant, ..] = *record;
        // The kinds are in the order of their discriminants, which the builder writes.
        let kinds =
            [NameKind::Primary, NameKind::StrongAlias, NameKind::WeakAlias, NameKind::Former];
        Some(NameRecord {
            entity: read_u32(record, 0),
            position: u16::from_le_bytes([low, high]),
            kind: kinds.get(usize::from(kind_and_initials & 3)).copied()?,
            weights: Weights {
                searchable: f32::from_bits(read_u32(record, 8)),
                minor: f32::from_bits(read_u32(record, 12)),
                significant,
                initials: kind_and_initials >> 2,
            },
        })
    }

    /// Replaces the content of `parts` by the tokens of a name.
    pub(crate) fn parts(&self, name: u32, parts: &mut Vec<Part<'a>>) {
        parts.clear();
        let tokens = self.name_tokens.slice(self.name_offsets, name as usize);
        parts.extend(tokens.iter().filter_map(|token| self.token(token)));
    }

    /// Returns the number of tokens of a name.
    pub(super) fn name_length(&self, name: u32) -> usize {
        self.name_tokens.slice(self.name_offsets, name as usize).len()
    }

    pub(crate) fn entity(&self, number: u32) -> Option<Entity> {
        postcard::from_bytes(self.encoded_entity(number)?).ok()
    }

    /// Returns the id of an entity without decoding the other fields, since the id is the first
    /// field.
    pub(crate) fn id(&self, number: u32) -> Option<&'a str> {
        postcard::take_from_bytes::<&str>(self.encoded_entity(number)?).ok().map(|(id, _)| id)
    }

    pub(crate) fn hashes(&self, number: u32) -> Option<EntityHashes> {
        let record = self.entities.get(number as usize)?;
        Some(EntityHashes { scored: read_u64(record, 8), all: read_u64(record, 16) })
    }

    fn encoded_entity(&self, number: u32) -> Option<&'a [u8]> {
        let record = self.entities.get(number as usize)?;
        let (from, length) = (read_u32(record, 0) as usize, read_u32(record, 4) as usize);
        self.entity_bytes.get(from..from.checked_add(length)?)
    }

    /// Returns the numbers of the entities that have an identifier with this value, or with another
    /// value of the same hash.
    pub(crate) fn entities_with_identifier(&self, value: &str) -> impl Iterator<Item = u32> + 'a {
        let hash = identifier_hash(value);
        let from = self.identifiers.partition_point(|entry| read_u64(entry, 0) < hash);
        let entries = self.identifiers.iter().skip(from);
        let equal = entries.take_while(move |entry| read_u64(entry, 0) == hash);
        equal.map(|entry| read_u32(entry, 8))
    }
}
