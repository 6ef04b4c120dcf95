//! HTTP, without any rule of the house: reading requests, shaping answers, and what every request passes through.
//!
//! Shape: [`body`], [`format`], [`idempotency`], [`page`] and [`version`] read a request and wrap its answer, [`credential`] says whose it is,
//! [`problem`] is every answer that is a no and [`api_error`] how it comes about, [`docs`] describes all routes, [`edge`] is the way in and out, [`server`] the sockets.
//! Nothing here knows SQL. Outside `http` only `routes` and the capabilities' `http.rs` and `error.rs` know HTTP: a service neither takes
//! nor gives it; the program that is put together in `app` and `commands` hands over its limits.

pub mod api_error;
pub mod body;
pub mod credential;
pub mod docs;
pub mod edge;
pub mod format;
pub mod idempotency;
mod linger;
pub mod page;
pub mod problem;
pub mod server;
pub mod version;
