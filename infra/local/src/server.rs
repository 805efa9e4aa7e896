//! Starts and stops the local server.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::SharedHttpClient;
use shared::App;
use shared::app::Settings;
use shared::model::time::Clock;
use shared::monitoring::source::LocalServers;
use shared::monitoring::watchlists::Watchlists;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::access::{AccessKey, TableAccess};
use crate::authorizer::{Authorizer, SigningKey};
use crate::data::{DataFolder, Lock};
use crate::events::{Forwarder, Position, Sink};
use crate::functions::{FUNCTIONS, JOBS};
use crate::gateway::Gateway;
use crate::iam::{Bucket, Role};
use crate::objects::Memory;
use crate::routes::Routes;
use crate::store::Store;
use crate::template::Template;
use crate::{Failure, calls, connections, events, openapi, schedule, table, tls};

pub struct Options {
    /// Port to listen on, on 127.0.0.1. 0 takes any free port.
    pub port: u16,
    /// Data folder. `None` keeps everything in memory.
    pub data: Option<PathBuf>,
    /// Another DynamoDB-compatible server to use instead of the embedded store.
    pub table: Option<TableAccess>,
    /// Key that signs and verifies tokens. `None` uses the key of the data folder, or generates a
    /// key.
    pub key: Option<SigningKey>,
    pub clock: Clock,
    /// HTTP client of the SDK. `None` uses the client that the functions use.
    pub http_client: Option<SharedHttpClient>,
    /// Settings that replace or extend the settings of the template.
    pub environment: BTreeMap<String, String>,
    /// Store for indexes of watchlists. `None` uses the data folder, or memory.
    pub lists: Option<Watchlists>,
    /// Whether to run the template's schedules, and to load the watchlists before the first
    /// request.
    pub schedules: bool,
    /// Destination of events. `None` disables the table's stream. Only the embedded store supports
    /// events.
    pub events: Option<Sink>,
}

pub struct Server {
    pub address: SocketAddr,
    pub key: SigningKey,
    pub template: Template,
    /// Access key of the Invoke API and of the embedded store.
    pub access_key: AccessKey,
    /// The DynamoDB-compatible server that contains the table.
    pub table: TableAccess,
    pub dynamodb: Client,
    pub lists: Watchlists,
    /// Role of each function, by function name.
    pub roles: BTreeMap<String, Role>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    background: JoinSet<()>,
    store: Option<Store>,
    _lock: Option<Lock>,
}

impl Server {
    /// Starts the server. The server answers requests when this function returns.
    ///
    /// # Errors
    /// Fails when the port or the data folder is in use, a setting is not valid, the table cannot
    /// be created, or events are requested without the embedded store.
    pub async fn start(options: Options) -> Result<Server, Failure> {
        tls::install_provider();
        let template = Template::embedded()?;
        let routes = Routes::new(&template, FUNCTIONS)?;
        let listener = listen(options.port).await?;
        let address = listener
            .local_addr()
            .map_err(|error| format!("the listener has no address: {error}"))?;

        let folder = options.data.as_deref().map(DataFolder::open).transpose()?;
        let lock = folder.as_ref().map(DataFolder::lock).transpose()?;
        let key = match (options.key, &folder) {
            (Some(key), _) => key,
            (None, Some(folder)) => folder.signing_key()?,
            (None, None) => SigningKey::generate()?,
        };
        let access_key = AccessKey::generate()?;
        let path = folder.as_ref().map(DataFolder::table);
        let (store, table) = match options.table {
            Some(table) => (None, table),
            None => {
                let store = Store::start(path.as_deref(), access_key.clone())?;
                let table = store.access.clone();
                (Some(store), table)
            }
        };
        let http_client = options.http_client.unwrap_or_else(calls::default_client);
        let dynamodb = connect(&table, &http_client).await?;
        table::ensure(&dynamodb, &template.table).await?;
        let mut background = JoinSet::new();
        match &store {
            Some(store) => {
                let name = &template.table.name;
                if let Some(folder) = &folder {
                    folder.write_access(&store.access, name)?;
                }
                events::enable_stream(&dynamodb, name, options.events.is_some()).await?;
                if let (Some(file), None) = (&store.file, &options.events) {
                    file.remove_all_records(name)?;
                }
                if let Some(sink) = options.events {
                    let forwarder = forwarder(store, name, sink, options.data.as_deref())?;
                    background.spawn(forwarder.run());
                }
            }
            None if options.events.is_some() => {
                return Err("only the embedded store supports events".to_owned());
            }
            None => {}
        }
        let lists = match (options.lists, &folder) {
            (Some(lists), _) => lists,
            (None, Some(folder)) => folder.lists(),
            (None, None) => Watchlists::of(Some(Arc::new(Memory::default()))),
        };

        let roles = roles(&template);
        let apps = Apps {
            template: &template,
            roles: &roles,
            environment: options.environment,
            clock: options.clock,
            dynamodb: &dynamodb,
            http_client,
            lists: &lists,
        };
        let mut functions = HashMap::new();
        for function in FUNCTIONS {
            functions.insert(
                function.name,
                (*function, apps.app(function.name, function.open_watchlists.is_some())?),
            );
        }
        let mut jobs = HashMap::new();
        for job in JOBS {
            jobs.insert(
                job.name,
                Arc::new((*job, apps.app(job.name, job.open_watchlists.is_some())?)),
            );
        }
        let file = store.as_ref().and_then(|store| store.file.clone());
        if options.schedules {
            schedule::start(&template, &jobs, file.as_ref(), &mut background).await;
        }
        let authorizer = Authorizer::new(template.authorizer.clone(), &key);
        let openapi = openapi::document(&template)?
            .to_json()
            .map_err(|error| format!("the OpenAPI document was not written: {error}"))?;
        let gateway = Gateway {
            routes,
            authorizer,
            access_key: access_key.clone(),
            functions,
            jobs,
            openapi,
            file,
        };
        let (stop, serving) = serve(listener, gateway);
        Ok(Server {
            address,
            key,
            template,
            access_key,
            table,
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

    /// Waits a short time for running requests, stops background work, and closes the table.
    pub async fn stop(mut self) {
        let _ = self.stop.send(());
        let _ = self.serving.await;
        // A rescreen pass and the forwarding of events can stop at any point and continue later.
        self.background.shutdown().await;
        drop(self.dynamodb);
        if let Some(store) = self.store {
            let _ = tokio::task::spawn_blocking(move || store.stop()).await;
        }
    }
}

async fn listen(port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind(("127.0.0.1", port)).await.map_err(|error| {
        format!(
            "port {port} cannot be used ({error}): pass --port with another one, or --port 0 for any free one"
        )
    })
}

/// Returns a client for the table.
async fn connect(access: &TableAccess, http_client: &SharedHttpClient) -> Result<Client, Failure> {
    let client = shared::aws::dynamodb_client(&access.aws().await?, Some(&access.endpoint));
    let config = client.config().to_builder().http_client(http_client.clone());
    Ok(Client::from_conf(config.build()))
}

fn forwarder(
    store: &Store,
    table: &str,
    sink: Sink,
    data: Option<&Path>,
) -> Result<Forwarder, Failure> {
    let position = Position::in_folder(data);
    Forwarder::new(store, table.to_owned(), sink, position)
}

fn roles(template: &Template) -> BTreeMap<String, Role> {
    let table = Arc::new(template.table.clone());
    template
        .functions
        .iter()
        .map(|spec| {
            let role = Role::new(&spec.name, spec.permissions.clone(), table.clone());
            (spec.name.clone(), role)
        })
        .collect()
}

/// The parts from which the functions' applications are built.
struct Apps<'a> {
    template: &'a Template,
    roles: &'a BTreeMap<String, Role>,
    /// Environment variables that take precedence over the template's environment.
    environment: BTreeMap<String, String>,
    clock: Clock,
    dynamodb: &'a Client,
    http_client: SharedHttpClient,
    lists: &'a Watchlists,
}

impl Apps<'_> {
    /// Returns the application of one function, with its settings and its role. As on AWS, it has
    /// watchlists only if the function opens them.
    fn app(&self, name: &str, opens_watchlists: bool) -> Result<App, Failure> {
        let is_missing = || format!("the function {name} is not in template.yaml");
        let spec = self.template.functions.iter().find(|spec| spec.name == name);
        let mut environment = spec.ok_or_else(is_missing)?.environment.clone();
        environment.extend(self.environment.clone());
        let settings = Settings::read(|name| environment.get(name).cloned())
            .map_err(|why| format!("{name}: {why}"))?;
        let role = self.roles.get(name).ok_or_else(is_missing)?;
        let http_client = calls::intercepted(self.http_client.clone(), role.clone());
        let config = self.dynamodb.config().to_builder().http_client(http_client).build();
        let bucket = self.template.bucket.clone();
        let lists = if opens_watchlists {
            self.lists
                .behind(|objects| Arc::new(Bucket { objects, name: bucket, role: role.clone() }))
        } else {
            Watchlists::of(None)
        };
        let app = App::new(settings, Client::from_conf(config), self.clock.clone(), lists);
        Ok(App { local_servers: LocalServers::Allowed, ..app })
    }
}

/// Serves the API until a message arrives on the returned channel.
fn serve(listener: TcpListener, gateway: Gateway) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stop_requested) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        let shutdown = async {
            let _ = stop_requested.await;
        };
        connections::serve(listener, gateway.router(), shutdown).await;
    });
    (stop, serving)
}
