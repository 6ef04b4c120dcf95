//! Users: registering, signing in and out, and being found by others.
//!
//! A user belongs to no vendor. Handles are seen by those who know them (there is no list of users), password hashes by nobody.

mod error;
pub mod http;
mod password;
mod store;

use crate::access::{Access, NewSession};
pub use error::UserRefusal;
use ledger::{Clock, Db, Failure, Fault, new_id};
use password::Passwords;
use scrip::UserId;
use std::collections::{HashMap, HashSet};
pub use store::STATEMENTS;
use uuid::Uuid;

/// A user as they see themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Never changes.
    pub id: UserId,
    /// What others call them by.
    pub handle: String,
}

/// The users of the house.
#[derive(Debug, Clone)]
pub struct Users {
    db: Db,
    clock: Clock,
    access: Access,
    passwords: Passwords,
}

type Answer<T> = Result<T, Failure<UserRefusal>>;

impl Users {
    /// Users in this database; so many passwords are hashed at once.
    pub fn new(db: Db, clock: Clock, access: Access, password_hashes_at_once: usize) -> Self {
        Self { db, clock, access, passwords: Passwords::start(password_hashes_at_once) }
    }

    /// Registers a user.
    pub async fn register(&self, handle: String, password: String) -> Answer<User> {
        check_handle(&handle).and_then(|()| Passwords::check(&password)).map_err(Failure::Refused)?;
        let password_hash = self.passwords.hash(password).await?;
        let id = UserId::new(new_id());
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        if !store::insert_user(&tx, id, &handle, &password_hash, self.clock.now()).await? {
            return Err(Failure::Refused(UserRefusal::HandleTaken));
        }
        tx.commit().await?;
        Ok(User { id, handle })
    }

    /// Begins a session for whoever knows the password.
    pub async fn sign_in(&self, handle: String, password: String) -> Answer<(User, NewSession)> {
        let (id, kept) = self.find_password_hash(&handle).await?.unzip();
        let matches = self.passwords.matches(password, kept).await?;
        let id = id.filter(|_| matches).ok_or(Failure::Refused(UserRefusal::WrongHandleOrPassword))?;
        Ok((User { id, handle }, self.access.open_session(id).await?))
    }

    async fn find_password_hash(&self, handle: &str) -> Result<Option<(UserId, String)>, Fault> {
        if check_handle(handle).is_err() {
            return Ok(None);
        }
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        store::find_password_hash(&tx, handle).await
    }

    /// The user, as they see themselves.
    pub async fn get(&self, id: UserId) -> Result<User, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(id).await?;
        Ok(User { id, handle: store::get_handle(&tx, id).await? })
    }

    /// The user with the handle.
    pub async fn find_by_handle(&self, handle: &str) -> Result<Option<UserId>, Fault> {
        if check_handle(handle).is_err() {
            return Ok(None);
        }
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        store::find_by_handle(&tx, handle).await
    }

    /// The user that somebody names by handle or id. No handle looks like an id.
    pub async fn find(&self, handle_or_id: &str) -> Result<Option<UserId>, Fault> {
        let Ok(id) = Uuid::try_parse(handle_or_id) else { return self.find_by_handle(handle_or_id).await };
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        store::find_by_id(&tx, UserId::new(id)).await
    }

    /// The users that somebody names by handle or id, all in one look; who is not there is missing from the answer.
    pub async fn find_many<'a>(&self, handles_or_ids: impl Iterator<Item = &'a str>) -> Result<HashMap<&'a str, UserId>, Fault> {
        let (mut ids, mut handles) = (HashMap::new(), HashSet::new());
        for text in handles_or_ids {
            match Uuid::try_parse(text) {
                Ok(id) => drop(ids.insert(text, id)),
                Err(_) if check_handle(text).is_ok() => drop(handles.insert(text)),
                Err(_) => {}
            }
        }
        if ids.is_empty() && handles.is_empty() {
            return Ok(HashMap::new());
        }
        let wanted: (Vec<Uuid>, Vec<&str>) = (ids.values().copied().collect(), handles.iter().copied().collect());
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let found = store::find_many(&tx, &wanted.0, &wanted.1).await?;
        tx.commit().await?;
        let (by_id, by_handle): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, handle)| handle.is_none());
        let there: HashSet<Uuid> = by_id.into_iter().map(|(id, _)| id.uuid()).collect();
        let by_handle = by_handle.into_iter().filter_map(|(id, handle)| Some((*handles.get(handle?.as_str())?, id)));
        Ok(ids.into_iter().filter(|(_, id)| there.contains(id)).map(|(text, id)| (text, UserId::new(id))).chain(by_handle).collect())
    }
}

/// The form that the schema demands, and never that of an id: nobody can be mistaken for another.
fn check_handle(handle: &str) -> Result<(), UserRefusal> {
    let is_plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = handle.as_bytes();
    let fits = (3..=128).contains(&bytes.len());
    let begins_well = bytes.first().is_some_and(is_plain);
    let known = bytes.iter().all(|b| is_plain(b) || b"._@+-".contains(b));
    if fits && begins_well && known && Uuid::try_parse(handle).is_err() { Ok(()) } else { Err(UserRefusal::HandleMalformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_plain_and_no_id() {
        for good in ["bob", "alice", "a.b_c@d+e-f", "7up", &"x".repeat(128)] {
            assert_eq!(check_handle(good), Ok(()), "{good}");
        }
        let bad =
            ["", "al", "Alice", ".al", "al ice", "alé", "alice\n", "alice\0", &"x".repeat(129), "67e55044-10b1-426f-9247-bb680e5fe0c8"];
        for bad in bad {
            assert_eq!(check_handle(bad), Err(UserRefusal::HandleMalformed), "{bad:?}");
        }
    }
}
