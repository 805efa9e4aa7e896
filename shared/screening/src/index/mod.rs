//! The index of one version of one list.
//!
//! An index is a file that is built once and then used directly from memory. A query decodes only
//! the records that it touches.

mod build;
mod format;
mod retrieve;
mod view;
mod weights;

use std::io;
use std::path::Path;

pub use build::{BuildError, Builder, Source, build, matched};
pub(crate) use format::EntityHashes;
pub use format::{FORMAT_VERSION, Meta, OpenError};
use format::{Layout, NAME, Numbers, Section, TOKEN};
pub(crate) use retrieve::{Accumulator, Wanted};
pub(crate) use view::View;

use super::entity::Entity;

/// Returns the memory in bytes that an index file and the buffers of a
/// [`Screener`](crate::Screener) for it take at most.
///
/// # Errors
/// Returns an [`OpenError`] as [`Index::open`] does.
pub fn screening_memory(file: &[u8]) -> Result<u64, OpenError> {
    let layout = Layout::read(file)?;
    let records = |section, length: usize| layout.section(file, section).len() / length;
    let (names, tokens) = (records(Section::Names, NAME), records(Section::Tokens, TOKEN));
    Ok((file.len() + Accumulator::memory(names, tokens)) as u64)
}

/// An open index. The whole file was verified when it was opened.
pub struct Index {
    bytes: Box<dyn AsRef<[u8]> + Send + Sync>,
    layout: Layout,
    meta: Meta,
    /// Length in bytes of the entities in [`Section::Payload`].
    entities_length: usize,
}

impl Index {
    /// Opens an index in memory, from bytes that were read or from a mapped file.
    ///
    /// # Errors
    /// Returns an [`OpenError`] if the bytes are not an index, are damaged, or were built for
    /// another file format or matching model.
    pub fn open(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Index, OpenError> {
        let layout = Layout::read(bytes.as_ref())?;
        Index::with_layout(bytes, layout)
    }

    /// Builds the index for the current matching model from an index for any model.
    ///
    /// # Errors
    /// Returns a text if the bytes are not an index, are damaged or have another file format, or if
    /// the entities cannot be decoded or built into an index.
    pub fn rebuild(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Vec<u8>, String> {
        let layout = Layout::read_any_model(bytes.as_ref());
        let index = layout.and_then(|(layout, _)| Index::with_layout(bytes, layout));
        let index = index.map_err(|error| error.to_string())?;
        let meta = &index.meta;
        let source =
            Source { list: &meta.list, version: &meta.version, date: meta.date.as_deref() };
        let mut builder = Builder::default();
        let mut count = 0;
        for entity in index.entities() {
            builder.add(&entity).map_err(|error| error.to_string())?;
            count += 1;
        }
        if count != meta.entities {
            return Err(OpenError::damaged("list of entities").to_string());
        }
        builder.finish(source).map_err(|error| error.to_string())
    }

    fn with_layout(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
        layout: Layout,
    ) -> Result<Index, OpenError> {
        let damaged = || OpenError::damaged("description");
        let meta = layout.section(bytes.as_ref(), Section::Meta);
        let meta: Meta = postcard::from_bytes(meta).map_err(|_| damaged())?;
        let entities_length = usize::try_from(meta.payload).map_err(|_| damaged())?;
        if entities_length > layout.section(bytes.as_ref(), Section::Payload).len() {
            return Err(damaged());
        }
        Ok(Index { bytes: Box::new(bytes), layout, meta, entities_length })
    }

    /// Reads an index file.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read. If it is not a usable index, the kind is
    /// [`io::ErrorKind::InvalidData`] and the source is an [`OpenError`].
    pub fn read(path: &Path) -> io::Result<Index> {
        let bytes = std::fs::read(path)?;
        Index::open(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Returns the description of the list.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Returns all entities in the order in which they were added to the index.
    pub fn entities(&self) -> impl Iterator<Item = Entity> + '_ {
        let view = self.view();
        (0..self.meta.entities).filter_map(move |number| view.entity(number))
    }

    /// Returns the entity with this id, or `None` if the list does not have it. The search goes
    /// through the whole list, which is fast enough to display an entity but too slow for matching.
    pub fn entity(&self, id: &str) -> Option<Entity> {
        let view = self.view();
        let number = (0..self.meta.entities).find(|number| view.id(*number) == Some(id))?;
        view.entity(number)
    }

    pub(super) fn view(&self) -> View<'_> {
        let file = (*self.bytes).as_ref();
        let section = |section| self.layout.section(file, section);
        let (entity_bytes, identifiers) = section(Section::Payload).split_at(self.entities_length);
        let key_buckets = Numbers::new(section(Section::KeyBuckets));
        // The table has one more entry than there are buckets, and the builder makes between 2^1
        // and 2^24 buckets. The bounds keep the shift valid for a forged table.
        let bucket_bits = key_buckets.len().saturating_sub(1).max(2).ilog2().min(31);
        View {
            tokens: section(Section::Tokens).as_chunks().0,
            token_bytes: section(Section::TokenBytes),
            key_buckets,
            bucket_shift: 32 - bucket_bits,
            keys: section(Section::Keys).as_chunks().0,
            posting_offsets: Numbers::new(section(Section::PostingOffsets)),
            postings: Numbers::new(section(Section::Postings)),
            name_offsets: Numbers::new(section(Section::NameOffsets)),
            name_tokens: Numbers::new(section(Section::NameTokens)),
            names: section(Section::Names).as_chunks().0,
            entities: section(Section::Entities).as_chunks().0,
            entity_bytes,
            identifiers: identifiers.as_chunks().0,
        }
    }
}
