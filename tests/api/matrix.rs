//! Tests the authorization matrix: every route with every permission, in the caller's tenant and in
//! another one. If a route of the template has no row here, `coverage` fails.

use api_tests::{Answer, Api, Call, Persona, Value, json, path_of};

/// All permissions of the API except `kyc:*`, which grants all of them.
pub(crate) const PERMISSIONS: [&str; 10] = [
    "kyc:create",
    "kyc:read",
    "kyc:update",
    "kyc:delete",
    "kyc:monitor",
    "kyc:review",
    "kyc:export",
    "kyc:audit",
    "kyc:erase",
    "kyc:manage",
];

/// A route, the permissions that it needs, and how to call it.
pub(crate) struct Row {
    /// Method and path, as in the template.
    pub(crate) route: &'static str,
    /// Permissions for this request. A caller needs at least one of them.
    pub(crate) permissions: &'static [&'static str],
    /// Further permissions that allow other requests of the route, such as the decision of a session.
    others: &'static [&'static str],
    /// Function that returns a valid body, or `None` if the route does not take one.
    body: fn() -> Option<Value>,
    /// Status of the answer to a permitted request about an object of the caller's tenant.
    success: u16,
    /// Error code for objects that do not exist or belong to another tenant.
    not_found: &'static str,
}

/// Ids for the placeholders of a path.
#[derive(Clone)]
pub(crate) struct Ids {
    pub(crate) customer: String,
    pub(crate) session: String,
    pub(crate) alert: String,
}

impl Ids {
    /// Returns well-formed ids of objects that do not exist.
    pub(crate) fn unknown() -> Ids {
        let id = "01920000-0000-7000-8000-000000000000".to_owned();
        Ids { customer: id.clone(), session: id.clone(), alert: id }
    }
}

/// All routes, in the order in which the tests call them.
pub(crate) const ROWS: &[Row] = &[
    Row {
        route: "POST /customers",
        permissions: &["kyc:create"],
        others: &[],
        body: || Some(json!({ "name": "New" })),
        success: 201,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers",
        permissions: &["kyc:read"],
        others: &[],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}",
        permissions: &["kyc:read"],
        others: &[],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "PATCH /customers/{id}",
        permissions: &["kyc:create", "kyc:update"],
        others: &["kyc:review", "kyc:erase"],
        // The value must be new each time, because a patch without an effect needs only the
        // permissions of the route.
        body: || Some(json!({ "industry": uuid::Uuid::now_v7() })),
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}/sessions",
        permissions: &["kyc:read"],
        others: &[],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "PUT /customers/{id}/organization",
        permissions: &["kyc:create", "kyc:update"],
        others: &[],
        body: || Some(json!({ "parties": [], "relationships": [] })),
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}/organization",
        permissions: &["kyc:read"],
        others: &[],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}/risk-profile",
        permissions: &["kyc:read"],
        others: &[],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "POST /customers/{id}/monitor",
        permissions: &["kyc:create", "kyc:monitor"],
        others: &[],
        body: || Some(json!({})),
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}/monitor",
        permissions: &["kyc:read"],
        others: &[],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "DELETE /customers/{id}/monitor",
        permissions: &["kyc:create", "kyc:monitor"],
        others: &[],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}/alerts",
        permissions: &["kyc:read"],
        others: &[],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "PATCH /customers/{id}/alerts/{alert_id}",
        permissions: &["kyc:review"],
        others: &[],
        body: || Some(json!({ "status": "open" })),
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "DELETE /customers/{id}",
        permissions: &["kyc:create", "kyc:delete"],
        others: &[],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /customers/{id}/export",
        permissions: &["kyc:export"],
        others: &[],
        body: || None,
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "POST /kyc/sessions",
        permissions: &["kyc:create"],
        others: &[],
        body: || Some(json!({ "client_id": "new" })),
        success: 201,
        not_found: "CUSTOMER_NOT_FOUND",
    },
    Row {
        route: "GET /kyc/sessions/{session_id}",
        permissions: &["kyc:read"],
        others: &[],
        body: || None,
        success: 200,
        not_found: "SESSION_NOT_FOUND",
    },
    Row {
        route: "PATCH /kyc/sessions/{session_id}",
        permissions: &["kyc:create", "kyc:update"],
        others: &["kyc:review"],
        body: || Some(json!({ "validations": [{ "kind": "document", "result": "passed" }] })),
        success: 200,
        not_found: "SESSION_NOT_FOUND",
    },
    // This must be the last row, because an erased customer cannot be changed.
    Row {
        route: "POST /customers/{id}/erase",
        permissions: &["kyc:erase"],
        others: &[],
        body: || Some(json!({ "override_reason": "A test" })),
        success: 200,
        not_found: "CUSTOMER_NOT_FOUND",
    },
];

impl Row {
    pub(crate) async fn call(&self, api: &Api, who: &Persona, ids: &Ids) -> Answer {
        self.request(api, who, ids).send().await
    }

    /// Prepares a valid request about the objects with these ids.
    pub(crate) fn request(&self, api: &Api, who: &Persona, ids: &Ids) -> Call {
        let (method, template) = self.route.split_once(' ').unwrap();
        let path = template
            .replace("{id}", &ids.customer)
            .replace("{session_id}", &ids.session)
            .replace("{alert_id}", &ids.alert);
        let call = api.call(who, method, &path);
        match (self.body)() {
            Some(body) => call.json(&body),
            None => call,
        }
    }

    /// Prepares a request with the method HEAD about the objects with these ids.
    pub(crate) fn head(&self, api: &Api, who: &Persona, ids: &Ids) -> Call {
        let route = self.route.replacen("GET ", "HEAD ", 1);
        Row { route: Box::leak(route.into_boxed_str()), ..*self }.request(api, who, ids)
    }

    /// Returns whether the path of the route contains an id.
    pub(crate) fn has_id(&self) -> bool {
        self.route.contains('{')
    }
}

pub(crate) async fn with_customer() -> (Api, Ids) {
    let api = Api::start().await;
    api.refresh().await;
    let ids = everything(&api, &Persona::of("acme")).await;
    (api, ids)
}

/// Creates a customer with a session, an organization, a monitor and an alert. Returns their ids.
pub(crate) async fn everything(api: &Api, who: &Persona) -> Ids {
    let customer = api.create(who, &json!({ "name": "Brindal Quarry Trading" })).await;
    let id = |value: &Value| value.as_str().unwrap().to_owned();
    let link = json!({ "customer_id": customer["customer_id"] });
    let session = api.post(who, "/kyc/sessions", &link).await.expect(201);
    let path = path_of(&customer);
    let empty = json!({ "parties": [], "relationships": [] });
    api.call(who, "PUT", &format!("{path}/organization")).json(&empty).send().await.expect(201);
    api.post(who, &format!("{path}/monitor"), &json!({})).await.expect(201);
    let alerts = api.get(who, &format!("{path}/alerts")).await.expect(200);
    Ids {
        customer: id(&customer["customer_id"]),
        session: id(&session["session_id"]),
        alert: id(&alerts["items"][0]["alert_id"]),
    }
}

#[test]
fn the_matrix_lists_every_permission() {
    let all = [&["kyc:*"], &PERMISSIONS[..]].concat();
    assert_eq!(all, shared::Permission::NAMES);
}

#[tokio::test]
async fn the_gateway_rejects_requests_without_a_token() {
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
async fn a_permission_allows_only_its_routes() {
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
            let expected = match row.others.contains(&permission) {
                true => row.permissions.to_vec(),
                false => [row.permissions, row.others].concat(),
            };
            assert_eq!(error["details"][0]["permissions"], json!(expected), "{}", row.route);
        }
        for sufficient in ["kyc:*", row.permissions[0]] {
            let caller = Persona::with("acme", &["other:read", sufficient]);
            let answer = row.call(&api, &caller, &ids).await;
            assert_eq!(answer.status, row.success, "{} with {sufficient}", row.route);
        }
        for useless in [&[][..], &["kyc"], &["kyc:"], &["*"], &["kyc:reader"], &["KYC:READ"]] {
            let answer = row.call(&api, &Persona::with("acme", useless), &ids).await;
            answer.refused(403, "INSUFFICIENT_PERMISSIONS");
        }
    }
}

#[tokio::test]
async fn another_tenant_gets_a_404_and_changes_nothing() {
    let (api, ids) = with_customer().await;
    let stranger = Persona::of("stranger");
    for row in ROWS.iter().filter(|row| row.has_id()) {
        let foreign = row.call(&api, &stranger, &ids).await;
        let unknown = row.call(&api, &stranger, &Ids::unknown()).await;
        assert_eq!(foreign.without_request_id(), unknown.without_request_id(), "{}", row.route);
        foreign.refused(404, row.not_found);
    }
    assert_eq!(api.get(&stranger, "/customers").await.expect(200)["count"], 0);
    let path = format!("/customers/{}", ids.customer);
    let customer = api.get(&Persona::of("acme"), &path).await.expect(200);
    assert_eq!((&customer["version"], &customer["status"]), (&json!(4), &json!("active")));
    let session_path = format!("/kyc/sessions/{}", ids.session);
    let session = api.get(&Persona::of("acme"), &session_path).await.expect(200);
    assert_eq!(session["status"], "active");
}
