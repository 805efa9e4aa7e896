//! Defines the layers of `shared`: the modules that each module may use. This table is the only
//! place to change the layers.

/// A top-level module of `shared` and the modules that it may use.
pub(super) struct Layer {
    pub(super) module: &'static str,
    pub(super) may_use: Allowed,
}

pub(super) enum Allowed {
    /// The module may use only these modules.
    Only(&'static [&'static str]),
    /// The module may use every module.
    All,
}

use Allowed::{All, Only};

/// The modules that every use case may use: the vocabulary, the caller, the table, the pure rules,
/// and the other use cases. A cycle among use cases breaks the rule *cycle*.
const USE_CASE: Allowed = Only(&[
    "auth",
    "customers",
    "error",
    "model",
    "monitoring",
    "organizations",
    "ownership",
    "risk",
    "risk_profiles",
    "sessions",
    "store",
    "telemetry",
]);

pub(super) const LAYERS: &[Layer] = &[
    // The error type and its codes are the common vocabulary, so they do not depend on other
    // modules.
    Layer { module: "error", may_use: Only(&[]) },
    // Writes log lines and metrics. They report errors, so the module uses `error`.
    Layer { module: "telemetry", may_use: Only(&["error"]) },
    // Creates AWS clients from settings and credentials. Does not read or write data.
    Layer { module: "aws", may_use: Only(&["error", "telemetry"]) },
    // Defines every stored or returned type. The module is pure: no clock and no I/O.
    Layer { module: "model", may_use: Only(&["error"]) },
    // Turns claims into a caller with permissions.
    Layer { module: "auth", may_use: Only(&["error", "model"]) },
    // Applies pure rules to an ownership structure.
    Layer { module: "ownership", may_use: Only(&["model"]) },
    // Turns facts into a risk level by pure rules.
    Layer { module: "risk", may_use: Only(&["error", "model", "ownership"]) },
    // Accesses DynamoDB: keys, items, transactions, pages. The store makes no decisions, and it
    // does not log.
    Layer { module: "store", may_use: Only(&["error", "model"]) },
    // Each of these modules contains use cases: load, decide, commit.
    Layer { module: "customers", may_use: USE_CASE },
    Layer { module: "monitoring", may_use: USE_CASE },
    Layer { module: "organizations", may_use: USE_CASE },
    Layer { module: "risk_profiles", may_use: USE_CASE },
    Layer { module: "sessions", may_use: USE_CASE },
    // Turns records of the table's stream into events of the audit trail.
    Layer { module: "events", may_use: Only(&["error", "model", "store"]) },
    // Reads settings and wires the modules, once for each sandbox.
    Layer {
        module: "app",
        may_use: Only(&[
            "auth",
            "aws",
            "customers",
            "error",
            "events",
            "model",
            "monitoring",
            "organizations",
            "ownership",
            "risk",
            "risk_profiles",
            "sessions",
            "store",
            "telemetry",
        ]),
    },
    // Defines requests and responses. The module does not depend on use cases.
    Layer { module: "http", may_use: Only(&["auth", "error", "model"]) },
    // Converts Lambda events to requests, and responses to answers.
    Layer { module: "runtime", may_use: All },
    // Describes endpoints for the OpenAPI document.
    Layer { module: "openapi", may_use: Only(&["auth", "error", "http", "model"]) },
];

/// A crate that only some modules of `shared` may use.
pub(super) struct Restricted {
    pub(super) dependency: &'static str,
    pub(super) allowed_in: &'static [&'static str],
}

pub(super) const RESTRICTED: &[Restricted] = &[
    // Use cases neither read requests nor build responses.
    // The OpenAPI document names status codes, so `openapi` uses `StatusCode`.
    Restricted { dependency: "lambda_http", allowed_in: &["http", "openapi", "runtime"] },
    // The store hides DynamoDB's types from the other modules. `aws` builds the client.
    // `app` passes the client from `aws` to `store`.
    Restricted { dependency: "aws_sdk_dynamodb", allowed_in: &["app", "aws", "store"] },
];

/// Packages that must build and test without AWS, an async runtime and `shared`.
pub(super) const PURE_PACKAGES: &[&str] = &["drawing", "screening"];

/// Prefixes of the names of packages on which a pure package must not depend.
pub(super) const IMPURE_DEPENDENCIES: &[&str] = &["aws", "lambda", "shared", "tokio"];
