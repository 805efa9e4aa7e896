mod create;
mod deactivate;
mod erase;
mod export;
mod get;
mod list;
mod update;

pub(crate) use erase::populated_customer;
pub(crate) use export::forged_cursor;
