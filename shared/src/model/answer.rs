//! The answer to a request, in the form in which an idempotency record stores it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Answer without the envelope and the request id. A repeated request gets the stored answer in a
/// new envelope.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// HTTP status code.
    pub status: u16,
    /// The `data` of a successful answer, or the whole `error` object of a failed one. `null` if the
    /// content is read again when the request is repeated.
    pub content: Box<RawValue>,
    /// Entity tag with its quotes.
    pub etag: Option<String>,
    /// Path of the created resource, relative to the API.
    pub location: Option<String>,
}

impl Answer {
    /// Returns the answer without its content.
    pub fn without_content(&self) -> Answer {
        Answer { content: Box::default(), ..self.clone() }
    }

    /// Returns whether the answer has its content.
    pub fn has_content(&self) -> bool {
        self.content.get() != "null"
    }

    /// Returns the version of the resource in the answer, from its entity tag. Returns `None` if
    /// the answer has no entity tag, or one that does not start with a version.
    pub fn version(&self) -> Option<u64> {
        let tag = self.etag.as_ref()?.trim_matches('"');
        tag.split('-').next()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_an_answer_is_in_its_entity_tag() {
        for (etag, version) in [("\"3\"", Some(3)), ("\"12-5d41402a\"", Some(12)), ("\"x\"", None)]
        {
            let content = RawValue::from_string("{}".to_owned()).unwrap();
            let etag = Some(etag.to_owned());
            let answer = Answer { status: 200, content, etag, location: None };
            assert_eq!(answer.version(), version);
            assert!(answer.has_content() && !answer.without_content().has_content());
        }
    }
}
