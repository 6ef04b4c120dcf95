//! The clearinghouse: the use cases by capability, served over HTTP, and the `scriphouse` program.

pub mod access;
pub mod accounts;
pub mod app;
pub mod commands;
pub mod http;
pub mod issues;
mod names;
mod postings;
pub mod private_postgres;
pub mod rates;
pub mod schemes;
pub mod swaps;
pub mod trades;
pub mod users;
pub mod vendors;
