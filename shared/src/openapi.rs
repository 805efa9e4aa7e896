//! What a function says of itself in the OpenAPI document. Its route is not written here: the
//! template has it.

use std::collections::BTreeMap;

pub use lambda_http::http::StatusCode;
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::header::Header;
use utoipa::openapi::path::{
    Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Type,
};
use utoipa::openapi::{
    Content, HeaderBuilder, KnownFormat, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
    SchemaFormat,
};

use crate::auth::Permission;
use crate::error::Code;
use crate::http::{IfMatch, JSON, MERGE_PATCH, status};
use crate::model::page::{DEFAULT_LIMIT, MAX_LIMIT, Order};
pub use crate::model::schema::{closed, nullable, text};

pub type Schemas = Vec<(String, RefOr<Schema>)>;

/// One operation, built up beside the handler it describes.
pub struct Endpoint {
    operation: OperationBuilder,
    success: BTreeMap<u16, Response>,
    codes: Vec<Code>,
    schemas: Schemas,
}

/// What every operation may answer.
const ALWAYS: [Code; 6] = [
    Code::ValidationError,
    Code::Unauthenticated,
    Code::NoTenant,
    Code::InsufficientPermissions,
    Code::InternalError,
    Code::StoreUnavailable,
];

impl Endpoint {
    pub fn new(summary: &str, details: &str, permission: Permission) -> Endpoint {
        let needs = permission.any_of().join("` or `");
        let description = format!("{details}\n\nPermission: `{needs}`.");
        Endpoint {
            operation: OperationBuilder::new()
                .summary(Some(summary))
                .description(Some(description.trim_start())),
            success: BTreeMap::new(),
            codes: ALWAYS.to_vec(),
            schemas: Vec::new(),
        }
    }

    /// An optional query parameter.
    pub fn query(
        mut self,
        name: &str,
        description: &str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Endpoint {
        self.operation =
            self.operation.parameter(parameter(name, ParameterIn::Query, description, schema));
        self
    }

    /// An optional query parameter of a type of the model.
    pub fn query_of<T: ToSchema>(self, name: &str, description: &str) -> Endpoint {
        let (endpoint, schema) = self.reference::<T>();
        endpoint.query(name, description, schema)
    }

    /// Takes what every list takes.
    pub fn paged(self) -> Endpoint {
        self.query("limit", "How many rows a page has.", whole_number(1, MAX_LIMIT, DEFAULT_LIMIT))
            .cursor()
            .query_of::<Order>("order", "`desc`, newest or last name first, unless given.")
    }

    /// Goes on from another page.
    pub fn cursor(self) -> Endpoint {
        let cursor = "Of the page before. It belongs to the same filters and order.";
        self.query("cursor", cursor, text()).refuses(&[Code::InvalidCursor])
    }

    /// Takes `Idempotency-Key`.
    pub fn idempotent(mut self) -> Endpoint {
        let description = "The same key and body within 24 hours replay the first answer.";
        let schema =
            text().min_length(Some(1)).max_length(Some(255)).pattern(Some("^[ -~]{1,255}$"));
        let header = parameter("Idempotency-Key", ParameterIn::Header, description, schema);
        self.operation = self.operation.parameter(header);
        self.codes.extend([Code::IdempotencyKeyReused, Code::RequestInProgress]);
        for response in self.success.values_mut() {
            let header = described("`true` when this is the replay of an earlier answer.");
            response.headers.insert("Idempotent-Replayed".to_owned(), header.into());
        }
        self
    }

    /// Honours `If-Match`.
    pub fn if_match(mut self) -> Endpoint {
        let description = "The `ETag` of the version this change is made for, or `*`.";
        let schema = text().pattern(Some(IfMatch::PATTERN)).examples([json!("\"3\"")]);
        let header = parameter(IfMatch::HEADER, ParameterIn::Header, description, schema);
        self.operation = self.operation.parameter(header);
        self.codes.push(Code::VersionMismatch);
        self
    }

    /// The body: the fields of `T` and nothing else. `null` counts as absent.
    pub fn body<T: ToSchema>(self, name: &str, required: &[&str]) -> Endpoint {
        let mut object = self.fields_of::<T>(required);
        object.required = required.iter().map(ToString::to_string).collect();
        self.with_body(name, object, JSON)
    }

    /// The body: a merge patch on the fields of `T` and on `more`. Those of `kept` cannot be cleared.
    pub fn merge_patch<T: ToSchema>(
        self,
        name: &str,
        kept: &[&str],
        more: &[(&str, RefOr<Schema>)],
    ) -> Endpoint {
        let mut object = self.fields_of::<T>(kept);
        for (name, schema) in more {
            object.properties.insert(name.to_string(), schema.clone());
        }
        self.with_body(name, object, MERGE_PATCH)
    }

    /// Fields of a body that have to be there.
    pub fn requires(mut self, name: &str, fields: &[&str]) -> Endpoint {
        for (schema, body) in &mut self.schemas {
            if let RefOr::T(Schema::Object(body)) = body
                && schema == name
            {
                body.required = fields.iter().map(ToString::to_string).collect();
            }
        }
        self
    }

    fn fields_of<T: ToSchema>(&self, not_null: &[&str]) -> Object {
        let mut object = match T::schema() {
            RefOr::T(Schema::Object(object)) => object,
            other => ObjectBuilder::new().property("value", other).build(),
        };
        object.required.clear();
        object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        for (name, schema) in object.properties.iter_mut() {
            let is_nullable = matches!(schema, RefOr::T(Schema::OneOf(_)));
            if !is_nullable && !not_null.contains(&name.as_str()) {
                *schema = nullable(schema.clone());
            }
        }
        object
    }

    fn with_body(mut self, name: &str, object: Object, media_types: &[&str]) -> Endpoint {
        self.schemas.push((name.to_owned(), Schema::Object(object).into()));
        let mut body = RequestBodyBuilder::new().required(Some(Required::True));
        for media_type in media_types {
            body = body.content(*media_type, Content::new(Some(Ref::from_schema_name(name))));
        }
        self.operation = self.operation.request_body(Some(body.build()));
        self.codes.extend([Code::MalformedJson, Code::BodyTooLarge, Code::UnsupportedMediaType]);
        self
    }

    /// A success: `data` in its envelope, with these headers.
    pub fn answers<T: ToSchema>(
        mut self,
        status: StatusCode,
        description: &str,
        headers: &[&str],
    ) -> Endpoint {
        let data = self.keep::<T>();
        let envelope = ObjectBuilder::new()
            .property("status", text().enum_values(Some(["success"])))
            .property("data", data)
            .property("meta", Ref::from_schema_name("Meta"))
            .required("status")
            .required("data")
            .required("meta");
        let mut response = respond(description, envelope.build());
        for header in headers {
            let says = match *header {
                "ETag" => "The version, in quotes.",
                "Location" => "The path of what was created.",
                _ => "",
            };
            response.headers.insert(header.to_string(), described(says).into());
        }
        self.success.insert(status.as_u16(), response);
        self
    }

    /// The same success, in these media types.
    pub fn or_answers_text(mut self, status: StatusCode, media_types: &[&str]) -> Endpoint {
        if let Some(response) = self.success.get_mut(&status.as_u16()) {
            for media_type in media_types {
                response.content.insert(media_type.to_string(), Content::new(Some(text())).into());
            }
        }
        self
    }

    /// The errors of this operation besides those every one has.
    pub fn refuses(mut self, codes: &[Code]) -> Endpoint {
        self.codes.extend(codes);
        self
    }

    /// A reference to a type of the model.
    pub fn reference<T: ToSchema>(mut self) -> (Endpoint, RefOr<Schema>) {
        let reference = self.keep::<T>();
        (self, reference)
    }

    /// Keeps a type of the model with the types it refers to.
    fn keep<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let mut found = Vec::new();
        T::schemas(&mut found);
        let name = name_of::<T>();
        found.push((name.clone(), T::schema()));
        for (name, mut schema) in found {
            all_present(&mut schema);
            if !self.schemas.iter().any(|(known, _)| *known == name) {
                self.schemas.push((name, schema));
            }
        }
        Ref::from_schema_name(name).into()
    }

    /// The operation of a route, and the schemas it refers to.
    pub fn finish(self, operation_id: &str, path_parameters: &[&str]) -> (Operation, Schemas) {
        let mut operation = self.operation.operation_id(Some(operation_id));
        for name in path_parameters {
            let schema = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
            let description = "As the API gave it out.";
            let mut parameter = parameter(name, ParameterIn::Path, description, schema);
            parameter.required = Required::True;
            operation = operation.parameter(parameter);
        }
        for (status, response) in self.success {
            operation = operation.response(status.to_string(), response);
        }
        for (status, response) in refusals(&self.codes) {
            operation = operation.response(status.to_string(), response);
        }
        (operation.build(), self.schemas)
    }
}

/// The schemas of the envelope, common to all operations.
pub fn envelope_schemas() -> Schemas {
    let meta = ObjectBuilder::new()
        .property(
            "request_id",
            text().description(Some("API Gateway's request id, also in `X-Request-Id`.")),
        )
        .required("request_id");
    let permissions = ArrayBuilder::new().items(text().build());
    let permissions =
        permissions.description(Some("Of a missing permission: any of these would do."));
    let detail = ObjectBuilder::new()
        .property(
            "field",
            text().description(Some(
                "A JSON Pointer into the body, `?name` for a query parameter, or a header.",
            )),
        )
        .property("issue", text())
        .property(
            "customer_id",
            text().description(Some("Of a conflict: the customer that was there before.")),
        )
        .property(
            "version",
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .description(Some("Of a version mismatch: the current version.")),
        )
        .property(
            "status",
            text().description(Some("Of a status that cannot be reached: the current one.")),
        )
        .property("permissions", permissions)
        .required("field")
        .required("issue");
    let error = ObjectBuilder::new()
        .property("type", text())
        .property("code", text().description(Some("For a program.")))
        .property("message", text().description(Some("For a person.")))
        .property("details", ArrayBuilder::new().items(detail.build()))
        .required("type")
        .required("code")
        .required("message")
        .required("details");
    let failure = ObjectBuilder::new()
        .property("status", text().enum_values(Some(["error"])))
        .property("error", error)
        .property("meta", Ref::from_schema_name("Meta"))
        .required("status")
        .required("error")
        .required("meta");
    let gateway = ObjectBuilder::new()
        .description(Some("What API Gateway itself answers, before a function is asked."))
        .property("message", text())
        .required("message");
    [("Meta", meta), ("Error", failure), ("GatewayError", gateway)]
        .map(|(name, schema)| (name.to_owned(), schema.build().into()))
        .to_vec()
}

/// By status code, with the codes it may carry.
fn refusals(codes: &[Code]) -> BTreeMap<u16, Response> {
    let mut by_status: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for code in codes {
        by_status.entry(status(*code).0.as_u16()).or_default().push(format!("`{code}`"));
    }
    let refusal = |(status, codes): (u16, Vec<String>)| {
        let description = codes.join(", ");
        let error = Ref::from_schema_name("Error");
        let mut response = match status {
            401 => {
                let description =
                    format!("{description}, or API Gateway's own refusal of the token");
                let gateway = Ref::from_schema_name("GatewayError");
                let either = OneOfBuilder::new().item(gateway).item(error);
                respond(&description, Schema::OneOf(either.build()))
            }
            _ => respond(&description, error),
        };
        if status == 503 {
            let header = described("After how many seconds to try again.");
            response.headers.insert("Retry-After".to_owned(), header.into());
        }
        (status, response)
    };
    by_status.into_iter().map(refusal).collect()
}

fn respond(description: &str, schema: impl Into<RefOr<Schema>>) -> Response {
    ResponseBuilder::new()
        .description(description)
        .content("application/json", Content::new(Some(schema)))
        .header("X-Request-Id", described("API Gateway's request id."))
        .build()
}

fn described(description: &str) -> Header {
    HeaderBuilder::new().schema(Some(text())).description(Some(description)).build()
}

fn parameter(
    name: &str,
    place: ParameterIn,
    description: &str,
    schema: impl Into<RefOr<Schema>>,
) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

pub fn flag() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

/// Above 0 and at most 100.
pub fn percentage(default: f64) -> ObjectBuilder {
    let schema = ObjectBuilder::new().schema_type(Type::Number).default(Some(json!(default)));
    schema.exclusive_minimum(Some(0)).maximum(Some(100))
}

pub fn time() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

pub fn whole_number(least: usize, most: usize, default: usize) -> ObjectBuilder {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).default(Some(json!(default)));
    schema.minimum(Some(least)).maximum(Some(most))
}

/// `Page<Customer>` is the schema `CustomerPage`.
fn name_of<T: ToSchema>() -> String {
    let full = std::any::type_name::<T>();
    let arguments = full.split_once('<').map(|(_, rest)| rest.trim_end_matches('>'));
    let argument = arguments.and_then(|path| path.rsplit("::").next());
    let argument = argument.filter(|argument| !argument.starts_with('\'')).unwrap_or_default();
    format!("{argument}{}", T::name())
}

/// A documented field is always present in an answer, also when it is null.
fn all_present(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) if object.properties.is_empty() => {}
        RefOr::T(Schema::Object(object)) => {
            object.required = object.properties.keys().cloned().collect()
        }
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(all_present),
        _ => {}
    }
}
