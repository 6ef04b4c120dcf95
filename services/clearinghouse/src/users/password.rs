//! Passwords: Argon2id, a few at a time, never on the threads that answer requests.
//!
//! Shape: a few threads of their own take the passwords that wait, and each works in one block of memory that it keeps. A hash needs 19 MB and
//! some 20 ms on purpose: memory that is taken anew for each would lie about in every thread that ever hashed. The queue is bounded, so
//! that a flood of sign-ins neither takes all memory nor all the places of other requests.

use super::UserRefusal;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, RECOMMENDED_SALT_LEN, Version};
use ledger::{Failure, Fault};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;

/// In characters.
const LENGTH_MIN: usize = 8;
const LENGTH_MAX: usize = 200;
/// Passwords that may wait; who finds as many is told to come back. They take some seconds.
const WAITING_MAX: usize = 256;

/// What the password of nobody is compared with, so that an unknown handle takes as long as a known one.
static NOBODYS_HASH: LazyLock<String> =
    LazyLock::new(|| hash("the password of nobody", &mut Vec::new()).expect("a short password can be hashed"));

/// Where a hash is worked out; kept from one to the next.
type Memory = Vec<Block>;
type Work = Box<dyn FnOnce(&mut Memory) + Send>;

/// Hashes and compares passwords. The threads end with its last clone.
#[derive(Debug, Clone)]
pub(super) struct Passwords {
    waiting: SyncSender<Work>,
}

impl Passwords {
    /// Starts so many threads, each with 19 MB from its first password on.
    pub(super) fn start(hashes_at_once: usize) -> Self {
        let (waiting, works) = sync_channel(WAITING_MAX);
        let works = Arc::new(Mutex::new(works));
        for _ in 0..hashes_at_once {
            let works = Arc::clone(&works);
            let started = thread::Builder::new().name("passwords".to_owned()).spawn(move || take_works(&works));
            started.expect("the system has room for a thread");
        }
        Self { waiting }
    }

    pub(super) fn check(password: &str) -> Result<(), UserRefusal> {
        match password.chars().count() {
            ..LENGTH_MIN => Err(UserRefusal::PasswordTooShort { min: LENGTH_MIN }),
            LENGTH_MIN..=LENGTH_MAX => Ok(()),
            _ => Err(UserRefusal::PasswordTooLong { max: LENGTH_MAX }),
        }
    }

    pub(super) async fn hash(&self, password: String) -> Result<String, Failure<UserRefusal>> {
        let hashed = self.aside(move |memory| hash(&password, memory)).await?;
        Ok(hashed.map_err(|error| Fault::Unreadable(format!("no password hash: {error}")))?)
    }

    /// Whether it is this password. Takes the same time where there is no user to have one.
    pub(super) async fn matches(&self, password: String, kept: Option<String>) -> Result<bool, Failure<UserRefusal>> {
        self.aside(move |memory| {
            let known = kept.is_some();
            let kept = kept.unwrap_or_else(|| NOBODYS_HASH.clone());
            let same = matches(&password, &kept, memory).unwrap_or(false);
            known && same
        })
        .await
    }

    /// Works on one of the threads, when it is this one's turn; not at all if nobody waits for it any more.
    async fn aside<T: Send + 'static>(&self, work: impl FnOnce(&mut Memory) -> T + Send + 'static) -> Result<T, Failure<UserRefusal>> {
        let (answer, answered) = oneshot::channel();
        let work = move |memory: &mut Memory| {
            if !answer.is_closed() {
                answer.send(work(memory)).ok();
            }
        };
        match self.waiting.try_send(Box::new(work)) {
            Ok(()) => answered.await.map_err(|_| Failure::Fault(Fault::Unreadable("no answer from the hashing of passwords".to_owned()))),
            Err(TrySendError::Full(_)) => Err(Failure::Refused(UserRefusal::Overloaded)),
            Err(TrySendError::Disconnected(_)) => Err(Failure::Fault(Fault::Unreadable("no thread hashes passwords".to_owned()))),
        }
    }
}

/// A thread's life: it takes one work after the other, until nobody can send any.
fn take_works(works: &Mutex<Receiver<Work>>) {
    let mut memory = Memory::new();
    loop {
        // One thread waits for work, the others wait for it to have got some.
        let Ok(work) = works.lock().unwrap_or_else(PoisonError::into_inner).recv() else { return };
        if catch_unwind(AssertUnwindSafe(|| work(&mut memory))).is_err() {
            tracing::error!("the hashing of a password met a bug");
        }
    }
}

fn hash(password: &str, memory: &mut Memory) -> Result<String, argon2::password_hash::Error> {
    let (argon, params) = (Argon2::default(), Params::default());
    let mut salt = [0; RECOMMENDED_SALT_LEN];
    getrandom::fill(&mut salt).expect("the system has randomness");
    let output = output(&argon, &params, password, &salt, memory)?;
    let hash = PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: ParamsString::try_from(&params)?,
        salt: Some(Salt::new(&salt)?),
        hash: Some(output),
    };
    Ok(hash.to_string())
}

/// Whether the kept hash is of this password; takes the same time wherever they differ.
fn matches(password: &str, kept: &str, memory: &mut Memory) -> Result<bool, argon2::password_hash::Error> {
    let kept = PasswordHash::new(kept)?;
    let (Some(salt), Some(expected)) = (&kept.salt, &kept.hash) else { return Ok(false) };
    let params = Params::try_from(&kept)?;
    let version = kept.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let argon = Argon2::new(Algorithm::try_from(kept.algorithm.as_str())?, version, params.clone());
    let output = output(&argon, &params, password, salt, memory)?;
    Ok(output.as_bytes().ct_eq(expected.as_bytes()).into())
}

fn output(
    argon: &Argon2<'_>,
    params: &Params,
    password: &str,
    salt: &[u8],
    memory: &mut Memory,
) -> Result<Output, argon2::password_hash::Error> {
    memory.resize(params.block_count().max(memory.len()), Block::default());
    let mut bytes = [0; Params::DEFAULT_OUTPUT_LEN];
    argon.hash_password_into_with_memory(password.as_bytes(), salt, &mut bytes, &mut memory[..])?;
    Ok(Output::new(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_same_password_matches() {
        let passwords = Passwords::start(1);
        let kept = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(passwords.matches("correct horse".to_owned(), Some(kept.clone())).await.unwrap());
        assert!(!passwords.matches("correct house".to_owned(), Some(kept)).await.unwrap());
        assert!(!passwords.matches("the password of nobody".to_owned(), None).await.unwrap());
    }

    #[tokio::test]
    async fn what_the_crate_of_the_hash_makes_and_reads_is_the_same() {
        use argon2::password_hash::{PasswordHasher, PasswordVerifier};
        let passwords = Passwords::start(1);
        let theirs = Argon2::default().hash_password(b"correct horse").unwrap().to_string();
        assert!(passwords.matches("correct horse".to_owned(), Some(theirs)).await.unwrap());
        let ours = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(Argon2::default().verify_password(b"correct horse", ours.as_str()).is_ok());
    }

    #[tokio::test]
    async fn as_many_passwords_as_may_wait_are_taken_and_a_bug_ends_no_thread() {
        let passwords = Passwords::start(1);
        let (begun, begins) = std::sync::mpsc::channel();
        let (go, goes) = std::sync::mpsc::channel::<()>();
        let blocker = passwords.clone();
        let blocked = tokio::spawn(async move {
            blocker
                .aside(move |_| {
                    begun.send(()).unwrap();
                    goes.recv().unwrap();
                })
                .await
        });
        tokio::task::spawn_blocking(move || begins.recv().unwrap()).await.unwrap();
        let mut waiting: Vec<_> = (1..WAITING_MAX).map(|_| passwords.waiting.try_send(Box::new(|_| ()))).collect();
        waiting.push(passwords.waiting.try_send(Box::new(|_| panic!("a bug"))));
        assert!(waiting.iter().all(Result::is_ok));
        assert!(matches!(passwords.aside(|_| ()).await, Err(Failure::Refused(UserRefusal::Overloaded))));

        go.send(()).unwrap();
        blocked.await.unwrap().unwrap();
        while passwords.aside(|_| ()).await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn a_password_has_8_to_200_characters() {
        assert_eq!(Passwords::check("1234567"), Err(UserRefusal::PasswordTooShort { min: 8 }));
        assert_eq!(Passwords::check("éééééééé"), Ok(()));
        assert_eq!(Passwords::check(&"x".repeat(201)), Err(UserRefusal::PasswordTooLong { max: 200 }));
    }
}
