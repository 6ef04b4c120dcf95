//! Refusals of settlement.

use crate::http::problem::Problem;
use crate::refusal::Refusal;
use netting::clearing::{DEFAULTERS_MAX, Rule, UnknownRule};
use runs::StepRefusal;
use runs::disputes::DisputeRefusal;
use runs::exclusions::ExclusionRefusal;
use runs::explanations::{ExplanationRefusal, TELL_TIME_MAX};
use runs::schedules::ScheduleRefusal;

/// Why nothing is settled, kept or shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettlementRefusal {
    /// No scheme has that code.
    #[error("there is no such scheme")]
    SchemeNotFound,
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
    /// Nobody is left out or let in again.
    #[error(transparent)]
    Exclusion(ExclusionRefusal),
    /// Nothing is explained.
    #[error(transparent)]
    Explanation(ExplanationRefusal),
    /// No rule has that name.
    #[error(transparent)]
    RuleUnknown(UnknownRule),
    /// Not a SHA-256 in hexadecimal.
    #[error("output_hash is 64 hexadecimal digits, as the run shows them")]
    OutputHashMalformed,
    /// No policy has that name.
    #[error("misfire is run_once, skip or run_all")]
    MisfireUnknown,
    /// The schedule cannot be kept.
    #[error(transparent)]
    Schedule(ScheduleRefusal),
}

impl Refusal for SettlementRefusal {
    fn problem(&self) -> Problem {
        match self {
            Self::SchemeNotFound | Self::Schedule(ScheduleRefusal::SchemeNotFound) => Problem::not_found("scheme_not_found", self),
            Self::SlotMalformed => Problem::unprocessable("slot_malformed", self),
            Self::RunNotFound
            | Self::FileNotFound
            | Self::Step(StepRefusal::RunNotFound)
            | Self::Dispute(DisputeRefusal::RunNotFound | DisputeRefusal::DisputeNotFound)
            | Self::Explanation(
                ExplanationRefusal::RunNotFound | ExplanationRefusal::TransferNotFound | ExplanationRefusal::PositionNotFound,
            )
            | Self::Schedule(ScheduleRefusal::ScheduleNotFound) => Problem::not_found("not_found", self),
            Self::KeyReused => Problem::unprocessable("idempotency_key_reused", self),
            Self::Step(StepRefusal::IllegalStep { from, to }) => {
                Problem::conflict("run_step_illegal", self).fact("state", from.as_str()).fact("asked", to.as_str())
            }
            Self::Step(StepRefusal::ApproverIsProposer) => Problem::conflict("approver_is_proposer", self),
            Self::Step(StepRefusal::OutputHashDiffers) => Problem::conflict("output_hash_differs", self).fact("field", "output_hash"),
            Self::Step(StepRefusal::Disputed { count }) => Problem::conflict("run_disputed", self).fact("disputes", *count),
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
            Self::Exclusion(ExclusionRefusal::NotMember) => Problem::not_found("not_member", self),
            Self::Exclusion(ExclusionRefusal::NotExcluded) => Problem::not_found("not_excluded", self),
            Self::Dispute(DisputeRefusal::ReasonMalformed)
            | Self::Exclusion(ExclusionRefusal::ReasonMalformed)
            | Self::Step(StepRefusal::ReasonMalformed) => Problem::unprocessable("reason_malformed", self).fact("field", "reason"),
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
            Self::MisfireUnknown => Problem::unprocessable("misfire_unknown", self).fact("field", "misfire"),
            Self::Schedule(ScheduleRefusal::CronMalformed { .. }) => Problem::unprocessable("cron_malformed", self).fact("field", "cron"),
            Self::Schedule(ScheduleRefusal::ZoneUnknown { .. }) => Problem::unprocessable("zone_unknown", self).fact("field", "zone"),
            Self::Schedule(ScheduleRefusal::ScheduleNeverFires) => {
                Problem::unprocessable("schedule_never_fires", self).fact("field", "cron")
            }
        }
    }
}
