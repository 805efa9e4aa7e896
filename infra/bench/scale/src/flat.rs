//! Measures whether requests get slower as the number of customers grows. They must not.
//!
//! The same operations run on tenants of different sizes, over HTTP through the local server. Each
//! size has its own store. Every round measures all sizes, in random order, so that other load on
//! the machine affects them equally. The ratios are the result, because the milliseconds depend on
//! this machine and on the embedded store. The last table shows the calls and units that DynamoDB
//! would see.

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
    /// Numbers of customers in a tenant; the first is the baseline for the others
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000,1000000")]
    sizes: Vec<usize>,
    /// Number of measurements per operation and size
    #[arg(long, default_value_t = 400)]
    rounds: usize,
}

/// Maximum median at the last size as a multiple of the median at the first size. Applies to
/// operations with [`Operation::has_target`].
const MAX_RATIO: f64 = 1.2;
/// Number of unmeasured rounds at the start. They open connections and fill caches.
const WARM_UP: usize = 20;
/// The operation `RARE` is measured only once in this number of rounds. It reads thousands of rows and
/// would otherwise take most of the time.
const RARE_INTERVAL: usize = 10;
const RARE: &str = "list, rare country, first page";
/// Default number of rows on a page.
const PAGE: usize = 20;
/// Maximum number of rows on a page.
const LARGEST_PAGE: usize = 100;

/// A kind of request that is measured.
struct Operation {
    name: String,
    /// Whether [`MAX_RATIO`] applies. It applies to get and to list pages, except for the rare
    /// country and later pages by name.
    ///
    /// Later pages by name are an exception because the embedded store is known to be slow there.
    /// If a query has a cursor and a range of sort keys, the store reads from the beginning of the
    /// range, because SQLite cannot combine two bounds with the row value of the cursor. DynamoDB
    /// begins at the cursor, and the units show that no more rows are requested.
    has_target: bool,
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
                "{} customers: loaded in {loaded:.0} s, cursors read in {read:.0} s, {} MB of memory",
                thousands(*customers),
                resident_mb(),
            );
            sizes.push(Size { seeded, operations });
        }
        let first = sizes.first().context("--sizes must have at least one size")?;
        let names: Vec<(String, bool)> =
            first.operations.iter().map(|one| (one.name.clone(), one.has_target)).collect();
        let samples = measure(&sizes, names.len(), self.rounds).await?;
        self.print(&names, &samples);
        self.print_calls(&names, &sizes).await
    }

    /// Prints the calls and units of one request per operation and size.
    async fn print_calls(&self, names: &[(String, bool)], sizes: &[Size]) -> Result<()> {
        let mut rows: Vec<Vec<String>> = names.iter().map(|(name, _)| vec![name.clone()]).collect();
        for size in sizes {
            for (operation, row) in size.operations.iter().zip(&mut rows) {
                size.seeded.meter.take();
                size.send(&size.seeded.metered, operation, &mut Dice::new(3)).await?;
                let consumed = size.seeded.meter.take();
                let calls: usize = consumed.calls.values().sum();
                row.push(format!("{calls} / {} / {}", consumed.reads, consumed.writes));
            }
        }
        println!("{}", table(&self.header("calls / read units / write units"), &rows));
        Ok(())
    }

    fn header(&self, first: &str) -> Vec<String> {
        let sizes = self.sizes.iter().map(|size| thousands(*size));
        std::iter::once(first.to_owned()).chain(sizes).collect()
    }

    fn print(&self, names: &[(String, bool)], samples: &BTreeMap<(usize, usize), Vec<f64>>) {
        let empty = Vec::new();
        let of = |operation: usize, size: usize| samples.get(&(operation, size)).unwrap_or(&empty);
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
                &self.header("median, as a multiple of the first"),
                &rows(&|o, s| format!("{:.2}", ratio(o, s)))
            )
        );
        let times = |o, s| format!("{:.2} / {:.2}", median(of(o, s)), quantile(of(o, s), 0.99));
        println!("{}", table(&self.header("median / p99 in ms"), &rows(&times)));
        let last = sizes.saturating_sub(1);
        let with_target = names.iter().enumerate().filter(|(_, (_, has_target))| *has_target);
        let too_slow: Vec<&str> = with_target
            .filter(|(operation, _)| ratio(*operation, last) > MAX_RATIO)
            .map(|(_, (name, _))| name.as_str())
            .collect();
        if too_slow.is_empty() {
            println!("Get and list pages: at most {MAX_RATIO} times the first size.");
        } else {
            println!("More than {MAX_RATIO} times the first size: {}.", too_slow.join("; "));
        }
        println!("Later pages by name: the embedded store is slow there; see the units.");
        println!(
            "Rare country: a request reads at most 5,000 rows, and may return a short page.\n"
        );
    }
}

/// Returns the operations to measure. Reads the lists once to get the cursors of the later pages.
async fn operations(seeded: &Seeded) -> Result<Vec<Operation>> {
    let operation = |name: &str, has_target, request| {
        let name = name.to_owned();
        Operation { name, has_target, request }
    };
    let mut operations = vec![
        operation("create", false, Request::Create),
        operation("get", true, Request::Get),
        operation("patch", false, Request::Patch),
    ];
    let customers = seeded.ids.len();
    let word = WORDS.first().context("WORDS must not be empty")?.to_lowercase();
    for (name, query, rows) in [
        ("list", String::new(), customers),
        ("list by risk level", format!("&risk_level={TENTH_LEVEL}"), customers / 10),
        ("list by name", format!("&search={word}"), customers / WORDS.len()),
    ] {
        let cursors = cursors(seeded, &query, [rows / 2, rows - PAGE]).await?;
        let pages = ["first", "middle", "last"].into_iter();
        for (page, cursor) in pages.zip(std::iter::once(String::new()).chain(cursors)) {
            let has_target = cursor.is_empty() || !query.contains("search");
            let request = Request::List(format!("/customers?limit={PAGE}{query}{cursor}"));
            operations.push(operation(&format!("{name}, {page} page"), has_target, request));
        }
    }
    let rare = Request::List(format!("/customers?limit={PAGE}&country={RARE_COUNTRY}"));
    operations.push(operation(RARE, false, rare));
    Ok(operations)
}

/// Reads a list page by page, as a caller does. For each offset, returns the query parameter that
/// continues the list after that number of rows. The offsets must be in ascending order.
async fn cursors(seeded: &Seeded, query: &str, offsets: [usize; 2]) -> Result<Vec<String>> {
    let (mut cursors, mut cursor, mut read) = (Vec::new(), String::new(), 0);
    for offset in offsets {
        while read < offset {
            let limit = LARGEST_PAGE.min(offset - read);
            let path = format!("/customers?limit={limit}{query}{cursor}");
            let page = seeded.caller.expect(Method::GET, &path, None).await?.data;
            let rows = page["count"].as_u64().map_or(0, |count| count as usize);
            ensure!(rows == limit, "{path} returned {rows} rows after row {read}, not {limit}");
            cursor =
                format!("&cursor={}", page["cursor"].as_str().context("the page has no cursor")?);
            read += rows;
        }
        cursors.push(cursor.clone());
    }
    Ok(cursors)
}

/// Measures all operations at all sizes. Returns the durations in milliseconds, keyed by operation
/// index and size index.
async fn measure(
    sizes: &[Size],
    operations: usize,
    rounds: usize,
) -> Result<BTreeMap<(usize, usize), Vec<f64>>> {
    let mut dice = Dice::new(2);
    let mut samples: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    let mut order: Vec<(usize, usize)> = (0..operations)
        .flat_map(|operation| (0..sizes.len()).map(move |size| (operation, size)))
        .collect();
    for round in 0..WARM_UP + rounds {
        for i in (1..order.len()).rev() {
            order.swap(i, dice.roll(i + 1));
        }
        for (operation_index, size_index) in &order {
            let Some(size) = sizes.get(*size_index) else { continue };
            let Some(operation) = size.operations.get(*operation_index) else { continue };
            if operation.name == RARE && round % RARE_INTERVAL != 0 {
                continue;
            }
            let ms = size.send(&size.seeded.caller, operation, &mut dice).await?;
            if round >= WARM_UP {
                samples.entry((*operation_index, *size_index)).or_default().push(ms);
            }
        }
    }
    Ok(samples)
}

impl Size {
    /// Sends one request of the operation and returns its duration in milliseconds.
    async fn send(&self, caller: &Caller, operation: &Operation, dice: &mut Dice) -> Result<f64> {
        let number = dice.roll(usize::MAX / 2);
        let id = dice.pick(&self.seeded.ids);
        let customer = format!("/customers/{id}");
        let new_customer = || json!({ "client_id": format!("new-{number}"), "name": format!("New {number}"), "country": "DE" });
        let (method, path, body): (Method, &str, Option<Value>) = match &operation.request {
            Request::Create => (Method::POST, "/customers", Some(new_customer())),
            Request::Get => (Method::GET, &customer, None),
            Request::Patch => {
                let email = format!("kyc-{number}@example.com");
                (Method::PATCH, &customer, Some(json!({ "email": email })))
            }
            Request::List(path) => (Method::GET, path, None),
        };
        Ok(caller.expect(method, path, body.as_ref()).await?.ms)
    }
}

/// Returns the resident memory of this process in MiB, or 0 if the system does not provide it.
fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) / 1_024
}
