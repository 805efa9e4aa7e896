use shared::openapi::{Endpoint, StatusCode, text};

pub(crate) fn describe() -> Endpoint {
    let details = "Answers that the service is up. Needs no token. The answer has no envelope and says \
                   nothing about the database.";
    Endpoint::public("Check that the service is up", details).answers_plainly(
        StatusCode::OK,
        "The service is up.",
        "status",
        text().enum_values(Some(["ok"])),
    )
}
