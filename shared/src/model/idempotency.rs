//! Parses the header `Idempotency-Key`.

/// Key of a request, chosen by the caller: 1 to 255 printable ASCII characters.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Parses the value of the header.
    ///
    /// # Errors
    /// Returns the rule if the text is not a valid key.
    pub fn parse(text: &str) -> Result<IdempotencyKey, String> {
        let is_printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if (1..=255).contains(&text.len()) && is_printable {
            Ok(IdempotencyKey(text.to_owned()))
        } else {
            Err("must be 1 to 255 printable ASCII characters".to_owned())
        }
    }

    /// Returns the key as the caller sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
