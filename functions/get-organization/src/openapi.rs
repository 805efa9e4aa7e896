use shared::error::Code;
use shared::openapi::{Endpoint, StatusCode, percentage};
use shared::ownership::{DEFAULT_THRESHOLD, Statement};

use crate::{MERMAID, SVG};

pub(crate) fn describe() -> Endpoint {
    let details = "Returns the declared structure of parties and holdings, and what is derived \
                   from it: the beneficial owners, the shareholders and officers, the undisclosed \
                   share, and warnings.\n\n\
                   The effective share of a party is the sum over all chains of holdings from the \
                   party to the customer. It is exact for any number of layers and for circular \
                   holdings. It is computed as the solution of the linear system `x = W·e + W·x` \
                   (integrated ownership: Brioschi, Buzzacchi, Colombo, Journal of Banking & \
                   Finance 13, 1989).\n\n\
                   A beneficial owner is an individual whose effective share or voting share \
                   reaches the threshold, or who controls, by other means, the customer or a \
                   company whose share reaches the threshold. If there is no such individual, the \
                   senior managers are the beneficial owners.\n\n\
                   Send `Accept: image/svg+xml` for a drawing of the structure, or `Accept: \
                   text/vnd.mermaid` for a Mermaid diagram.";
    let threshold = "Smallest effective share or voting share of a beneficial owner, in percent. \
                     Above 0, at most 100.";
    Endpoint::new("Read the organization of a customer", details, crate::PERMISSIONS)
        .query("threshold", threshold, percentage(DEFAULT_THRESHOLD))
        .answers::<Statement<'_>>(StatusCode::OK, "The organization.", &["ETag"])
        .or_answers_text(StatusCode::OK, &[SVG, MERMAID])
        .if_none_match()
        .refuses(&[Code::CustomerNotFound, Code::OrganizationNotFound])
}
