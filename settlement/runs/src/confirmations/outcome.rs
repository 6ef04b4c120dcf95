//! What an entry comes to, and how bad that is. Pure.

/// What an entry comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The transfer becomes `sent` or `received`; of several, all that had not been.
    Confirmed,
    /// The transfer becomes `failed`; of several, all that had not.
    Rejected,
    /// The bank has not decided yet; nothing happens.
    Pending,
    /// The transfer has got that far already; nothing happens.
    Already,
    /// An entry before it says the same of the same transfer.
    Duplicate,
    /// No transfer has the reference.
    Unmatched,
    /// The transfer is about another amount.
    WrongAmount,
    /// The transfer is in another currency.
    WrongCurrency,
    /// A transfer stands where the entry cannot be true: people have to look.
    Conflicting,
}

/// How bad an outcome is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It will be, or was, applied.
    Fine,
    /// Nothing is applied, and nothing needs to be done.
    Warning,
    /// Nothing is applied, and somebody has to look.
    Error,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 9] = [
        Self::Confirmed,
        Self::Rejected,
        Self::Pending,
        Self::Already,
        Self::Duplicate,
        Self::Unmatched,
        Self::WrongAmount,
        Self::WrongCurrency,
        Self::Conflicting,
    ];

    /// As stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Pending => "pending",
            Self::Already => "already",
            Self::Duplicate => "duplicate",
            Self::Unmatched => "unmatched",
            Self::WrongAmount => "wrong_amount",
            Self::WrongCurrency => "wrong_currency",
            Self::Conflicting => "conflicting",
        }
    }

    /// The outcome of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }

    /// How bad it is.
    pub fn severity(self) -> Severity {
        match self {
            Self::Confirmed | Self::Rejected => Severity::Fine,
            Self::Pending | Self::Already | Self::Duplicate => Severity::Warning,
            Self::Unmatched | Self::WrongAmount | Self::WrongCurrency | Self::Conflicting => Severity::Error,
        }
    }
}

impl Severity {
    /// As shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_has_one_name() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
    }
}
