mod create;
mod deactivate;
mod erase;
mod export;
mod get;
mod list;
mod update;

pub(crate) use erase::furnished;
pub(crate) use export::forged;
