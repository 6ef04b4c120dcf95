//! `scriphouse operator-key`: a new key for an operator, for whoever may reach the database.

use super::{CommandError, Context, Sharing, say};
use crate::access;
use clap::Args;

/// Makes a new operator key and prints it; it is shown only now.
///
/// Operators create schemes and vendors and start runs. Works beside a running `serve`; keys that exist stay valid.
#[derive(Debug, Args)]
pub(crate) struct OperatorKeyArgs {
    /// What the key is for, so that it can be told from others.
    #[arg(long, default_value = "operator")]
    name: String,
}

pub(crate) async fn run(args: &OperatorKeyArgs, context: &Context) -> Result<(), CommandError> {
    if !(1..=100).contains(&args.name.chars().count()) {
        return Err(CommandError::input("the name of a key has 1 to 100 characters"));
    }
    let database = context.open(Sharing::Existing).await?;
    let db = context.connect(&database).await?;
    let key = access::create_operator_key(&db, &context.clock, &args.name).await?;
    drop(db);
    database.close().await;
    say(key)
}
