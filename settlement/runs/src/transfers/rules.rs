//! Who may take which step of a transfer, and what has to be said with it. Pure; checks in the order in which they are listed here.

use super::reasons::{Reason, ReasonCode, is_line};
use super::states::{Standing, TransferState};
use crate::days;
use crate::steps::{REASON_LENGTH_MAX, RunState};
use jiff::Timestamp;
use jiff::civil::Date;

/// The most characters of a bank's reference.
pub(crate) const BANK_REFERENCE_CHARS_MAX: usize = 35;

/// As whom somebody marks a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The vendor that pays.
    Payer,
    /// The vendor that is paid.
    Payee,
    /// The operator, for whoever cannot, and for the house.
    Operator,
    /// The house by itself, when the time to try again is up.
    House,
}

impl Side {
    /// Each side says what it alone can know. What becomes of a failed transfer, and the end of a dispute, is the operator's.
    fn may(self, from: TransferState, to: TransferState) -> bool {
        let on_the_way = !matches!(from, TransferState::Disputed);
        match self {
            Self::Operator => true,
            Self::House => from == TransferState::Failed && to == TransferState::Rolled,
            Self::Payer => on_the_way && matches!(to, TransferState::Sent | TransferState::Failed | TransferState::Disputed),
            Self::Payee => on_the_way && matches!(to, TransferState::Received | TransferState::Disputed),
        }
    }
}

/// What somebody says of a transfer, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewMark {
    /// The state that the transfer shall be in.
    pub to: String,
    /// What the bank calls the payment.
    pub bank_reference: Option<String>,
    /// The day that the bank booked it: `2026-11-23`.
    pub booked_on: Option<String>,
    /// A code of [`super::REASON_CODES`].
    pub reason_code: Option<String>,
    /// For people.
    pub reason: Option<String>,
}

/// A mark that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) to: TransferState,
    pub(crate) bank_reference: Option<String>,
    pub(crate) booked_on: Option<Date>,
    pub(crate) reason: Reason,
}

/// Why a transfer is not marked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarkRefusal {
    /// The key has been used for something else.
    #[error("this Idempotency-Key was used for another request")]
    KeyReused,
    /// Not there, or somebody else's.
    #[error("there is no such transfer")]
    TransferNotFound,
    /// No state has that name.
    #[error("to: {to} is no state of a transfer")]
    TransferStateUnknown {
        /// What was said.
        to: String,
    },
    /// Too long, or it controls.
    #[error("bank_reference: it is one line of 1 to {BANK_REFERENCE_CHARS_MAX} characters")]
    BankReferenceMalformed,
    /// No day.
    #[error("booked_on: a day looks like 2026-11-23")]
    BookedOnMalformed,
    /// It has not begun anywhere.
    #[error("booked_on: that day is still to come")]
    BookedOnInFuture,
    /// Not of the list.
    #[error("reason_code: {code} is not among the reasons of transfers")]
    ReasonCodeUnknown {
        /// What was said.
        code: String,
    },
    /// Too long, or it controls.
    #[error("reason: it is one line of 1 to {REASON_LENGTH_MAX} characters")]
    ReasonMalformed,
    /// Nothing happens to transfers before their run is exported, nor when all of them are at their end.
    #[error("the run is {state}; transfers are marked while it is exported or settling")]
    RunNotUnderSettlement {
        /// The state of the run.
        state: RunState,
    },
    /// Not in the table.
    #[error("a transfer that is {} does not become {to}", standing.state)]
    TransferStepIllegal {
        /// Where the transfer stands.
        standing: Standing,
        /// Where it was to go.
        to: TransferState,
    },
    /// In the table, but for somebody else.
    #[error("{to} is not yours to say: a payer says sent, failed or disputed, a payee received or disputed, the operator the rest")]
    TransferStepNotYours {
        /// Where the transfer was to go.
        to: TransferState,
    },
    /// What failed has a reason that programs understand.
    #[error("reason_code: say why it failed")]
    ReasonCodeRequired,
    /// The operator speaks for others.
    #[error("reason: the operator says why")]
    ReasonRequired,
    /// An obligation is between vendors.
    #[error("a transfer with the house cannot be owed again: obligations are between vendors; retry it or write it off")]
    RollNeedsTwoVendors,
    /// The open window holds as much as a run can net.
    #[error("the scheme's open window is full; settle it first")]
    WindowFull,
}

/// Whether a bank may call a payment so.
pub(crate) fn is_bank_reference(text: &str) -> bool {
    is_line(text, BANK_REFERENCE_CHARS_MAX)
}

/// Reads what somebody says now.
pub(crate) fn read(new: &NewMark, now: Timestamp) -> Result<Mark, MarkRefusal> {
    let NewMark { to, bank_reference, booked_on, reason_code, reason } = new;
    let to = TransferState::parse(to).ok_or_else(|| MarkRefusal::TransferStateUnknown { to: shown(to) })?;
    if bank_reference.as_ref().is_some_and(|text| !is_bank_reference(text)) {
        return Err(MarkRefusal::BankReferenceMalformed);
    }
    let booked_on = booked_on.as_ref().map(|day| days::read(day).ok_or(MarkRefusal::BookedOnMalformed)).transpose()?;
    if booked_on.is_some_and(|day| !days::has_begun(day, now)) {
        return Err(MarkRefusal::BookedOnInFuture);
    }
    let find = |code: &String| ReasonCode::find(code).ok_or_else(|| MarkRefusal::ReasonCodeUnknown { code: shown(code) });
    let code = reason_code.as_ref().map(find).transpose()?;
    if reason.as_ref().is_some_and(|text| !is_line(text, REASON_LENGTH_MAX)) {
        return Err(MarkRefusal::ReasonMalformed);
    }
    Ok(Mark { to, bank_reference: bank_reference.clone(), booked_on, reason: Reason { code, text: reason.clone() } })
}

/// The transfer after the mark, if whoever marks may.
pub(crate) fn judge(mark: &Mark, side: Side, standing: Standing, run_state: RunState, parties: Parties) -> Result<Standing, MarkRefusal> {
    if !matches!(run_state, RunState::Exported | RunState::Settling) {
        return Err(MarkRefusal::RunNotUnderSettlement { state: run_state });
    }
    let Some(next) = standing.become_state(mark.to) else { return Err(MarkRefusal::TransferStepIllegal { standing, to: mark.to }) };
    if !side.may(standing.state, mark.to) {
        return Err(MarkRefusal::TransferStepNotYours { to: mark.to });
    }
    if mark.to == TransferState::Failed && standing.state != TransferState::Disputed && mark.reason.code.is_none() {
        return Err(MarkRefusal::ReasonCodeRequired);
    }
    if side == Side::Operator && mark.reason.text.is_none() {
        return Err(MarkRefusal::ReasonRequired);
    }
    if mark.to == TransferState::Rolled && parties == Parties::VendorAndHouse {
        return Err(MarkRefusal::RollNeedsTwoVendors);
    }
    Ok(next)
}

/// What this side may make of the transfer now.
pub fn next_steps(side: Side, standing: Standing, run_state: RunState) -> Vec<TransferState> {
    if !matches!(run_state, RunState::Exported | RunState::Settling) {
        return Vec::new();
    }
    standing.may_become().into_iter().filter(|to| side.may(standing.state, *to)).collect()
}

/// Between whom a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parties {
    TwoVendors,
    VendorAndHouse,
}

/// What a complaint repeats of what somebody sent.
fn shown(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Read at noon of the 25th.
    fn read(new: &NewMark) -> Result<Mark, MarkRefusal> {
        super::read(new, "2026-11-25T12:00:00Z".parse().unwrap())
    }

    fn standing(steps: &[&str]) -> Standing {
        let step = |standing: Standing, step: &&str| standing.become_state(TransferState::parse(step).unwrap()).unwrap();
        steps.iter().fold(Standing::FIRST, step)
    }

    /// The refusal by its first words, or the state afterwards.
    fn check(side: Side, steps: &[&str], to: &str, expected: &str) {
        let new = NewMark { to: to.to_owned(), reason_code: Some("AC04".to_owned()), reason: Some("so".to_owned()), ..NewMark::default() };
        let judged = judge(&read(&new).unwrap(), side, standing(steps), RunState::Settling, Parties::TwoVendors);
        let said = judged.map_or_else(|refusal| refusal.to_string(), |next| next.state.to_string());
        assert!(said.starts_with(expected), "{side:?} {steps:?} {to}: {said}");
    }

    #[test]
    fn each_side_says_what_it_alone_can_know() {
        check(Side::Payer, &[], "sent", "sent");
        check(Side::Payer, &["sent"], "failed", "failed");
        check(Side::Payer, &[], "received", "received is not yours");
        check(Side::Payee, &["sent"], "received", "received");
        check(Side::Payee, &[], "sent", "sent is not yours");
        check(Side::Payee, &["sent"], "failed", "failed is not yours");
        for side in [Side::Payer, Side::Payee] {
            check(side, &["sent"], "disputed", "disputed");
            check(side, &["sent", "disputed"], "sent", "sent is not yours");
            for to in ["retried", "rolled", "written_off"] {
                check(side, &["failed"], to, &format!("{to} is not yours"));
                check(Side::Operator, &["failed"], to, to);
            }
        }
        check(Side::Operator, &["sent", "disputed"], "sent", "sent");
        check(Side::Operator, &["received"], "failed", "a transfer that is received does not become failed");
    }

    #[test]
    fn who_may_is_what_is_shown() {
        let next = |side, steps: &[&str]| {
            next_steps(side, standing(steps), RunState::Exported).iter().map(|to| to.as_str()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(next(Side::Payer, &[]), "sent failed disputed");
        assert_eq!(next(Side::Payee, &[]), "received disputed");
        assert_eq!(next(Side::Operator, &["failed"]), "retried rolled written_off disputed");
        assert_eq!(next(Side::Payer, &["sent", "disputed"]), "");
        assert_eq!(next_steps(Side::Operator, Standing::FIRST, RunState::Approved), []);
    }

    #[test]
    fn what_has_to_be_said_is_asked_for() {
        let judged = |to: &str, code: Option<&str>, reason: Option<&str>, side, parties| {
            let new = NewMark {
                to: to.to_owned(),
                reason_code: code.map(str::to_owned),
                reason: reason.map(str::to_owned),
                ..NewMark::default()
            };
            let from = if to == "rolled" { standing(&["failed"]) } else { Standing::FIRST };
            judge(&read(&new).unwrap(), side, from, RunState::Exported, parties).err()
        };
        assert_eq!(judged("failed", None, None, Side::Payer, Parties::TwoVendors), Some(MarkRefusal::ReasonCodeRequired));
        assert_eq!(judged("failed", Some("AC04"), None, Side::Payer, Parties::TwoVendors), None);
        assert_eq!(judged("sent", None, None, Side::Operator, Parties::TwoVendors), Some(MarkRefusal::ReasonRequired));
        assert_eq!(judged("rolled", None, Some("x"), Side::Operator, Parties::TwoVendors), None);
        assert_eq!(judged("rolled", None, Some("x"), Side::Operator, Parties::VendorAndHouse), Some(MarkRefusal::RollNeedsTwoVendors));
        assert_eq!(
            judge(
                &read(&NewMark { to: "sent".to_owned(), ..NewMark::default() }).unwrap(),
                Side::Payer,
                Standing::FIRST,
                RunState::Approved,
                Parties::TwoVendors
            ),
            Err(MarkRefusal::RunNotUnderSettlement { state: RunState::Approved })
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_its_field() {
        let good = NewMark { to: "sent".to_owned(), ..NewMark::default() };
        let refused = |new: NewMark| read(&new).unwrap_err().to_string();
        assert!(refused(NewMark { to: "paid".to_owned(), ..good.clone() }).starts_with("to: paid"));
        assert!(refused(NewMark { bank_reference: Some("x".repeat(36)), ..good.clone() }).starts_with("bank_reference: "));
        assert!(refused(NewMark { bank_reference: Some("a\0".to_owned()), ..good.clone() }).starts_with("bank_reference: "));
        let tomorrow = NewMark { booked_on: Some("2026-11-27".to_owned()), ..good.clone() };
        assert_eq!(read(&tomorrow), Err(MarkRefusal::BookedOnInFuture));
        for day in ["yesterday", "2026-02-30", "20261123", "2026-11-23T00:00", " 2026-11-23", ""] {
            assert!(refused(NewMark { booked_on: Some(day.to_owned()), ..good.clone() }).starts_with("booked_on: "), "{day}");
        }
        assert!(refused(NewMark { reason_code: Some("XXXX".to_owned()), ..good.clone() }).starts_with("reason_code: XXXX"));
        assert!(refused(NewMark { reason: Some("two\nlines".to_owned()), ..good }).starts_with("reason: "));
    }
}
