//! The rules of a bundle, and what breaks each. A rule that was not held against everything does not hold.

use crate::proofs::note;
use ledger::proofs::Proof;

/// A rule; together they say that the run follows from its obligations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    Archive,
    Listing,
    Records,
    Leaves,
    Seals,
    Swaps,
    Netting,
    Transfers,
    Positions,
    TransfersFile,
    Statements,
    Manifest,
    Run,
    Steps,
    Histories,
    Confirmations,
    Defaults,
    Replacements,
    Draws,
}

impl Rule {
    const ALL: [Self; 19] = [
        Self::Archive,
        Self::Listing,
        Self::Records,
        Self::Leaves,
        Self::Seals,
        Self::Swaps,
        Self::Netting,
        Self::Transfers,
        Self::Positions,
        Self::TransfersFile,
        Self::Statements,
        Self::Manifest,
        Self::Run,
        Self::Steps,
        Self::Histories,
        Self::Confirmations,
        Self::Defaults,
        Self::Replacements,
        Self::Draws,
    ];

    fn sentence(self) -> &'static str {
        match self {
            Self::Archive => "the archive is whole: its members in their order, their headers, and nothing between or behind them",
            Self::Listing => "every member has the size and the SHA-256 that the bundle lists",
            Self::Records => "every record can be read, is written in its one way, and stands in its place",
            Self::Leaves => "every batch of obligations has its leaf, and every leaf its batch",
            Self::Seals => "the seal of every window is that of its leaves, chained to the seal before",
            Self::Swaps => "every obligation of a swap has its swap, and is the value of the tokens taken",
            Self::Netting => "netting the obligations again gives the same result",
            Self::Transfers => "the transfers and carries are those of the result",
            Self::Positions => "the positions equal the obligations and sum to zero, settled and carried alike",
            Self::TransfersFile => "what is to be paid are the transfers",
            Self::Statements => "every position has its statement, and every statement lists its obligations and ties out",
            Self::Manifest => "the manifest lists the files, and names the run, its figures and its seals",
            Self::Run => "the run is that of its slot, and its figures are those of its windows and its result",
            Self::Steps => "the state of the run is the end of its history, which is legal and approved by whom it must be",
            Self::Histories => {
                "the state of every transfer is the end of its history, whose steps are legal, and the run follows its transfers"
            }
            Self::Defaults => "every default ended the failed transfers of its vendor, and every transfer that names one was ended by it",
            Self::Replacements => {
                "what took the place of failed transfers is what the rule says, and moves what they would have moved, for every vendor"
            }
            Self::Draws => {
                "what is paid out of collateral has its reference, and what is said of the payment is the end of its corrections"
            }
            Self::Confirmations => "what banks confirmed or rejected are the steps that name it",
        }
    }

    fn place(self) -> usize {
        Self::ALL.iter().position(|rule| *rule == self).expect("all rules are in the list")
    }
}

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    violations: [Vec<String>; Rule::ALL.len()],
    concluded: [bool; Rule::ALL.len()],
    ended: Option<String>,
}

impl Findings {
    /// Something breaks the rule.
    pub(super) fn note(&mut self, rule: Rule, what: String) {
        note(&mut self.violations[rule.place()], what);
    }

    /// The rule was held against all that it is about.
    pub(super) fn conclude(&mut self, rule: Rule) {
        self.concluded[rule.place()] = true;
    }

    /// What breaks the rule also ends the pass.
    pub(super) fn end(&mut self, rule: Rule, what: String) {
        self.ended = Some(what.clone());
        self.note(rule, what);
    }

    pub(super) fn into_proofs(self) -> Vec<Proof> {
        let Self { violations, concluded, ended } = self;
        let open = match ended {
            Some(what) => format!("not proven: {what}"),
            None => "not proven: what it follows from is broken".to_owned(),
        };
        let rules = Rule::ALL.into_iter().zip(violations).zip(concluded);
        rules
            .map(|((rule, mut violations), concluded)| {
                if !concluded && violations.is_empty() {
                    violations.push(open.clone());
                }
                Proof { name: rule.sentence(), violations }
            })
            .collect()
    }
}
