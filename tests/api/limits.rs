//! Every limit that the OpenAPI document states, at it and past it: what it allows is taken, and what
//! it does not allow is a fault that names the very field.

use std::sync::LazyLock;

use api_tests::{Answer, Api, Persona, TEMPLATE, Value, json, path_of};
use local::openapi;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let document = openapi::document(&TEMPLATE).unwrap();
    serde_json::to_value(document).unwrap()
});

/// A limit of a field, and values on both sides of it.
struct Limit {
    /// Where in the body; empty for a parameter.
    pointer: String,
    allowed: Value,
    refused: Value,
}

fn resolved(mut schema: &Value) -> &Value {
    while let Some(reference) = schema["$ref"].as_str() {
        schema = DOCUMENT.pointer(reference.trim_start_matches('#')).unwrap();
    }
    schema
}

/// `maxLength`, also of what may be null.
fn longest(schema: &Value) -> Option<usize> {
    let schema = resolved(schema);
    let several = ["oneOf", "anyOf"].map(|several| schema[several].as_array()).into_iter();
    let own = schema["maxLength"].as_u64().map(|most| most as usize);
    own.or_else(|| several.flatten().flatten().find_map(longest))
}

fn collect(schema: &Value, pointer: &str, limits: &mut Vec<Limit>) {
    let schema = resolved(schema);
    for several in ["oneOf", "anyOf", "allOf"] {
        for one in schema[several].as_array().into_iter().flatten() {
            collect(one, pointer, limits);
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
    let count = |name: &str| schema[name].as_u64().map(|count| count as usize);
    if let Some(most) = count("maxLength") {
        limit(json!(text(pointer, most)), json!(text(pointer, most + 1)));
    }
    if let Some(least) = count("minLength") {
        limit(json!(text(pointer, least)), json!(""));
    }
    if let Some(most) = count("maxItems") {
        limit(items(pointer, most), items(pointer, most + 1));
    }
    if let Some(least) = count("minItems") {
        limit(items(pointer, least), items(pointer, least - 1));
    }
    if let Some(most) = count("maxProperties") {
        let (key, value) = (&schema["propertyNames"], &schema["additionalProperties"]);
        let (key, value) = (longest(key).unwrap(), longest(value).unwrap());
        let of = |count: usize, key: usize, value: usize| -> Value {
            let entry = |number| (format!("{number:0key$}"), json!("\u{e4}".repeat(value)));
            (0..count).map(entry).collect::<serde_json::Map<_, _>>().into()
        };
        limit(of(most, key, value), of(most + 1, key, value));
        limit(of(most, key, value), of(1, key + 1, value));
        limit(of(most, key, value), of(1, key, value + 1));
    }
    if let Some(most) = schema["maximum"].as_f64() {
        limit(number(most), number(most + 1.0));
    }
    if let Some(least) = schema["minimum"].as_f64() {
        limit(number(least), number(least - 1.0));
    }
    if let Some(bound) = schema["exclusiveMinimum"].as_f64() {
        limit(json!(bound + 0.5), number(bound));
    }
}

fn number(number: f64) -> Value {
    if number.fract() == 0.0 { json!(number as i64) } else { json!(number) }
}

/// So many characters of what may stand there.
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

/// So many of what may stand there, no two alike.
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

/// A body with which the request succeeds.
fn good(route: &str) -> Option<Value> {
    let party = |id: &str, kind: &str| json!({ "party_id": id, "kind": kind, "name": "A" });
    Some(match route {
        "POST /customers" => json!({ "name": "A", "retain_until": "2020-01-01" }),
        "PATCH /customers/{id}" => json!({ "retain_until": "2020-01-01" }),
        "POST /kyc/sessions" => json!({ "client_id": "new" }),
        "PATCH /kyc/sessions/{session_id}" => {
            json!({ "validations": items("/validations", 1) })
        }
        "POST /customers/{id}/monitor" => json!({}),
        "PATCH /customers/{id}/alerts/{alert_id}" => json!({ "status": "confirmed" }),
        "PUT /customers/{id}/organization" => json!({
            "parties": [party("p0", "company"), party("p1", "company"), party("p2", "individual")],
            "relationships": [{ "owner": "p2", "owned": "self", "percentage": 50 }],
        }),
        _ => return None,
    })
}

/// That body with this value in it, and with what the value needs to make sense.
fn with(route: &str, pointer: &str, value: &Value) -> Value {
    let mut body = good(route).unwrap();
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

/// A path of this route to things that nobody has touched yet.
async fn untouched(api: &Api, who: &Persona, path: &str) -> String {
    if !path.contains('{') {
        return path.to_owned();
    }
    let customer = api.create(who, &json!({ "name": "Brindal Quarry Trading" })).await;
    let of = path_of(&customer);
    if path.contains("{session_id}") {
        let link = json!({ "customer_id": customer["customer_id"] });
        let session = api.post(who, "/kyc/sessions", &link).await.expect(201);
        return path.replace("{session_id}", session["session_id"].as_str().unwrap());
    }
    let mut path = path.replace("{id}", customer["customer_id"].as_str().unwrap());
    if path.contains("{alert_id}") {
        api.post(who, &format!("{of}/monitor"), &json!({})).await.expect(201);
        let alerts = api.get(who, &format!("{of}/alerts")).await.expect(200);
        path = path.replace("{alert_id}", alerts["items"][0]["alert_id"].as_str().unwrap());
    }
    if path.ends_with("/organization") {
        let body = good("PUT /customers/{id}/organization").unwrap();
        api.call(who, "PUT", &path).json(&body).send().await.expect(201);
    }
    path
}

/// Lists have to be loaded as well: that a hundred are not too many is all that can be said here.
fn is_taken(answer: Answer, pointer: &str) -> bool {
    answer.status < 300 || (pointer == "/lists" && !answer.faults().contains(&pointer.to_owned()))
}

#[tokio::test]
async fn what_is_allowed_is_taken_and_no_more() {
    let api = Api::start().await;
    api.refresh().await;
    let mut tried = 0;
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method = method.to_uppercase();
            let route = format!("{method} {path}");
            let mut fields = Vec::new();
            for media in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                if media.0 == "application/json" {
                    collect(&media.1["schema"], "", &mut fields);
                }
            }
            for limit in fields {
                // A tenant of its own, where no client id is taken.
                let who = Persona::of(&format!("limits-{tried}"));
                let send = async |value: &Value| {
                    let path = untouched(&api, &who, path).await;
                    let body = with(&route, &limit.pointer, value);
                    api.call(&who, &method, &path).json(&body).send().await
                };
                let answer = send(&limit.allowed).await;
                let (status, told) = (answer.status, answer.text.clone());
                let pointer = &limit.pointer;
                assert!(is_taken(answer, pointer), "{route} {pointer}: {status} {told}");
                let faults = send(&limit.refused).await.faults();
                let begins = |fault: &String| fault.starts_with(pointer.as_str());
                assert!(faults.iter().any(begins), "{route} {pointer}: {faults:?}");
                tried += 1;
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                let mut limits = Vec::new();
                collect(&parameter["schema"], "", &mut limits);
                for limit in limits {
                    let who = Persona::of(&format!("limits-{tried}"));
                    let send = async |value: &Value| {
                        let path = untouched(&api, &who, path).await;
                        let value = value.as_str().map_or(value.to_string(), str::to_owned);
                        let mut call = match parameter["in"].as_str() {
                            Some("query") => {
                                api.call(&who, &method, &format!("{path}?{name}={value}"))
                            }
                            Some("header") => api.call(&who, &method, &path).header(name, &value),
                            other => panic!("{name} is in {other:?}"),
                        };
                        if let Some(body) = good(&route) {
                            call = call.json(&body);
                        }
                        call.send().await
                    };
                    let answer = send(&limit.allowed).await;
                    let (status, told) = (answer.status, answer.text);
                    assert!(status < 300, "{route} {name}: {status} {told}");
                    let faults = send(&limit.refused).await.faults();
                    assert!(faults.iter().any(|fault| fault.ends_with(name)), "{name}: {faults:?}");
                    tried += 1;
                }
            }
        }
    }
    println!("{tried} limits");
    assert!(tried > 60, "{tried} limits");
}
