//! The JWT authorizer of an HTTP API, and the key pair that stands in for an identity provider.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RsaKeyPair};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use pem::Pem;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::Failure;
use crate::template::{AuthorizerSpec, Template};

/// All headers of a request together, for an HTTP API.
const MAX_TOKEN_BYTES: usize = 10_240;
const KEY_ID: &str = "local";

/// RS256, the one family of algorithms HTTP APIs take.
#[derive(Clone)]
pub struct SigningKey {
    pem: String,
    private: EncodingKey,
    public: DecodingKey,
}

impl SigningKey {
    pub fn generate() -> Result<SigningKey, Failure> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048)
            .map_err(|error| format!("no key pair: {error}"))?;
        let pkcs8 = pair.as_der().map_err(|error| format!("no key pair: {error}"))?;
        SigningKey::from_pem(&pem::encode(&Pem::new("PRIVATE KEY", pkcs8.as_ref())))
    }

    pub fn from_pem(text: &str) -> Result<SigningKey, Failure> {
        let unreadable = |why: String| format!("the signing key does not read: {why}");
        let pkcs8 = pem::parse(text).map_err(|error| unreadable(error.to_string()))?;
        let pair = RsaKeyPair::from_pkcs8(pkcs8.contents())
            .map_err(|error| unreadable(error.to_string()))?;
        let private = EncodingKey::from_rsa_pem(text.as_bytes())
            .map_err(|error| unreadable(error.to_string()))?;
        let public = DecodingKey::from_rsa_der(pair.public_key().as_ref());
        Ok(SigningKey { pem: text.to_owned(), private, public })
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Signs any claims, for tests of what the authorizer refuses.
    pub fn sign(&self, claims: &Value) -> Result<String, Failure> {
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, claims, &self.private)
            .map_err(|error| format!("no token: {error}"))
    }

    /// A token that the template's authorizer accepts.
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

/// What a token says.
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
        validation.reject_tokens_expiring_in_less_than = 1; // `exp` must lie after now
        validation.validate_nbf = true;
        validation.validate_aud = false; // checked below: `client_id` may stand in for `aud`
        validation.set_issuer(&[&spec.issuer]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        Authorizer { spec, key: key.public.clone(), validation }
    }

    pub(crate) fn header(&self) -> &str {
        &self.spec.header
    }

    /// The verified claims as API Gateway passes them on, all of them strings; else why not.
    pub(crate) fn claims(&self, header: &str) -> Result<Map<String, Value>, Failure> {
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => header,
        };
        if token.len() > MAX_TOKEN_BYTES {
            return Err("the token is too large".to_owned());
        }
        let verified = jsonwebtoken::decode::<Claims>(token, &self.key, &self.validation);
        let verified = verified.map_err(|error| refusal(error.kind()).to_owned())?;
        if verified.header.kid.as_deref().is_some_and(|kid| kid != KEY_ID) {
            return Err("the token is signed with an unknown key".to_owned());
        }
        let Claims(claims) = verified.claims;
        let audience = claims.get("aud").or_else(|| claims.get("client_id"));
        let audiences = match audience {
            Some(Value::Array(audiences)) => audiences.iter().collect(),
            audience => Vec::from_iter(audience),
        };
        let known = |audience: &&Value| self.spec.audiences.iter().any(|known| *audience == known);
        if !audiences.iter().any(known) {
            return Err("the token is for another audience".to_owned());
        }
        let now = since_epoch().as_secs_f64();
        if claims.get("iat").is_some_and(|iat| iat.as_f64().is_none_or(|iat| iat > now)) {
            return Err("the token is of a later time".to_owned());
        }
        Ok(claims.into_iter().map(|(name, value)| (name, flattened(&value).into())).collect())
    }
}

/// Each of them once: of two, one program would take the first and another the last.
struct Claims(Map<String, Value>);

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Claims, D::Error> {
        struct Once;

        impl<'de> Visitor<'de> for Once {
            type Value = Claims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Claims, A::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = object.next_entry()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("a claim is there twice"));
                    }
                }
                Ok(Claims(claims))
            }
        }

        deserializer.deserialize_map(Once)
    }
}

/// In words that tell a person what to mend, and nothing of the token.
fn refusal(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidIssuer => "the token is of another issuer",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks a claim that is needed",
        ErrorKind::InvalidSignature => "the token is signed with another key",
        ErrorKind::InvalidAlgorithm => "the token is signed with another algorithm than RS256",
        _ => "the token is not a JWT",
    }
}

/// Arrays become `[a b]` and objects `map[a:b]`, the way API Gateway prints them.
fn flattened(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(flattened).collect();
            format!("[{}]", values.join(" "))
        }
        Value::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(name, value)| format!("{name}:{}", flattened(value)))
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
        let flat = |value: Value| flattened(&value);
        assert_eq!(flat(json!(["kyc:create", "kyc:read"])), "[kyc:create kyc:read]");
        assert_eq!(
            (flat(json!(17)), flat(json!(true)), flat(json!({"a": [1]}))),
            ("17".into(), "true".into(), "map[a:[1]]".into())
        );
    }

    #[test]
    fn a_key_survives_its_file() {
        let key = SigningKey::generate().unwrap();
        let spec = AuthorizerSpec {
            issuer: "i".into(),
            audiences: vec!["a".into()],
            header: "authorization".into(),
        };
        let token =
            key.sign(&json!({"iss": "i", "client_id": "a", "exp": 4_000_000_000u64})).unwrap();
        let read = SigningKey::from_pem(key.pem()).unwrap();
        assert_eq!(
            Authorizer::new(spec, &read).claims(&format!("Bearer {token}")).unwrap()["client_id"],
            "a"
        );
    }
}
