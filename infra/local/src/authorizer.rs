//! Implements the JWT authorizer of an HTTP API, and a key pair in place of an identity provider.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rsa::RsaPrivateKey;
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rsa::rand_core::OsRng;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::Failure;
use crate::template::{AuthorizerSpec, Template};

/// Limit of API Gateway for all headers of a request together, in bytes. A longer token is rejected.
const MAX_TOKEN_BYTES: usize = 10_240;
const KEY_ID: &str = "local";
const KEY_BITS: usize = 2_048;

/// A key pair for RS256. The JWT authorizer of an HTTP API accepts RSA signatures only.
#[derive(Clone)]
pub struct SigningKey {
    pem: String,
    private: EncodingKey,
    public: DecodingKey,
}

impl SigningKey {
    /// Generates a new key of 2,048 bits.
    ///
    /// # Errors
    /// Fails when the system has no random numbers.
    pub fn generate() -> Result<SigningKey, Failure> {
        let failure = |error: &dyn fmt::Display| format!("no signing key was generated: {error}");
        let key = RsaPrivateKey::new(&mut OsRng, KEY_BITS).map_err(|error| failure(&error))?;
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|error| failure(&error))?;
        SigningKey::from_pem(&pem)
    }

    /// Reads a private key in PKCS#8 format.
    ///
    /// # Errors
    /// Fails when the text is not an RSA key in this format.
    pub fn from_pem(pem: &str) -> Result<SigningKey, Failure> {
        let failure = |error: &dyn fmt::Display| {
            format!("the signing key is not an RSA key in PKCS#8 format: {error}")
        };
        let key = RsaPrivateKey::from_pkcs8_pem(pem).map_err(|error| failure(&error))?;
        let private = key.to_pkcs1_der().map_err(|error| failure(&error))?;
        let public = key.to_public_key().to_pkcs1_der().map_err(|error| failure(&error))?;
        Ok(SigningKey {
            pem: pem.to_owned(),
            private: EncodingKey::from_rsa_der(private.as_bytes()),
            public: DecodingKey::from_rsa_der(public.as_bytes()),
        })
    }

    /// Returns the private key in PKCS#8 format.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Signs any claims, even claims that the authorizer rejects, and returns the token.
    ///
    /// # Errors
    /// Fails when the key cannot sign.
    pub fn sign(&self, claims: &Value) -> Result<String, Failure> {
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, claims, &self.private)
            .map_err(|error| format!("the token could not be signed: {error}"))
    }

    /// Returns a token that the template's authorizer accepts. It is valid from now for the
    /// requested lifetime.
    ///
    /// # Errors
    /// Fails when the key cannot sign.
    pub fn token(&self, request: &TokenRequest, template: &Template) -> Result<String, Failure> {
        let now = since_epoch().as_secs();
        let authorizer = &template.authorizer;
        self.sign(&json!({
            "iss": authorizer.issuer,
            "aud": authorizer.audiences.first(),
            "sub": request.subject,
            "iat": now,
            "exp": now + request.lifetime.as_secs(),
            template.tenant_claim(): request.tenant,
            "permissions": request.permissions,
        }))
    }
}

/// The claims of a token that the caller can choose.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    pub tenant: String,
    pub permissions: Vec<String>,
    pub subject: String,
    pub lifetime: Duration,
}

pub(crate) struct Authorizer {
    spec: AuthorizerSpec,
    key: DecodingKey,
    validation: Validation,
}

impl Authorizer {
    pub(crate) fn new(spec: AuthorizerSpec, key: &SigningKey) -> Authorizer {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = 0;
        // `exp` must be later than now.
        validation.reject_tokens_expiring_in_less_than = 1;
        validation.validate_nbf = true;
        // The method `claims` checks the audience, because `client_id` may replace `aud`.
        validation.validate_aud = false;
        validation.set_issuer(&[&spec.issuer]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        Authorizer { spec, key: key.public.clone(), validation }
    }

    /// Returns the name of the header that contains the token, in lower case.
    pub(crate) fn header(&self) -> &str {
        &self.spec.header
    }

    /// Verifies the token in the value of a header, with or without the prefix `Bearer`. Returns
    /// all claims as strings, as API Gateway passes them to a function.
    ///
    /// # Errors
    /// Returns the reason why the token is rejected.
    pub(crate) fn claims(&self, header: &str) -> Result<Map<String, Value>, Failure> {
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => header,
        };
        if token.len() > MAX_TOKEN_BYTES {
            return Err("the token is too large".to_owned());
        }
        let token = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation)
            .map_err(|error| rejection(error.kind()).to_owned())?;
        if token.header.kid.as_deref().is_some_and(|kid| kid != KEY_ID) {
            return Err("the token is signed with an unknown key".to_owned());
        }
        // The member `crit` lists extensions that a verifier must support (RFC 7515, section
        // 4.1.11). This verifier does not support any.
        if token.header.crit.is_some() {
            return Err("the token requires an extension".to_owned());
        }
        let Claims(claims) = token.claims;
        if !self.has_audience(&claims) {
            return Err("the token is for another audience".to_owned());
        }
        let now = since_epoch().as_secs_f64();
        if claims.get("iat").is_some_and(|iat| iat.as_f64().is_none_or(|iat| iat > now)) {
            return Err("the token is issued in the future".to_owned());
        }
        Ok(claims.into_iter().map(|(name, value)| (name, claim_text(&value).into())).collect())
    }

    fn has_audience(&self, claims: &Map<String, Value>) -> bool {
        let is_accepted =
            |value: &Value| self.spec.audiences.iter().any(|audience| *value == *audience);
        match claims.get("aud").or_else(|| claims.get("client_id")) {
            Some(Value::Array(audiences)) => audiences.iter().any(is_accepted),
            Some(audience) => is_accepted(audience),
            None => false,
        }
    }
}

/// The claims of a token. A token with a repeated claim is rejected, because one program might use
/// the first value and another program the last.
struct Claims(Map<String, Value>);

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Claims, D::Error> {
        struct ClaimsVisitor;

        impl<'de> Visitor<'de> for ClaimsVisitor {
            type Value = Claims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Claims, A::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = object.next_entry()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("a claim occurs twice"));
                    }
                }
                Ok(Claims(claims))
            }
        }

        deserializer.deserialize_map(ClaimsVisitor)
    }
}

/// Returns the reason for a rejection. The reason helps to fix the request and does not quote the
/// token.
fn rejection(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidIssuer => "the token is from another issuer",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks a required claim",
        ErrorKind::InvalidSignature => "the token is signed with another key",
        ErrorKind::InvalidAlgorithm => "the token is not signed with RS256",
        _ => "the token is not a JWT",
    }
}

/// Converts a claim to a string as API Gateway does: an array to `[a b]`, and an object to
/// `map[a:b]`.
fn claim_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(claim_text).collect();
            format!("[{}]", values.join(" "))
        }
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(name, value)| format!("{name}:{}", claim_text(value)))
                .collect();
            format!("map[{}]", entries.join(" "))
        }
        other => other.to_string(),
    }
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_become_strings() {
        for (claim, text) in [
            (json!(["kyc:create", "kyc:read"]), "[kyc:create kyc:read]"),
            (json!(17), "17"),
            (json!(true), "true"),
            (json!({ "a": [1] }), "map[a:[1]]"),
        ] {
            assert_eq!(claim_text(&claim), text);
        }
    }

    #[test]
    fn a_key_read_from_pem_verifies_tokens_of_the_original() {
        let key = SigningKey::generate().unwrap();
        let spec = AuthorizerSpec {
            issuer: "i".into(),
            audiences: vec!["a".into()],
            header: "authorization".into(),
        };
        let claims = json!({ "iss": "i", "client_id": "a", "exp": 4_000_000_000_u64 });
        let token = key.sign(&claims).unwrap();
        let copy = SigningKey::from_pem(key.pem()).unwrap();
        let verified = Authorizer::new(spec, &copy).claims(&format!("Bearer {token}")).unwrap();
        assert_eq!(verified["client_id"], "a");
    }
}
