//! The API from outside. The modules mirror the routes; `matrix` and `coverage` fail by themselves
//! when a route is added without them.

mod coverage;
mod customers;
mod hostile;
mod matrix;
mod table;
mod tokens;
