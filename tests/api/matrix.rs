//! The authorization matrix: every route, every persona, own and foreign tenant. A route of the
//! template without a row here fails `coverage`.

use api_tests::{Answer, Api, Persona, Value, json};

/// Every permission there is.
const PERMISSIONS: [&str; 4] = ["kyc:create", "kyc:read", "kyc:update", "kyc:delete"];

pub(crate) struct Row {
    pub(crate) route: &'static str,
    /// Any one of these will do.
    permissions: &'static [&'static str],
    body: fn() -> Option<Value>,
    /// What a caller who may gets for a customer of its own.
    success: u16,
}

pub(crate) const ROWS: &[Row] = &[
    Row {
        route: "POST /customers",
        permissions: &["kyc:create"],
        body: || Some(json!({ "name": "New" })),
        success: 201,
    },
    Row { route: "GET /customers", permissions: &["kyc:read"], body: || None, success: 200 },
    Row { route: "GET /customers/{id}", permissions: &["kyc:read"], body: || None, success: 200 },
    Row {
        route: "PATCH /customers/{id}",
        permissions: &["kyc:create", "kyc:update"],
        body: || Some(json!({ "industry": "Banking" })),
        success: 200,
    },
    Row {
        route: "DELETE /customers/{id}",
        permissions: &["kyc:create", "kyc:delete"],
        body: || None,
        success: 200,
    },
];

impl Row {
    async fn call(&self, api: &Api, who: &Persona, id: &str) -> Answer {
        let (method, path) = self.route.split_once(' ').unwrap();
        let call = api.call(who, method, &path.replace("{id}", id));
        match (self.body)() {
            Some(body) => call.json(&body).send().await,
            None => call.send().await,
        }
    }

    fn names_a_customer(&self) -> bool {
        self.route.contains("{id}")
    }
}

async fn with_customer() -> (Api, String) {
    let api = Api::start().await;
    let customer = api.create(&Persona::of("acme"), &json!({ "name": "Acme" })).await;
    let id = customer["customer_id"].as_str().unwrap().to_owned();
    (api, id)
}

#[tokio::test]
async fn without_a_token_the_gateway_refuses() {
    let (api, id) = with_customer().await;
    for row in ROWS {
        let answer = row.call(&api, &Persona::anonymous(), &id).await;
        assert_eq!(
            (answer.status, &answer.body),
            (401, &json!({ "message": "Unauthorized" })),
            "{}",
            row.route
        );
    }
}

#[tokio::test]
async fn each_permission_opens_its_routes_and_no_other() {
    let (api, id) = with_customer().await;
    for row in ROWS {
        for permission in PERMISSIONS {
            let answer = row.call(&api, &Persona::with("acme", &[permission]), &id).await;
            if row.permissions.contains(&permission) {
                assert_eq!(
                    answer.status, row.success,
                    "{} with {permission}: {}",
                    row.route, answer.text
                );
                continue;
            }
            let error = answer.refused(403, "INSUFFICIENT_PERMISSIONS");
            assert_eq!(error["details"][0]["permissions"], json!(row.permissions), "{}", row.route);
        }
        for all in ["kyc:*", row.permissions[0]] {
            let many = Persona::with("acme", &["other:read", all]);
            assert_eq!(
                row.call(&api, &many, &id).await.status,
                row.success,
                "{} with {all}",
                row.route
            );
        }
        for none in [&[][..], &["kyc"], &["kyc:"], &["*"], &["kyc:reader"], &["KYC:READ"]] {
            row.call(&api, &Persona::with("acme", none), &id)
                .await
                .refused(403, "INSUFFICIENT_PERMISSIONS");
        }
    }
}

#[tokio::test]
async fn another_tenant_sees_nothing() {
    let (api, id) = with_customer().await;
    let stranger = Persona::of("stranger");
    let nobody = "01920000-0000-7000-8000-000000000000";
    for row in ROWS.iter().filter(|row| row.names_a_customer()) {
        let foreign = row.call(&api, &stranger, &id).await;
        let unknown = row.call(&api, &stranger, nobody).await;
        assert_eq!(foreign.without_request_id(), unknown.without_request_id(), "{}", row.route);
        foreign.refused(404, "CUSTOMER_NOT_FOUND");
    }
    assert_eq!(api.get(&stranger, "/customers").await.expect(200)["count"], 0);
    let untouched = api.get(&Persona::of("acme"), &format!("/customers/{id}")).await.expect(200);
    assert_eq!((&untouched["version"], &untouched["status"]), (&json!(1), &json!("active")));
}
