//! Confirmations: what banks say of many transfers at once, uploaded, looked at, and applied.
//!
//! Shape: [`read`] makes entries of bytes (`pain002`, `camt` and `csv_file` know the messages, `xml` reads elements), [`matching`] holds
//! the entries against the transfers as they stand; all of that is pure. [`Confirmations`] keeps an upload as `proposed`, with what each
//! entry would come to, and moves nothing. Applied, the entries are matched again under the locks of their runs, and in the same tx every
//! confirmed or rejected one takes its transfer a step further; then the confirmation is `applied`, for good. The same bytes are the same
//! confirmation, and applying it twice is applying it once.

mod camt;
mod csv_file;
mod entry;
mod matching;
mod pain002;
mod read;
mod store;
#[cfg(test)]
mod tests;
mod xml;

use crate::ids::parse_reference;
use crate::steps::{Actor, LockedRun};
use crate::transfers::{self, NewStep, TransferKey, lock_run};
use bytes::Bytes;
pub use entry::{ConfirmationError, ENTRIES_MAX, Entry, Format, REFERENCE_CHARS_MAX, Said, Stated, UPLOAD_BYTES_MAX};
use jiff::Timestamp;
use ledger::{Db, Failure, Fault, Tx, new_id, read_time};
use matching::{Candidate, Matched, Place, match_entries};
pub use matching::{Outcome, Severity};
pub use read::{Read, read};
use scrip::{RunId, Scale, SchemeId};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
pub use store::STATEMENTS;
use uuid::Uuid;

/// The id of a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfirmationId(pub Uuid);

/// What a bank said, and what has been made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Its id.
    pub id: ConfirmationId,
    /// The code of the scheme whose transfers it is about.
    pub scheme: String,
    /// The decimals of the scheme's currency.
    pub digits: Scale,
    /// SHA-256 over its bytes.
    pub sha256: [u8; 32],
    /// How many bytes.
    pub size_bytes: i64,
    /// How the bank said it.
    pub format: Format,
    /// How many entries there are.
    pub entry_count: i32,
    /// How many of them came to what; as of the upload, or of the application.
    pub counts: BTreeMap<Outcome, i64>,
    /// Who uploaded it.
    pub uploaded_by: String,
    /// When.
    pub uploaded_at: Timestamp,
    /// Who applied it, and when.
    pub applied: Option<(String, Timestamp)>,
}

/// An entry, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedEntry {
    /// Counts the entries from 1.
    pub number: i32,
    /// What the bank said.
    pub entry: Entry,
    /// What it comes to.
    pub outcome: Outcome,
    /// The transfer that it means.
    pub transfer: Option<TransferKey>,
    /// The step that it made of the transfer.
    pub step_seq: Option<i32>,
    /// What is wrong with it, or where it belongs.
    pub hint: Option<String>,
}

/// Why there is no confirmation, or nothing is applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmationRefusal {
    /// The bytes are no confirmation.
    #[error(transparent)]
    Unreadable(ConfirmationError),
    /// Not there.
    #[error("there is no such confirmation")]
    ConfirmationNotFound,
}

/// An upload, and whether the same bytes had been uploaded before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// The confirmation.
    pub confirmation: Confirmation,
    /// Nothing was kept now.
    pub replayed: bool,
}

/// The service: keeps and applies confirmations.
#[derive(Debug, Clone)]
pub struct Confirmations {
    db: Db,
}

impl Confirmations {
    /// The service on a database.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Reads an upload, holds it against the transfers of the scheme, and keeps it. The same bytes again are the same confirmation.
    pub async fn upload(&self, actor: &Actor, scheme: SchemeId, bytes: Bytes) -> Result<Uploaded, Failure<ConfirmationRefusal>> {
        let size_bytes = i64::try_from(bytes.len()).map_err(|e| Fault::Unreadable(e.to_string()))?;
        let (sha256, read) = read_apart(bytes).await;
        let Read { format, entries } = read.map_err(|error| Failure::Refused(ConfirmationRefusal::Unreadable(error)))?;

        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let id = ConfirmationId(new_id());
        let new = store::NewConfirmation { id, scheme, sha256, size_bytes, format, entry_count: entries.len() };
        if !store::insert(&tx, &new, actor, read_time(&tx).await?).await? {
            let confirmation = store::get_by_hash(&tx, scheme, &sha256).await?;
            return Ok(Uploaded { confirmation, replayed: true });
        }
        let matched = match_entries(&entries, find_candidates(&tx, scheme, &entries).await?);
        store::insert_entries(&tx, id, &entries, &matched).await?;
        let confirmation = get(&tx, id).await?;
        tx.commit().await?;
        Ok(Uploaded { confirmation, replayed: false })
    }

    /// Takes every transfer that the confirmation confirms or rejects a step further, all of them or none. Once applied, it stays as it is.
    pub async fn apply(&self, actor: &Actor, id: ConfirmationId) -> Result<Confirmation, Failure<ConfirmationRefusal>> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let found = store::lock(&tx, id).await?;
        let (scheme, is_applied) = found.ok_or(Failure::Refused(ConfirmationRefusal::ConfirmationNotFound))?;
        if is_applied {
            return get(&tx, id).await;
        }
        let entries: Vec<Entry> = store::list_entries(&tx, id, None, 0, i64::MAX).await?.into_iter().map(|judged| judged.entry).collect();
        let runs = lock_runs(&tx, find_candidates(&tx, scheme, &entries).await?.into_values()).await?;
        let candidates = find_candidates(&tx, scheme, &entries).await?;
        let matched = match_entries(&entries, candidates.clone());
        let rounds = plan(&entries, &matched, candidates)?;

        // From here on nothing may be refused; only a fault can stop it, and then nothing is kept.
        let at = read_time(&tx).await?;
        let seqs = take(&tx, actor, id, rounds, &runs, at).await?;
        store::update_entries(&tx, id, &matched, &seqs).await?;
        store::set_applied(&tx, id, actor, at).await?;
        let confirmation = get(&tx, id).await?;
        tx.commit().await?;
        Ok(confirmation)
    }
}

/// Reading sixteen megabytes takes a while, during which other requests want this thread.
async fn read_apart(bytes: Bytes) -> ([u8; 32], Result<Read, ConfirmationError>) {
    let reading = tokio::task::spawn_blocking(move || (Sha256::digest(&bytes).into(), read(&bytes)));
    reading.await.unwrap_or_else(|bug| std::panic::resume_unwind(bug.into_panic()))
}

/// The transfers that the entries' references name, by reference.
async fn find_candidates(tx: &Tx<'_>, scheme: SchemeId, entries: &[Entry]) -> Result<HashMap<String, Candidate>, Fault> {
    let references: BTreeSet<&str> = entries.iter().filter_map(|entry| entry.reference.as_deref()).collect();
    let referred: Vec<_> = references.into_iter().filter_map(|text| Some((text, parse_reference(text)?))).collect();
    store::find_candidates(tx, scheme, &referred).await
}

/// Locks the scheme's own runs among those of these transfers, in the order of their ids, and answers with them.
async fn lock_runs(tx: &Tx<'_>, candidates: impl Iterator<Item = Candidate>) -> Result<BTreeMap<RunId, LockedRun>, Fault> {
    let own = candidates.filter(|candidate| !matches!(candidate.place, Place::Elsewhere(_)));
    let runs: BTreeSet<RunId> = own.map(|candidate| candidate.key.run).collect();
    let mut locked = BTreeMap::new();
    for run in runs {
        locked.insert(run, lock_run(tx, run).await?.ok_or_else(|| Fault::Unreadable(format!("run {run} is gone")))?);
    }
    Ok(locked)
}

/// The steps that entries make, each with its entry's place. A transfer takes one step in a round.
type Round = Vec<(usize, NewStep)>;

/// The steps of all entries that make one: the first step of every transfer, then the second of those that have one, and so on.
fn plan(entries: &[Entry], matched: &[Matched], candidates: HashMap<String, Candidate>) -> Result<Vec<Round>, Fault> {
    let begin = |candidate: Candidate| (candidate.key, (candidate.standing, 0_usize));
    let mut standings: HashMap<TransferKey, _> = candidates.into_values().map(begin).collect();
    let mut rounds: Vec<Round> = Vec::new();
    for (place, (entry, matched)) in entries.iter().zip(matched).enumerate() {
        let (Some(to), Some(transfer)) = (matched.step, matched.transfer) else { continue };
        let (standing, round) = standings.get_mut(&transfer).ok_or_else(|| Fault::Unreadable("a transfer that is gone".to_owned()))?;
        let next = standing.become_state(to).ok_or_else(|| Fault::Unreadable(format!("{to} after {}", standing.state)))?;
        let step = NewStep {
            transfer,
            from: standing.state,
            next,
            bank_reference: entry.bank_reference.clone(),
            booked_on: entry.booked_on,
            reason: entry.reason.clone().unwrap_or_default(),
        };
        if rounds.len() <= *round {
            rounds.push(Vec::new());
        }
        rounds[*round].push((place, step));
        (*standing, *round) = (next, round.saturating_add(1));
    }
    Ok(rounds)
}

/// Takes the steps, round by round, and lets the runs follow; answers with the number of each step, by its entry's place.
async fn take(
    tx: &Tx<'_>,
    actor: &Actor,
    id: ConfirmationId,
    rounds: Vec<Round>,
    runs: &BTreeMap<RunId, LockedRun>,
    stepped_at: Timestamp,
) -> Result<HashMap<usize, i32>, Fault> {
    let touched: BTreeSet<RunId> = rounds.iter().flatten().map(|(_, step)| step.transfer.run).collect();
    for run in &touched {
        let locked = runs.get(run).ok_or_else(|| Fault::Unreadable(format!("run {run} is not locked")))?;
        transfers::begin_settling(tx, locked).await?;
    }
    let mut seqs = HashMap::new();
    for round in rounds {
        let (places, steps): (Vec<usize>, Vec<NewStep>) = round.into_iter().unzip();
        let taken = transfers::take_steps(tx, &steps, actor, Some(id.0), stepped_at).await?;
        seqs.extend(places.into_iter().zip(&steps).filter_map(|(place, step)| Some((place, *taken.get(&step.transfer)?))));
    }
    for run in touched {
        transfers::end_settling(tx, run).await?;
    }
    Ok(seqs)
}

async fn get<R>(tx: &Tx<'_>, id: ConfirmationId) -> Result<Confirmation, Failure<R>> {
    Ok(store::find(tx, id).await?.ok_or_else(|| Fault::Unreadable("a confirmation that is gone".to_owned()))?)
}

// What follows reads as the house, whose confirmations are.

/// The confirmation, if it is there.
pub async fn find(tx: &Tx<'_>, id: ConfirmationId) -> Result<Option<Confirmation>, Fault> {
    store::find(tx, id).await
}

/// A scheme's confirmations, newest first, after the one given.
pub async fn list(tx: &Tx<'_>, scheme: SchemeId, after: Option<Uuid>, limit: i64) -> Result<Vec<Confirmation>, Fault> {
    store::list(tx, scheme, after, limit).await
}

/// A confirmation's entries with a number above `after`, in order; all, or those that come to this.
pub async fn list_entries(
    tx: &Tx<'_>,
    id: ConfirmationId,
    outcome: Option<Outcome>,
    after: i32,
    limit: i64,
) -> Result<Vec<JudgedEntry>, Fault> {
    store::list_entries(tx, id, outcome, after, limit).await
}
