//! What a function holds: its settings, the table, the clock and the ids. Made once, from the
//! environment, before the first request.

use aws_sdk_dynamodb::Client;

use crate::model::id::Ids;
use crate::model::time::Clock;
use crate::store::{self, Table};

/// What the template sets for every function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub table_name: String,
    /// The claim that names the tenant; `None`: `custom:tenant_id`, else `tenant_id`.
    pub tenant_claim: Option<String>,
    /// Another DynamoDB-compatible server instead of AWS's.
    pub dynamodb_endpoint: Option<String>,
}

impl Settings {
    /// Reads every setting through `get` and reports all that are wrong together.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Settings, String> {
        let set = |name: &str| {
            get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        let mut wrong = Vec::new();
        let table_name = set("TABLE_NAME").unwrap_or_else(|| {
            wrong.push("TABLE_NAME is not set".to_owned());
            String::new()
        });
        let dynamodb_endpoint = set("DYNAMODB_ENDPOINT");
        if dynamodb_endpoint.as_ref().is_some_and(|endpoint| url::Url::parse(endpoint).is_err()) {
            wrong.push("DYNAMODB_ENDPOINT is not a URL".to_owned());
        }
        match wrong.is_empty() {
            true => {
                Ok(Settings { table_name, tenant_claim: set("TENANT_CLAIM"), dynamodb_endpoint })
            }
            false => Err(wrong.join("; ")),
        }
    }
}

pub struct App {
    pub settings: Settings,
    pub table: Table,
    pub clock: Clock,
    pub ids: Ids,
}

impl App {
    pub async fn from_env() -> Result<App, String> {
        let settings = Settings::read(|name| std::env::var(name).ok())?;
        let client = store::client(settings.dynamodb_endpoint.as_deref()).await;
        Ok(App::new(settings, client, Clock::system()))
    }

    pub fn new(settings: Settings, client: Client, clock: Clock) -> App {
        let ids = Ids::default();
        let table = Table::new(client, settings.table_name.clone(), ids.clone(), clock.clone());
        App { settings, table, clock, ids }
    }
}
