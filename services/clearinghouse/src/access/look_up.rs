//! Looking up credentials: all requests that wait are answered by one look into the database.
//!
//! Shape: a request asks and waits; a task takes all questions that are there, reads what is kept of their credentials on a connection of
//! its own, keys in one round trip and sessions in one, and answers each. Nothing is remembered: what is read for a request is read after
//! it came, so that a key or a session that was ended in whichever process opens nothing from that moment on. The queue is bounded: what
//! finds it full is refused.

use super::AccessRefusal;
use super::secret::Kind;
use super::store::{self, Kept};
use ledger::{Db, Failure, Fault};
use std::collections::HashMap;
use std::mem;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, oneshot};
use uuid::Uuid;

/// Credentials that are read together.
const BATCH_MAX: usize = 512;
/// One look after the other: what comes during one is looked up together in the next.
const CONNECTIONS: usize = 1;

/// The way to what is kept of credentials; clones share it.
#[derive(Debug, Clone)]
pub(super) struct LookUp {
    questions: mpsc::Sender<Question>,
}

#[derive(Debug)]
struct Question {
    kind: Kind,
    id: Uuid,
    answer: oneshot::Sender<Result<Option<Kept>, Fault>>,
}

impl LookUp {
    /// Starts looking up on the current runtime; so many questions may wait. It ends with its last clone.
    pub(super) fn start(db: &Db, waiting_max: usize) -> Self {
        let (questions, waiting) = mpsc::channel(waiting_max.clamp(1, Semaphore::MAX_PERMITS));
        tokio::spawn(answer_questions(db.clone(), waiting));
        Self { questions }
    }

    /// What is kept of the credential now, if there is such a one.
    pub(super) async fn find(&self, kind: Kind, id: Uuid) -> Result<Option<Kept>, Failure<AccessRefusal>> {
        let (answer, answered) = oneshot::channel();
        match self.questions.try_send(Question { kind, id, answer }) {
            Ok(()) => Ok(answered.await.unwrap_or(Err(Fault::EngineGone))?),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Failure::Refused(AccessRefusal::Overloaded)),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Failure::Fault(Fault::EngineGone)),
        }
    }
}

async fn answer_questions(db: Db, mut waiting: mpsc::Receiver<Question>) {
    let db = db.apart(CONNECTIONS);
    let mut questions = Vec::new();
    while waiting.recv_many(&mut questions, BATCH_MAX).await > 0 {
        let (db, asked) = (db.clone(), mem::take(&mut questions));
        // A task of its own: a bug that panics leaves its own questions without an answer, and no others.
        if let Err(panic) = tokio::spawn(async move { answer_together(&db, asked).await }).await {
            tracing::error!(%panic, "looking up credentials met a bug");
        }
    }
}

async fn answer_together(db: &Db, questions: Vec<Question>) {
    let ids_of = |kind| {
        let mut ids: Vec<Uuid> = questions.iter().filter(|question| question.kind == kind).map(|question| question.id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let found = read(db, &ids_of(Kind::Key), &ids_of(Kind::Session)).await.map_err(Arc::new);
    for Question { kind, id, answer } in questions {
        let kept = match (&found, kind) {
            (Ok((keys, _)), Kind::Key) => Ok(keys.get(&id).cloned()),
            (Ok((_, sessions)), Kind::Session) => Ok(sessions.get(&id).cloned()),
            (Err(fault), _) => Err(Fault::Batch(Arc::clone(fault))),
        };
        // Who asked may have gone away.
        answer.send(kept).ok();
    }
}

type ById = HashMap<Uuid, Kept>;

async fn read(db: &Db, keys: &[Uuid], sessions: &[Uuid]) -> Result<(ById, ById), Fault> {
    let mut connection = db.connection().await?;
    // Asks only where there is something to ask for.
    let keys = if keys.is_empty() { ById::new() } else { store::look_up_keys(&mut connection, keys).await? };
    let sessions = if sessions.is_empty() { ById::new() } else { store::look_up_sessions(&mut connection, sessions).await? };
    Ok((keys, sessions))
}
