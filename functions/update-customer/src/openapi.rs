use shared::error::Code;
use shared::model::customer::{Customer, Status};
use shared::model::profile::{Profile, schema};
use shared::openapi::{Endpoint, StatusCode, nullable};

pub(crate) fn describe() -> Endpoint {
    let details = "JSON Merge Patch (RFC 7396): an absent field stays, `null` clears. The result is validated as a \
                   creation is. Status: `active` to `blocked` and back, `inactive` to `active`; DELETE deactivates. \
                   Without `If-Match` the last writer wins, and no field it did not name is lost.";
    let endpoint = Endpoint::new("Change a customer", details, crate::PERMISSION);
    let (endpoint, status) = endpoint.reference::<Status>();
    let more = [("status", status), ("metadata", nullable(schema::metadata_patch()))];
    endpoint
        .merge_patch::<Profile>("PatchCustomer", &["name"], &more)
        .answers::<Customer>(StatusCode::OK, "The customer after the change.", &["ETag"])
        .if_match()
        .refuses(&[
            Code::CustomerNotFound,
            Code::CustomerAlreadyExists,
            Code::InvalidTransition,
            Code::CustomerErased,
        ])
}
