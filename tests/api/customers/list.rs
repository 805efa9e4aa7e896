//! Tests `GET /customers`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use api_tests::proptest::prelude::*;
use api_tests::{Api, Dice, Persona, Value, json, path_of, property};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

use crate::monitoring::Setup;

type Query = Vec<(&'static str, String)>;
type Choices = BTreeMap<&'static str, Vec<String>>;

/// Names, each with the folded form that a search compares. The folded forms are written by hand.
const NAMES: &[(&str, &str)] = &[
    ("Acme", "acme"),
    ("ACME", "acme"),
    ("Acmé", "acme"),
    ("\u{ff21}cme", "acme"),
    ("Acme Ltd", "acme ltd"),
    ("ácme   LTD", "acme ltd"),
    ("Acme Ltd.", "acme ltd."),
    ("Acme!", "acme!"),
    ("Acme#1", "acme#1"),
    ("Acme-Werke", "acme-werke"),
    ("Acmeltd", "acmeltd"),
    ("Acm", "acm"),
    ("#hashtag", "#hashtag"),
    ("# 1", "# 1"),
    ("Straße AG", "strasse ag"),
    ("STRASSE AG", "strasse ag"),
    ("Strasbourg SA", "strasbourg sa"),
    ("Jörg Müller", "jorg muller"),
    ("Jo\u{308}rg Mu\u{308}ller", "jorg muller"),
    ("Jorg Mullerson", "jorg mullerson"),
    ("Øresund A/S", "oresund a/s"),
    ("Łódź Trading", "lodz trading"),
    ("İstanbul Lojistik", "istanbul lojistik"),
    ("ﬁnance ﬁrst", "finance first"),
    ("Æsir hf", "aesir hf"),
    ("ΟΔΟΣ", "οδοσ"),
    ("한국 상사", "한국 상사"),
    ("7 Eleven", "7 eleven"),
    ("zz top", "zz top"),
    // The list must order these two names by code point. An order by UTF-16 code units would
    // reverse them.
    ("\u{e000} Ltd", "\u{e000} ltd"),
    ("😀 Toys", "😀 toys"),
];

/// Search texts, each with its folded form.
const SEARCHES: &[(&str, &str)] = &[
    ("acme", "acme"),
    ("ACMÉ ", "acme"),
    ("acme l", "acme l"),
    ("Acme  Ltd", "acme ltd"),
    ("acme#", "acme#"),
    ("#", "#"),
    ("straß", "strass"),
    ("STRAS", "stras"),
    ("jörg mul", "jorg mul"),
    ("ø", "o"),
    ("æ", "ae"),
    ("한국", "한국"),
    ("😀", "😀"),
    ("cme", "cme"),
    (" ", ""),
];

const COUNTRIES: &[&str] = &["DE", "FR", "PL", "US", "IS"];
const TAGS: &[&str] = &["vip", "vip-plus", "eu", "two words", "#1", "élan"];
const LEVELS: &[&str] = &["low", "medium", "high"];

/// A customer as the API must return it in a list, and the folded form of its name.
struct Row {
    customer: Value,
    folded: &'static str,
}

impl Row {
    fn id(&self) -> &str {
        self.customer["customer_id"].as_str().unwrap()
    }

    fn matches(&self, (filter, wanted): &(&str, String)) -> bool {
        let customer = &self.customer;
        match *filter {
            "status" | "entity_type" | "client_id" => customer[filter] == wanted.as_str(),
            "country" => customer["country"] == wanted.to_uppercase(),
            "risk_level" => customer["risk"]["level"] == wanted.as_str(),
            "tag" => customer["tags"].as_array().unwrap().iter().any(|tag| tag == wanted),
            "monitored" => (customer["monitoring"]["status"] == "active") == (wanted == "true"),
            "search" => self.folded.starts_with(folded(SEARCHES, wanted)),
            // All times have the same format, so comparing their texts compares the times.
            "created_after" => customer["created_at"].as_str().unwrap() > wanted.as_str(),
            "created_before" => customer["created_at"].as_str().unwrap() < wanted.as_str(),
            _ => panic!("unknown filter: {filter}"),
        }
    }
}

fn folded(table: &[(&str, &'static str)], text: &str) -> &'static str {
    table.iter().find(|(original, _)| *original == text).unwrap().1
}

fn path(query: &[(&str, String)]) -> String {
    let mut path = form_urlencoded::Serializer::new("/customers?".to_owned());
    path.extend_pairs(query).finish()
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["customer_id"].as_str().unwrap()).collect()
}

/// Returns the rows that the API must list, in order. Filters all rows of a tenant by brute force.
/// `rows` must be in order of creation.
fn expected_rows<'a>(
    rows: &'a [Row],
    filters: &[(&'static str, String)],
    order: &str,
) -> Vec<&'a Row> {
    let mut matching: Vec<&Row> =
        rows.iter().filter(|row| filters.iter().all(|filter| row.matches(filter))).collect();
    if filters.iter().any(|(filter, _)| *filter == "search") {
        matching.sort_by_key(|row| (row.folded, row.id()));
    }
    if order == "desc" {
        matching.reverse();
    }
    matching
}

/// Reads a list to its end, using a random limit for each page, and compares every page with
/// [`expected_rows`].
async fn check_pages(
    api: &Api,
    who: &Persona,
    rows: &[Row],
    filters: &[(&'static str, String)],
    order: &'static str,
    mut dice: Dice,
) {
    let expected = expected_rows(rows, filters, order);
    let query_text = format!("{filters:?} {order}, seed {}", dice.seed);
    // The limits grow with the number of rows, so that a list has several pages, but not too many.
    let min_limit = 1 + expected.len() / 6;
    let (mut row_count, mut cursor) = (0, None::<String>);
    loop {
        let limit = (min_limit + dice.roll(min_limit + 3)).min(100);
        let mut query = filters.to_vec();
        query.extend([("order", order.to_owned()), ("limit", limit.to_string())]);
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let page = api.get(who, &path(&query)).await.expect(200);
        let items = page["items"].as_array().unwrap();

        let expected_page = &expected[row_count..expected.len().min(row_count + limit)];
        let expected_ids: Vec<&str> = expected_page.iter().map(|row| row.id()).collect();
        assert_eq!(
            ids(items),
            expected_ids,
            "{query_text}: from row {row_count} on, limit {limit}"
        );
        for (item, row) in items.iter().zip(expected_page) {
            assert_eq!(*item, row.customer, "{query_text}");
        }

        row_count += items.len();
        let has_more = row_count < expected.len();
        assert_eq!(page["count"], items.len(), "{query_text}");
        assert_eq!(page["has_more"], has_more, "{query_text}: after {row_count} rows");
        cursor = page["cursor"].as_str().map(str::to_owned);
        assert_eq!(cursor.is_some(), has_more, "{query_text}: after {row_count} rows");
        if cursor.is_none() {
            break;
        }
    }
}

/// Creates `count` customers with a variety of values for every filter. Returns them in order of
/// creation.
async fn seed_tenant(api: &Api, tenant: &str, count: usize, dice: &mut Dice) -> Vec<Row> {
    let who = Persona::of(tenant);
    let mut bodies = Vec::new();
    for i in 0..count {
        let (name, folded) = *dice.pick(NAMES);
        let mut body = json!({ "name": name });
        if dice.percent(60) {
            body["country"] = json!(dice.pick(COUNTRIES));
        }
        if dice.percent(40) {
            body["entity_type"] = json!("individual");
        }
        if dice.percent(50) {
            // Customers of other tenants have the same client ids.
            body["client_id"] = json!(format!("client:{i}"));
        }
        let tags: BTreeSet<&str> = (0..dice.roll(4)).map(|_| *dice.pick(TAGS)).collect();
        body["tags"] = json!(tags);
        bodies.push((body, folded, dice.roll(100)));
    }

    let mut rows = Vec::new();
    for chunk in bodies.chunks(50) {
        let created = chunk.iter().map(async |(body, folded, chance)| {
            let mut customer = api.create(&who, body).await;
            let path = path_of(&customer);
            if *chance < 15 {
                customer = api.patch(&who, &path, &json!({"status": "blocked"})).await.expect(200);
            }
            if (10..25).contains(chance) {
                customer = api.delete(&who, &path).await.expect(200);
            }
            Row { customer, folded }
        });
        rows.extend(join_all(created).await);
    }

    rows.sort_by(|a, b| a.id().cmp(b.id()));
    for row in &mut rows {
        let (risk, monitoring) = (dice.roll(6), dice.roll(4));
        if let Some(level) = LEVELS.get(risk) {
            let score = 10 * (risk + 1);
            row.customer["risk"]["level"] = json!(level);
            row.customer["risk"]["score"] = json!(score);
        }
        if monitoring < 2 {
            row.customer["monitoring"]["status"] = json!(["active", "paused"][monitoring]);
        }
    }

    for chunk in rows.chunks(50) {
        join_all(chunk.iter().map(|row| write_risk_and_monitoring(api, tenant, row))).await;
    }
    rows
}

/// Writes the risk and the monitoring status of a customer directly into the table, because no
/// route sets them to given values.
async fn write_risk_and_monitoring(api: &Api, tenant: &str, row: &Row) {
    let text = |value: &Value| AttributeValue::S(value.as_str().unwrap().to_owned());
    let tenant = api.tenant(tenant);
    let risk = &row.customer["risk"];
    let score = match risk["score"].as_u64() {
        Some(score) => AttributeValue::N(score.to_string()),
        None => AttributeValue::Null(true),
    };
    let risk_pk = format!("T#{tenant}#RISK#{}", risk["level"].as_str().unwrap());
    let update = api.dynamodb.update_item().table_name(&api.table);
    update
        .key("pk", AttributeValue::S(format!("T#{tenant}#C#{}", row.id())))
        .key("sk", AttributeValue::S("CUSTOMER".to_owned()))
        .condition_expression("attribute_exists(pk)")
        .update_expression(
            "SET risk.#level = :level, risk.score = :score, risk_pk = :risk_pk, monitoring.#status = :status",
        )
        .expression_attribute_names("#level", "level")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":level", text(&risk["level"]))
        .expression_attribute_values(":score", score)
        .expression_attribute_values(":risk_pk", AttributeValue::S(risk_pk))
        .expression_attribute_values(":status", text(&row.customer["monitoring"]["status"]))
        .send()
        .await
        .unwrap();
}

/// Returns some values for every filter, including values that match no row.
fn filter_values(rows: &[Row]) -> Choices {
    let owned = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<String>>();
    let created = |at: usize| rows[at].customer["created_at"].as_str().unwrap().to_owned();
    let times = vec![
        created(0),
        created(rows.len() / 3),
        created(rows.len() * 2 / 3),
        created(rows.len() - 1),
        "1969-07-20T20:17:40.000Z".to_owned(),
        "2999-12-31T23:59:59.999Z".to_owned(),
    ];
    let client_ids = rows.iter().filter_map(|row| row.customer["client_id"].as_str());
    let mut client_ids: Vec<String> = client_ids.step_by(200).map(str::to_owned).collect();
    client_ids.push("unknown".to_owned());
    BTreeMap::from([
        ("status", owned(&["active", "inactive", "blocked"])),
        ("entity_type", owned(&["company", "individual"])),
        ("risk_level", owned(&["not_set", "low", "medium", "high", "prohibited"])),
        ("country", owned(&["DE", "fr", "IS", "NZ"])),
        ("client_id", client_ids),
        ("tag", owned(&["vip", "vip-plus", "two words", "#1", "élan", "vi"])),
        ("monitored", owned(&["true", "false"])),
        ("search", SEARCHES.iter().map(|(text, _)| (*text).to_owned()).collect()),
        ("created_after", times.clone()),
        ("created_before", times),
    ])
}

/// Picks a random value for each of these filters.
fn pick_values(choices: &Choices, filters: &[&'static str], dice: &mut Dice) -> Query {
    filters.iter().map(|filter| (*filter, dice.pick(&choices[filter]).clone())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn combinations_of_filters_agree_with_a_brute_force_model() {
    let mut dice = Dice::new(20_261_122);
    let api = Api::start().await;
    // Both tenants have rows before the first query, so that no list may contain rows of the other
    // tenant.
    let acme = seed_tenant(&api, "acme", 1_400, &mut dice).await;
    let other = seed_tenant(&api, "other", 600, &mut dice).await;
    for (tenant, rows) in [("acme", acme), ("other", other)] {
        let choices = filter_values(&rows);
        let filters: Vec<&'static str> = choices.keys().copied().collect();
        let mut queries: Vec<Query> = vec![Vec::new()];
        for (filter, values) in &choices {
            queries.extend(values.iter().map(|value| vec![(*filter, value.clone())]));
        }
        // Test combinations only in the first tenant, to save time.
        if tenant == "acme" {
            for (i, first) in filters.iter().enumerate() {
                for second in &filters[..i] {
                    queries.push(pick_values(&choices, &[first, second], &mut dice));
                }
            }
            for _ in 0..45 {
                let mut unused = filters.clone();
                let chosen: Vec<&'static str> = (0..3 + dice.roll(3))
                    .map(|_| unused.swap_remove(dice.roll(unused.len())))
                    .collect();
                queries.push(pick_values(&choices, &chosen, &mut dice));
            }
        }

        let matching =
            queries.iter().filter(|query| !expected_rows(&rows, query, "asc").is_empty()).count();
        assert!(matching * 2 > queries.len(), "{matching} of {} queries find rows", queries.len());

        let who = Persona::reader(tenant);
        let checks =
            queries.iter().flat_map(|query| [(query, "asc"), (query, "desc")]).enumerate().map(
                |(i, (query, order))| {
                    check_pages(&api, &who, &rows, query, order, Dice::new(i as u64))
                },
            );
        stream::iter(checks).buffer_unordered(4).collect::<()>().await;
    }
}

/// Monitoring ends without a write at its `expires_at`. The list filters by the status that its
/// rows show.
#[tokio::test]
async fn expired_monitoring_is_listed_as_off() {
    let setup = Setup::start(&[("1", "Nora Quist")]).await;
    let end = setup.now.load(Ordering::SeqCst) + 60_000;
    let expires_at = shared::model::time::Timestamp::from_millis(end).to_string();
    let expiring = setup.create_customer("Mirka Dovello").await;
    setup.monitor(&expiring, &json!({ "expires_at": expires_at })).await.expect(201);
    let endless = setup.monitored_customer("Mirka Dovello").await;
    let unmonitored = setup.create_customer("Mirka Dovello").await;

    let check = async |wanted: &str, customers: &[&Value]| {
        let mut expected: Vec<&str> =
            customers.iter().map(|customer| customer["customer_id"].as_str().unwrap()).collect();
        expected.sort_unstable();
        for more in ["", "&search=mirka"] {
            let path = format!("/customers?monitored={wanted}&order=asc{more}");
            let page = setup.api.get(&setup.acme, &path).await.expect(200);
            let items = page["items"].as_array().unwrap();
            assert_eq!(ids(items), expected, "{path}");
            let is_right =
                |item: &Value| (item["monitoring"]["status"] == "active") == (wanted == "true");
            assert!(items.iter().all(is_right), "{path}");
        }
    };
    check("true", &[&expiring, &endless]).await;
    check("false", &[&unmonitored]).await;

    setup.advance_clock(59);
    check("true", &[&expiring, &endless]).await;

    setup.advance_clock(1);
    check("true", &[&endless]).await;
    check("false", &[&expiring, &unmonitored]).await;

    // The lists are the same after a pass has recorded the expiry.
    setup.run_pass("reconcile").await;
    check("true", &[&endless]).await;
    check("false", &[&expiring, &unmonitored]).await;
}

/// The list contains exactly the customers that an erasure without a reason accepts.
#[tokio::test]
async fn retention_ended_lists_the_customers_that_can_be_erased() {
    const DAY: i64 = 24 * 3_600;
    let setup = Setup::without_lists().await;
    let day = |seconds: i64| {
        let millis = setup.now.load(Ordering::SeqCst) + seconds * 1_000;
        shared::model::time::Timestamp::from_millis(millis).to_string()[..10].to_owned()
    };
    let create = async |more: Value| {
        let mut body = json!({ "name": "Mirka Dovello", "client_id": more["client_id"] });
        if let Some(until) = more.get("retain_until") {
            body["retain_until"] = until.clone();
        }
        setup.api.create(&setup.acme, &body).await
    };
    let deactivate = async |customer: &Value| {
        setup.api.delete(&setup.acme, &path_of(customer)).await.expect(200);
    };
    let ended = create(json!({ "client_id": "ended" })).await;
    let erased = create(json!({ "client_id": "erased" })).await;
    let reactivated = create(json!({ "client_id": "reactivated" })).await;
    let held = create(json!({ "client_id": "held", "retain_until": day(1_828 * DAY) })).await;
    let once_held = create(json!({ "client_id": "once", "retain_until": day(1_827 * DAY) })).await;
    let active = create(json!({ "client_id": "active" })).await;
    for customer in [&ended, &erased, &reactivated, &held, &once_held] {
        deactivate(customer).await;
    }
    setup.advance_clock(DAY);
    let recent = create(json!({ "client_id": "recent" })).await;
    deactivate(&recent).await;
    let status = json!({ "status": "active" });
    setup.api.patch(&setup.acme, &path_of(&reactivated), &status).await.expect(200);
    deactivate(&reactivated).await;
    let all = [&ended, &erased, &reactivated, &held, &once_held, &active, &recent];

    // Five years after the first deactivation are 1,826 days, because 2028 is a leap year. The
    // period includes its last day.
    setup.advance_clock(1_825 * DAY);
    let list = async |query: &str| {
        let page = setup.api.get(&setup.acme, &format!("/customers?order=asc&{query}")).await;
        let page = page.expect(200);
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["client_id"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(list("retention_ended=true").await, [""; 0]);
    assert_eq!(list("retention_ended=false").await.len(), all.len());

    // On the next day, the holds still last.
    setup.advance_clock(DAY);
    assert_eq!(list("retention_ended=true").await, ["ended", "erased"]);
    // One day later, one of the holds has ended, and so have the periods that began a day later.
    setup.advance_clock(DAY);
    let erase = format!("{}/erase", path_of(&erased));
    setup.api.call(&setup.acme, "POST", &erase).send().await.expect(200);
    let expected = ["ended", "reactivated", "once", "recent"];
    assert_eq!(list("retention_ended=true").await, expected);
    assert_eq!(list("retention_ended=true&search=mirka").await.len(), expected.len());
    let others = list("retention_ended=false").await;
    assert_eq!(others, [Value::Null, json!("held"), json!("active")]);

    // With a client id, the API reads the customer by its key, and the filter must give the same
    // result. An erasure must succeed exactly for the listed customers.
    for customer in [&ended, &reactivated, &held, &once_held, &active, &recent] {
        let client_id = customer["client_id"].as_str().unwrap();
        let is_listed = expected.contains(&client_id);
        for (wanted, count) in [("true", is_listed), ("false", !is_listed)] {
            let query = format!("retention_ended={wanted}&client_id={client_id}");
            assert_eq!(list(&query).await.len(), usize::from(count), "{query}");
        }
        let erase = format!("{}/erase", path_of(customer));
        let answer = setup.api.call(&setup.acme, "POST", &erase).send().await;
        assert_eq!(answer.status, if is_listed { 200 } else { 409 }, "{client_id}");
    }
}

#[tokio::test]
async fn created_after_and_before_exclude_the_given_time() {
    const NOON: i64 = 1_795_348_800_000; // 2026-11-22T12:00:00Z
    let (api, now) = Api::with_clock_at(NOON - 1).await;
    let acme = Persona::of("acme");
    for name in ["before", "noon", "after"] {
        api.create(&acme, &json!({ "name": name })).await;
        now.fetch_add(1, Ordering::SeqCst);
    }

    for (query, names) in [
        ("created_after=2026-11-22T12:00:00Z", &["after"][..]),
        ("created_before=2026-11-22T12:00:00Z", &["before"]),
        ("created_after=2026-11-22T11:59:59.9999Z", &["noon", "after"]),
        ("created_before=2026-11-22T12:00:00.0001Z", &["before", "noon"]),
        ("created_after=2026-11-22T13:00:00%2B01:00", &["after"]),
        (
            "created_after=2026-11-22T11:59:59.999Z&created_before=2026-11-22T12:00:00.001Z",
            &["noon"],
        ),
        ("created_after=2026-11-22T12:00:00Z&created_before=2026-11-22T12:00:00Z", &[]),
        ("created_after=2026-11-22T12:00:01Z&created_before=2026-11-22T11:00:00Z", &[]),
    ] {
        let page = api.get(&acme, &format!("/customers?order=asc&{query}")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        let listed: Vec<&str> = items.iter().map(|item| item["name"].as_str().unwrap()).collect();
        assert_eq!(listed, names, "{query}");
    }
}

#[tokio::test]
async fn times_at_both_ends_of_the_calendar_are_accepted() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    api.create(&acme, &json!({ "name": "A" })).await;

    for (query, count) in [
        ("created_after=0000-01-01T00:00:00Z", 1),
        ("created_before=0000-01-01T00:00:00Z", 0),
        ("created_before=9999-12-31T23:59:59.999Z", 1),
        ("created_after=9999-12-31T23:59:59.998Z", 0),
        ("created_after=9999-12-31T23:59:59.999Z", 0),
    ] {
        let answer = api.get(&acme, &format!("/customers?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text);
        assert_eq!(answer.expect(200)["count"], count, "{query}");
    }
}

#[tokio::test]
async fn a_search_finds_the_longest_names() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    // The first name repeats a character that folds to 18 characters. The second name repeats a
    // character of four bytes.
    for name in ["\u{fdfa}".repeat(200), "😀".repeat(200)] {
        let customer = api.create(&acme, &json!({ "name": name })).await;
        let prefix = name.chars().take(20).collect();
        let page = api.get(&acme, &path(&[("search", prefix)])).await.expect(200);
        assert_eq!(page["items"], json!([customer]));
    }
}

#[tokio::test]
async fn a_cursor_is_valid_only_for_its_own_query_and_tenant() {
    let api = Api::start().await;
    let (acme, other) = (Persona::of("acme"), Persona::of("other"));
    for who in [&acme, &other] {
        for i in 0..6 {
            api.create(who, &json!({ "name": format!("A{i}"), "country": "DE" })).await;
        }
    }

    let first = api.get(&acme, "/customers?limit=2&country=DE").await.expect(200);
    let cursor = first["cursor"].as_str().unwrap();
    let with = async |who: &Persona, query: &str, cursor: &str| {
        let cursor = form_urlencoded::byte_serialize(cursor.as_bytes()).collect::<String>();
        api.get(who, &format!("/customers?{query}&cursor={cursor}")).await
    };

    for same_query in ["limit=3&country=DE", "limit=3&country=de&order=desc"] {
        let page = with(&acme, same_query, cursor).await.expect(200);
        let names: Vec<&Value> =
            page["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
        assert_eq!(names, ["A3", "A2", "A1"], "{same_query}");
    }

    let refused = async |who: &Persona, query: &str, cursor: &str| {
        let answer = with(who, query, cursor).await;
        assert_eq!(answer.status, 400, "{query}&cursor={cursor}: {}", answer.text);
        let error = answer.refused(400, "INVALID_CURSOR");
        assert_eq!(error["type"], "ValidationError");
        assert_eq!(error["details"][0]["field"], "?cursor");
    };
    for other_query in [
        "limit=2",
        "limit=2&country=FR",
        "limit=2&country=DE&status=active",
        "limit=2&country=DE&search=A",
        "limit=2&country=DE&client_id=unknown",
        "limit=2&country=DE&order=asc",
    ] {
        refused(&acme, other_query, cursor).await;
    }
    refused(&other, "limit=2&country=DE", cursor).await;

    const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for at in 0..cursor.len() {
        let digit = BASE64.find(&cursor[at..=at]).unwrap();
        for bit in [1, 32] {
            let other_digit = &BASE64[digit ^ bit..=digit ^ bit];
            let altered = format!("{}{other_digit}{}", &cursor[..at], &cursor[at + 1..]);
            refused(&acme, "country=DE", &altered).await;
        }
    }

    let id = first["items"][1]["customer_id"].as_str().unwrap();
    let truncated = &cursor[..cursor.len() - 1];
    let doubled = cursor.repeat(2);
    let padded = format!("{cursor}=");
    for garbage in
        ["", " ", "A", "null", "💥", "%", "AAAAAAAAAAAAAAAA", id, truncated, &doubled, &padded]
    {
        refused(&acme, "country=DE", garbage).await;
    }
}

#[tokio::test]
async fn every_fault_of_a_query_is_reported() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    for limit in ["0", "101", "x", "%2B5", "+5", "-1", "1.5", "", "99999999999999999999", "%C2%B2"]
    {
        assert_eq!(
            api.get(&acme, &format!("/customers?limit={limit}")).await.faults(),
            ["?limit"],
            "{limit}"
        );
    }

    for (query, fields) in [
        ("limit=5&limit=5", &["?limit"][..]),
        ("status=active&status=blocked", &["?status"]),
        ("stauts=active", &["?stauts"]),
        ("Limit=5", &["?Limit"]),
        ("order=random", &["?order"]),
        ("tag=", &["?tag"]),
        ("search=", &["?search"]),
        ("search=a%1Fb", &["?search"]),
        ("search=%ff", &["?search"]),
        ("country=%zz", &["?country"]),
        ("client_id=%20a", &["?client_id"]),
        ("monitored=yes", &["?monitored"]),
        ("retention_ended=1", &["?retention_ended"]),
        ("created_after=2026-11-22", &["?created_after"]),
        // An unescaped `+` in a query string is a space.
        ("created_before=2026-11-22T13:00:00+01:00", &["?created_before"]),
        (
            "status=closed&entity_type=shop&risk_level=extreme&country=XX&limit=x&a=1&b=2&a=3",
            &["?a", "?status", "?entity_type", "?risk_level", "?country", "?limit", "?a", "?b"],
        ),
    ] {
        let answer = api.get(&acme, &format!("/customers?{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text);
        let mut faults = answer.faults();
        let mut fields = fields.to_vec();
        faults.sort();
        fields.sort();
        assert_eq!(faults, fields, "{query}");
    }

    let page = api.get(&acme, "/customers?limit=100").await.expect(200);
    assert_eq!(page, json!({ "items": [], "count": 0, "cursor": null, "has_more": false }));
}

#[tokio::test]
async fn a_page_has_twenty_rows_newest_first_by_default() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let mut created = Vec::new();
    for i in 0..21 {
        created.push(api.create(&acme, &json!({ "name": format!("A{i}") })).await);
    }
    created.reverse();

    let page = api.get(&acme, "/customers").await.expect(200);

    assert_eq!(page["items"], json!(created[..20]));
    assert_eq!((&page["count"], &page["has_more"]), (&json!(20), &json!(true)));
}

/// The tenant has more rows than one request reads, and only five of them match the filter.
#[tokio::test]
async fn a_selective_filter_returns_short_pages() {
    const ROWS: usize = 8_000;
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let customer = api.create(&acme, &json!({ "name": "Hay", "country": "DE" })).await;
    let text = |text: String| AttributeValue::S(text);
    let (table, tenant) = (api.table.clone(), api.tenant("acme"));
    let pk = text(format!("T#{tenant}#C#{}", customer["customer_id"].as_str().unwrap()));
    let get = api.dynamodb.get_item().table_name(&table).key("pk", pk);
    let output = get.key("sk", text("CUSTOMER".to_owned())).send().await.unwrap();
    let template = output.item.unwrap();
    let mut rare = Vec::new();
    let copies: Vec<WriteRequest> = (0..ROWS)
        .map(|i| {
            let id = format!("0199{i:04x}-0000-7000-8000-000000000000");
            let mut item = template.clone();
            item.insert("pk".to_owned(), text(format!("T#{tenant}#C#{id}")));
            item.insert("name_sk".to_owned(), text(format!("hay\u{1f}{id}")));
            if i % 1_999 == 0 {
                item.insert("country".to_owned(), text("IS".to_owned()));
                rare.push(id.clone());
            }
            item.insert("customer_id".to_owned(), text(id));
            let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        })
        .collect();

    for chunk in copies.chunks(25) {
        let batch = api.dynamodb.batch_write_item().request_items(&table, chunk.to_vec());
        let output = batch.send().await.unwrap();
        assert!(output.unprocessed_items.unwrap_or_default().is_empty());
    }
    assert_eq!(rare.len(), 5);

    for query in [
        "country=IS&order=asc",
        "country=IS&order=desc",
        "country=IS&order=asc&search=hay",
        "country=IS&order=desc&risk_level=not_set&limit=100",
        "country=JP",
    ] {
        let mut listed: Vec<String> = Vec::new();
        let mut pages = 0;
        let mut cursor = String::new();
        loop {
            let page = api.get(&acme, &format!("/customers?{query}{cursor}")).await.expect(200);
            let items = page["items"].as_array().unwrap();
            assert_eq!(page["count"], items.len(), "{query}");
            listed.extend(ids(items).into_iter().map(str::to_owned));
            pages += 1;
            assert_eq!(page["has_more"], page["cursor"].is_string(), "{query}");
            match page["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let mut expected = if query.contains("JP") { Vec::new() } else { rare.clone() };
        if query.contains("desc") {
            expected.reverse();
        }
        assert_eq!(listed, expected, "{query}");
        // Two pages are needed, because one request reads more than half of the rows, but not all
        // of them.
        assert_eq!(pages, 2, "{query}");
    }
}

/// A Lambda response is limited to 6 MB, so customers that do not fit are on the next page.
#[tokio::test]
async fn pages_of_the_largest_customers_stay_below_the_response_limit() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let metadata: BTreeMap<String, String> =
        (0..50).map(|i| (format!("{i:040}"), "\\".repeat(500))).collect();
    let body = json!({ "name": "Large", "metadata": metadata });
    let mut created = BTreeSet::new();
    for _ in 0..100 {
        created.insert(api.create(&acme, &body).await["customer_id"].as_str().unwrap().to_owned());
    }

    let (mut listed, mut pages, mut cursor) = (BTreeSet::new(), 0, String::new());
    loop {
        let answer = api.get(&acme, &format!("/customers?limit=100{cursor}")).await;
        assert!(answer.text.len() < 3_000_000, "{} bytes", answer.text.len());
        let page = answer.expect(200);
        let items = page["items"].as_array().unwrap();
        for id in ids(items) {
            assert!(listed.insert(id.to_owned()), "{id} is listed twice");
        }
        pages += 1;
        assert_eq!(page["has_more"], page["cursor"].is_string());
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }

    assert_eq!(listed, created);
    assert!(pages > 1, "all customers fit on one page");
}

/// Name of a customer, and whether its country matches the filter.
type Sketch = (&'static str, bool);

fn sketches(max_count: usize) -> impl Strategy<Value = Vec<Sketch>> {
    let name = prop::sample::select(vec!["a", "ab", "b", "b c"]);
    prop::collection::vec((name, any::<bool>()), 0..=max_count)
}

/// Returns the key by which a list is ordered: the name if `by_name`, then the id.
fn position(by_name: bool, customer: &Value) -> (String, String) {
    let text = |field: &str| customer[field].as_str().unwrap().to_owned();
    (if by_name { text("name") } else { String::new() }, text("customer_id"))
}

#[test]
fn paging_returns_every_row_once_while_others_are_inserted() {
    // Each page is described by its limit and by the customers that are created after it was read.
    let pages = prop::collection::vec((1..8usize, sketches(3)), 1..8);
    let query =
        prop::sample::select(vec!["", "&country=DE", "&search=%20", "&search=a&country=DE"]);
    let cases = (sketches(20), pages, query, any::<bool>());
    property(64, &cases, async |api, tenant, (start, pages, query, ascending)| {
        let who = Persona::of(tenant);
        let by_name = query.contains("search");
        let insert = async |sketches: &[Sketch]| -> Vec<Value> {
            let creations = sketches.iter().map(async |(name, is_german)| {
                let country = if *is_german { "DE" } else { "FR" };
                api.create(&who, &json!({ "name": name, "country": country })).await
            });
            join_all(creations).await
        };
        let matches = |customer: &&Value| {
            let name = customer["name"].as_str().unwrap();
            (!query.contains("search=a") || name.starts_with('a'))
                && (!query.contains("DE") || customer["country"] == "DE")
        };

        let mut customers = insert(&start).await;
        let at_start: Vec<_> =
            customers.iter().filter(matches).map(|row| position(by_name, row)).collect();

        let order = if ascending { "asc" } else { "desc" };
        let mut listed: Vec<(String, String)> = Vec::new();
        let mut cursor = String::new();
        // After these pages, the test stops creating customers, so that the list ends.
        for (limit, inserted) in pages.into_iter().chain(std::iter::repeat((10, Vec::new()))) {
            let path = format!("/customers?order={order}&limit={limit}{query}{cursor}");
            let page = api.get(&who, &path).await.expect(200);
            let items = page["items"].as_array().unwrap().iter();
            let rows: Vec<_> = items.map(|row| position(by_name, row)).collect();

            let is_after_last = |at: &(String, String)| match listed.last() {
                None => true,
                Some(last) if ascending => at > last,
                Some(last) => at < last,
            };
            let mut expected: Vec<_> =
                customers.iter().filter(matches).map(|row| position(by_name, row)).collect();
            expected.retain(is_after_last);
            expected.sort();
            if !ascending {
                expected.reverse();
            }
            assert_eq!(page["has_more"], expected.len() > limit, "{path}");
            expected.truncate(limit);
            assert_eq!(rows, expected, "{path}");

            listed.extend(rows);
            match page["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
            customers.extend(insert(&inserted).await);
        }
        for row in at_start {
            assert_eq!(listed.iter().filter(|other| **other == row).count(), 1, "{row:?}");
        }
    });
}
