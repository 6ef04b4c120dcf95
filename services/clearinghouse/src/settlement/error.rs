//! Refusals of settlement.

use crate::http::problem::Problem;
use crate::refusal::Refusal;
use runs::StepRefusal;
use runs::bundles::BundleRefusal;
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
    /// No bundle of the run is begun.
    #[error(transparent)]
    Bundle(BundleRefusal),
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
            | Self::Bundle(BundleRefusal::RunNotFound)
            | Self::Schedule(ScheduleRefusal::ScheduleNotFound) => Problem::not_found("not_found", self),
            Self::Bundle(BundleRefusal::Overloaded) => Problem::overloaded(self),
            Self::KeyReused => Problem::unprocessable("idempotency_key_reused", self),
            Self::Step(StepRefusal::IllegalStep { from, to }) => {
                Problem::conflict("run_step_illegal", self).fact("state", from.as_str()).fact("asked", to.as_str())
            }
            Self::Step(StepRefusal::ApproverIsProposer) => Problem::conflict("approver_is_proposer", self),
            Self::Step(StepRefusal::OutputHashDiffers) => Problem::conflict("output_hash_differs", self).fact("field", "output_hash"),
            Self::Step(StepRefusal::ReasonMalformed) => Problem::unprocessable("reason_malformed", self).fact("field", "reason"),
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
