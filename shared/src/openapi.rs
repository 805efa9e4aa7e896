//! Builds the OpenAPI description of one operation. Each function describes its own operation, and
//! the route comes from the template.

use std::collections::BTreeMap;

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
use crate::http::{IfMatch, IfNoneMatch, JSON, MERGE_PATCH, RECEIPT, status};
use crate::model::page::{DEFAULT_LIMIT, MAX_LIMIT, Order};
pub use crate::model::schema::{closed, nullable, text};
pub use lambda_http::http::StatusCode;

/// Schemas by name, as they appear under `components`.
pub type Schemas = Vec<(String, RefOr<Schema>)>;

/// Builder for the OpenAPI description of one operation.
pub struct Endpoint {
    operation: OperationBuilder,
    success: BTreeMap<u16, Response>,
    codes: Vec<Code>,
    schemas: Schemas,
}

/// The error codes that every operation can return.
const ALWAYS: [Code; 7] = [
    Code::ValidationError,
    Code::Unauthenticated,
    Code::NoTenant,
    Code::InsufficientPermissions,
    Code::TooManyRequests,
    Code::InternalError,
    Code::StoreUnavailable,
];

/// The error codes that an operation that needs no token can return.
const PUBLIC: [Code; 3] = [Code::ValidationError, Code::InternalError, Code::StoreUnavailable];

impl Endpoint {
    /// Starts the description of an operation. `summary` is the title, and `details` is Markdown.
    /// The required permissions are added to the details. Any one of them is sufficient.
    pub fn new(summary: &str, details: &str, permissions: &[Permission]) -> Endpoint {
        let permissions: Vec<&str> = permissions.iter().map(AsRef::as_ref).collect();
        let needs = permissions.join("` or `");
        let description = format!("{details}\n\nRequired permission: `{needs}`.");
        Endpoint {
            operation: OperationBuilder::new()
                .summary(Some(summary))
                .description(Some(description.trim_start())),
            success: BTreeMap::new(),
            codes: ALWAYS.to_vec(),
            schemas: Vec::new(),
        }
    }

    /// Starts the description of an operation that needs no token.
    pub fn public(summary: &str, details: &str) -> Endpoint {
        let throttled = respond(
            "API Gateway's rejection of a request above the rate of its route.",
            Ref::from_schema_name("GatewayError"),
        );
        Endpoint {
            operation: OperationBuilder::new()
                .summary(Some(summary))
                .description(Some(details))
                .securities(Some(Vec::new())),
            success: BTreeMap::from([(StatusCode::TOO_MANY_REQUESTS.as_u16(), throttled)]),
            codes: PUBLIC.to_vec(),
            schemas: Vec::new(),
        }
    }

    /// Adds an optional query parameter.
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

    /// Adds an optional query parameter that has the schema of the model type `T`.
    pub fn query_of<T: ToSchema>(self, name: &str, description: &str) -> Endpoint {
        let (endpoint, schema) = self.reference::<T>();
        endpoint.query(name, description, schema)
    }

    /// Adds the query parameters that every list accepts: `limit`, `cursor` and `order`.
    pub fn paged(self) -> Endpoint {
        let limit = whole_number(1, MAX_LIMIT, DEFAULT_LIMIT);
        self.query("limit", "Maximum number of rows per page.", limit)
            .cursor()
            .query_of::<Order>("order", "Sort order of the rows. The default is `desc`.")
    }

    /// Adds the query parameter `cursor`, which continues a list, and the error code for an invalid
    /// cursor.
    pub fn cursor(self) -> Endpoint {
        let cursor =
            "Cursor returned by the previous page. Valid only with the same filters and order.";
        self.query("cursor", cursor, text()).refuses(&[Code::InvalidCursor])
    }

    /// Adds the header `Idempotency-Key` and its error codes. This must be called after
    /// [`Endpoint::answers`], because it adds a header to the successful responses.
    pub fn idempotent(mut self) -> Endpoint {
        let description = "Key of this request, chosen by the caller: 1 to 255 printable ASCII \
                           characters. If the same request is sent again with the same key within \
                           24 hours, it has no further effect and returns the first answer.";
        let schema =
            text().min_length(Some(1)).max_length(Some(255)).pattern(Some("^[ -~]{1,255}$"));
        let header = parameter("Idempotency-Key", ParameterIn::Header, description, schema);
        self.operation = self.operation.parameter(header);
        self.codes.extend([Code::IdempotencyKeyReused, Code::RequestInProgress]);
        for response in self.success.values_mut() {
            let header = described(
                "Present, with the value `true`, if this is the answer to an earlier request with \
                 the same `Idempotency-Key`.",
            );
            response.headers.insert("Idempotent-Replayed".to_owned(), header.into());
        }
        self
    }

    /// Adds the header `If-None-Match` for a read, and the response 304, which has no content.
    pub fn if_none_match(mut self) -> Endpoint {
        let description = "Entity tags of answers that the caller has. If the answer would have one \
                           of them, its content is not sent, and the status is 304. A weak tag is \
                           compared without its prefix `W/`.";
        let schema = text().pattern(Some(IfMatch::PATTERN)).examples([json!("\"3\"")]);
        let header = parameter(IfNoneMatch::HEADER, ParameterIn::Header, description, schema);
        self.operation = self.operation.parameter(header);
        let unchanged = ResponseBuilder::new()
            .description("The caller has the current answer.")
            .header("ETag", described("The entity tag of the answer."))
            .header("X-Request-Id", described("Id of the request."));
        self.success.insert(StatusCode::NOT_MODIFIED.as_u16(), unchanged.build());
        self
    }

    /// Adds the header `If-None-Match` for a change, which can only be `*`, and the error code for
    /// a resource that exists already.
    pub fn creates_only(mut self) -> Endpoint {
        let description = "`*` allows only the creation. If the resource exists, nothing changes and \
                           the answer is 412.";
        let schema = text().enum_values(Some(["*"]));
        let header = parameter(IfNoneMatch::HEADER, ParameterIn::Header, description, schema);
        self.operation = self.operation.parameter(header);
        self.codes.push(Code::VersionMismatch);
        self
    }

    /// Adds the header `If-Match` and the error code for a version that does not match.
    pub fn if_match(mut self) -> Endpoint {
        let description = "The `ETag` of the version that the change is based on, or `*` for any \
                           version. If it does not match, nothing changes and the answer is 412.";
        let schema = text().pattern(Some(IfMatch::PATTERN)).examples([json!("\"3\"")]);
        let header = parameter(IfMatch::HEADER, ParameterIn::Header, description, schema);
        self.operation = self.operation.parameter(header);
        self.codes.push(Code::VersionMismatch);
        self
    }

    /// Adds a JSON body that allows only the fields of `T`. Fields that are not in `required` can
    /// be `null`, which is treated as absent.
    pub fn body<T: ToSchema>(self, name: &str, required: &[&str]) -> Endpoint {
        let mut object = self.fields_of::<T>(required);
        object.required = required.iter().map(ToString::to_string).collect();
        self.with_body(name, object, JSON, Required::True)
    }

    /// Adds a JSON body that allows only the fields of `T`, all of which are optional. The body
    /// itself may be empty.
    pub fn optional_body<T: ToSchema>(self, name: &str) -> Endpoint {
        let object = self.fields_of::<T>(&[]);
        self.with_body(name, object, JSON, Required::False)
    }

    /// Adds a body that is a merge patch of the fields of `T` and of `more`. The fields in `kept`
    /// cannot be `null`.
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
        self.with_body(name, object, MERGE_PATCH, Required::True)
    }

    /// Makes `fields` the required fields of the body `name`.
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

    fn with_body(
        mut self,
        name: &str,
        object: Object,
        media_types: &[&str],
        required: Required,
    ) -> Endpoint {
        self.schemas.push((name.to_owned(), Schema::Object(object).into()));
        let mut body = RequestBodyBuilder::new().required(Some(required));
        for media_type in media_types {
            body = body.content(*media_type, Content::new(Some(Ref::from_schema_name(name))));
        }
        self.operation = self.operation.request_body(Some(body.build()));
        self.codes.extend([
            Code::MalformedJson,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
            Code::UnsupportedContentEncoding,
        ]);
        self
    }

    /// Adds a successful response with `T` as `data` of the envelope and with these headers.
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
            let description = match *header {
                "ETag" => {
                    "The version of the resource, in quotes, for use in `If-Match`. If the answer \
                     can change without a new version, a digest of the answer follows the version."
                }
                "Location" => "The path of the created resource, on this host.",
                _ => "",
            };
            response.headers.insert(header.to_string(), described(description).into());
        }
        self.success.insert(status.as_u16(), response);
        self
    }

    /// Adds a successful response without the envelope: a JSON object with one field.
    pub fn answers_plainly(
        mut self,
        status: StatusCode,
        description: &str,
        field: &str,
        schema: impl Into<RefOr<Schema>>,
    ) -> Endpoint {
        let object = ObjectBuilder::new().property(field, schema).required(field);
        self.success.insert(status.as_u16(), respond(description, object.build()));
        self
    }

    /// Adds media types in which the response with `status` is also available as text. This must be
    /// called after [`Endpoint::answers`], because it changes the response that `answers` adds.
    pub fn or_answers_text(mut self, status: StatusCode, media_types: &[&str]) -> Endpoint {
        if let Some(response) = self.success.get_mut(&status.as_u16()) {
            for media_type in media_types {
                response.content.insert(media_type.to_string(), Content::new(Some(text())).into());
            }
        }
        self
    }

    /// Adds error codes that this operation can return, in addition to the common ones.
    pub fn refuses(mut self, codes: &[Code]) -> Endpoint {
        self.codes.extend(codes);
        self
    }

    /// Adds the schema of a model type and returns a reference to it.
    pub fn reference<T: ToSchema>(mut self) -> (Endpoint, RefOr<Schema>) {
        let reference = self.keep::<T>();
        (self, reference)
    }

    /// Adds the schema of a model type and the schemas that it refers to. Returns a reference to
    /// the schema.
    fn keep<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let mut schemas = Vec::new();
        T::schemas(&mut schemas);
        let name = name_of::<T>();
        schemas.push((name.clone(), T::schema()));
        for (name, mut schema) in schemas {
            all_present(&mut schema);
            if !self.schemas.iter().any(|(known, _)| *known == name) {
                self.schemas.push((name, schema));
            }
        }
        Ref::from_schema_name(name).into()
    }

    /// Allows a successful response to a change to contain a receipt instead of its data, for a
    /// caller without `kyc:read`.
    fn or_receipt(&mut self, response: &mut Response) {
        let content = response.content.get_mut("application/json");
        let Some(RefOr::T(Content { schema: Some(schema), .. })) = content else { return };
        let RefOr::T(Schema::Object(envelope)) = schema else { return };
        let Some(data) = envelope.properties.get_mut("data") else { return };
        let RefOr::Ref(reference) = &*data else { return };
        let Some(name) = reference.ref_location.rsplit('/').next() else { return };
        let mut receipt = ObjectBuilder::new()
            .description(Some("The data for a caller without `kyc:read`."))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)))
            .build();
        let properties = self.properties(data);
        for (name, schema) in properties.into_iter().filter(|(name, _)| is_in_receipt(name)) {
            receipt.required.push(name.clone());
            receipt.properties.insert(name, schema);
        }
        let name = format!("{name}Receipt");
        let or_receipt = OneOfBuilder::new().item(data.clone()).item(Ref::from_schema_name(&name));
        *data = Schema::OneOf(or_receipt.build()).into();
        self.schemas.push((name, Schema::Object(receipt).into()));
    }

    /// Returns the properties of an object, including the flattened ones.
    fn properties(&self, schema: &RefOr<Schema>) -> Vec<(String, RefOr<Schema>)> {
        match schema {
            RefOr::Ref(reference) => {
                let is_target = |(name, _): &&(String, RefOr<Schema>)| {
                    reference.ref_location.rsplit('/').next() == Some(name)
                };
                let target = self.schemas.iter().find(is_target);
                target.map(|(_, schema)| self.properties(schema)).unwrap_or_default()
            }
            RefOr::T(Schema::Object(object)) => {
                let properties = object.properties.iter();
                properties.map(|(name, schema)| (name.clone(), schema.clone())).collect()
            }
            RefOr::T(Schema::AllOf(all)) => {
                all.items.iter().flat_map(|item| self.properties(item)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Returns the finished operation and the schemas that it refers to. `path_parameters` are the
    /// names of the parameters in the route; each of them is an id. `is_write` is `true` for an
    /// operation whose method can change something.
    pub fn finish(
        mut self,
        operation_id: &str,
        path_parameters: &[&str],
        is_write: bool,
    ) -> (Operation, Schemas) {
        let mut success = std::mem::take(&mut self.success);
        if is_write {
            success.values_mut().for_each(|response| self.or_receipt(response));
        }
        let mut operation = self.operation.operation_id(Some(operation_id));
        for name in path_parameters {
            let schema = text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
            let description = match *name {
                "session_id" => "Id of the KYC session, as returned by the API.",
                "alert_id" => "Id of the alert, as returned by the API.",
                _ => "Id of the customer, as returned by the API.",
            };
            let mut parameter = parameter(name, ParameterIn::Path, description, schema);
            parameter.required = Required::True;
            operation = operation.parameter(parameter);
        }
        for (status, response) in success {
            operation = operation.response(status.to_string(), response);
        }
        for (status, response) in refusals(&self.codes) {
            operation = operation.response(status.to_string(), response);
        }
        let mut operation = operation.build();
        if is_write && let Some(description) = &mut operation.description {
            description.push_str(
                " The answer to a caller without `kyc:read` contains only ids, the `version` and \
                 the `status`.",
            );
        }
        (operation, self.schemas)
    }
}

fn is_in_receipt(name: &str) -> bool {
    RECEIPT.contains(&name)
}

/// Returns the schemas of the envelope, which all operations share.
pub fn envelope_schemas() -> Schemas {
    let meta = ObjectBuilder::new()
        .property(
            "request_id",
            text().description(Some(
                "Id that API Gateway gave the request. Also in the header `X-Request-Id`.",
            )),
        )
        .required("request_id");
    let permissions = ArrayBuilder::new().items(text().build());
    let permissions = permissions.description(Some(
        "If a permission is missing: the permissions of which any one is sufficient.",
    ));
    let detail = ObjectBuilder::new()
        .property(
            "field",
            text().description(Some(
                "The place of the fault: a JSON Pointer (RFC 6901) into the body, `?name` for a \
                 query parameter, or the name of a header.",
            )),
        )
        .property("issue", text().description(Some("The rule that the field breaks.")))
        .property(
            "customer_id",
            text().description(Some(
                "If the `client_id` is not unique: the customer that has this `client_id`.",
            )),
        )
        .property(
            "version",
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .description(Some("If the version does not match: the current version.")),
        )
        .property(
            "status",
            text()
                .description(Some("If the requested status is not reachable: the current status.")),
        )
        .property(
            "retain_until",
            text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))).description(Some(
                "If the customer cannot be erased yet: the last day on which it must be retained.",
            )),
        )
        .property(
            "retain_reason",
            nullable(text().description(Some(
                "If a hold prevents the erasure: the customer's `retain_reason`.",
            ))),
        )
        .property("permissions", permissions)
        .required("field")
        .required("issue");
    let error = ObjectBuilder::new()
        .property("type", text().description(Some("Class of the error, such as `NotFoundError`.")))
        .property("code", text().description(Some("Error code, for programs.")))
        .property("message", text().description(Some("Explanation, for people.")))
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
        .description(Some("An error of API Gateway, returned before the request is processed."))
        .property("message", text())
        .required("message");
    [("Meta", meta), ("Error", failure), ("GatewayError", gateway)]
        .map(|(name, schema)| (name.to_owned(), schema.build().into()))
        .to_vec()
}

/// Rate limit headers and their descriptions, as defined by
/// draft-ietf-httpapi-ratelimit-headers-06.
const RATELIMIT: [(&str, &str); 4] = [
    ("RateLimit-Limit", "Number of requests that the tenant may send at once."),
    ("RateLimit-Remaining", "Number of requests that are left."),
    ("RateLimit-Reset", "Number of seconds until all of them are available again."),
    ("RateLimit-Policy", "The limit and its window in seconds, such as `100;w=10`."),
];

/// Returns the error responses by status code. The description of a response lists its error codes.
fn refusals(codes: &[Code]) -> BTreeMap<u16, Response> {
    let mut by_status: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for code in codes {
        by_status.entry(status(*code).0.as_u16()).or_default().push(format!("`{code}`"));
    }
    let refusal = |(status, codes): (u16, Vec<String>)| {
        let description = match &codes[..] {
            [code] => format!("Error with the code {code}"),
            codes => format!("Error with one of the codes {}", codes.join(", ")),
        };
        let error = Ref::from_schema_name("Error");
        let mut response = match status {
            401 | 429 => {
                let rejection = match status {
                    401 => "API Gateway's rejection of the access token",
                    _ => "API Gateway's rejection of a request above the rate of its route",
                };
                let description = format!("{description}, or {rejection}.");
                let gateway = Ref::from_schema_name("GatewayError");
                let either = OneOfBuilder::new().item(gateway).item(error);
                respond(&description, Schema::OneOf(either.build()))
            }
            _ => respond(&format!("{description}."), error),
        };
        if status == 429 || status == 503 {
            let header = described("Number of seconds to wait before the request is repeated.");
            response.headers.insert("Retry-After".to_owned(), header.into());
        }
        if status == 415 {
            let header = described("`identity`, if the body had another `Content-Encoding`.");
            response.headers.insert("Accept-Encoding".to_owned(), header.into());
        }
        if status == 429 {
            for (name, description) in RATELIMIT {
                response.headers.insert(name.to_owned(), described(description).into());
            }
        }
        (status, response)
    };
    by_status.into_iter().map(refusal).collect()
}

fn respond(description: &str, schema: impl Into<RefOr<Schema>>) -> Response {
    ResponseBuilder::new()
        .description(description)
        .content("application/json", Content::new(Some(schema)))
        .header("X-Request-Id", described("Id of the request."))
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

/// Returns the schema of a boolean.
pub fn flag() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

/// Returns the schema of a percentage above 0 and at most 100, with a default.
pub fn percentage(default: f64) -> ObjectBuilder {
    let schema = ObjectBuilder::new().schema_type(Type::Number).default(Some(json!(default)));
    schema.exclusive_minimum(Some(0)).maximum(Some(100))
}

/// Returns the schema of an RFC 3339 time.
pub fn time() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

/// Returns the schema of an integer from `least` to `most`, with a default.
pub fn whole_number(least: usize, most: usize, default: usize) -> ObjectBuilder {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).default(Some(json!(default)));
    schema.minimum(Some(least)).maximum(Some(most))
}

/// Returns the name of the schema of a type. `Page<Customer>` has the name `CustomerPage`.
fn name_of<T: ToSchema>() -> String {
    let full = std::any::type_name::<T>();
    let arguments = full.split_once('<').map(|(_, rest)| rest.trim_end_matches('>'));
    let argument = arguments.and_then(|path| path.rsplit("::").next());
    let argument = argument.filter(|argument| !argument.starts_with('\'')).unwrap_or_default();
    format!("{argument}{}", T::name())
}

/// Makes every field of a schema required, because an answer contains a field even if its value is
/// `null`.
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
