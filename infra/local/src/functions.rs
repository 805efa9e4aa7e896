//! The functions this binary holds. Which routes lead to them is the template's affair.

use shared::runtime::edge::Function;
use shared::runtime::job::Job;

/// Every function crate of the API, once.
pub const FUNCTIONS: &[Function] = &[
    create_customer::FUNCTION,
    create_session::FUNCTION,
    deactivate_customer::FUNCTION,
    erase_customer::FUNCTION,
    export_customer::FUNCTION,
    get_customer::FUNCTION,
    get_monitor::FUNCTION,
    get_organization::FUNCTION,
    get_risk_profile::FUNCTION,
    get_session::FUNCTION,
    list_alerts::FUNCTION,
    list_customer_sessions::FUNCTION,
    list_customers::FUNCTION,
    monitor_customer::FUNCTION,
    put_organization::FUNCTION,
    resolve_alert::FUNCTION,
    stop_monitor::FUNCTION,
    update_customer::FUNCTION,
    update_session::FUNCTION,
];

/// Every function without a route, once: a schedule, a pipe or a user pool starts it.
pub(crate) const JOBS: &[Job] =
    &[pre_token_generation::JOB, refresh_watchlists::JOB, rescreen::JOB, shape_events::JOB];
