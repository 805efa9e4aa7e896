//! Starts everything and stops it again.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::SharedHttpClient;
use shared::App;
use shared::app::Settings;
use shared::aws::Aws;
use shared::model::time::Clock;
use shared::monitoring::lists::Lists;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::authorizer::{Authorizer, SigningKey};
use crate::data::{DataFolder, Lock};
use crate::events::{Position, Sink};
use crate::functions::{FUNCTIONS, JOBS};
use crate::gateway::Gateway;
use crate::iam::{Bucket, Role};
use crate::objects::Memory;
use crate::routes::Routes;
use crate::store::Store;
use crate::template::Template;
use crate::{Failure, calls, events, openapi, schedule, table};

/// How long running requests may take to finish when the server stops.
const GRACE: Duration = Duration::from_secs(5);

pub struct Options {
    /// 0 takes any free port.
    pub port: u16,
    /// `None` keeps everything in memory.
    pub data: Option<PathBuf>,
    /// Another DynamoDB-compatible server instead of the embedded store.
    pub dynamodb_endpoint: Option<String>,
    /// Signs and verifies tokens; `None` takes the data folder's, or makes one.
    pub key: Option<SigningKey>,
    pub clock: Clock,
    /// Under the SDK's client of the table; `None` is the SDK's own.
    pub http_client: Option<SharedHttpClient>,
    /// Settings besides those of the template.
    pub environment: BTreeMap<String, String>,
    /// Where indexes of watchlists lie; `None` takes a folder of the data folder, or memory.
    pub lists: Option<Lists>,
    /// Whether what the template schedules is done, watchlists first.
    pub schedules: bool,
    /// Where events go; `None` keeps the table's stream off. For the embedded store only.
    pub events: Option<Sink>,
}

pub struct Server {
    pub address: SocketAddr,
    pub key: SigningKey,
    pub template: Template,
    /// Where the table is.
    pub dynamodb_endpoint: String,
    pub dynamodb: Client,
    pub lists: Lists,
    /// Of every function, by its name.
    pub roles: BTreeMap<String, Role>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    background: JoinSet<()>,
    store: Option<Store>,
    _lock: Option<Lock>,
}

impl Server {
    pub async fn start(options: Options) -> Result<Server, Failure> {
        let template = Template::embedded()?;
        let routes = Routes::new(&template, FUNCTIONS)?;
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await.map_err(|error| {
            let port = options.port;
            format!("port {port} cannot be used ({error}): pass --port with another one, or --port 0 for any free one")
        })?;
        let address = listener.local_addr().map_err(|error| format!("no address: {error}"))?;

        let folder = options.data.as_deref().map(DataFolder::open).transpose()?;
        let lock = folder.as_ref().map(DataFolder::lock).transpose()?;
        let key = match (options.key, &folder) {
            (Some(key), _) => key,
            (None, Some(folder)) => folder.signing_key()?,
            (None, None) => SigningKey::generate()?,
        };
        let (store, endpoint) = match options.dynamodb_endpoint {
            Some(endpoint) => (None, endpoint),
            None => {
                let store = Store::start(folder.as_ref().map(DataFolder::table).as_deref())?;
                let endpoint = store.endpoint.clone();
                (Some(store), endpoint)
            }
        };
        let aws = match std::env::var_os("AWS_ACCESS_KEY_ID").filter(|_| store.is_none()) {
            Some(_) => Aws::from_env().await?,
            None => Aws::elsewhere(),
        };
        let dynamodb = shared::aws::dynamodb_client(&aws, Some(&endpoint));
        let http_client = options.http_client.unwrap_or_else(calls::plain);
        let config = dynamodb.config().to_builder().http_client(http_client.clone());
        let dynamodb = Client::from_conf(config.build());
        table::ensure(&dynamodb, &template.table).await?;
        let mut background = JoinSet::new();
        match (&store, options.events) {
            (Some(store), sink) => {
                let table = template.table.name.clone();
                events::stream(&dynamodb, &table, sink.is_some()).await?;
                if let Some(sink) = sink {
                    let position = Position::in_folder(options.data.as_deref());
                    let database = store.database.clone();
                    background.spawn(events::run(database, table, sink, position));
                }
            }
            (None, Some(_)) => return Err("events leave the embedded store only".to_owned()),
            (None, None) => {}
        }

        let lists = match (options.lists, &folder) {
            (Some(lists), _) => lists,
            (None, Some(folder)) => folder.lists(),
            (None, None) => Lists::of(Some(Arc::new(Memory::default()))),
        };
        let table = Arc::new(template.table.clone());
        let roles: BTreeMap<String, Role> = template
            .functions
            .iter()
            .map(|spec| {
                let role = Role::new(&spec.name, spec.permissions.clone(), table.clone());
                (spec.name.clone(), role)
            })
            .collect();
        let app = |name: &str| {
            let spec = template.functions.iter().find(|spec| spec.name == name);
            let role = roles.get(name).ok_or_else(|| format!("{name} is not in the template"))?;
            let mut environment = spec.map(|spec| spec.environment.clone()).unwrap_or_default();
            environment.extend(options.environment.clone());
            let settings = Settings::read(|name| environment.get(name).cloned());
            let settings = settings.map_err(|why| format!("{name}: {why}"))?;
            let guarded = calls::client(http_client.clone(), role.clone());
            let config = dynamodb.config().to_builder().http_client(guarded).build();
            let bucket = template.bucket.clone();
            let lists = lists
                .behind(|objects| Arc::new(Bucket { objects, name: bucket, role: role.clone() }));
            let clock = options.clock.clone();
            Ok::<App, Failure>(App::new(settings, Client::from_conf(config), clock, lists))
        };
        let mut functions = HashMap::new();
        for function in FUNCTIONS {
            functions.insert(function.name, (*function, app(function.name)?));
        }
        let mut jobs = HashMap::new();
        for job in JOBS {
            jobs.insert(job.name, Arc::new((*job, app(job.name)?)));
        }
        if options.schedules {
            schedule::start(&template, &jobs, &mut background).await;
        }
        let authorizer = Authorizer::new(template.authorizer.clone(), &key);
        let openapi =
            openapi::document(&template)?.to_json().map_err(|error| format!("OpenAPI: {error}"))?;
        let router = Gateway { routes, authorizer, functions, jobs, openapi }.router();

        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            let _ = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        });
        Ok(Server {
            address,
            key,
            template,
            dynamodb_endpoint: endpoint,
            dynamodb,
            lists,
            roles,
            stop,
            serving,
            background,
            store,
            _lock: lock,
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets running requests finish, then closes the table.
    pub async fn stop(mut self) {
        let _ = self.stop.send(());
        let _ = tokio::time::timeout(GRACE, self.serving).await;
        // A pass may end anywhere, and so may what reads events.
        self.background.shutdown().await;
        drop(self.dynamodb);
        if let Some(store) = self.store {
            let _ = tokio::task::spawn_blocking(move || store.stop()).await;
        }
    }
}
