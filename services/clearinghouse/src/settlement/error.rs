//! Refusals of settlement.

use crate::http::problem::Problem;
use crate::http::version::if_match_required;
use crate::refusal::Refusal;
use axum::http::StatusCode;
use netting::clearing::{DEFAULTERS_MAX, Rule, UnknownRule};
use runs::bundles::BundleRefusal;
use runs::calendars::{CalendarRefusal, DATES_MAX};
use runs::confirmations::{ConfirmationError, ConfirmationRefusal, ENTRIES_MAX, REFERENCES_MAX, UPLOAD_BYTES_MAX};
use runs::defaults::DefaultRefusal;
use runs::disputes::DisputeRefusal;
use runs::exclusions::ExclusionRefusal;
use runs::explanations::{ExplanationRefusal, TELL_TIME_MAX};
use runs::payments::{PAYMENTS_MAX, PaymentRefusal, TemplateMalformed};
use runs::schedules::{OnClosed, ScheduleRefusal};
use runs::transfers::{MarkRefusal, Standing, TransferState};
use runs::{RunState, StepRefusal};
use scrip::money::MICRO_SCALE;

/// Why nothing is settled, kept or shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettlementRefusal {
    /// No scheme has that code.
    #[error("there is no such scheme")]
    SchemeNotFound,
    /// The vendor is a member of none.
    #[error("you settle in no scheme, so there is nothing to forecast")]
    NoScheme,
    /// Too long for a slot; a key never is.
    #[error("the key makes no slot")]
    SlotMalformed,
    /// The key has made a run, which takes no other body than an empty one.
    #[error("this Idempotency-Key has made a run already, with another body")]
    KeyReused,
    /// Not there, or the vendor took no part in it.
    #[error("there is no such run")]
    RunNotFound,
    /// Not there, or not the vendor's.
    #[error("there is no such file")]
    FileNotFound,
    /// The run does not take the step.
    #[error(transparent)]
    Step(StepRefusal),
    /// Nothing is disputed, acknowledged or ended.
    #[error(transparent)]
    Dispute(DisputeRefusal),
    /// No vendor defaults.
    #[error(transparent)]
    Default(DefaultRefusal),
    /// Nobody is left out or let in again.
    #[error(transparent)]
    Exclusion(ExclusionRefusal),
    /// Nothing is explained.
    #[error(transparent)]
    Explanation(ExplanationRefusal),
    /// No rule has that name.
    #[error(transparent)]
    RuleUnknown(UnknownRule),
    /// No bundle of the run is begun.
    #[error(transparent)]
    Bundle(BundleRefusal),
    /// Not a SHA-256 in hexadecimal.
    #[error("output_hash is 64 hexadecimal digits, as the run shows them")]
    OutputHashMalformed,
    /// Nobody pays by a run that is not approved.
    #[error("a bank file leaves the house once its run is exported; this run is {state}")]
    RunNotExported {
        /// What it is.
        state: RunState,
    },
    /// The transfer does not take the step.
    #[error(transparent)]
    Mark(MarkRefusal),
    /// No confirmation, or none that can be read.
    #[error(transparent)]
    Confirmation(ConfirmationRefusal),
    /// As many uploads as may be read at once are.
    #[error("as many confirmations as the server reads at once are under way; try again shortly")]
    Overloaded,
    /// An entry comes to something else.
    #[error("outcome is confirmed, rejected, pending, already, duplicate, unmatched, wrong_amount, wrong_currency or conflicting")]
    OutcomeUnknown,
    /// No policy has that name.
    #[error("misfire is run_once, skip or run_all")]
    MisfireUnknown,
    /// No convention has that name.
    #[error("on_closed is skip or following")]
    OnClosedUnknown,
    /// There are no closed days without a calendar.
    #[error("on_closed says what becomes of slots on the closed days of a calendar; name the calendar")]
    CalendarRequired,
    /// The schedule cannot be kept.
    #[error(transparent)]
    Schedule(ScheduleRefusal),
    /// Not a code.
    #[error("a code is 2 to 32 characters of A-Z, 0-9, _ and -, begins with a letter or digit, and is not HOUSE")]
    CodeMalformed,
    /// No file can be written by the template.
    #[error(transparent)]
    BankTemplate(TemplateMalformed),
    /// The template cannot be kept or shown, or there is no file of payments.
    #[error(transparent)]
    Payment(PaymentRefusal),
    /// Neither of the two.
    #[error("incomplete: it is refuse or leave_out")]
    IncompleteUnknown,
    /// The calendar cannot be kept or shown.
    #[error(transparent)]
    Calendar(CalendarRefusal),
}

impl Refusal for SettlementRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::NoScheme => Problem::not_found("no_scheme", self),
            Self::SchemeNotFound | Self::Schedule(ScheduleRefusal::SchemeNotFound) => Problem::not_found("scheme_not_found", self),
            Self::SlotMalformed => Problem::unprocessable("slot_malformed", self),
            Self::RunNotFound
            | Self::FileNotFound
            | Self::Step(StepRefusal::RunNotFound)
            | Self::Dispute(DisputeRefusal::RunNotFound | DisputeRefusal::DisputeNotFound)
            | Self::Explanation(
                ExplanationRefusal::RunNotFound | ExplanationRefusal::TransferNotFound | ExplanationRefusal::PositionNotFound,
            )
            | Self::Bundle(BundleRefusal::RunNotFound)
            | Self::Schedule(ScheduleRefusal::ScheduleNotFound) => Problem::not_found("not_found", self),
            Self::Bundle(BundleRefusal::Overloaded) => Problem::overloaded(self),
            Self::KeyReused => Problem::unprocessable("idempotency_key_reused", self),
            Self::Step(StepRefusal::IllegalStep { from, to }) => {
                Problem::conflict("run_step_illegal", self).fact("state", from.as_str()).fact("asked", to.as_str())
            }
            Self::Step(StepRefusal::ApproverIsProposer) => Problem::conflict("approver_is_proposer", self),
            Self::Step(StepRefusal::OutputHashDiffers) => Problem::conflict("output_hash_differs", self).fact("field", "output_hash"),
            Self::Step(StepRefusal::Disputed { count }) => Problem::conflict("run_disputed", self).fact("disputes", *count),
            Self::Step(StepRefusal::InstructionsNotRecalled) => {
                Problem::conflict("instructions_not_recalled", self).fact("field", "instructions_recalled")
            }
            Self::Step(StepRefusal::MayBeDisputed { until }) => {
                Problem::conflict("run_may_be_disputed", self).fact("until", until.to_string())
            }
            Self::Dispute(DisputeRefusal::ObligationNotFound) => {
                Problem::unprocessable("obligation_not_found", self).fact("field", "obligation")
            }
            Self::Dispute(DisputeRefusal::PeriodOver) => Problem::conflict("dispute_period_over", self),
            Self::Dispute(DisputeRefusal::DisputedBefore) => Problem::conflict("disputed_before", self),
            Self::Dispute(DisputeRefusal::NotDisputable) => Problem::unprocessable("not_disputable", self).fact("field", "obligation"),
            Self::Dispute(DisputeRefusal::DisputeEnded) => Problem::conflict("dispute_ended", self),
            Self::Default(refusal) => default_problem(refusal),
            Self::Exclusion(ExclusionRefusal::NotMember) => Problem::not_found("not_member", self),
            Self::Exclusion(ExclusionRefusal::NotExcluded) => Problem::not_found("not_excluded", self),
            Self::Dispute(DisputeRefusal::ReasonMalformed)
            | Self::Exclusion(ExclusionRefusal::ReasonMalformed)
            | Self::Step(StepRefusal::ReasonMalformed) => Problem::unprocessable("reason_malformed", self).fact("field", "reason"),
            Self::RunNotExported { state } => Problem::conflict("run_not_exported", self).fact("state", state.as_str()),
            Self::Explanation(ExplanationRefusal::AlgorithmDiffers { version }) => {
                Problem::conflict("algorithm_version_differs", self).fact("algorithm_version", *version)
            }
            Self::Explanation(ExplanationRefusal::Overloaded) => Problem::overloaded(self),
            Self::Explanation(ExplanationRefusal::TakesTooLong) => {
                Problem::unprocessable("explanation_takes_too_long", self).fact("seconds_max", TELL_TIME_MAX.as_secs())
            }
            Self::Explanation(ExplanationRefusal::TooManyObligations { count, max }) => {
                Problem::unprocessable("too_many_obligations", self).fact("count", *count).fact("max", *max)
            }
            Self::Explanation(ExplanationRefusal::VendorNotInRun { vendor }) => {
                Problem::unprocessable("vendor_not_in_run", self).fact("field", "vendor").fact("vendor", vendor.as_str())
            }
            Self::Explanation(ExplanationRefusal::VendorNamedTwice { vendor }) => {
                Problem::unprocessable("vendor_named_twice", self).fact("field", "vendor").fact("vendor", vendor.as_str())
            }
            Self::Explanation(ExplanationRefusal::DefaultersOutOfRange) => {
                Problem::unprocessable("defaulters_out_of_range", self).fact("field", "vendor").fact("max", DEFAULTERS_MAX)
            }
            Self::Explanation(ExplanationRefusal::HouseIsCreditor) => {
                Problem::unprocessable("house_is_creditor", self).fact("field", "rule")
            }
            Self::RuleUnknown(_) => {
                Problem::unprocessable("failure_rule_unknown", self).fact("field", "rule").fact("known", Rule::ALL.map(Rule::name).to_vec())
            }
            Self::OutputHashMalformed => Problem::unprocessable("output_hash_malformed", self).fact("field", "output_hash"),
            Self::Mark(refusal) => mark_problem(refusal),
            Self::Confirmation(refusal) => confirmation_problem(refusal),
            Self::Overloaded => Problem::overloaded(self),
            Self::OutcomeUnknown => Problem::unprocessable("outcome_unknown", self).fact("field", "outcome"),
            Self::MisfireUnknown => Problem::unprocessable("misfire_unknown", self).fact("field", "misfire"),
            Self::Schedule(ScheduleRefusal::CronMalformed { .. }) => Problem::unprocessable("cron_malformed", self).fact("field", "cron"),
            Self::Schedule(ScheduleRefusal::ZoneUnknown { .. }) => Problem::unprocessable("zone_unknown", self).fact("field", "zone"),
            Self::Schedule(ScheduleRefusal::ScheduleNeverFires) => {
                Problem::unprocessable("schedule_never_fires", self).fact("field", "cron")
            }
            Self::OnClosedUnknown => Problem::unprocessable("on_closed_unknown", self)
                .fact("field", "on_closed")
                .fact("known", OnClosed::ALL.map(OnClosed::as_str).to_vec()),
            Self::CalendarRequired => Problem::unprocessable("calendar_required", self).fact("field", "calendar"),
            Self::Schedule(ScheduleRefusal::CalendarNotFound { .. }) => {
                Problem::unprocessable("calendar_not_found", self).fact("field", "calendar")
            }
            Self::CodeMalformed => Problem::unprocessable("code_malformed", self).fact("field", "code"),
            Self::Calendar(refusal) => calendar_problem(refusal),
            Self::BankTemplate(malformed) => Problem::unprocessable("template_malformed", self).fact("field", malformed.field.as_str()),
            Self::Payment(refusal) => payment_problem(refusal),
            Self::IncompleteUnknown => Problem::unprocessable("incomplete_unknown", self).fact("field", "incomplete"),
        }
    }
}

fn calendar_problem(refusal: &CalendarRefusal) -> Problem {
    match refusal {
        CalendarRefusal::CalendarNotFound => Problem::not_found("calendar_not_found", refusal),
        CalendarRefusal::DateMalformed { date } => {
            Problem::unprocessable("calendar_malformed", refusal).fact("field", "closed_on").fact("date", date.as_str())
        }
        CalendarRefusal::TooManyDates => {
            Problem::unprocessable("calendar_malformed", refusal).fact("field", "closed_on").fact("max", DATES_MAX)
        }
        CalendarRefusal::VersionRequired => if_match_required(),
        CalendarRefusal::VersionMismatch { version } => {
            Problem::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", refusal).fact("version", *version)
        }
        CalendarRefusal::StopsSchedule { schedule, cron } => {
            Problem::conflict("calendar_stops_schedule", refusal).fact("schedule", schedule.to_string()).fact("cron", cron.as_str())
        }
    }
}

fn payment_problem(refusal: &PaymentRefusal) -> Problem {
    match refusal {
        PaymentRefusal::TemplateNotFound => Problem::not_found("template_not_found", refusal),
        PaymentRefusal::VersionRequired => if_match_required(),
        PaymentRefusal::VersionMismatch { version } => {
            Problem::new(StatusCode::PRECONDITION_FAILED, "version_mismatch", refusal).fact("version", *version)
        }
        PaymentRefusal::RunNotUnderSettlement { state } => {
            Problem::conflict("run_not_under_settlement", refusal).fact("state", state.as_str())
        }
        PaymentRefusal::NotPayer { payer } => Problem::not_found("vendor_not_payer", refusal).fact("vendor", payer.as_str()),
        PaymentRefusal::PayOnMalformed => Problem::unprocessable("pay_on_malformed", refusal).fact("field", "pay_on"),
        PaymentRefusal::AccountsMissing { vendors } => Problem::conflict("accounts_missing", refusal).fact("vendors", vendors.clone()),
        PaymentRefusal::TooMany => Problem::unprocessable("too_many_payments", refusal).fact("max", PAYMENTS_MAX),
    }
}

fn mark_problem(refusal: &MarkRefusal) -> Problem {
    match refusal {
        MarkRefusal::KeyReused => Problem::unprocessable("idempotency_key_reused", refusal),
        MarkRefusal::TransferNotFound => Problem::not_found("not_found", refusal),
        MarkRefusal::TransferStateUnknown { .. } => Problem::unprocessable("transfer_state_unknown", refusal).fact("field", "to"),
        MarkRefusal::BankReferenceMalformed => Problem::unprocessable("bank_reference_malformed", refusal).fact("field", "bank_reference"),
        MarkRefusal::BookedOnMalformed => Problem::unprocessable("booked_on_malformed", refusal).fact("field", "booked_on"),
        MarkRefusal::BookedOnInFuture => Problem::unprocessable("booked_on_in_future", refusal).fact("field", "booked_on"),
        MarkRefusal::ReasonCodeUnknown { .. } => Problem::unprocessable("reason_code_unknown", refusal).fact("field", "reason_code"),
        MarkRefusal::ReasonCodeRequired => Problem::unprocessable("reason_code_required", refusal).fact("field", "reason_code"),
        MarkRefusal::ReasonMalformed => Problem::unprocessable("reason_malformed", refusal).fact("field", "reason"),
        MarkRefusal::ReasonRequired => Problem::unprocessable("reason_required", refusal).fact("field", "reason"),
        MarkRefusal::RunNotUnderSettlement { state } => {
            Problem::conflict("run_not_under_settlement", refusal).fact("state", state.as_str())
        }
        MarkRefusal::TransferStepIllegal { standing, to } => Problem::conflict("transfer_step_illegal", refusal)
            .fact("state", standing.state.as_str())
            .fact("asked", to.as_str())
            .fact("may_become", may_become(standing)),
        MarkRefusal::TransferStepNotYours { to } => {
            Problem::new(StatusCode::FORBIDDEN, "transfer_step_not_yours", refusal).fact("asked", to.as_str())
        }
        MarkRefusal::RollNeedsTwoVendors => Problem::unprocessable("roll_needs_two_vendors", refusal),
        MarkRefusal::WindowFull => Problem::unprocessable("window_full", refusal),
    }
}

fn may_become(standing: &Standing) -> Vec<&'static str> {
    standing.may_become().into_iter().map(TransferState::as_str).collect()
}

fn confirmation_problem(refusal: &ConfirmationRefusal) -> Problem {
    let of_list = |problem: Problem, reference: &str| problem.fact("field", "references").fact("reference", reference);
    match refusal {
        ConfirmationRefusal::Unreadable(error) => unreadable_problem(error),
        ConfirmationRefusal::ConfirmationNotFound => Problem::not_found("not_found", refusal),
        ConfirmationRefusal::EntryNotFound => Problem::not_found("entry_not_found", refusal),
        ConfirmationRefusal::EntryNotAssigned => Problem::not_found("entry_not_assigned", refusal),
        ConfirmationRefusal::ConfirmationApplied => Problem::conflict("confirmation_applied", refusal),
        ConfirmationRefusal::EntryNamesTransfer { reference } => {
            Problem::conflict("entry_names_transfer", refusal).fact("reference", reference.as_str())
        }
        ConfirmationRefusal::EntryWithoutAmount => Problem::conflict("entry_without_amount", refusal),
        ConfirmationRefusal::ReferencesOutOfRange => {
            Problem::unprocessable("references_out_of_range", refusal).fact("field", "references").fact("max", REFERENCES_MAX)
        }
        ConfirmationRefusal::ReferenceNamedTwice { reference } => {
            of_list(Problem::unprocessable("reference_named_twice", refusal), reference)
        }
        ConfirmationRefusal::TransferNotFound { reference } => of_list(Problem::unprocessable("transfer_not_found", refusal), reference),
        ConfirmationRefusal::TransferOfOtherScheme { reference, scheme } => {
            of_list(Problem::unprocessable("transfer_of_other_scheme", refusal), reference).fact("scheme", scheme.as_str())
        }
        ConfirmationRefusal::RunNotUnderSettlement { reference, state } => {
            Problem::conflict("run_not_under_settlement", refusal).fact("reference", reference.as_str()).fact("state", state.as_str())
        }
        ConfirmationRefusal::CurrencyDiffers { reference, currency } => {
            of_list(Problem::unprocessable("currency_differs", refusal), reference).fact("currency", currency.as_str())
        }
        ConfirmationRefusal::SumDiffers { amount, sum } => Problem::unprocessable("sum_differs", refusal)
            .fact("field", "references")
            .fact("amount", amount.display_at_least(MICRO_SCALE))
            .fact("sum", sum.map(|sum| sum.display_at_least(MICRO_SCALE))),
        ConfirmationRefusal::TransferAssigned { reference, entry } => {
            Problem::conflict("transfer_assigned", refusal).fact("reference", reference.as_str()).fact("entry", *entry)
        }
    }
}

fn unreadable_problem(error: &ConfirmationError) -> Problem {
    match error {
        ConfirmationError::TooLarge => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", error).fact("max", UPLOAD_BYTES_MAX),
        ConfirmationError::TooManyEntries { line } => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_many_entries", error).fact("max", ENTRIES_MAX).fact("line", *line)
        }
        ConfirmationError::Empty => Problem::unreadable("confirmation_empty", error),
        ConfirmationError::NotUtf8 { line } | ConfirmationError::HasControl { line } => {
            Problem::unreadable("confirmation_not_text", error).fact("line", *line)
        }
        ConfirmationError::NotXml { line, .. } | ConfirmationError::EntityUnknown { line } => {
            Problem::unreadable("confirmation_not_xml", error).fact("line", *line)
        }
        ConfirmationError::HasDoctype { line } => Problem::unreadable("confirmation_has_doctype", error).fact("line", *line),
        ConfirmationError::TooDeep { line, max } => {
            Problem::unreadable("confirmation_too_deep", error).fact("line", *line).fact("max", *max)
        }
        ConfirmationError::FormatUnknown { line, .. } => Problem::unprocessable("confirmation_format_unknown", error).fact("line", *line),
        ConfirmationError::Missing { line, what }
        | ConfirmationError::TooLong { line, what, .. }
        | ConfirmationError::Malformed { line, what, .. } => {
            Problem::unprocessable("confirmation_value_malformed", error).fact("line", *line).fact("field", *what)
        }
        ConfirmationError::Amount { line, .. } => {
            Problem::unprocessable("confirmation_value_malformed", error).fact("line", *line).fact("field", "amount")
        }
    }
}

fn default_problem(refusal: &DefaultRefusal) -> Problem {
    match refusal {
        DefaultRefusal::RunNotFound => Problem::not_found("not_found", refusal),
        DefaultRefusal::RunNotSettling { state } => Problem::conflict("run_not_settling", refusal).fact("state", state.as_str()),
        DefaultRefusal::NotPayer => Problem::not_found("vendor_not_payer", refusal),
        DefaultRefusal::TransferOnItsWay { number, state } => {
            Problem::conflict("transfer_on_its_way", refusal).fact("transfer", *number).fact("state", state.as_str())
        }
        DefaultRefusal::NothingFailed => Problem::conflict("nothing_failed", refusal),
        DefaultRefusal::HouseIsCreditor => Problem::unprocessable("house_is_creditor", refusal),
        DefaultRefusal::ReasonMalformed => Problem::unprocessable("reason_malformed", refusal).fact("field", "reason"),
        DefaultRefusal::WindowFull => Problem::unprocessable("window_full", refusal),
        DefaultRefusal::DrawNotFound => Problem::not_found("draw_not_found", refusal),
        DefaultRefusal::DrawPaid => Problem::conflict("draw_paid", refusal),
        DefaultRefusal::DrawNotPaid => Problem::conflict("draw_not_paid", refusal),
        DefaultRefusal::BankReferenceMalformed => {
            Problem::unprocessable("bank_reference_malformed", refusal).fact("field", "bank_reference")
        }
        DefaultRefusal::BookedOnMalformed => Problem::unprocessable("booked_on_malformed", refusal).fact("field", "booked_on"),
        DefaultRefusal::BookedOnInFuture => Problem::unprocessable("booked_on_in_future", refusal).fact("field", "booked_on"),
    }
}
