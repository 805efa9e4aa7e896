mod create;
mod deactivate;
mod erase;
mod export;
mod get;
mod list;
mod populated;
mod update;

pub(crate) use export::forged_cursor;
pub(crate) use populated::populated_customer;
