mod create;
mod deactivate;
mod get;
mod list;
mod update;
