//! Tests that two servers can share a table, and that a server answers with a 503 if its table is
//! unreachable.

use api_tests::{Api, Persona, json};

#[tokio::test]
async fn two_servers_share_a_table() {
    let (first, acme) = (Api::start().await, Persona::of("acme"));
    let second = Api::on_table_of(&first).await;
    let customer = first.create(&acme, &json!({ "name": "A", "client_id": "a-1" })).await;
    let path = format!("/customers/{}", customer["customer_id"].as_str().unwrap());
    assert_eq!(second.get(&acme, &path).await.expect(200), customer);
    let duplicate = json!({ "name": "B", "client_id": "a-1" });
    second.post(&acme, "/customers", &duplicate).await.refused(409, "CUSTOMER_ALREADY_EXISTS");
}

#[tokio::test]
async fn an_unreachable_table_is_a_503_with_retry_after() {
    let (first, acme) = (Api::start().await, Persona::of("acme"));
    let second = Api::on_table_of(&first).await;
    first.stop().await;
    let answer = second.get(&acme, "/customers").await;
    assert_eq!(answer.header("retry-after"), Some("1"));
    answer.refused(503, "STORE_UNAVAILABLE");
}
