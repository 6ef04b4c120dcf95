//! The history of a run: legal, complete, and for this result.

use super::{Findings, Rule};
use crate::bundles::records::{RunRecord, STEPS, StepRecord};
use crate::scheme::Approval;
use crate::steps::{Actor, RunState, check_reason};

pub(super) fn prove(findings: &mut Findings, run: &RunRecord, steps: &[StepRecord]) {
    let (mut state, mut last) = (RunState::Computed, None::<&StepRecord>);
    for (step, number) in steps.iter().zip(1..) {
        let StepRecord { seq, from, to, actor, reason, output_hash, stepped_at } = step;
        let approved_alone = to.0 == RunState::Approved && actor.0 != Actor::House && last.is_some_and(|last| last.actor == *actor);
        let needs_people =
            actor.0 == Actor::House && matches!(to.0, RunState::Proposed | RunState::Approved) && run.approval.0 != Approval::Auto;
        let reason_fits = reason.as_deref().map_or(to.0 != RunState::Voided, |reason| check_reason(reason).is_ok());
        for (holds, what) in [
            (*seq == number, "does not count on"),
            (from.0 == state, "does not begin where the one before led"),
            (from.0.may_become(to.0), "is not legal"),
            (last.is_none_or(|last| last.stepped_at.0 <= stepped_at.0), "is earlier than the one before"),
            (*output_hash == run.output_hash, "was taken for another result"),
            (!approved_alone, "approves what the same person proposed"),
            (!needs_people, "is for people to take"),
            (reason_fits, "has no reason, or one that cannot be"),
        ] {
            if !holds {
                findings.note(Rule::Steps, format!("{STEPS}: step {seq}, from {} to {} by {}, {what}", from.0, to.0, actor.0));
            }
        }
        (state, last) = (to.0, Some(step));
    }
    if state != run.state.0 {
        findings.note(Rule::Steps, format!("{STEPS}: the history leads to {state}, the run is {}", run.state.0));
    }
    findings.conclude(Rule::Steps);
}
