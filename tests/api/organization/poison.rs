//! Tests structures of the largest permitted size whose shapes are the worst for the calculation.
//! The API must accept these structures, and the server must stay available.

use api_tests::{Api, Persona, Value, json, path_of};

use super::{company, firm, holds, individual, put};

const PARTIES: usize = 500;
const RELATIONSHIPS: usize = 2_000;

fn id(number: usize) -> String {
    format!("c{number}")
}

fn firms() -> Vec<Value> {
    (0..PARTIES - 1).map(|number| firm(&id(number))).chain([individual("p")]).collect()
}

/// Returns a chain of all parties, in which each company owns the next one. `p` owns the first
/// company.
fn chain() -> Vec<Value> {
    let mut all: Vec<Value> =
        (1..PARTIES - 1).map(|number| holds(&id(number), &id(number - 1), 100.0)).collect();
    all.push(holds(&id(0), "self", 100.0));
    all.push(holds("p", &id(PARTIES - 2), 100.0));
    all
}

/// Returns the chain without `p`, closed to a ring in which every company indirectly owns itself.
fn ring() -> Vec<Value> {
    let mut all = chain();
    all.pop();
    all.push(holds(&id(0), &id(PARTIES - 2), 100.0));
    all
}

/// Returns a ring in which every company owns a share of the two companies before it and of the two
/// after it.
fn knot() -> Vec<Value> {
    let companies = PARTIES - 1;
    let mut all = vec![holds(&id(0), "self", 90.0), holds("p", &id(7), 4.0)];
    for number in 0..companies {
        for step in [1, 2, companies - 1, companies - 2] {
            all.push(holds(&id((number + step) % companies), &id(number), 24.0));
        }
    }
    all.truncate(RELATIONSHIPS);
    all
}

/// Returns layers in which every company owns a share of each company of the next layer. There are
/// far too many chains of ownership to enumerate.
fn lattice() -> Vec<Value> {
    const WIDTH: usize = 8;
    let mut all: Vec<Value> = (0..WIDTH).map(|n| holds(&id(n), "self", 12.0)).collect();
    let mut layer = 1;
    while all.len() + WIDTH * WIDTH <= RELATIONSHIPS && (layer + 1) * WIDTH < PARTIES {
        for owner in 0..WIDTH {
            for owned in 0..WIDTH {
                let owned = id((layer - 1) * WIDTH + owned);
                all.push(holds(&id(layer * WIDTH + owner), &owned, 12.5));
            }
        }
        layer += 1;
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_worst_structures_are_answered_and_the_server_stays_available() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    api.refresh().await;
    for (name, relationships) in
        [("chain", chain()), ("ring", ring()), ("knot", knot()), ("lattice", lattice())]
    {
        let (customer, path) = company(&api, &acme).await;
        let body = json!({ "parties": firms(), "relationships": relationships });
        let answer = put(&api, &acme, &path, &body).await;
        assert_eq!(answer.status, 201, "{name}: {}", answer.text);

        let customer_path = |rest: &str| format!("{}{rest}", path_of(&customer));
        for rest in
            ["/organization", "/organization?threshold=0.0001", "/risk-profile?recalculate=true"]
        {
            let answer = api.get(&acme, &customer_path(rest)).await;
            assert_eq!(answer.status, 200, "{name}: {rest}: {}", answer.text);
        }
        // A structure that is too large to draw is refused with a 400.
        for format in ["image/svg+xml", "text/vnd.mermaid"] {
            let answer = api.call(&acme, "GET", &path).header("accept", format).send().await;
            assert!([200, 400].contains(&answer.status), "{name}: {format}: {}", answer.status);
        }
        api.post(&acme, &customer_path("/monitor"), &json!({})).await.expect(201);
    }

    // Other tenants are not affected.
    let other = Persona::of("other");
    let customer = api.create(&other, &json!({ "name": "A" })).await;
    api.get(&other, &path_of(&customer)).await.expect(200);
}
