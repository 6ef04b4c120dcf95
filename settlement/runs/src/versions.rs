//! What people keep under a name of their own: made without a version, replaced for the version that somebody read. Pure.

/// Why nothing is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VersionRefusal {
    /// A change is for a version, and there is none.
    NotThere,
    /// It is there, and nobody said which version of it is to be replaced.
    Required,
    /// The change was made for an older version than this one, which is there.
    Mismatch(i64),
}

/// The version that replaces the one that is there; none: it is to be made, at version 1.
pub(crate) fn next(there: Option<i64>, is_expected: Option<impl Fn(i64) -> bool>) -> Result<Option<i64>, VersionRefusal> {
    match (there, is_expected) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(VersionRefusal::NotThere),
        (Some(_), None) => Err(VersionRefusal::Required),
        (Some(version), Some(is_expected)) if is_expected(version) => Ok(Some(version.strict_add(1))),
        (Some(version), Some(_)) => Err(VersionRefusal::Mismatch(version)),
    }
}
