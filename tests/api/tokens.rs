//! What the authorizer and the functions take for a caller.

use std::time::{SystemTime, UNIX_EPOCH};

use api_tests::{Api, KEY, Persona, TEMPLATE, Value, json};
use local::SigningKey;

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
