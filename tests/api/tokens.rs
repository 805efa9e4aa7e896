//! Tests which tokens the authorizer accepts and rejects, and which tenant and permissions the
//! functions read from them.

use std::time::{SystemTime, UNIX_EPOCH};

use api_tests::faults::Tally;
use api_tests::{Api, KEY, Persona, TEMPLATE, Value, json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use local::SigningKey;
use rsa::RsaPrivateKey;
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey, LineEnding};
use shared::model::time::Clock;

use crate::matrix::{Ids, ROWS};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Returns valid claims of a reader in the tenant `acme`.
fn claims(api: &Api) -> Value {
    json!({
        "iss": TEMPLATE.authorizer.issuer, "aud": "kyc-customers", "sub": "tester",
        "iat": now(), "exp": now() + 600, "tenant_id": api.tenant("acme"),
        "permissions": ["kyc:read"],
    })
}

/// Returns the valid claims with changes. A null in `changes` removes a claim, and any other value
/// replaces or adds it.
fn with(api: &Api, changes: Value) -> Value {
    let mut claims = claims(api);
    for (claim, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(claim),
            value => claims.as_object_mut().unwrap().insert(claim.clone(), value.clone()),
        };
    }
    claims
}

#[tokio::test]
async fn the_gateway_verifies_the_token() {
    let api = Api::start().await;
    let unauthorized = json!({ "message": "Unauthorized" });
    for refused in [
        with(&api, json!({ "exp": now() - 2 })),
        with(&api, json!({ "nbf": now() + 300 })),
        with(&api, json!({ "iat": now() + 300 })),
        with(&api, json!({ "iss": "https://elsewhere.example" })),
        with(&api, json!({ "iss": null })),
        with(&api, json!({ "aud": "someone-else" })),
        with(&api, json!({ "aud": null })),
        with(&api, json!({ "aud": null, "client_id": "someone-else" })),
    ] {
        let answer = api.get(&Persona::bearing(KEY.sign(&refused).unwrap()), "/customers").await;
        assert_eq!((answer.status, &answer.body), (401, &unauthorized), "{refused}");
    }
    for accepted in [
        claims(&api),
        with(&api, json!({ "aud": ["someone-else", "kyc-customers"] })),
        with(&api, json!({ "aud": null, "client_id": "kyc-customers" })),
        with(&api, json!({ "nbf": now() - 1 })),
        with(&api, json!({ "token_use": "access" })),
    ] {
        let answer = api.get(&Persona::bearing(KEY.sign(&accepted).unwrap()), "/customers").await;
        assert_eq!(answer.status, 200, "{accepted}");
    }
}

#[tokio::test]
async fn a_token_that_never_expires_is_refused() {
    let api = Api::start().await;
    let endless = KEY.sign(&with(&api, json!({ "exp": null }))).unwrap();
    assert_eq!(api.get(&Persona::bearing(endless), "/customers").await.status, 401);
}

#[tokio::test]
async fn a_signature_of_another_key_or_algorithm_is_refused() {
    let api = Api::start().await;
    let good = KEY.sign(&claims(&api)).unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let (payload, signature) = (parts[1], parts[2]);
    // These are the headers {"alg":"none"} and {"alg":"HS256"} in base64url.
    let (none, hs256) = ("eyJhbGciOiJub25lIn0", "eyJhbGciOiJIUzI1NiJ9");
    for forged in [
        SigningKey::generate().unwrap().sign(&claims(&api)).unwrap(),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        format!("{hs256}.{payload}.{signature}"),
        format!("{}.{payload}.", parts[0]),
        good[..good.len() - 4].to_owned(),
        "x".to_owned(),
        "a.b.c".to_owned(),
        "x".repeat(10_000),
    ] {
        let answer = api.get(&Persona::bearing(&forged), "/customers").await;
        assert_eq!(answer.status, 401, "{forged}");
    }
    let basic =
        api.call(&Persona::anonymous(), "GET", "/customers").header("authorization", "Basic YTpi");
    assert_eq!(basic.send().await.status, 401);
}

#[tokio::test]
async fn the_tenant_and_the_permissions_come_from_the_claims() {
    let api = Api::start().await;
    let acme = Persona::of("acme");
    api.create(&acme, &json!({ "name": "A" })).await;
    let list = async |claims: Value| {
        api.get(&Persona::bearing(KEY.sign(&claims).unwrap()), "/customers?limit=1").await
    };
    for no_tenant in [
        with(&api, json!({ "tenant_id": null })),
        with(&api, json!({ "tenant_id": "" })),
        with(&api, json!({ "tenant_id": "acme#C" })),
        with(&api, json!({ "tenant_id": ["acme", "other"] })),
        with(&api, json!({ "custom:tenant_id": "ac me" })),
    ] {
        list(no_tenant).await.refused(403, "NO_TENANT");
    }
    for granted in [
        json!({ "permissions": ["kyc:read", "x"] }),
        json!({ "permissions": "kyc:read" }),
        json!({ "permissions": null, "scope": "openid kyc:read" }),
        json!({ "permissions": null, "scope": "kyc/read" }),
        json!({ "permissions": [], "cognito:groups": ["staff", "kyc:read"] }),
        json!({ "permissions": null, "scp": ["openid", "kyc:read"] }),
        json!({ "permissions": null, "scp": "openid kyc/read" }),
        json!({ "permissions": null, "roles": ["auditor", "kyc:*"] }),
    ] {
        assert_eq!(list(with(&api, granted)).await.expect(200)["count"], 1);
    }
    for useless in [
        json!({ "permissions": null, "cognito:groups": ["x,kyc:*"] }),
        json!({ "permissions": null, "cognito:groups": ["\"kyc:*\"", "'kyc:*'"] }),
        json!({ "permissions": null, "roles": ["a,kyc:read,b", "kyc:reader", "[kyc:read]"] }),
        json!({ "permissions": "kyc:read,kyc:create" }),
        json!({ "permissions": null, "groups": ["kyc:*"] }),
        json!({ "permissions": null, "scope": "https://api.bank.example/kyc/read" }),
    ] {
        list(with(&api, useless)).await.refused(403, "INSUFFICIENT_PERMISSIONS");
    }
    let cognito = with(&api, json!({ "custom:tenant_id": api.tenant("other") }));
    assert_eq!(list(cognito).await.expect(200)["count"], 0);
}

#[tokio::test]
async fn only_an_access_token_is_accepted() {
    let api = Api::start().await;
    let list = async |changes: Value| {
        let token = KEY.sign(&with(&api, changes)).unwrap();
        api.get(&Persona::bearing(token), "/customers").await
    };
    list(json!({ "token_use": "access" })).await.expect(200);
    for token_use in ["id", "refresh", "Access", ""] {
        let answer = list(json!({ "token_use": token_use })).await;
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        answer.refused(401, "UNAUTHENTICATED");
    }
}

#[tokio::test]
async fn the_claim_of_the_permissions_and_the_prefix_of_scopes_are_settings() {
    let set = |settings: &[(&str, &str)]| {
        let pairs = settings.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Api::set(Clock::system(), None, None, pairs.collect())
    };
    let status = async |api: &Api, changes: Value| {
        let mut claims = with(api, json!({ "permissions": null }));
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        api.get(&Persona::bearing(KEY.sign(&claims).unwrap()), "/customers").await.status
    };
    let url = "https://api.bank.example/";
    let api =
        set(&[("PERMISSIONS_CLAIM", "https://bank.example/may"), ("SCOPE_PREFIX", url)]).await;
    for (changes, expected) in [
        (json!({ "https://bank.example/may": ["kyc:read"] }), 200),
        (json!({ "https://bank.example/may": "openid https://api.bank.example/kyc/read" }), 200),
        (json!({ "https://bank.example/may": "https://api.bank.example/kyc/create" }), 403),
        (json!({ "https://bank.example/may": "https://other.example/kyc/read" }), 403),
        (json!({ "permissions": ["kyc:*"], "scope": "kyc/read", "roles": ["kyc:*"] }), 403),
    ] {
        assert_eq!(status(&api, changes.clone()).await, expected, "{changes}");
    }
    let api = set(&[("SCOPE_PREFIX", "https://api.bank.example/kyc/")]).await;
    for (changes, expected) in [
        (json!({ "scope": "https://api.bank.example/kyc/read" }), 200),
        (json!({ "cognito:groups": ["kyc:read"] }), 200),
        (json!({ "scope": "read" }), 403),
    ] {
        assert_eq!(status(&api, changes.clone()).await, expected, "{changes}");
    }
}

/// Cognito invokes the function `pre-token-generation` before it issues a token. Users and programs
/// must not be able to choose the tenant.
#[tokio::test]
async fn the_tenant_of_an_access_token_is_the_one_that_an_administrator_set() {
    let api = Api::start().await;
    let user = |attributes: Value| {
        json!({ "version": "3", "triggerSource": "TokenGeneration_Authentication",
            "request": { "userAttributes": attributes, "scopes": ["tenant/evil"],
                "clientMetadata": { "tenant_id": "evil" } }, "response": {} })
    };
    let machine = |scopes: Value| {
        json!({ "version": "3", "triggerSource": "TokenGeneration_ClientCredentials",
            "request": { "scopes": scopes, "clientMetadata": { "tenant_id": "evil" } } })
    };
    for (event, tenant) in [
        (user(json!({ "sub": "1", "custom:tenant_id": "acme" })), Some("acme")),
        (user(json!({ "sub": "1" })), None),
        (machine(json!(["kyc/read", "tenant/acme"])), Some("acme")),
        (machine(json!(["kyc/read"])), None),
        (machine(json!(["tenant/acme", "tenant/other"])), None),
    ] {
        let answer = api.run("pre-token-generation", &event).await.unwrap();
        assert_eq!(answer["request"], event["request"]);
        let details = &answer["response"]["claimsAndScopeOverrideDetails"];
        let expected = match tenant {
            Some(tenant) => json!({ "claimsToAddOrOverride": { "tenant_id": tenant } }),
            None => json!({ "claimsToSuppress": ["tenant_id"] }),
        };
        assert_eq!(*details, json!({ "accessTokenGeneration": expected }), "{event}");
    }
    api.run("pre-token-generation", &json!([])).await.unwrap_err();
}

/// Returns a signed token with an arbitrary header, and with arbitrary text as its claims.
fn signed(header: &Value, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let message = format!("{}.{}", encode(&header.to_string()), encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn private_key(key: &SigningKey) -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs8_pem(key.pem()).unwrap()
}

fn encoding_key(key: &SigningKey) -> EncodingKey {
    EncodingKey::from_rsa_der(private_key(key).to_pkcs1_der().unwrap().as_bytes())
}

/// Returns tokens that an attacker might try: the description of each, the token, and the expected
/// status of the answer.
fn forged(api: &Api) -> Vec<(&'static str, String, u16)> {
    let good = claims(api).to_string();
    let private = encoding_key(&KEY);
    let public = private_key(&KEY).to_public_key();
    let public_der = public.to_pkcs1_der().unwrap();
    let spki = public.to_public_key_der().unwrap();
    let public_pem = public.to_public_key_pem(LineEnding::LF).unwrap();
    let rs256 = json!({ "alg": "RS256", "kid": "local" });
    let confused = |secret: &[u8]| {
        let header = json!({ "alg": "HS256", "kid": "local" });
        signed(&header, &good, &EncodingKey::from_secret(secret), Algorithm::HS256)
    };
    let with_header = |header: &Value| signed(header, &good, &private, Algorithm::RS256);
    let with_claims = |claims: &str| signed(&rs256, claims, &private, Algorithm::RS256);
    let changed = |changes: Value| with_claims(&with(api, changes).to_string());
    // Appends a second value for a claim that the token already has.
    let duplicate = |claim: &str| with_claims(&format!("{},{claim}}}", good.trim_end_matches('}')));
    let valid = with_header(&rs256);
    let parts: Vec<&str> = valid.split('.').collect();
    let unsigned = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), parts[1]);
    let more_permissions = with(api, json!({ "permissions": ["kyc:*"] })).to_string();
    let swapped = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(more_permissions), parts[2]);
    vec![
        ("HS256 with the public key in DER", confused(public_der.as_bytes()), 401),
        ("HS256 with the public key as SPKI", confused(spki.as_bytes()), 401),
        ("HS256 with the public key in PEM", confused(public_pem.as_bytes()), 401),
        ("HS256 with an empty secret", confused(b""), 401),
        ("unsigned, with the algorithm none", unsigned, 401),
        (
            "RS512",
            signed(&json!({ "alg": "RS512", "kid": "local" }), &good, &private, Algorithm::RS512),
            401,
        ),
        ("header with none", with_header(&json!({ "alg": "none", "kid": "local" })), 401),
        ("header with HS256", with_header(&json!({ "alg": "HS256", "kid": "local" })), 401),
        ("unknown key id", with_header(&json!({ "alg": "RS256", "kid": "other" })), 401),
        (
            "a critical extension",
            with_header(&json!({ "alg": "RS256", "kid": "local", "crit": ["b64"], "b64": true })),
            401,
        ),
        (
            "an empty list of critical extensions",
            with_header(&json!({ "alg": "RS256", "kid": "local", "crit": [] })),
            401,
        ),
        (
            "critical extensions that are not a list",
            with_header(&json!({ "alg": "RS256", "kid": "local", "crit": "b64" })),
            401,
        ),
        ("another key", SigningKey::generate().unwrap().sign(&claims(api)).unwrap(), 401),
        (
            "the key in the header",
            signed(
                &json!({ "alg": "RS256", "jwk": { "kty": "RSA", "n": "AQAB", "e": "AQAB" } }),
                &good,
                &encoding_key(&SigningKey::generate().unwrap()),
                Algorithm::RS256,
            ),
            401,
        ),
        ("claims of another token", swapped, 401),
        ("another issuer", changed(json!({ "iss": "https://elsewhere.example" })), 401),
        ("another audience", changed(json!({ "aud": "someone-else" })), 401),
        ("an ID token", changed(json!({ "token_use": "id" })), 401),
        ("a token for an unknown use", changed(json!({ "token_use": "" })), 401),
        ("a use in a list", changed(json!({ "token_use": ["access"] })), 401),
        ("expired", changed(json!({ "exp": now() - 2 })), 401),
        ("without expiry", changed(json!({ "exp": null })), 401),
        ("not yet valid", changed(json!({ "nbf": now() + 300 })), 401),
        ("oversized", changed(json!({ "pad": "x".repeat(20_000) })), 401),
        ("duplicate tenant", duplicate(r#""tenant_id":"other""#), 401),
        ("duplicate expiry", duplicate(r#""exp":4000000000"#), 401),
        ("duplicate permissions", duplicate(r#""permissions":["kyc:*"]"#), 401),
        ("claims in an array", with_claims("[]"), 401),
        ("claims that are not JSON", with_claims("{"), 401),
        ("without tenant", changed(json!({ "tenant_id": null })), 403),
        ("an empty tenant", changed(json!({ "tenant_id": "" })), 403),
        ("a tenant with a separator", changed(json!({ "tenant_id": "a#b" })), 403),
        ("without permissions", changed(json!({ "permissions": null })), 403),
    ]
}

#[tokio::test]
async fn requests_with_forged_tokens_do_not_reach_the_table() {
    let tally = Tally::default();
    let api = Api::with_calls(tally.clone(), &Api::start().await).await;
    let ids = Ids::unknown();
    tally.reset();
    for (description, token, status) in forged(&api) {
        for row in ROWS {
            let answer = row.request(&api, &Persona::bearing(&token), &ids).send().await;
            assert_eq!(answer.status, status, "{description}: {}", row.route);
        }
    }
    assert_eq!(tally.calls().len(), 0);
    // With a valid token, the same requests do reach the table.
    let good = KEY.sign(&with(&api, json!({ "permissions": ["kyc:*"] }))).unwrap();
    for row in ROWS {
        tally.reset();
        row.request(&api, &Persona::bearing(&good), &ids).send().await;
        assert_ne!(tally.calls().len(), 0, "{}", row.route);
    }
}

#[tokio::test]
async fn a_request_with_two_tokens_is_refused() {
    let api = Api::start().await;
    let good = format!("Bearer {}", KEY.sign(&claims(&api)).unwrap());
    let answer = api
        .call(&Persona::anonymous(), "GET", "/customers")
        .header("authorization", &good)
        .header("authorization", &good)
        .send()
        .await;
    assert_eq!(answer.status, 401);
}
