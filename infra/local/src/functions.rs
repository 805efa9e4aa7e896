//! Lists the functions that are linked into the local server. The template defines their routes.

use shared::runtime::edge::Function;
use shared::runtime::job::Job;

/// All functions with a route, in alphabetical order.
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
    health::FUNCTION,
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

/// All functions without a route: a schedule, a pipe or a user pool invokes them.
pub(crate) const JOBS: &[Job] =
    &[pre_token_generation::JOB, refresh_watchlists::JOB, rescreen::JOB, shape_events::JOB];
