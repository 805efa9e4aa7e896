//! The authorization matrix: every route, every persona, own and foreign tenant. A route of the
//! template without a row here fails `coverage`.

use api_tests::{Answer, Api, Call, Persona, Value, json, path_of};

/// Every permission there is.
pub(crate) const PERMISSIONS: [&str; 6] =
    ["kyc:create", "kyc:read", "kyc:update", "kyc:delete", "kyc:monitor", "kyc:erase"];

pub(crate) struct Row {
    pub(crate) route: &'static str,
    /// Any one of these will do.
    permissions: &'static [&'static str],
    body: fn() -> Option<Value>,
    /// What a caller who may gets for what is its own.
    success: u16,
    /// The code of what there is not, or is another tenant's.
    not_found: &'static str,
}

/// What a path may name.
#[derive(Clone)]
pub(crate) struct Ids {
    pub(crate) customer: String,
    pub(crate) session: String,
    pub(crate) alert: String,
}

pub(crate) const ROWS: &[Row] = &[
    Row {
        route: "POST /customers",
        permissions: &["kyc:create"],
        body: || Some(json!({ "name": "New" })),
        success: 201,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers",
        permissions: &["kyc:read"],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}",
        permissions: &["kyc:read"],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "PATCH /customers/{id}",
        permissions: &["kyc:create", "kyc:update"],
        body: || Some(json!({ "industry": "Banking" })),
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}/sessions",
        permissions: &["kyc:read"],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "PUT /customers/{id}/organization",
        permissions: &["kyc:create", "kyc:update"],
        body: || Some(json!({ "parties": [], "relationships": [] })),
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}/organization",
        permissions: &["kyc:read"],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}/risk-profile",
        permissions: &["kyc:read"],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "POST /customers/{id}/monitor",
        permissions: &["kyc:create", "kyc:monitor"],
        body: || Some(json!({})),
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}/monitor",
        permissions: &["kyc:read"],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "DELETE /customers/{id}/monitor",
        permissions: &["kyc:create", "kyc:monitor"],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}/alerts",
        permissions: &["kyc:read"],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "PATCH /customers/{id}/alerts/{alert_id}",
        permissions: &["kyc:create", "kyc:update"],
        body: || Some(json!({ "status": "open" })),
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "DELETE /customers/{id}",
        permissions: &["kyc:create", "kyc:delete"],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}/export",
        permissions: &["kyc:read"],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "POST /kyc/sessions",
        permissions: &["kyc:create"],
        body: || Some(json!({ "client_id": "new" })),
        success: 201,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /kyc/sessions/{session_id}",
        permissions: &["kyc:read"],
        body: || None,
        success: 200,
        not_found: "SESSION_NOT_FOUND",
    },
    Row {
        route: "PATCH /kyc/sessions/{session_id}",
        permissions: &["kyc:create", "kyc:update"],
        body: || Some(json!({ "status": "completed" })),
        success: 200,
        not_found: "SESSION_NOT_FOUND",
    },
    // The last: nothing can be changed behind it.
    Row {
        route: "POST /customers/{id}/erase",
        permissions: &["kyc:erase"],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
];

impl Row {
    async fn call(&self, api: &Api, who: &Persona, ids: &Ids) -> Answer {
        self.request(api, who, ids).send().await
    }

    pub(crate) fn request(&self, api: &Api, who: &Persona, ids: &Ids) -> Call {
        let (method, path) = self.route.split_once(' ').unwrap();
        let path = path.replace("{id}", &ids.customer).replace("{session_id}", &ids.session);
        let path = path.replace("{alert_id}", &ids.alert);
        let call = api.call(who, method, &path);
        match (self.body)() {
            Some(body) => call.json(&body),
            None => call,
        }
    }

    pub(crate) fn names_something(&self) -> bool {
        self.route.contains('{')
    }
}

async fn with_customer() -> (Api, Ids) {
    let api = Api::start().await;
    api.refresh().await;
    let ids = everything(&api, &Persona::of("acme")).await;
    (api, ids)
}

/// A customer with one of each.
pub(crate) async fn everything(api: &Api, who: &Persona) -> Ids {
    let customer = api.create(who, &json!({ "name": "Brindal Quarry Trading" })).await;
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    let link = json!({ "customer_id": customer["customer_id"] });
    let session = api.post(who, "/kyc/sessions", &link).await.expect(201);
    let organization = format!("{}/organization", path_of(&customer));
    let empty = json!({ "parties": [], "relationships": [] });
    api.call(who, "PUT", &organization).json(&empty).send().await.expect(201);
    let path = path_of(&customer);
    api.post(who, &format!("{path}/monitor"), &json!({})).await.expect(201);
    let alerts = api.get(who, &format!("{path}/alerts")).await.expect(200);
    Ids {
        customer: id(&customer["customer_id"]),
        session: id(&session["session_id"]),
        alert: id(&alerts["items"][0]["alert_id"]),
    }
}

#[tokio::test]
async fn without_a_token_the_gateway_refuses() {
    let (api, ids) = with_customer().await;
    for row in ROWS {
        let answer = row.call(&api, &Persona::anonymous(), &ids).await;
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
    let (api, ids) = with_customer().await;
    for row in ROWS {
        for permission in PERMISSIONS {
            let answer = row.call(&api, &Persona::with("acme", &[permission]), &ids).await;
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
                row.call(&api, &many, &ids).await.status,
                row.success,
                "{} with {all}",
                row.route
            );
        }
        for none in [&[][..], &["kyc"], &["kyc:"], &["*"], &["kyc:reader"], &["KYC:READ"]] {
            row.call(&api, &Persona::with("acme", none), &ids)
                .await
                .refused(403, "INSUFFICIENT_PERMISSIONS");
        }
    }
}

#[tokio::test]
async fn another_tenant_sees_nothing() {
    let (api, ids) = with_customer().await;
    let stranger = Persona::of("stranger");
    let nobody = "01920000-0000-7000-8000-000000000000".to_owned();
    let nobody = Ids { customer: nobody.clone(), session: nobody.clone(), alert: nobody };
    for row in ROWS.iter().filter(|row| row.names_something()) {
        let foreign = row.call(&api, &stranger, &ids).await;
        let unknown = row.call(&api, &stranger, &nobody).await;
        assert_eq!(foreign.without_request_id(), unknown.without_request_id(), "{}", row.route);
        foreign.refused(404, row.not_found);
    }
    assert_eq!(api.get(&stranger, "/customers").await.expect(200)["count"], 0);
    let path = format!("/customers/{}", ids.customer);
    let untouched = api.get(&Persona::of("acme"), &path).await.expect(200);
    assert_eq!((&untouched["version"], &untouched["status"]), (&json!(4), &json!("active")));
    let session = format!("/kyc/sessions/{}", ids.session);
    let untouched = api.get(&Persona::of("acme"), &session).await.expect(200);
    assert_eq!(untouched["status"], "active");
}
