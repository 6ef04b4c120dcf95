//! Explanations as they are asked for, and by whom.
//!
//! A transfer is explained to the operator only: its loops say what vendors owe each other. A vendor learns what became of its own obligations.

use super::{Answer, Settlement, SettlementRefusal, Viewer, find_run};
use ledger::Failure;
use netting::clearing::Rule;
use runs::explanations::{ExplainedPosition, ExplainedTransfer, ExplanationRefusal, Explanations, Gridlock, Pieces, Slice, WhatIfDefault};
use scrip::{Code, RunId};

impl Settlement {
    pub(crate) async fn explain_transfer(&self, run: RunId, number: i64, slice: Slice) -> Answer<ExplainedTransfer> {
        self.explanations.explain_transfer(run, number, slice).await.map_err(refuse)
    }

    /// The whole, as CSV.
    pub(crate) async fn write_explained_transfer(&self, run: RunId, number: i64) -> Answer<Pieces> {
        self.explanations.write_transfer(run, number).await.map_err(refuse)
    }

    pub(crate) async fn explain_position(&self, viewer: Viewer, run: RunId, vendor: &str, slice: Slice) -> Answer<ExplainedPosition> {
        self.check_position(viewer, run, vendor).await?;
        self.explanations_for(viewer).explain_position(run, vendor, slice).await.map_err(refuse)
    }

    /// The whole, as CSV.
    pub(crate) async fn write_explained_position(&self, viewer: Viewer, run: RunId, vendor: &str) -> Answer<Pieces> {
        self.check_position(viewer, run, vendor).await?;
        self.explanations_for(viewer).write_position(run, vendor).await.map_err(refuse)
    }

    fn explanations_for(&self, viewer: Viewer) -> &Explanations {
        match viewer {
            Viewer::House => &self.explanations,
            Viewer::Vendor(_) => &self.explanations_for_vendors,
        }
    }

    /// The vendor has a position that the viewer may see. Row security knows: what follows is read as the house.
    async fn check_position(&self, viewer: Viewer, run: RunId, vendor: &str) -> Answer<()> {
        let missing = || Failure::Refused(SettlementRefusal::Explanation(ExplanationRefusal::PositionNotFound));
        let code = Code::parse(vendor).map_err(|_| missing())?;
        let mut connection = self.db.connection().await?;
        let tx = viewer.begin(&mut connection).await?;
        find_run(&tx, run).await?;
        runs::runs::find_position(&tx, run, code.as_str()).await?.map(|_position| ()).ok_or_else(missing)
    }

    /// What of the obligations that no run of the scheme settles could settle at once.
    pub(crate) async fn resolve_queue(&self, scheme: &str) -> Answer<Gridlock> {
        let scheme = self.get_scheme_id(scheme).await?;
        self.explanations.resolve_queue(scheme).await.map_err(refuse)
    }

    /// What would happen if these vendors, separated by commas, did not pay; by the scheme's rule if none is named.
    pub(crate) async fn what_if_default(&self, run: RunId, vendors: &str, rule: Option<&str>) -> Answer<WhatIfDefault> {
        let rule = rule.map(str::parse::<Rule>).transpose().map_err(|e| Failure::Refused(SettlementRefusal::RuleUnknown(e)))?;
        let vendors: Vec<String> = vendors.split(',').filter(|vendor| !vendor.is_empty()).map(str::to_owned).collect();
        if let Some(stranger) = vendors.iter().find(|vendor| Code::parse(vendor).is_err()) {
            let refusal = ExplanationRefusal::VendorNotInRun { vendor: stranger.clone() };
            return Err(Failure::Refused(SettlementRefusal::Explanation(refusal)));
        }
        self.explanations.what_if_default(run, vendors, rule).await.map_err(refuse)
    }
}

fn refuse(failure: Failure<ExplanationRefusal>) -> Failure<SettlementRefusal> {
    match failure {
        Failure::Refused(refusal) => Failure::Refused(SettlementRefusal::Explanation(refusal)),
        Failure::Fault(fault) => Failure::Fault(fault),
    }
}
