//! The obligations of one netting, in one fixed order whatever order they came in.
//!
//! Parties are numbered by the byte order of their names, so comparing numbers is comparing names: 16 bytes per obligation and no
//! text in any inner loop. Numbers are handed out through a hash map, but the map is only asked, never walked.

use scrip::Micro;
use std::{borrow::Borrow, collections::HashMap, fmt, sync::Arc};

/// The most that the obligations of one network may sum to, in micro-units.
///
/// Every figure of a netting is at most the gross, except the hub's total, which is at most twice the gross: with this bound no
/// sum can leave 64 bits.
pub const GROSS_MAX: Micro = Micro::new(i64::MAX / 2);

/// A party by its name; ordered by bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Party(Arc<str>);

impl Party {
    pub(crate) fn named(name: &str) -> Self {
        Self(Arc::from(name))
    }

    pub(crate) fn house() -> Self {
        Self::named(scrip::code::HOUSE)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the house, which pays and is paid in the hub strategy only.
    pub fn is_house(&self) -> bool {
        self.as_str() == scrip::code::HOUSE
    }
}

impl Borrow<str> for Party {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// So many micro-units from one party, by number, to another; ordered as the input hash wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Flow {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) amount: i64,
}

/// A party's number as an index.
pub(crate) fn at(party: u32) -> usize {
    usize::try_from(party).expect("a party's number fits in an index")
}

/// Why an obligation cannot join a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// An obligation is more than nothing.
    #[error("the obligation of {debtor} to {creditor} is not more than zero")]
    AmountNotPositive {
        /// Who owes.
        debtor: String,
        /// Who is owed.
        creditor: String,
    },
    /// Nobody owes itself.
    #[error("{party} cannot owe itself")]
    SelfDebt {
        /// Debtor and creditor in one.
        party: String,
    },
    /// The sum of the obligations exceeds [`GROSS_MAX`].
    #[error("the obligations sum to more than can be netted at once")]
    GrossTooLarge,
    /// More parties than 32 bits can number.
    #[error("there are too many parties to net at once")]
    TooManyParties,
}

/// Obligations, sorted by debtor, creditor and amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// In byte order of their names.
    parties: Vec<Party>,
    obligations: Vec<Flow>,
    gross: Micro,
}

impl Network {
    /// A network of `(debtor, creditor, amount)`.
    pub fn build<'a>(obligations: impl IntoIterator<Item = (&'a str, &'a str, Micro)>) -> Result<Self, NetworkError> {
        let mut builder = NetworkBuilder::default();
        for (debtor, creditor, amount) in obligations {
            builder.add(debtor, creditor, amount)?;
        }
        Ok(builder.build())
    }

    /// The parties that owe or are owed, in byte order of their names.
    pub fn parties(&self) -> &[Party] {
        &self.parties
    }

    /// `(debtor, creditor, amount)`, sorted by all three.
    pub fn obligations(&self) -> impl ExactSizeIterator<Item = (&Party, &Party, Micro)> {
        self.obligations.iter().map(|o| (&self.parties[at(o.from)], &self.parties[at(o.to)], Micro::new(o.amount)))
    }

    /// The sum of all obligations.
    pub fn gross(&self) -> Micro {
        self.gross
    }

    /// The number of the party of that name, if it is here.
    pub(crate) fn number_of(&self, name: &str) -> Option<u32> {
        self.parties.binary_search_by(|party| party.as_str().cmp(name)).ok().and_then(|number| u32::try_from(number).ok())
    }

    /// The same parties, owing this, in order, and no more than they do here.
    pub(crate) fn with_obligations(&self, obligations: Vec<Flow>) -> Self {
        let gross = Micro::new(obligations.iter().fold(0, |sum, o| sum.strict_add(o.amount)));
        Self { parties: self.parties.clone(), obligations, gross }
    }

    pub(crate) fn flows(&self) -> &[Flow] {
        &self.obligations
    }
}

/// Takes obligations one by one, so that a file or a table can be streamed into a network.
#[derive(Debug, Default)]
pub struct NetworkBuilder {
    /// Numbered in the order of first sight, until all are known.
    numbers: HashMap<Party, u32>,
    obligations: Vec<Flow>,
    gross: i64,
}

impl NetworkBuilder {
    /// Adds one obligation; after an error the builder is as it was, except that a name may be known without an obligation.
    pub fn add(&mut self, debtor: &str, creditor: &str, amount: Micro) -> Result<(), NetworkError> {
        if amount <= Micro::ZERO {
            return Err(NetworkError::AmountNotPositive { debtor: debtor.to_owned(), creditor: creditor.to_owned() });
        }
        if debtor == creditor {
            return Err(NetworkError::SelfDebt { party: debtor.to_owned() });
        }
        let gross = self.gross.checked_add(amount.units()).filter(|g| *g <= GROSS_MAX.units()).ok_or(NetworkError::GrossTooLarge)?;
        let from = self.number(debtor)?;
        let to = self.number(creditor)?;

        self.obligations.push(Flow { from, to, amount: amount.units() });
        self.gross = gross;
        Ok(())
    }

    fn number(&mut self, name: &str) -> Result<u32, NetworkError> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        // The number after the last party's stands for the house.
        let number = u32::try_from(self.numbers.len()).ok().filter(|n| *n < u32::MAX).ok_or(NetworkError::TooManyParties)?;
        self.numbers.insert(Party(Arc::from(name)), number);
        Ok(number)
    }

    /// Puts parties and obligations into their order.
    pub fn build(self) -> Network {
        let mut by_name: Vec<(Party, u32)> = self.numbers.into_iter().collect();
        by_name.sort_unstable();
        let mut ranks = vec![0_u32; by_name.len()];
        for (rank, (_, number)) in (0_u32..).zip(&by_name) {
            ranks[at(*number)] = rank;
        }
        let mut obligations = self.obligations;
        for obligation in &mut obligations {
            obligation.from = ranks[at(obligation.from)];
            obligation.to = ranks[at(obligation.to)];
        }
        obligations.sort_unstable();
        Network { parties: by_name.into_iter().map(|(party, _)| party).collect(), obligations, gross: Micro::new(self.gross) }
    }
}
