mod create;
mod deactivate;
mod erase;
mod export;
mod get;
mod list;
mod update;
