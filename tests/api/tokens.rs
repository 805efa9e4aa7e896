//! What the authorizer and the functions take for a caller.

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

use crate::matrix::{Ids, ROWS};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn claims(api: &Api) -> Value {
    json!({
        "iss": TEMPLATE.authorizer.issuer, "aud": "kyc-customers", "sub": "tester",
        "iat": now(), "exp": now() + 600, "tenant_id": api.tenant("acme"),
        "permissions": ["kyc:read"],
    })
}

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
async fn a_signature_of_another_key_or_algorithm_does_not_count() {
    let api = Api::start().await;
    let good = KEY.sign(&claims(&api)).unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let (payload, signature) = (parts[1], parts[2]);
    // {"alg":"none"} and {"alg":"HS256"}, base64url
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
    ] {
        assert_eq!(list(with(&api, granted)).await.expect(200)["count"], 1);
    }
    let cognito = with(&api, json!({ "custom:tenant_id": api.tenant("other") }));
    assert_eq!(list(cognito).await.expect(200)["count"], 0);
}

/// What Cognito asks before it gives out a token.
#[tokio::test]
async fn access_tokens_name_the_tenant_that_an_administrator_gave() {
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
        let token = match tenant {
            Some(tenant) => json!({ "claimsToAddOrOverride": { "tenant_id": tenant } }),
            None => json!({ "claimsToSuppress": ["tenant_id"] }),
        };
        assert_eq!(*details, json!({ "accessTokenGeneration": token }), "{event}");
    }
    api.run("pre-token-generation", &json!([])).await.unwrap_err();
}

/// A token of any header and any text as claims.
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

/// What whoever has no token would try, with the status it is answered with.
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
    let by = |header: &Value| signed(header, &good, &private, Algorithm::RS256);
    let saying = |claims: &str| signed(&rs256, claims, &private, Algorithm::RS256);
    let changed = |changes: Value| saying(&with(api, changes).to_string());
    let twice = |extra: &str| saying(&format!("{},{extra}}}", good.trim_end_matches('}')));
    let (head, rest) = (by(&rs256), by(&rs256));
    let unsigned = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
        head.split('.').nth(1).unwrap()
    );
    let swapped = format!(
        "{}.{}.{}",
        head.split('.').next().unwrap(),
        URL_SAFE_NO_PAD.encode(with(api, json!({ "permissions": ["kyc:*"] })).to_string()),
        rest.split('.').nth(2).unwrap()
    );
    vec![
        ("HS256 with the public key in DER", confused(public_der.as_bytes()), 401),
        ("HS256 with the public key's info", confused(spki.as_bytes()), 401),
        ("HS256 with the public key in PEM", confused(public_pem.as_bytes()), 401),
        ("HS256 with nothing", confused(b""), 401),
        ("none", unsigned, 401),
        (
            "RS512",
            signed(&json!({ "alg": "RS512", "kid": "local" }), &good, &private, Algorithm::RS512),
            401,
        ),
        ("a header that says none", by(&json!({ "alg": "none", "kid": "local" })), 401),
        ("a header that says HS256", by(&json!({ "alg": "HS256", "kid": "local" })), 401),
        ("a key id of nobody", by(&json!({ "alg": "RS256", "kid": "other" })), 401),
        ("a key of its own", SigningKey::generate().unwrap().sign(&claims(api)).unwrap(), 401),
        (
            "a key in its header",
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
        ("expired", changed(json!({ "exp": now() - 2 })), 401),
        ("expiring never", changed(json!({ "exp": null })), 401),
        ("not yet valid", changed(json!({ "nbf": now() + 300 })), 401),
        ("oversized", changed(json!({ "pad": "x".repeat(20_000) })), 401),
        ("a tenant twice", twice(r#""tenant_id":"other""#), 401),
        ("an expiry twice", twice(r#""exp":4000000000"#), 401),
        ("permissions twice", twice(r#""permissions":["kyc:*"]"#), 401),
        ("claims that are no object", saying("[]"), 401),
        ("claims that are no JSON", saying("{"), 401),
        ("no tenant", changed(json!({ "tenant_id": null })), 403),
        ("an empty tenant", changed(json!({ "tenant_id": "" })), 403),
        ("a tenant with a separator", changed(json!({ "tenant_id": "a#b" })), 403),
        ("no permissions", changed(json!({ "permissions": null })), 403),
    ]
}

#[tokio::test]
async fn no_forged_token_gets_as_far_as_the_table() {
    let tally = Tally::default();
    let api = Api::with_calls(tally.clone(), &Api::start().await).await;
    let nobody = "01920000-0000-7000-8000-000000000000".to_owned();
    let ids = Ids { customer: nobody.clone(), session: nobody.clone(), alert: nobody };
    tally.reset();
    for (what, token, status) in forged(&api) {
        for row in ROWS {
            let answer = row.request(&api, &Persona::bearing(&token), &ids).send().await;
            assert_eq!(answer.status, status, "{what}: {}", row.route);
        }
    }
    assert_eq!(tally.calls().len(), 0);
    // The same requests with a good one do get there.
    let good = KEY.sign(&with(&api, json!({ "permissions": ["kyc:*"] }))).unwrap();
    for row in ROWS {
        tally.reset();
        row.request(&api, &Persona::bearing(&good), &ids).send().await;
        assert_ne!(tally.calls().len(), 0, "{}", row.route);
    }
}

#[tokio::test]
async fn two_tokens_are_no_token() {
    let api = Api::start().await;
    let good = format!("Bearer {}", KEY.sign(&claims(&api)).unwrap());
    let two = api.call(&Persona::anonymous(), "GET", "/customers");
    let two = two.header("authorization", &good).header("authorization", &good);
    assert_eq!(two.send().await.status, 401);
}
