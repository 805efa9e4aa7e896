use shared::error::Code;
use shared::openapi::{Endpoint, StatusCode, percentage};
use shared::ownership::{DEFAULT_THRESHOLD, Statement};

use crate::{MERMAID, SVG};

pub(crate) fn describe() -> Endpoint {
    let details = "What was declared, and what follows from it. Shares are exact through any number of layers and \
                   through circular holdings: the share of a party is the sum over all chains of holdings that lead \
                   from it to the customer, computed as the solution of the linear system `x = W·e + W·x` (integrated \
                   ownership: Brioschi, Buzzacchi, Colombo, Journal of Banking & Finance 13, 1989).\n\n\
                   A beneficial owner is an individual whose effective share or voting share reaches the threshold, \
                   or who controls by other means the customer or a company whose share reaches it; where there is \
                   nobody of these, the senior managers.\n\n\
                   `Accept: image/svg+xml` draws the structure, `Accept: text/vnd.mermaid` gives it as Mermaid text.";
    let threshold =
        "From which share on an individual is a beneficial owner: above 0, at most 100.";
    Endpoint::new("Read the organization of a customer", details, crate::PERMISSION)
        .query("threshold", threshold, percentage(DEFAULT_THRESHOLD))
        .answers::<Statement<'_>>(StatusCode::OK, "The organization.", &["ETag"])
        .or_answers_text(StatusCode::OK, &[SVG, MERMAID])
        .refuses(&[Code::CustomerNotFound, Code::OrganizationNotFound])
}
