//! The tests of the whole house, over HTTP and the command line, on a real PostgreSQL. One binary; this file is its contents.
//!
//! Every test is an audit: when it ends, the proofs of `scriphouse verify` run on its database, and it fails if one fails.

mod support;

/// The founding document, claim by claim.
mod stories {
    mod token_exchange;
}

/// What each kind of caller may do, and what bad input gets.
mod api {
    mod access;
    mod bad_input;
    mod bulk;
    mod caps;
    mod docs;
    mod idempotency;
    mod limits;
    mod rates;
    mod swap_previews;
    mod tenancy;
    mod trades;
    mod vendors;
}

/// Windows, runs, files, schedules and calendars.
mod settlement {
    mod assignments;
    mod bank_files;
    mod bundle_bytes;
    mod bundle_forgeries;
    mod bundles;
    mod calendars;
    mod confirmations;
    mod defaults;
    mod disputes;
    mod draws;
    mod explain;
    mod failures;
    mod files;
    mod forecasts;
    mod interruptions;
    mod journals;
    mod leaves;
    mod payments;
    mod runs;
    mod schedules;
    mod steps;
    mod thresholds;
    mod transfers;
    mod workbooks;
}

/// The books under load, at random, and when processes are killed.
mod books {
    mod caps;
    mod caps_model;
    mod concurrency;
    mod kills;
    mod model;
    mod proofs;
    mod upgrade;
}

/// The schema against its rules, and the workspace against its plan.
mod bench;
mod catalog;
mod commands;
mod external_database;
mod house_plan;
mod real_input;
mod walkthrough;
