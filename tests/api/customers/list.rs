//! GET /customers

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use api_tests::proptest::prelude::*;
use api_tests::{Api, Dice, Persona, Value, json, path_of, property};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};

type Query = Vec<(&'static str, String)>;
type Choices = BTreeMap<&'static str, Vec<String>>;

/// Names and what a search compares, folded by hand.
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
    // As UTF-16 these two would stand the other way round.
    ("\u{e000} Ltd", "\u{e000} ltd"),
    ("😀 Toys", "😀 toys"),
];

/// Searches and their folded prefixes.
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

/// A customer as the API must list it, and what its name is searched by.
struct Row {
    customer: Value,
    folded: &'static str,
}

impl Row {
    fn id(&self) -> &str {
        self.customer["customer_id"].as_str().unwrap()
    }

    fn matches(&self, (filter, wanted): &(&str, String)) -> bool {
        let of = &self.customer;
        match *filter {
            "status" | "entity_type" | "client_id" => of[filter] == wanted.as_str(),
            "country" => of["country"] == wanted.to_uppercase(),
            "risk_level" => of["risk"]["level"] == wanted.as_str(),
            "tag" => of["tags"].as_array().unwrap().iter().any(|tag| tag == wanted),
            "monitored" => (of["monitoring"]["status"] == "active") == (wanted == "true"),
            "search" => self.folded.starts_with(folded(SEARCHES, wanted)),
            // All times are written alike, so their texts compare as they do.
            "created_after" => of["created_at"].as_str().unwrap() > wanted.as_str(),
            "created_before" => of["created_at"].as_str().unwrap() < wanted.as_str(),
            _ => panic!("no such filter: {filter}"),
        }
    }
}

fn folded(table: &[(&str, &'static str)], text: &str) -> &'static str {
    table.iter().find(|(given, _)| *given == text).unwrap().1
}

fn path(query: &[(&str, String)]) -> String {
    let mut path = form_urlencoded::Serializer::new("/customers?".to_owned());
    path.extend_pairs(query).finish()
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["customer_id"].as_str().unwrap()).collect()
}

/// What the API must list: brute force over all rows of one tenant, which are in order of creation.
fn model<'a>(rows: &'a [Row], filters: &[(&'static str, String)], order: &str) -> Vec<&'a Row> {
    let matching = rows.iter().filter(|row| filters.iter().all(|filter| row.matches(filter)));
    let mut matching: Vec<&Row> = matching.collect();
    if filters.iter().any(|(filter, _)| *filter == "search") {
        matching.sort_by_key(|row| (row.folded, row.id()));
    }
    if order == "desc" {
        matching.reverse();
    }
    matching
}

/// Reads a list to its end, each page with another limit, and compares every page with the model.
async fn check(
    api: &Api,
    who: &Persona,
    rows: &[Row],
    filters: &[(&'static str, String)],
    order: &'static str,
    mut dice: Dice,
) {
    let expected = model(rows, filters, order);
    let what = format!("{filters:?} {order}, seed {}", dice.seed);
    // Small pages where there are few rows, so that a walk has several pages and is not endless.
    let least = 1 + expected.len() / 6;
    let (mut seen, mut cursor) = (0, None::<String>);
    loop {
        let limit = (least + dice.roll(least + 3)).min(100);
        let mut query = filters.to_vec();
        query.extend([("order", order.to_owned()), ("limit", limit.to_string())]);
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let page = api.get(who, &path(&query)).await.expect(200);
        let items = page["items"].as_array().unwrap();
        let due = &expected[seen..expected.len().min(seen + limit)];
        let due_ids: Vec<&str> = due.iter().map(|row| row.id()).collect();
        assert_eq!(ids(items), due_ids, "{what}: from row {seen} on, limit {limit}");
        for (item, row) in items.iter().zip(due) {
            assert_eq!(*item, row.customer, "{what}");
        }
        seen += items.len();
        assert_eq!(page["count"], items.len(), "{what}");
        assert_eq!(page["has_more"], seen < expected.len(), "{what}: after {seen} rows");
        cursor = page["cursor"].as_str().map(str::to_owned);
        assert_eq!(cursor.is_some(), seen < expected.len(), "{what}: after {seen} rows");
        if cursor.is_none() {
            break;
        }
    }
}

/// A tenant of `count` customers in order of creation, with everything in it a filter asks for.
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
            // The same ids in every tenant.
            body["client_id"] = json!(format!("client:{i}"));
        }
        let tags: BTreeSet<&str> = (0..dice.roll(4)).map(|_| *dice.pick(TAGS)).collect();
        body["tags"] = json!(tags);
        bodies.push((body, folded, dice.roll(100)));
    }
    let mut rows = Vec::new();
    for chunk in bodies.chunks(50) {
        let created = chunk.iter().map(async |(body, folded, fate)| {
            let mut customer = api.create(&who, body).await;
            let path = path_of(&customer);
            if *fate < 15 {
                customer = api.patch(&who, &path, &json!({"status": "blocked"})).await.expect(200);
            }
            if (10..25).contains(fate) {
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

/// No route sets these two yet.
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

/// Every filter with values that hit and values that miss.
fn choices(rows: &[Row]) -> Choices {
    let owned = |values: &[&str]| values.iter().map(ToString::to_string).collect::<Vec<String>>();
    let created = |at: usize| rows[at].customer["created_at"].as_str().unwrap().to_owned();
    let (first, last) = (0, rows.len() - 1);
    let times = vec![
        created(first),
        created(rows.len() / 3),
        created(rows.len() * 2 / 3),
        created(last),
        "1969-07-20T20:17:40.000Z".to_owned(),
        "2999-12-31T23:59:59.999Z".to_owned(),
    ];
    let client_ids = rows.iter().filter_map(|row| row.customer["client_id"].as_str());
    let mut client_ids: Vec<String> = client_ids.step_by(200).map(str::to_owned).collect();
    client_ids.push("nobody".to_owned());
    BTreeMap::from([
        ("status", owned(&["active", "inactive", "blocked"])),
        ("entity_type", owned(&["company", "individual"])),
        ("risk_level", owned(&["not_set", "low", "medium", "high", "prohibited"])),
        ("country", owned(&["DE", "fr", "IS", "NZ"])),
        ("client_id", client_ids),
        ("tag", owned(&["vip", "vip-plus", "two words", "#1", "élan", "vi"])),
        ("monitored", owned(&["true", "false"])),
        ("search", SEARCHES.iter().map(|(given, _)| (*given).to_owned()).collect()),
        ("created_after", times.clone()),
        ("created_before", times),
    ])
}

/// One value for each of these filters.
fn some_of(choices: &Choices, filters: &[&'static str], dice: &mut Dice) -> Query {
    filters.iter().map(|filter| (*filter, dice.pick(&choices[filter]).clone())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_combination_of_filters_lists_what_a_brute_force_model_does() {
    let mut dice = Dice::new(20_261_122);
    let api = Api::start().await;
    for (tenant, count) in [("acme", 1_400), ("other", 600)] {
        let rows = seed_tenant(&api, tenant, count, &mut dice).await;
        let choices = choices(&rows);
        let filters: Vec<&'static str> = choices.keys().copied().collect();
        let mut queries: Vec<Query> = vec![Vec::new()];
        for (filter, values) in &choices {
            queries.extend(values.iter().map(|value| vec![(*filter, value.clone())]));
        }
        // The other tenant is there to be told apart; one of the two has every combination.
        if tenant == "acme" {
            for (i, one) in filters.iter().enumerate() {
                for another in &filters[..i] {
                    queries.push(some_of(&choices, &[one, another], &mut dice));
                }
            }
            for _ in 0..45 {
                let mut left = filters.clone();
                let chosen = (0..3 + dice.roll(3)).map(|_| left.swap_remove(dice.roll(left.len())));
                let chosen: Vec<&'static str> = chosen.collect();
                queries.push(some_of(&choices, &chosen, &mut dice));
            }
        }
        let hits = queries.iter().filter(|query| !model(&rows, query, "asc").is_empty()).count();
        assert!(hits * 2 > queries.len(), "{hits} of {} queries find rows", queries.len());

        let who = Persona::reader(tenant);
        let walks = queries.iter().flat_map(|query| [(query, "asc"), (query, "desc")]);
        let walks = walks
            .enumerate()
            .map(|(i, (query, order))| check(&api, &who, &rows, query, order, Dice::new(i as u64)));
        stream::iter(walks).buffer_unordered(4).collect::<()>().await;
    }
}

#[tokio::test]
async fn times_are_strict_to_the_millisecond_and_finer() {
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
async fn any_time_of_the_calendar_is_a_time() {
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
async fn the_longest_names_are_found() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    // One character of the first folds to 18, one of the second takes four bytes.
    for name in ["\u{fdfa}".repeat(200), "😀".repeat(200)] {
        let customer = api.create(&acme, &json!({ "name": name })).await;
        let prefix = name.chars().take(20).collect();
        let page = api.get(&acme, &path(&[("search", prefix)])).await.expect(200);
        assert_eq!(page["items"], json!([customer]));
    }
}

#[tokio::test]
async fn a_cursor_fits_its_own_list_only() {
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

    for same in ["limit=3&country=DE", "limit=3&country=de&order=desc"] {
        let page = with(&acme, same, cursor).await.expect(200);
        let names: Vec<&Value> =
            page["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
        assert_eq!(names, ["A3", "A2", "A1"], "{same}");
    }
    let refused = async |who: &Persona, query: &str, cursor: &str| {
        let answer = with(who, query, cursor).await;
        assert_eq!(answer.status, 400, "{query}&cursor={cursor}: {}", answer.text);
        let error = answer.refused(400, "INVALID_CURSOR");
        assert_eq!(error["type"], "ValidationError");
        assert_eq!(error["details"][0]["field"], "?cursor");
    };
    for another in [
        "limit=2",
        "limit=2&country=FR",
        "limit=2&country=DE&status=active",
        "limit=2&country=DE&search=A",
        "limit=2&country=DE&client_id=nobody",
        "limit=2&country=DE&order=asc",
    ] {
        refused(&acme, another, cursor).await;
    }
    refused(&other, "limit=2&country=DE", cursor).await;

    const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for at in 0..cursor.len() {
        let given = BASE64.find(&cursor[at..=at]).unwrap();
        for bit in [1, 32] {
            let altered = &BASE64[given ^ bit..=given ^ bit];
            let altered = format!("{}{altered}{}", &cursor[..at], &cursor[at + 1..]);
            refused(&acme, "country=DE", &altered).await;
        }
    }
    let id = first["items"][1]["customer_id"].as_str().unwrap();
    let cut = &cursor[..cursor.len() - 1];
    let doubled = cursor.repeat(2);
    let padded = format!("{cursor}=");
    for garbage in ["", " ", "A", "null", "💥", "%", "AAAAAAAAAAAAAAAA", id, cut, &doubled, &padded]
    {
        refused(&acme, "country=DE", garbage).await;
    }
}

#[tokio::test]
async fn every_fault_of_the_query_is_named() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    for bad in ["0", "101", "x", "%2B5", "+5", "-1", "1.5", "", "99999999999999999999", "%C2%B2"] {
        assert_eq!(
            api.get(&acme, &format!("/customers?limit={bad}")).await.faults(),
            ["?limit"],
            "{bad}"
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
        ("client_id=a%23b", &["?client_id"]),
        ("monitored=yes", &["?monitored"]),
        ("created_after=2026-11-22", &["?created_after"]),
        // An unescaped + is a space.
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
async fn a_page_has_twenty_rows_newest_first_unless_told_otherwise() {
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

/// More rows than one request reads, and five among them that are rare.
#[tokio::test]
async fn a_selective_filter_is_walked_in_short_pages() {
    const ROWS: usize = 8_000;
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let model = api.create(&acme, &json!({ "name": "Hay", "country": "DE" })).await;
    let text = |text: String| AttributeValue::S(text);
    let (table, tenant) = (api.table.clone(), api.tenant("acme"));
    let pk = text(format!("T#{tenant}#C#{}", model["customer_id"].as_str().unwrap()));
    let get = api.dynamodb.get_item().table_name(&table).key("pk", pk);
    let got = get.key("sk", text("CUSTOMER".to_owned())).send().await.unwrap();
    let model = got.item.unwrap();

    let mut rare = Vec::new();
    let copies: Vec<WriteRequest> = (0..ROWS)
        .map(|i| {
            let id = format!("0199{i:04x}-0000-7000-8000-000000000000");
            let mut item = model.clone();
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
        let written = batch.send().await.unwrap();
        assert!(written.unprocessed_items.unwrap_or_default().is_empty());
    }
    assert_eq!(rare.len(), 5);

    for query in [
        "country=IS&order=asc",
        "country=IS&order=desc",
        "country=IS&order=asc&search=hay",
        "country=IS&order=desc&risk_level=not_set&limit=100",
        "country=JP",
    ] {
        let mut found: Vec<String> = Vec::new();
        let mut pages = 0;
        let mut cursor = String::new();
        loop {
            let page = api.get(&acme, &format!("/customers?{query}{cursor}")).await.expect(200);
            let items = page["items"].as_array().unwrap();
            assert_eq!(page["count"], items.len(), "{query}");
            found.extend(ids(items).into_iter().map(str::to_owned));
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
        assert_eq!(found, expected, "{query}");
        // One request reads more than half of the rows, and not all of them.
        assert_eq!(pages, 2, "{query}");
    }
}

/// Lambda carries 6 MB: what does not fit comes with the next page.
#[tokio::test]
async fn pages_of_the_largest_customers_stay_small_enough_to_be_sent() {
    let (api, acme) = (Api::start().await, Persona::of("acme"));
    let metadata: BTreeMap<String, String> =
        (0..50).map(|i| (format!("{i:040}"), "\\".repeat(500))).collect();
    let body = json!({ "name": "Large", "metadata": metadata });
    let mut created = BTreeSet::new();
    for _ in 0..100 {
        created.insert(api.create(&acme, &body).await["customer_id"].as_str().unwrap().to_owned());
    }
    let (mut found, mut pages, mut cursor) = (BTreeSet::new(), 0, String::new());
    loop {
        let answer = api.get(&acme, &format!("/customers?limit=100{cursor}")).await;
        assert!(answer.text.len() < 3_000_000, "{} bytes", answer.text.len());
        let page = answer.expect(200);
        let items = page["items"].as_array().unwrap();
        for id in ids(items) {
            assert!(found.insert(id.to_owned()), "{id} is listed twice");
        }
        pages += 1;
        assert_eq!(page["has_more"], page["cursor"].is_string());
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, created);
    assert!(pages > 1, "the customers were not large");
}

/// Name, and whether the filter on the country lets it through.
type Sketch = (&'static str, bool);

fn sketches(most: usize) -> impl Strategy<Value = Vec<Sketch>> {
    let name = prop::sample::select(vec!["a", "ab", "b", "b c"]);
    prop::collection::vec((name, any::<bool>()), 0..=most)
}

/// What the row stands by in the list.
fn position(by_name: bool, customer: &Value) -> (String, String) {
    let text = |field: &str| customer[field].as_str().unwrap().to_owned();
    (if by_name { text("name") } else { String::new() }, text("customer_id"))
}

#[test]
fn a_walk_yields_every_row_once_while_others_are_inserted() {
    // The limit of each page, and what is inserted after it.
    let pages = prop::collection::vec((1..8usize, sketches(3)), 1..8);
    let query =
        prop::sample::select(vec!["", "&country=DE", "&search=%20", "&search=a&country=DE"]);
    let walks = (sketches(20), pages, query, any::<bool>());
    property(64, &walks, async |api, tenant, (start, pages, query, ascending)| {
        let who = Persona::of(tenant);
        let by_name = query.contains("search");
        let insert = async |sketches: &[Sketch]| -> Vec<Value> {
            let made = sketches.iter().map(async |(name, german)| {
                let country = if *german { "DE" } else { "FR" };
                api.create(&who, &json!({ "name": name, "country": country })).await
            });
            join_all(made).await
        };
        let listed = |customer: &&Value| {
            let name = customer["name"].as_str().unwrap();
            (!query.contains("search=a") || name.starts_with('a'))
                && (!query.contains("DE") || customer["country"] == "DE")
        };
        let mut there = insert(&start).await;
        let at_start: Vec<_> =
            there.iter().filter(listed).map(|row| position(by_name, row)).collect();

        let order = if ascending { "asc" } else { "desc" };
        let mut walked: Vec<(String, String)> = Vec::new();
        let mut cursor = String::new();
        // Nothing is inserted at the end, so that the walk has one.
        for (limit, inserted) in pages.into_iter().chain(std::iter::repeat((10, Vec::new()))) {
            let path = format!("/customers?order={order}&limit={limit}{query}{cursor}");
            let page = api.get(&who, &path).await.expect(200);
            let rows = page["items"].as_array().unwrap().iter().map(|row| position(by_name, row));
            let rows: Vec<_> = rows.collect();

            let beyond = |at: &(String, String)| match walked.last() {
                None => true,
                Some(last) if ascending => at > last,
                Some(last) => at < last,
            };
            let mut due: Vec<_> =
                there.iter().filter(listed).map(|row| position(by_name, row)).collect();
            due.retain(beyond);
            due.sort();
            if !ascending {
                due.reverse();
            }
            assert_eq!(page["has_more"], due.len() > limit, "{path}");
            due.truncate(limit);
            assert_eq!(rows, due, "{path}");
            walked.extend(rows);
            match page["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
            there.extend(insert(&inserted).await);
        }
        for row in at_start {
            assert_eq!(walked.iter().filter(|walked| **walked == row).count(), 1, "{row:?}");
        }
    });
}
