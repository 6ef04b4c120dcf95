//! Passwords: Argon2id, a few at a time, never on the threads that answer requests.
//!
//! A hash costs 19 MB and some 20 ms on purpose. Without a limit a few hundred sign-ins would take all the memory there is.

use super::UserRefusal;
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use ledger::{Failure, Fault};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// In characters.
const LENGTH_MIN: usize = 8;
const LENGTH_MAX: usize = 200;
/// Who waits longer for a place is told to come back.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// What the password of nobody is compared with, so that an unknown handle takes as long as a known one.
static NOBODYS_HASH: LazyLock<String> = LazyLock::new(|| hash("the password of nobody").expect("a short password can be hashed"));

/// Hashes and compares passwords.
#[derive(Debug, Clone)]
pub(super) struct Passwords {
    places: Arc<Semaphore>,
}

impl Passwords {
    pub(super) fn new(hashes_at_once: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(hashes_at_once)) }
    }

    pub(super) fn check(password: &str) -> Result<(), UserRefusal> {
        match password.chars().count() {
            ..LENGTH_MIN => Err(UserRefusal::PasswordTooShort { min: LENGTH_MIN }),
            LENGTH_MIN..=LENGTH_MAX => Ok(()),
            _ => Err(UserRefusal::PasswordTooLong { max: LENGTH_MAX }),
        }
    }

    pub(super) async fn hash(&self, password: String) -> Result<String, Failure<UserRefusal>> {
        let hashed = self.aside(move || hash(&password)).await?;
        Ok(hashed.map_err(|error| Fault::Unreadable(format!("no password hash: {error}")))?)
    }

    /// Whether it is this password. Takes the same time where there is no user to have one.
    pub(super) async fn matches(&self, password: String, kept: Option<String>) -> Result<bool, Failure<UserRefusal>> {
        self.aside(move || {
            let known = kept.is_some();
            let kept = kept.unwrap_or_else(|| NOBODYS_HASH.clone());
            let same = Argon2::default().verify_password(password.as_bytes(), kept.as_str()).is_ok();
            known && same
        })
        .await
    }

    /// Works on a thread of its own, when there is a place.
    async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure<UserRefusal>> {
        let overloaded = || Failure::Refused(UserRefusal::Overloaded);
        let waiting = tokio::time::timeout(WAIT_MAX, self.places.clone().acquire_owned());
        let place = waiting.await.ok().and_then(Result::ok).ok_or_else(overloaded)?;
        let worked = tokio::task::spawn_blocking(move || {
            // Held until the work is done, even when the caller has gone away.
            let _place = place;
            work()
        });
        Ok(worked.await.expect("hashing does not panic"))
    }
}

fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_same_password_matches() {
        let passwords = Passwords::new(1);
        let kept = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(kept.starts_with("$argon2id$"));
        assert!(passwords.matches("correct horse".to_owned(), Some(kept.clone())).await.unwrap());
        assert!(!passwords.matches("correct house".to_owned(), Some(kept)).await.unwrap());
        assert!(!passwords.matches("the password of nobody".to_owned(), None).await.unwrap());
    }

    #[test]
    fn a_password_has_8_to_200_characters() {
        assert_eq!(Passwords::check("1234567"), Err(UserRefusal::PasswordTooShort { min: 8 }));
        assert_eq!(Passwords::check("éééééééé"), Ok(()));
        assert_eq!(Passwords::check(&"x".repeat(201)), Err(UserRefusal::PasswordTooLong { max: 200 }));
    }
}
