//! What the tests stand on: one PostgreSQL for the process, a house per test, and actors who can do only what their role can.

mod actors;
pub(crate) mod archive;
mod client;
pub(crate) mod cluster;
mod figures;
mod house;
mod market;
pub(crate) mod program;

pub(crate) use actors::{Operator, User, Vendor};
pub(crate) use client::{Answer, Client};
pub(crate) use figures::micro;
pub(crate) use house::{House, audit, defaults};
pub(crate) use market::{Debts, FIVE_DEBTS, Market};
