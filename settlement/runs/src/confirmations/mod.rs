//! Confirmations: what banks say of many transfers at once, uploaded, looked at, and applied.
//!
//! Shape: [`read`] makes entries of bytes (`pain002`, `camt` and `csv_file` know the messages, `xml` reads elements), [`matching`] holds
//! the entries against the transfers as they stand; all of that is pure. [`Confirmations`] keeps an upload as `proposed`, with what each
//! entry would come to, and moves nothing. Applied, the entries are matched again under the locks of their runs, and in the same tx every
//! confirmed or rejected one takes its transfer a step further; then the confirmation is `applied`, for good. The same bytes are the same
//! confirmation, and applying it twice is applying it once.
//!
//! What an entry means that names no transfer, people say while the confirmation is proposed: [`assignments`] judges that, [`suggestions`]
//! finds what it could be. Whoever assigns or applies has locked the confirmation.

mod assignments;
mod assignments_store;
mod camt;
mod csv_file;
mod entry;
mod matching;
mod outcome;
mod pain002;
mod read;
mod store;
mod suggestions;
#[cfg(test)]
mod tests;
mod xml;

use crate::ids::{parse_reference, reference};
use crate::steps::{Actor, LockedRun};
use crate::transfers::{self, NewStep, TransferKey, lock_run};
pub use assignments::{Assignment, REFERENCES_MAX};
pub use assignments_store::STATEMENTS as ASSIGNMENT_STATEMENTS;
use bytes::Bytes;
pub use entry::{ConfirmationError, ENTRIES_MAX, Entry, Format, REFERENCE_CHARS_MAX, Said, Stated, UPLOAD_BYTES_MAX};
use jiff::Timestamp;
use ledger::{Db, Failure, Fault, Tx, new_id, read_time};
use matching::{Assigned, Candidate, Matched, Place, match_entries, show};
pub use outcome::{Outcome, Severity};
pub use read::{Read, read};
use scrip::{Micro, RunId, Scale, SchemeId};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
pub use store::STATEMENTS;
use suggestions::Suggestions;
pub use suggestions::{Basis, Suggestion};
use tokio::sync::{Semaphore, SemaphorePermit};
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
    /// How many of them came to what; as of the upload, of the last assignment, or of the application.
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
    /// The transfer that it names.
    pub transfer: Option<TransferKey>,
    /// The step that it made of that transfer.
    pub step_seq: Option<i32>,
    /// What is wrong with it, or where it belongs.
    pub hint: Option<String>,
}

/// An entry as people work on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItem {
    /// The entry.
    pub judged: JudgedEntry,
    /// What somebody says that it means.
    pub assignment: Option<Assignment>,
    /// What it may mean, where it names no transfer and nobody has said so yet.
    pub suggestions: Vec<Suggestion>,
}

impl WorkItem {
    /// Whether nobody knows yet what it means.
    fn is_open(&self) -> bool {
        self.judged.outcome == Outcome::Unmatched && self.judged.transfer.is_none() && self.assignment.is_none()
    }
}

/// Why there is no confirmation, or nothing is assigned or applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmationRefusal {
    /// The bytes are no confirmation.
    #[error(transparent)]
    Unreadable(ConfirmationError),
    /// Not there.
    #[error("there is no such confirmation")]
    ConfirmationNotFound,
    /// The confirmation has no entry of that number.
    #[error("the confirmation has no such entry")]
    EntryNotFound,
    /// Nothing is to be taken back.
    #[error("the entry is assigned nothing")]
    EntryNotAssigned,
    /// What it did, it did.
    #[error("the confirmation is applied, and stays as it is")]
    ConfirmationApplied,
    /// It is judged by what it names.
    #[error("the entry names the transfer {reference} by itself")]
    EntryNamesTransfer {
        /// What it names.
        reference: String,
    },
    /// There is nothing that the transfers could sum to.
    #[error("the entry states no amount that can be read")]
    EntryWithoutAmount,
    /// None, or too many.
    #[error("an entry means 1 to {REFERENCES_MAX} transfers")]
    ReferencesOutOfRange,
    /// A transfer takes a step once.
    #[error("{reference} is listed twice")]
    ReferenceNamedTwice {
        /// The one.
        reference: String,
    },
    /// Nothing of ours.
    #[error("{reference} is no transfer")]
    TransferNotFound {
        /// What was listed.
        reference: String,
    },
    /// A confirmation is about the transfers of its scheme.
    #[error("{reference} is of the scheme {scheme}")]
    TransferOfOtherScheme {
        /// The transfer.
        reference: String,
        /// The code of its scheme.
        scheme: String,
    },
    /// The transfer cannot take a step.
    #[error("{reference} is of a run that is {state}: transfers take steps while their run is exported or settling")]
    RunNotUnderSettlement {
        /// The transfer.
        reference: String,
        /// What its run is.
        state: String,
    },
    /// It is about other money.
    #[error("{reference} is in {currency}, and the entry is not")]
    CurrencyDiffers {
        /// The transfer.
        reference: String,
        /// Its currency.
        currency: String,
    },
    /// What the bank booked is not what these transfers are.
    #[error("the entry is of {}, and the transfers sum to {}", show(Some(*.amount)), show(*.sum))]
    SumDiffers {
        /// The entry's.
        amount: Micro,
        /// The transfers'; none where it is more than an amount can be.
        sum: Option<Micro>,
    },
    /// Another entry says the same of the transfer.
    #[error("entry {entry} says the same and is assigned {reference} already")]
    TransferAssigned {
        /// The transfer.
        reference: String,
        /// The number of the other entry.
        entry: i32,
    },
}

/// An upload, and whether the same bytes had been uploaded before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// The confirmation.
    pub confirmation: Confirmation,
    /// Nothing was kept now.
    pub replayed: bool,
}

/// So many assignments and applications are worked on at once; others wait.
const JUDGING_MAX: usize = 2;

/// The service: keeps confirmations, assigns what their entries mean, and applies them.
#[derive(Debug, Clone)]
pub struct Confirmations {
    db: Db,
    /// For what holds all entries of a confirmation against the transfers, and others of the same confirmation wait for.
    places: Arc<Semaphore>,
}

impl Confirmations {
    /// The service on a database.
    pub fn new(db: Db) -> Self {
        Self { db, places: Arc::new(Semaphore::new(JUDGING_MAX)) }
    }

    /// Waits without a connection, which others need.
    async fn take_place(&self) -> Result<SemaphorePermit<'_>, Fault> {
        self.places.acquire().await.map_err(|closed| Fault::Unreadable(closed.to_string()))
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
        let matched = match_entries(&entries, &Assigned::new(), find_candidates(&tx, scheme, named(&entries)).await?);
        store::insert_entries(&tx, id, &entries, &matched).await?;
        let confirmation = get(&tx, id).await?;
        tx.commit().await?;
        Ok(Uploaded { confirmation, replayed: false })
    }

    /// Says which transfers an entry means that names none. The same again stays as it is, and others take its place.
    pub async fn assign(
        &self,
        actor: &Actor,
        id: ConfirmationId,
        number: i32,
        references: &[String],
    ) -> Result<(Confirmation, WorkItem), Failure<ConfirmationRefusal>> {
        let _place = self.take_place().await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let (scheme, is_applied) = lock(&tx, id).await?;
        let JudgedEntry { entry, .. } = get_entry(&tx, id, number).await?;
        let references = assignments::read(references).map_err(Failure::Refused)?;
        let before = assignments_store::list_of(&tx, id, &[number]).await?.remove(&number);
        if before.is_some_and(|before| before.references().iter().map(String::as_str).collect::<BTreeSet<_>>() == references) {
            return Ok((get(&tx, id).await?, get_work_item(&tx, id, number).await?));
        }
        refuse_applied(is_applied)?;
        let meant = || references.iter().copied().chain(entry.reference.as_deref());
        // As they are under the locks of their runs: none is settled or voided before this is written.
        lock_runs(&tx, find_candidates(&tx, scheme, meant()).await?.into_values()).await?;
        let known = find_candidates(&tx, scheme, meant()).await?;
        let transfers = assignments::judge(&entry, &references, &known).map_err(Failure::Refused)?;
        if let Some((transfer, entry)) = assignments_store::find_said(&tx, id, number, entry.said, &transfers).await? {
            let reference = reference(transfer.run, transfer.number);
            return Err(Failure::Refused(ConfirmationRefusal::TransferAssigned { reference, entry }));
        }

        // From here on nothing may be refused; only a fault can stop it, and then nothing is kept.
        assignments_store::delete(&tx, id, number).await?;
        assignments_store::insert(&tx, id, number, &transfers, actor, read_time(&tx).await?).await?;
        judge_again(&tx, id, scheme).await?;
        let assigned = (get(&tx, id).await?, get_work_item(&tx, id, number).await?);
        tx.commit().await?;
        tracing::info!(confirmation = %id.0, number, ?references, %actor, "an entry was assigned");
        Ok(assigned)
    }

    /// Takes back what an entry was said to mean.
    pub async fn unassign(&self, actor: &Actor, id: ConfirmationId, number: i32) -> Result<(), Failure<ConfirmationRefusal>> {
        let _place = self.take_place().await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let (scheme, is_applied) = lock(&tx, id).await?;
        get_entry(&tx, id, number).await?;
        refuse_applied(is_applied)?;
        if !assignments_store::delete(&tx, id, number).await? {
            return Err(Failure::Refused(ConfirmationRefusal::EntryNotAssigned));
        }
        judge_again(&tx, id, scheme).await?;
        tx.commit().await?;
        tracing::info!(confirmation = %id.0, number, %actor, "what an entry was assigned was taken back");
        Ok(())
    }

    /// Takes every transfer that the confirmation confirms or rejects a step further, all of them or none. Once applied, it stays as it is.
    pub async fn apply(&self, actor: &Actor, id: ConfirmationId) -> Result<Confirmation, Failure<ConfirmationRefusal>> {
        let _place = self.take_place().await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let (scheme, is_applied) = lock(&tx, id).await?;
        if is_applied {
            return get(&tx, id).await;
        }
        let (entries, assigned) = read_all(&tx, id).await?;
        let references = || named(&entries).chain(assigned.values().flatten().map(String::as_str));
        let runs = lock_runs(&tx, find_candidates(&tx, scheme, references()).await?.into_values()).await?;
        let candidates = find_candidates(&tx, scheme, references()).await?;
        let matched = match_entries(&entries, &assigned, candidates.clone());
        let rounds = plan(&entries, &matched, candidates)?;

        // From here on nothing may be refused; only a fault can stop it, and then nothing is kept.
        let at = read_time(&tx).await?;
        let seqs = take(&tx, actor, id, rounds, &runs, at).await?;
        store::update_entries(&tx, id, &matched, &seqs).await?;
        assignments_store::set_steps(&tx, id, &matched, &seqs).await?;
        store::set_applied(&tx, id, actor, at).await?;
        let confirmation = get(&tx, id).await?;
        tx.commit().await?;
        Ok(confirmation)
    }
}

/// The confirmation's scheme, and whether it is applied: nobody else assigns or applies until the tx ends.
async fn lock(tx: &Tx<'_>, id: ConfirmationId) -> Result<(SchemeId, bool), Failure<ConfirmationRefusal>> {
    store::lock(tx, id).await?.ok_or(Failure::Refused(ConfirmationRefusal::ConfirmationNotFound))
}

fn refuse_applied(is_applied: bool) -> Result<(), Failure<ConfirmationRefusal>> {
    if is_applied { Err(Failure::Refused(ConfirmationRefusal::ConfirmationApplied)) } else { Ok(()) }
}

async fn get_entry(tx: &Tx<'_>, id: ConfirmationId, number: i32) -> Result<JudgedEntry, Failure<ConfirmationRefusal>> {
    let found = store::list_entries(tx, id, None, number.saturating_sub(1), 1).await?.pop();
    found.filter(|judged| judged.number == number).ok_or(Failure::Refused(ConfirmationRefusal::EntryNotFound))
}

async fn get_work_item(tx: &Tx<'_>, id: ConfirmationId, number: i32) -> Result<WorkItem, Failure<ConfirmationRefusal>> {
    let judged = get_entry(tx, id, number).await?;
    Ok(to_work_items(tx, id, vec![judged]).await?.pop().ok_or_else(|| Fault::Unreadable("an entry that is gone".to_owned()))?)
}

/// All entries in their order, and what people said that they mean.
async fn read_all(tx: &Tx<'_>, id: ConfirmationId) -> Result<(Vec<Entry>, Assigned), Fault> {
    let judged = store::list_entries(tx, id, None, 0, i64::MAX).await?;
    let assignments = assignments_store::list(tx, id).await?;
    Ok((judged.into_iter().map(|judged| judged.entry).collect(), assignments::to_assigned(&assignments)))
}

/// Holds all entries against the transfers anew: what one is said to mean may be what another names.
async fn judge_again(tx: &Tx<'_>, id: ConfirmationId, scheme: SchemeId) -> Result<(), Fault> {
    let (entries, assigned) = read_all(tx, id).await?;
    let references = named(&entries).chain(assigned.values().flatten().map(String::as_str));
    let matched = match_entries(&entries, &assigned, find_candidates(tx, scheme, references).await?);
    store::update_entries(tx, id, &matched, &Seqs::new()).await
}

/// The entries with what they are said to mean, or may mean.
async fn to_work_items(tx: &Tx<'_>, id: ConfirmationId, entries: Vec<JudgedEntry>) -> Result<Vec<WorkItem>, Fault> {
    let numbers: Vec<i32> = entries.iter().map(|judged| judged.number).collect();
    let mut assignments = assignments_store::list_of(tx, id, &numbers).await?;
    let item = |judged: JudgedEntry| WorkItem { assignment: assignments.remove(&judged.number), suggestions: Vec::new(), judged };
    let mut items: Vec<WorkItem> = entries.into_iter().map(item).collect();
    if items.iter().any(WorkItem::is_open) {
        let unfinished = assignments_store::list_unfinished(tx, id).await?;
        let open = items.iter().filter(|item| item.is_open()).map(|item| &item.judged.entry);
        let suggestions = Suggestions::new(open, &unfinished);
        items.iter_mut().filter(|item| item.is_open()).for_each(|item| item.suggestions = suggestions.find(&item.judged.entry));
    }
    Ok(items)
}

/// Reading sixteen megabytes takes a while, during which other requests want this thread.
async fn read_apart(bytes: Bytes) -> ([u8; 32], Result<Read, ConfirmationError>) {
    let reading = tokio::task::spawn_blocking(move || (Sha256::digest(&bytes).into(), read(&bytes)));
    reading.await.unwrap_or_else(|bug| std::panic::resume_unwind(bug.into_panic()))
}

/// What the entries name by themselves.
fn named(entries: &[Entry]) -> impl Iterator<Item = &str> {
    entries.iter().filter_map(|entry| entry.reference.as_deref())
}

/// The transfers that these references name, by reference.
async fn find_candidates<'r>(
    tx: &Tx<'_>,
    scheme: SchemeId,
    references: impl Iterator<Item = &'r str>,
) -> Result<HashMap<String, Candidate>, Fault> {
    let references: BTreeSet<&str> = references.collect();
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

/// The numbers of steps, by the entry that made each and its transfer.
type Seqs = HashMap<(i32, TransferKey), i32>;

/// The steps that entries make, each with its entry's number. A transfer takes one step in a round.
type Round = Vec<(i32, NewStep)>;

/// The steps of all entries that make one: the first step of every transfer, then the second of those that have one, and so on.
fn plan(entries: &[Entry], matched: &[Matched], candidates: HashMap<String, Candidate>) -> Result<Vec<Round>, Fault> {
    let begin = |candidate: Candidate| (candidate.key, (candidate.standing, 0_usize));
    let mut standings: HashMap<TransferKey, _> = candidates.into_values().map(begin).collect();
    let mut rounds: Vec<Round> = Vec::new();
    for (number, (entry, matched)) in (1..).zip(entries.iter().zip(matched)) {
        let Some(to) = matched.step else { continue };
        for transfer in &matched.takers {
            let (standing, round) = standings.get_mut(transfer).ok_or_else(|| Fault::Unreadable("a transfer that is gone".to_owned()))?;
            let next = standing.become_state(to).ok_or_else(|| Fault::Unreadable(format!("{to} after {}", standing.state)))?;
            let step = NewStep {
                transfer: *transfer,
                from: standing.state,
                next,
                bank_reference: entry.bank_reference.clone(),
                booked_on: entry.booked_on,
                reason: entry.reason.clone().unwrap_or_default(),
            };
            if rounds.len() <= *round {
                rounds.push(Vec::new());
            }
            rounds[*round].push((number, step));
            (*standing, *round) = (next, round.saturating_add(1));
        }
    }
    Ok(rounds)
}

/// Takes the steps, round by round, and lets the runs follow; answers with the numbers of the steps.
async fn take(
    tx: &Tx<'_>,
    actor: &Actor,
    id: ConfirmationId,
    rounds: Vec<Round>,
    runs: &BTreeMap<RunId, LockedRun>,
    stepped_at: Timestamp,
) -> Result<Seqs, Fault> {
    let touched: BTreeSet<RunId> = rounds.iter().flatten().map(|(_, step)| step.transfer.run).collect();
    for run in &touched {
        let locked = runs.get(run).ok_or_else(|| Fault::Unreadable(format!("run {run} is not locked")))?;
        transfers::begin_settling(tx, locked).await?;
    }
    let mut seqs = Seqs::new();
    for round in rounds {
        let (numbers, steps): (Vec<i32>, Vec<NewStep>) = round.into_iter().unzip();
        let taken = transfers::take_steps(tx, &steps, actor, Some(id.0), stepped_at).await?;
        let seq = |(number, step): (i32, &NewStep)| Some(((number, step.transfer), *taken.get(&step.transfer)?));
        seqs.extend(numbers.into_iter().zip(&steps).filter_map(seq));
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

/// A confirmation's entries with a number above `after`, in order; all, or those that come to this. What each may mean is as of now.
pub async fn list_entries(
    tx: &Tx<'_>,
    id: ConfirmationId,
    outcome: Option<Outcome>,
    after: i32,
    limit: i64,
) -> Result<Vec<WorkItem>, Fault> {
    to_work_items(tx, id, store::list_entries(tx, id, outcome, after, limit).await?).await
}
