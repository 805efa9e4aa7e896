//! The table behind the API.

use api_tests::{Api, Persona, json};

#[tokio::test]
async fn another_server_works_on_the_same_table() {
    let (first, acme) = (Api::start().await, Persona::of("acme"));
    let second = Api::on_table_of(&first).await;
    let customer = first.create(&acme, &json!({ "name": "A", "client_id": "a-1" })).await;
    let path = format!("/customers/{}", customer["customer_id"].as_str().unwrap());
    assert_eq!(second.get(&acme, &path).await.expect(200), customer);
    let again = second.post(&acme, "/customers", &json!({ "name": "B", "client_id": "a-1" })).await;
    again.refused(409, "CUSTOMER_ALREADY_EXISTS");
}

#[tokio::test]
async fn a_table_out_of_reach_is_a_503_that_says_when_to_come_back() {
    let (first, acme) = (Api::start().await, Persona::of("acme"));
    let second = Api::on_table_of(&first).await;
    first.stop().await;
    let answer = second.get(&acme, "/customers").await;
    assert_eq!(answer.header("retry-after"), Some("1"));
    answer.refused(503, "STORE_UNAVAILABLE");
}
