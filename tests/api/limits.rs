//! Tests every limit in the OpenAPI document: the API accepts a value at the limit, and rejects a
//! value past the limit with an error that names the field.

use std::sync::LazyLock;

use api_tests::{Answer, Api, Persona, TEMPLATE, Value, json, path_of};
use local::openapi;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let document = openapi::document(&TEMPLATE).unwrap();
    serde_json::to_value(document).unwrap()
});

/// A limit of a field, with an allowed value at the limit and a refused value past it.
struct Limit {
    /// JSON pointer to the field in the body. Empty for a parameter.
    pointer: String,
    allowed: Value,
    refused: Value,
}

/// Returns the schema itself or, if it is a reference, the schema that it finally refers to.
fn resolved(mut schema: &Value) -> &Value {
    while let Some(reference) = schema["$ref"].as_str() {
        schema = DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap();
    }
    schema
}

/// Returns the `maxLength` of a schema or of one of its alternatives, or `None` if neither has one.
/// A field that may be null has alternatives.
fn max_length(schema: &Value) -> Option<usize> {
    let schema = resolved(schema);
    let own = schema["maxLength"].as_u64().map(|length| length as usize);
    let mut alternatives =
        ["oneOf", "anyOf"].into_iter().filter_map(|keyword| schema[keyword].as_array()).flatten();
    own.or_else(|| alternatives.find_map(max_length))
}

/// Adds the limits of a schema and of all schemas nested in it.
fn collect(schema: &Value, pointer: &str, limits: &mut Vec<Limit>) {
    let schema = resolved(schema);
    for keyword in ["oneOf", "anyOf", "allOf"] {
        for part in schema[keyword].as_array().into_iter().flatten() {
            collect(part, pointer, limits);
        }
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        collect(field, &format!("{pointer}/{name}"), limits);
    }
    if schema["items"].is_object() {
        collect(&schema["items"], &format!("{pointer}/0"), limits);
    }
    let mut limit = |allowed: Value, refused: Value| {
        limits.push(Limit { pointer: pointer.to_owned(), allowed, refused });
    };
    let count = |keyword: &str| schema[keyword].as_u64().map(|count| count as usize);
    if let Some(max) = count("maxLength") {
        limit(json!(text(pointer, max)), json!(text(pointer, max + 1)));
    }
    if let Some(min) = count("minLength") {
        limit(json!(text(pointer, min)), json!(""));
    }
    if let Some(max) = count("maxItems") {
        limit(items(pointer, max), items(pointer, max + 1));
    }
    if let Some(min) = count("minItems") {
        limit(items(pointer, min), items(pointer, min - 1));
    }
    if let Some(max) = count("maxProperties") {
        let key = max_length(&schema["propertyNames"]).unwrap();
        let value = max_length(&schema["additionalProperties"]).unwrap();
        limit(map(max, key, value), map(max + 1, key, value));
        limit(map(max, key, value), map(1, key + 1, value));
        limit(map(max, key, value), map(1, key, value + 1));
    }
    if let Some(max) = schema["maximum"].as_f64() {
        limit(number(max), number(max + 1.0));
    }
    if let Some(min) = schema["minimum"].as_f64() {
        limit(number(min), number(min - 1.0));
    }
    if let Some(bound) = schema["exclusiveMinimum"].as_f64() {
        limit(json!(bound + 0.5), number(bound));
    }
}

/// Returns a number as JSON: an integer if it has no fraction.
fn number(number: f64) -> Value {
    if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
}

/// Returns an object with `count` entries. Its keys have `key` characters and its values have
/// `value` characters.
fn map(count: usize, key: usize, value: usize) -> Value {
    let entry = |number| (format!("{number:0key$}"), json!("\u{e4}".repeat(value)));
    (0..count).map(entry).collect::<serde_json::Map<_, _>>().into()
}

/// Returns a string of `length` characters that is valid for the field.
fn text(pointer: &str, length: usize) -> String {
    let fill = |length: usize| "a".repeat(length);
    match pointer.rsplit('/').next() {
        Some("website") => format!("https://a.example/{}", fill(length - 18)),
        Some("email") => {
            let labels = format!("{0}.{0}.{1}.example", fill(60), fill(length - 64 - 1 - 130));
            format!("{}@{labels}", fill(64))
        }
        _ => fill(length),
    }
}

/// Returns `count` different items that are valid for the array at `pointer`.
fn items(pointer: &str, count: usize) -> Value {
    let item = |number: usize| match pointer {
        "/tags" | "/lists" => json!(format!("t{number}")),
        "/parties" => json!({ "party_id": format!("c{number}"), "kind": "company", "name": "C" }),
        "/relationships" => {
            let (owner, owned) = (number % 500, (number * 7 + number / 500) % 500);
            json!({ "owner": format!("c{owner}"), "owned": format!("c{owned}"), "percentage": 1 })
        }
        "/validations" => {
            json!({ "kind": "document", "result": "passed", "at": "2026-01-01T00:00:00Z" })
        }
        other => panic!("no items for {other}"),
    };
    (0..count).map(item).collect()
}

/// Returns a valid body for a route, or `None` if the route does not take one.
fn valid_body(route: &str) -> Option<Value> {
    let party = |id: &str, kind: &str| json!({ "party_id": id, "kind": kind, "name": "A" });
    Some(match route {
        "POST /customers" => json!({ "name": "A", "retain_until": "2020-01-01" }),
        "PATCH /customers/{id}" => json!({ "retain_until": "2020-01-01" }),
        // The longest client id is too long for the name of the customer.
        "POST /kyc/sessions" => json!({ "client_id": "new", "name": "A" }),
        "PATCH /kyc/sessions/{session_id}" => {
            json!({ "validations": items("/validations", 1) })
        }
        "POST /customers/{id}/monitor" => json!({}),
        "POST /customers/{id}/erase" => json!({ "override_reason": "A test" }),
        "PATCH /customers/{id}/alerts/{alert_id}" => json!({ "status": "confirmed" }),
        "PUT /customers/{id}/organization" => json!({
            "parties": [party("p0", "company"), party("p1", "company"), party("p2", "individual")],
            "relationships": [{ "owner": "p2", "owned": "self", "percentage": 50 }],
        }),
        _ => return None,
    })
}

/// Returns the valid body with the value at `pointer` replaced. Also changes other values that must
/// agree with the new value.
fn with(route: &str, pointer: &str, value: &Value) -> Value {
    let mut body = valid_body(route).unwrap();
    match pointer {
        "/parties" => body["relationships"] = json!([]),
        "/relationships" => body["parties"] = items("/parties", 500),
        "/relationships/0/owner" | "/relationships/0/owned" => {
            body["parties"][1]["party_id"] = value.clone();
        }
        _ => {}
    }
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent) {
        Some(Value::Array(items)) => items[name.parse::<usize>().unwrap()] = value.clone(),
        Some(parent) => parent[name] = value.clone(),
        None => body[&parent[1..]] = json!([value]),
    }
    body
}

/// Creates the objects whose ids a path contains, and returns the path with their ids.
async fn path_to_new_objects(api: &Api, who: &Persona, path: &str) -> String {
    if !path.contains('{') {
        return path.to_owned();
    }
    let customer = api.create(who, &json!({ "name": "Brindal Quarry Trading" })).await;
    let customer_path = path_of(&customer);
    if path.contains("{session_id}") {
        let link = json!({ "customer_id": customer["customer_id"] });
        let session = api.post(who, "/kyc/sessions", &link).await.expect(201);
        return path.replace("{session_id}", session["session_id"].as_str().unwrap());
    }
    let mut path = path.replace("{id}", customer["customer_id"].as_str().unwrap());
    if path.contains("{alert_id}") {
        api.post(who, &format!("{customer_path}/monitor"), &json!({})).await.expect(201);
        let alerts = api.get(who, &format!("{customer_path}/alerts")).await.expect(200);
        path = path.replace("{alert_id}", alerts["items"][0]["alert_id"].as_str().unwrap());
    }
    if path.ends_with("/monitor") {
        api.post(who, &path, &json!({})).await.expect(201);
    }
    if path.ends_with("/organization") {
        let body = valid_body("PUT /customers/{id}/organization").unwrap();
        api.call(who, "PUT", &path).json(&body).send().await.expect(201);
    }
    path
}

/// Returns whether the API accepts the value. The generated names in `lists` do not name loaded
/// lists, so for `lists` it is enough that the API accepts the number of names.
fn is_accepted(answer: Answer, pointer: &str) -> bool {
    answer.status < 300 || (pointer == "/lists" && !answer.faults().contains(&pointer.to_owned()))
}

#[tokio::test]
async fn values_at_a_limit_are_accepted_and_values_past_it_are_rejected() {
    let api = Api::start().await;
    api.refresh().await;
    let mut count = 0;
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = method.to_uppercase();
            let route = format!("{method} {path}");
            let mut fields = Vec::new();
            let contents = operation["requestBody"]["content"].as_object();
            for (media_type, content) in contents.into_iter().flatten() {
                if media_type == "application/json" {
                    collect(&content["schema"], "", &mut fields);
                }
            }
            for limit in fields {
                // Use a new tenant for each limit, so that the client ids of the bodies are not
                // taken yet.
                let who = Persona::of(&format!("limits-{count}"));
                let send = async |value: &Value| {
                    let path = path_to_new_objects(&api, &who, path).await;
                    let body = with(&route, &limit.pointer, value);
                    api.call(&who, &method, &path).json(&body).send().await
                };
                let answer = send(&limit.allowed).await;
                let (status, text) = (answer.status, answer.text.clone());
                let pointer = &limit.pointer;
                assert!(is_accepted(answer, pointer), "{route} {pointer}: {status} {text}");
                let faults = send(&limit.refused).await.faults();
                let names_field = |fault: &String| fault.starts_with(pointer.as_str());
                assert!(faults.iter().any(names_field), "{route} {pointer}: {faults:?}");
                count += 1;
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                let mut limits = Vec::new();
                collect(&parameter["schema"], "", &mut limits);
                for limit in limits {
                    let who = Persona::of(&format!("limits-{count}"));
                    let send = async |value: &Value| {
                        let path = path_to_new_objects(&api, &who, path).await;
                        let value = value.as_str().map_or(value.to_string(), str::to_owned);
                        let mut call = match parameter["in"].as_str() {
                            Some("query") => {
                                api.call(&who, &method, &format!("{path}?{name}={value}"))
                            }
                            Some("header") => api.call(&who, &method, &path).header(name, &value),
                            other => panic!("{name} is in {other:?}"),
                        };
                        if let Some(body) = valid_body(&route) {
                            call = call.json(&body);
                        }
                        call.send().await
                    };
                    let answer = send(&limit.allowed).await;
                    assert!(answer.status < 300, "{route} {name}: {answer:?}");
                    let faults = send(&limit.refused).await.faults();
                    assert!(faults.iter().any(|fault| fault.ends_with(name)), "{name}: {faults:?}");
                    count += 1;
                }
            }
        }
    }
    println!("{count} limits");
    assert!(count > 60, "{count} limits");
}
