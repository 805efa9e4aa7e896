//! The functions this binary holds. Which routes lead to them is the template's affair.

use shared::http::edge::Function;

/// Every function crate of the API, once.
pub(crate) const FUNCTIONS: &[Function] = &[
    create_customer::FUNCTION,
    create_session::FUNCTION,
    deactivate_customer::FUNCTION,
    get_customer::FUNCTION,
    get_organization::FUNCTION,
    get_risk_profile::FUNCTION,
    get_session::FUNCTION,
    list_customer_sessions::FUNCTION,
    list_customers::FUNCTION,
    put_organization::FUNCTION,
    update_customer::FUNCTION,
    update_session::FUNCTION,
];
