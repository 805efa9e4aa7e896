//! The layers of `shared`: which module may use which. This table is the one place to change them.

/// A top-level module of `shared` and the modules it may use.
pub(super) struct Layer {
    pub(super) module: &'static str,
    pub(super) may_use: Allowed,
}

pub(super) enum Allowed {
    /// Only these modules.
    Only(&'static [&'static str]),
    /// Every module.
    All,
}

use Allowed::{All, Only};

/// The modules that every use case may use: the vocabulary, the caller, the table, the pure rules, and
/// the other use cases. Cycles among use cases break the rule against cycles between folders.
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
    // The error type and its codes are the common vocabulary, so they depend on nothing.
    Layer { module: "error", may_use: Only(&[]) },
    // Log lines and metrics. They report errors.
    Layer { module: "telemetry", may_use: Only(&["error"]) },
    // Clients of AWS: settings, credentials and TLS, without any data.
    Layer { module: "aws", may_use: Only(&["error", "telemetry"]) },
    // Every stored or returned type. Pure: no clock and no I/O.
    Layer { module: "model", may_use: Only(&["error"]) },
    // From claims to a caller with permissions.
    Layer { module: "auth", may_use: Only(&["error", "model"]) },
    // Pure rules over an ownership structure.
    Layer { module: "ownership", may_use: Only(&["model"]) },
    // Pure rules that turn facts into a risk level.
    Layer { module: "risk", may_use: Only(&["error", "model", "ownership"]) },
    // DynamoDB: keys, items, transactions, pages. It decides nothing, and it does not log.
    Layer { module: "store", may_use: Only(&["error", "model"]) },
    // Use cases: load, decide, commit.
    Layer { module: "customers", may_use: USE_CASE },
    Layer { module: "monitoring", may_use: USE_CASE },
    Layer { module: "organizations", may_use: USE_CASE },
    Layer { module: "risk_profiles", may_use: USE_CASE },
    Layer { module: "sessions", may_use: USE_CASE },
    // From records of the table's stream to events of the audit trail.
    Layer { module: "events", may_use: Only(&["error", "model", "store"]) },
    // Settings and wiring, built once for each sandbox.
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
    // Requests and responses. It depends on no use case.
    Layer { module: "http", may_use: Only(&["auth", "error", "model"]) },
    // Lambda events to requests and back.
    Layer { module: "runtime", may_use: All },
    // Descriptions of endpoints for the OpenAPI document.
    Layer { module: "openapi", may_use: Only(&["auth", "error", "http", "model"]) },
];

/// A crate that only some modules of `shared` may use.
pub(super) struct Restricted {
    pub(super) dependency: &'static str,
    pub(super) allowed_in: &'static [&'static str],
}

pub(super) const RESTRICTED: &[Restricted] = &[
    // Use cases neither read requests nor build responses.
    // The OpenAPI document names status codes, so it uses the same type as `http`.
    Restricted { dependency: "lambda_http", allowed_in: &["http", "openapi", "runtime"] },
    // The store hides DynamoDB's types from the other modules. `aws` builds the client.
    Restricted { dependency: "aws_sdk_dynamodb", allowed_in: &["aws", "store"] },
];

/// Packages that must build and test without AWS, an async runtime and `shared`.
pub(super) const PURE_PACKAGES: &[&str] = &["drawing", "screening"];

/// Prefixes of the names of packages that a pure package must not depend on.
pub(super) const IMPURE_DEPENDENCIES: &[&str] = &["aws", "lambda", "shared", "tokio"];
