//! Whether the number of customers matters to a caller: it must not. The same operations on tenants
//! of different sizes, over HTTP through the local server, each size in a store of its own. All sizes
//! take part in every round, in another order each time, so that what else the machine does meets
//! all of them alike: the ratios are the result, the milliseconds are this machine's, and its
//! table's. What AWS's would be asked for is in the last table, of calls and units.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use api_tests::Dice;
use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::Caller;
use crate::numbers::{median, quantile, table, thousands};
use crate::seed::{RARE_COUNTRY, Seeded, TENTH_LEVEL, WORDS};

#[derive(Args)]
pub(crate) struct Flat {
    /// Customers in the tenant, each a row of what is compared; the first is what others are
    /// compared with
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000,1000000")]
    sizes: Vec<usize>,
    /// How often each operation is measured at each size
    #[arg(long, default_value_t = 400)]
    rounds: usize,
}

/// Of get and of list pages, at the largest size, times the smallest.
const BAR: f64 = 1.2;
/// Not measured: the first ones open connections and fill caches.
const WARM_UP: usize = 20;
/// It reads thousands of rows; measured as often as the others it would be most of the time.
const RARE_ROUNDS: usize = 10;
const RARE: &str = "list, rare country, first page";
/// The limit of a list that names none.
const PAGE: usize = 20;
/// Its largest limit.
const LARGEST_PAGE: usize = 100;

/// One operation of a size: what it is called, and the request.
struct Operation {
    name: String,
    /// Not where the embedded store is known to be the reason: behind a cursor within a range of
    /// sort keys it reads from the beginning of the range (two bounds and a row value are one bound
    /// too many for SQLite), which makes later pages of a name slower there. DynamoDB begins at the
    /// cursor; the units say that nothing else is asked for.
    is_in_bar: bool,
    request: Request,
}

enum Request {
    Create,
    Get,
    Patch,
    List(String),
}

struct Size {
    seeded: Seeded,
    operations: Vec<Operation>,
}

impl Flat {
    pub(crate) async fn run(self) -> Result<()> {
        let mut sizes = Vec::new();
        for customers in &self.sizes {
            let started = std::time::Instant::now();
            let seeded = Seeded::start(*customers).await?;
            let loaded = started.elapsed().as_secs_f64();
            let operations = operations(&seeded).await?;
            let read = started.elapsed().as_secs_f64() - loaded;
            eprintln!(
                "{} customers: loaded in {loaded:.0} s, their lists read to the end in {read:.0} s, {} MB",
                thousands(*customers),
                resident_mb(),
            );
            sizes.push(Size { seeded, operations });
        }
        let first = sizes.first().context("a size")?;
        let names: Vec<(String, bool)> =
            first.operations.iter().map(|o| (o.name.clone(), o.is_in_bar)).collect();
        let samples = measure(&sizes, names.len(), self.rounds).await?;
        self.print(&names, &samples);
        self.print_calls(&names, &sizes).await
    }

    /// What one request of each operation asks the table for.
    async fn print_calls(&self, names: &[(String, bool)], sizes: &[Size]) -> Result<()> {
        let mut rows: Vec<Vec<String>> = names.iter().map(|(name, _)| vec![name.clone()]).collect();
        for size in sizes {
            for (operation, row) in size.operations.iter().zip(&mut rows) {
                size.seeded.meter.take();
                size.ask(&size.seeded.metered, operation, &mut Dice::new(3)).await?;
                let consumed = size.seeded.meter.take();
                let calls: usize = consumed.calls.values().sum();
                row.push(format!("{calls} / {} / {}", consumed.reads, consumed.writes));
            }
        }
        println!("{}", table(&self.head("calls / read units / write units"), &rows));
        Ok(())
    }

    fn head(&self, first: &str) -> Vec<String> {
        let sizes = self.sizes.iter().map(|size| thousands(*size));
        std::iter::once(first.to_owned()).chain(sizes).collect()
    }

    fn print(&self, names: &[(String, bool)], samples: &BTreeMap<(usize, usize), Vec<f64>>) {
        let none = Vec::new();
        let of = |operation: usize, size: usize| samples.get(&(operation, size)).unwrap_or(&none);
        let sizes = self.sizes.len();
        let rows = |cell: &dyn Fn(usize, usize) -> String| -> Vec<Vec<String>> {
            let row = |(operation, (name, _)): (usize, &(String, bool))| {
                let cells = (0..sizes).map(|size| cell(operation, size));
                std::iter::once(name.clone()).chain(cells).collect()
            };
            names.iter().enumerate().map(row).collect()
        };
        let ratio = |operation, size| median(of(operation, size)) / median(of(operation, 0));
        println!(
            "{}",
            table(
                &self.head("median, times the first"),
                &rows(&|o, s| format!("{:.2}", ratio(o, s)))
            )
        );
        let times = |o, s| format!("{:.2} / {:.2}", median(of(o, s)), quantile(of(o, s), 0.99));
        println!("{}", table(&self.head("median / p99 in ms"), &rows(&times)));
        let last = sizes.saturating_sub(1);
        let over = names.iter().enumerate().filter(|(_, (_, is_in_bar))| *is_in_bar);
        let over: Vec<&str> = over
            .filter(|(operation, _)| ratio(*operation, last) > BAR)
            .map(|(_, (name, _))| name.as_str())
            .collect();
        match over.as_slice() {
            [] => println!("get and list pages: within {BAR} times"),
            over => println!("over {BAR} times: {}", over.join("; ")),
        }
        println!("later pages by name: the embedded store's own way there, see the units");
        println!(
            "rare country: a request reads 5,000 rows at the most, and answers a short page\n"
        );
    }
}

/// The operations with the cursors that lead to the pages they measure.
async fn operations(seeded: &Seeded) -> Result<Vec<Operation>> {
    let operation = |name: &str, is_in_bar, request| {
        let name = name.to_owned();
        Operation { name, is_in_bar, request }
    };
    let mut operations = vec![
        operation("create", false, Request::Create),
        operation("get", true, Request::Get),
        operation("patch", false, Request::Patch),
    ];
    let customers = seeded.ids.len();
    let word = WORDS.first().context("a word")?.to_lowercase();
    for (name, query, rows) in [
        ("list", String::new(), customers),
        ("list by risk level", format!("&risk_level={TENTH_LEVEL}"), customers / 10),
        ("list by name", format!("&search={word}"), customers / WORDS.len()),
    ] {
        let cursors = cursors(seeded, &query, [rows / 2, rows - PAGE]).await?;
        let pages = ["first", "middle", "last"].into_iter();
        for (page, cursor) in pages.zip(std::iter::once(String::new()).chain(cursors)) {
            let is_in_bar = cursor.is_empty() || !query.contains("search");
            let request = Request::List(format!("/customers?limit={PAGE}{query}{cursor}"));
            operations.push(operation(&format!("{name}, {page} page"), is_in_bar, request));
        }
    }
    let rare = Request::List(format!("/customers?limit={PAGE}&country={RARE_COUNTRY}"));
    operations.push(operation(RARE, false, rare));
    Ok(operations)
}

/// Reads a list to its end, as a caller has to, and returns what to add to a query to go on behind
/// so many rows.
async fn cursors(seeded: &Seeded, query: &str, behind: [usize; 2]) -> Result<Vec<String>> {
    let (mut cursors, mut cursor, mut read) = (Vec::new(), String::new(), 0);
    for target in behind {
        while read < target {
            let limit = LARGEST_PAGE.min(target - read);
            let path = format!("/customers?limit={limit}{query}{cursor}");
            let page = seeded.caller.expect(Method::GET, &path, None).await?.data;
            let rows = page["count"].as_u64().map_or(0, |count| count as usize);
            ensure!(rows == limit, "a page of {rows} rows, {read} rows into {path}");
            cursor = format!("&cursor={}", page["cursor"].as_str().context("a cursor")?);
            read += rows;
        }
        cursors.push(cursor.clone());
    }
    Ok(cursors)
}

/// Milliseconds by operation and size.
async fn measure(
    sizes: &[Size],
    operations: usize,
    rounds: usize,
) -> Result<BTreeMap<(usize, usize), Vec<f64>>> {
    let mut dice = Dice::new(2);
    let mut samples: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    let mut order: Vec<(usize, usize)> =
        (0..operations).flat_map(|o| (0..sizes.len()).map(move |s| (o, s))).collect();
    for round in 0..WARM_UP + rounds {
        for i in (1..order.len()).rev() {
            order.swap(i, dice.roll(i + 1));
        }
        for (o, s) in &order {
            let Some(size) = sizes.get(*s) else { continue };
            let Some(operation) = size.operations.get(*o) else { continue };
            if operation.name == RARE && round % RARE_ROUNDS != 0 {
                continue;
            }
            let ms = size.ask(&size.seeded.caller, operation, &mut dice).await?;
            if round >= WARM_UP {
                samples.entry((*o, *s)).or_default().push(ms);
            }
        }
    }
    Ok(samples)
}

impl Size {
    async fn ask(&self, caller: &Caller, operation: &Operation, dice: &mut Dice) -> Result<f64> {
        let number = dice.roll(usize::MAX / 2);
        let id = dice.pick(&self.seeded.ids);
        let one = format!("/customers/{id}");
        let new = || json!({ "client_id": format!("new-{number}"), "name": format!("New {number}"), "country": "DE" });
        let (method, path, body): (Method, &str, Option<Value>) = match &operation.request {
            Request::Create => (Method::POST, "/customers", Some(new())),
            Request::Get => (Method::GET, &one, None),
            Request::Patch => {
                let email = format!("kyc-{number}@example.com");
                (Method::PATCH, &one, Some(json!({ "email": email })))
            }
            Request::List(path) => (Method::GET, path, None),
        };
        Ok(caller.expect(method, path, body.as_ref()).await?.ms)
    }
}

/// What the process keeps in memory, where the system says so.
fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1_024
}
