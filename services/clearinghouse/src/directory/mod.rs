//! What never changes of a vendor, remembered: its id, its code and its scale. Every amount that comes in or goes out needs them.
//!
//! Memory is bounded; what is not remembered is read. A code that nobody has is not remembered, so that a new vendor is there at once.

mod store;

use ledger::{Db, Fault};
use scrip::{Code, Scale, VendorId};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
pub use store::STATEMENTS;
pub(crate) use store::read_facts;

/// At some 150 bytes each this is 30 MB; more vendors than that make the directory forget and read again.
const REMEMBERED_MAX: usize = 200_000;

/// The immutable facts of a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorFacts {
    /// Its id.
    pub id: VendorId,
    /// What people call it.
    pub code: Code,
    /// The decimals of its token.
    pub scale: Scale,
}

/// Vendors by code and by id; clones share what is remembered.
#[derive(Debug, Clone)]
pub struct Directory {
    db: Db,
    known: Arc<RwLock<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    by_id: HashMap<VendorId, VendorFacts>,
    ids: HashMap<Code, VendorId>,
}

impl Directory {
    /// A directory that remembers nothing yet.
    pub fn new(db: Db) -> Self {
        Self { db, known: Arc::default() }
    }

    /// The vendor with the code.
    pub async fn by_code(&self, code: &Code) -> Result<Option<VendorFacts>, Fault> {
        let known = self.remembered(code);
        if known.is_some() {
            return Ok(known);
        }
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        Ok(store::find_by_code(&tx, code).await?.inspect(|facts| self.remember(facts)))
    }

    /// The vendor of that name, as somebody wrote it; none if it is no code at all.
    pub async fn named(&self, code: &str) -> Result<Option<VendorFacts>, Fault> {
        match Code::parse(code) {
            Ok(code) => self.by_code(&code).await,
            Err(_) => Ok(None),
        }
    }

    /// The vendors of these names; those that are not remembered are read together. Who is not there is missing from the answer.
    pub async fn named_many<'a>(&self, names: impl Iterator<Item = &'a str>) -> Result<HashMap<&'a str, VendorFacts>, Fault> {
        let names: HashSet<&str> = names.collect();
        let (mut found, mut unknown) = (HashMap::new(), Vec::new());
        for (name, code) in names.iter().filter_map(|name| Some((*name, Code::parse(name).ok()?))) {
            match self.remembered(&code) {
                Some(facts) => drop(found.insert(name, facts)),
                None => unknown.push(name),
            }
        }
        if unknown.is_empty() {
            return Ok(found);
        }
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        for facts in store::find_by_codes(&tx, &unknown).await? {
            self.remember(&facts);
            found.extend(names.get(facts.code.as_str()).map(|name| (*name, facts)));
        }
        Ok(found)
    }

    /// The vendor with the id.
    pub async fn by_id(&self, id: VendorId) -> Result<Option<VendorFacts>, Fault> {
        let known = self.recall(|known| known.by_id.get(&id).cloned());
        if known.is_some() {
            return Ok(known);
        }
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        Ok(store::find_by_id(&tx, id).await?.inspect(|facts| self.remember(facts)))
    }

    /// The vendor that something stored refers to, which is therefore there.
    pub async fn get(&self, id: VendorId) -> Result<VendorFacts, Fault> {
        self.by_id(id).await?.ok_or_else(|| Fault::Unreadable(format!("vendor {id} is referred to and missing")))
    }

    fn remembered(&self, code: &Code) -> Option<VendorFacts> {
        self.recall(|known| known.ids.get(code).and_then(|id| known.by_id.get(id)).cloned())
    }

    fn recall<T>(&self, ask: impl FnOnce(&Known) -> Option<T>) -> Option<T> {
        ask(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn remember(&self, facts: &VendorFacts) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.by_id.len() >= REMEMBERED_MAX {
            *known = Known::default();
        }
        known.ids.insert(facts.code.clone(), facts.id);
        known.by_id.insert(facts.id, facts.clone());
    }
}
