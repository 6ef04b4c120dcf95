//! Who may do what: keys of operators and vendors, and sessions of users.
//!
//! Shape: [`secret`] is the text of a credential, [`scope`] what a vendor's key may do, `look_up` finds what is kept of it, [`Access`] identifies callers and keeps keys
//! and sessions, [`http`] has the routes of keys. The extractors in `crate::http::credential` turn an identified caller into the access
//! rule of a route. It never logs or stores a secret, and never says why a credential is refused.

pub mod error;
pub mod http;
mod look_up;
pub mod scope;
pub mod secret;
pub mod store;

use crate::names::is_name;
pub use error::AccessRefusal;
use jiff::{SignedDuration, Timestamp};
use ledger::{Clock, Db, Failure, Fault, Tx, new_id};
use look_up::LookUp;
pub use scope::Scope;
use scrip::{UserId, VendorId};
use secret::{Credential, Kind};
pub use store::STATEMENTS;
use store::{Kept, Owner};
use uuid::Uuid;

/// A key without its secret.
#[derive(Debug, Clone)]
pub struct Key {
    /// The part of the key that is not secret.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// What it may do; empty for an operator's.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When somebody ended it.
    pub revoked_at: Option<Timestamp>,
}

/// A key to be made. Its name and expiry are checked where it comes from outside.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

impl NewKey {
    /// A key if its name is one and it is not dead at birth.
    pub fn try_new(name: String, mut scopes: Vec<Scope>, expires_at: Option<Timestamp>, now: Timestamp) -> Result<Self, AccessRefusal> {
        if !is_name(&name, 100) {
            return Err(AccessRefusal::KeyNameMalformed);
        }
        if expires_at.is_some_and(|at| at <= now) {
            return Err(AccessRefusal::ExpiresInThePast);
        }
        scopes.sort_unstable();
        scopes.dedup();
        Ok(Self { name, scopes, expires_at })
    }
}

/// Whose credential was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// The house's operator.
    Operator {
        /// The key's id.
        key: Uuid,
    },
    /// A vendor, with what its key may do.
    Vendor {
        /// The vendor.
        id: VendorId,
        /// The key's scopes.
        scopes: Vec<Scope>,
        /// When the key ends.
        expires_at: Option<Timestamp>,
    },
    /// A user in a session.
    User {
        /// The user.
        id: UserId,
        /// The session, which signing out ends.
        session: Uuid,
    },
}

/// A session at its beginning.
#[derive(Debug)]
pub struct NewSession {
    /// The credential, shown once.
    pub token: String,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// Keys and sessions.
#[derive(Debug, Clone)]
pub struct Access {
    db: Db,
    clock: Clock,
    look_up: LookUp,
    session: SignedDuration,
}

impl Access {
    /// A session lasts `session_hours`; `look_ups_max` credentials may wait to be looked up, on the current runtime.
    pub fn start(db: Db, clock: Clock, session_hours: u32, look_ups_max: usize) -> Self {
        let look_up = LookUp::start(&db, look_ups_max);
        Self { db, clock, look_up, session: SignedDuration::from_hours(i64::from(session_hours)) }
    }

    /// Whose credential this text is. Whatever is wrong with it, the refusal is the same.
    pub async fn identify(&self, text: &str) -> Result<Caller, Failure<AccessRefusal>> {
        let refused = || Failure::Refused(AccessRefusal::Unauthenticated);
        let credential = Credential::parse(text).ok_or_else(refused)?;
        let id = credential.id;
        let kept = self.look_up.find(credential.kind, id).await?.filter(|kept| self.is_good(&credential, kept)).ok_or_else(refused)?;
        Ok(match kept.owner {
            Owner::Operator => Caller::Operator { key: id },
            Owner::Vendor(id, scopes) => Caller::Vendor { id, scopes, expires_at: kept.expires_at },
            Owner::User(user) => Caller::User { id: user, session: id },
        })
    }

    fn is_good(&self, credential: &Credential, kept: &Kept) -> bool {
        let now = self.clock.now();
        credential.matches(&kept.secret_hash) && kept.revoked_at.is_none() && kept.expires_at.is_none_or(|at| now < at)
    }

    /// A further key of a vendor, asked for by one of its keys: it gets at most that key's scopes, and does not outlive it. Returns the
    /// secret text, once.
    pub async fn create_vendor_key(
        &self,
        vendor: VendorId,
        maker: Maker<'_>,
        key: NewKey,
    ) -> Result<(Key, String), Failure<AccessRefusal>> {
        check_scopes(maker.scopes, &key.scopes).map_err(Failure::Refused)?;
        let expires_at = match (maker.expires_at, key.expires_at) {
            (Some(end), Some(asked)) if asked > end => return Err(Failure::Refused(AccessRefusal::OutlivesItsMaker { end })),
            (end, asked) => asked.or(end),
        };
        let key = NewKey { expires_at, ..key };
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        let made = insert_key(&tx, &self.clock, Some(vendor), &key).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// A key of a vendor, asked for by the operator because the vendor lost its own. Returns the secret text, once.
    pub async fn replace_vendor_key(&self, vendor: VendorId, key: NewKey) -> Result<(Key, String), Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let made = insert_key(&tx, &self.clock, Some(vendor), &key).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// The vendor's keys in the order of their making, those that ended included.
    pub async fn list_vendor_keys(&self, vendor: VendorId, after: Option<Uuid>, limit: i64) -> Result<Vec<Key>, Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        store::list_vendor_keys(&tx, vendor, after, limit).await
    }

    /// Ends a key of the vendor at once, asked for by one of its keys that may do at least as much. Ending it twice is ending it once.
    pub async fn revoke_vendor_key(&self, vendor: VendorId, held: &[Scope], id: Uuid) -> Result<(), Failure<AccessRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_vendor(vendor).await?;
        let owner = store::find_key(&tx, id).await?.map(|kept| kept.owner);
        let Some(Owner::Vendor(_, scopes)) = owner else { return Err(Failure::Refused(AccessRefusal::KeyNotFound)) };
        check_scopes(held, &scopes).map_err(Failure::Refused)?;
        if !store::revoke_vendor_key(&tx, vendor, id, self.clock.now()).await? {
            return Err(Failure::Refused(AccessRefusal::KeyNotFound));
        }
        Ok(tx.commit().await?)
    }

    /// Begins a session of a user who has proven who they are.
    pub async fn open_session(&self, user: UserId) -> Result<NewSession, Fault> {
        let credential = Credential::generate(Kind::Session, new_id());
        let now = self.clock.now();
        let expires_at = now.checked_add(self.session).unwrap_or(Timestamp::MAX);
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let expires_at = store::insert_session(&tx, credential.id, user, credential.hash(), now, expires_at).await?;
        tx.commit().await?;
        Ok(NewSession { token: credential.show(), expires_at })
    }

    /// Ends a session.
    pub async fn close_session(&self, user: UserId, session: Uuid) -> Result<(), Fault> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_user(user).await?;
        store::revoke_session(&tx, session, self.clock.now()).await?;
        tx.commit().await
    }

    /// The time by which keys and sessions end.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The key that makes another.
#[derive(Debug, Clone, Copy)]
pub struct Maker<'a> {
    /// What it may do.
    pub scopes: &'a [Scope],
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

/// A key has power over another only if it may do all that the other may.
fn check_scopes(held: &[Scope], wanted: &[Scope]) -> Result<(), AccessRefusal> {
    match wanted.iter().find(|scope| !held.contains(scope)) {
        Some(scope) => Err(AccessRefusal::ScopeNotHeld { scope: *scope }),
        None => Ok(()),
    }
}

/// Makes a key within a tx that makes more than that: a vendor with its first key. Returns the secret text, once.
pub async fn insert_key(tx: &Tx<'_>, clock: &Clock, vendor: Option<VendorId>, key: &NewKey) -> Result<(Key, String), Fault> {
    let credential = Credential::generate(Kind::Key, new_id());
    let made = store::insert_key(tx, credential.id, vendor, credential.hash(), key, clock.now()).await?;
    Ok((made, credential.show()))
}

/// Makes an operator's key and returns its text, once. For the command line: there is no route that makes one.
pub async fn create_operator_key(db: &Db, clock: &Clock, name: &str) -> Result<String, Fault> {
    let mut connection = db.connection().await?;
    let tx = connection.begin_house().await?;
    let key = NewKey { name: name.to_owned(), scopes: Vec::new(), expires_at: None };
    let (_, text) = insert_key(&tx, clock, None, &key).await?;
    tx.commit().await?;
    Ok(text)
}

/// Whether an operator can sign in at all.
pub async fn has_operator_key(db: &Db, clock: &Clock) -> Result<bool, Fault> {
    let mut connection = db.connection().await?;
    let tx = connection.begin_house().await?;
    store::has_operator_key(&tx, clock.now()).await
}
