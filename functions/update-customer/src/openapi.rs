use shared::error::Code;
use shared::model::customer::{Customer, Status};
use shared::model::profile::{Profile, schema};
use shared::openapi::{Endpoint, StatusCode, nullable};

pub(crate) fn describe() -> Endpoint {
    let details = "Applies a JSON Merge Patch (RFC 7396): an absent field stays unchanged, and \
                   `null` clears a field. The result must be valid as a new customer would be.\n\n\
                   The status can change from `active` to `blocked` and back, and from `inactive` \
                   to `active`. Use DELETE to deactivate a customer.\n\n\
                   The change decides which permission is needed, and a patch with several \
                   changes needs all of them: `kyc:review` to block a customer and to end a \
                   block, `kyc:erase` to shorten or remove a retention hold that has not ended, \
                   and `kyc:create` or `kyc:update` for everything else.\n\n\
                   A caller with `kyc:read` may repeat a field that cannot change with its current \
                   value. A caller without it needs the permission of each field that the patch \
                   names, even if the value stays the same. A date in `retain_until` then needs \
                   `kyc:erase` and one of `kyc:create` and `kyc:update` while a hold is in \
                   force.\n\n\
                   Without `If-Match` the last write wins. Concurrent changes of different fields \
                   are all kept.";
    let endpoint = Endpoint::new("Update a customer", details, crate::PERMISSIONS);
    let (endpoint, status) = endpoint.reference::<Status>();
    let more = [("status", status), ("metadata", nullable(schema::metadata_patch()))];
    endpoint
        .merge_patch::<Profile>("PatchCustomer", &["name"], &more)
        .answers::<Customer>(StatusCode::OK, "The customer after the change.", &["ETag"])
        .if_match()
        .idempotent()
        .refuses(&[
            Code::CustomerNotFound,
            Code::CustomerAlreadyExists,
            Code::InvalidTransition,
            Code::CustomerErased,
            Code::ScreeningTimeout,
            Code::ListsUnavailable,
        ])
}
