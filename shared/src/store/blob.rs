//! Models that are stored as deflated JSON in a binary attribute.

use aws_sdk_dynamodb::primitives::Blob;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::item::Item;
use crate::error::Error;

/// Compression level of miniz, 0 to 10. Levels above 6 take longer and save little.
const COMPRESSION_LEVEL: u8 = 6;
/// Largest size of the inflated JSON: 8 MiB. A model within its limits is far smaller.
const MAX_JSON_BYTES: usize = 8 * 1024 * 1024;

pub(super) fn deflated(attribute: &str, model: &impl Serialize) -> Result<Blob, Error> {
    let json = serde_json::to_vec(model)
        .map_err(|error| Error::internal(format!("{attribute}: {error}")))?;
    Ok(Blob::new(compress_to_vec(&json, COMPRESSION_LEVEL)))
}

pub(super) fn inflated<T: DeserializeOwned>(item: &Item, attribute: &str) -> Result<T, Error> {
    let bytes = item.get(attribute).and_then(|value| value.as_b().ok());
    let json =
        bytes.and_then(|bytes| decompress_to_vec_with_limit(bytes.as_ref(), MAX_JSON_BYTES).ok());
    // The parser's message may quote a name, so the message is not logged.
    let model = json.and_then(|json| serde_json::from_slice(&json).ok());
    model.ok_or_else(|| Error::internal(format!("the attribute {attribute} is malformed")))
}
