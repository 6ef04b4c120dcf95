//! How a pair's rate comes about, as it is asked for and shown.

use super::{NewRate, RateRefusal};
use scrip::Scale;
use scrip::rate::{Margin, PairRate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a pair's rate comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Value for value, by the unit values.
    Cross,
    /// By the vendor's own ratio.
    Fixed,
    /// Not at all.
    Closed,
}

impl From<PairRate> for Kind {
    fn from(rate: PairRate) -> Self {
        match rate {
            PairRate::Cross { .. } => Self::Cross,
            PairRate::Fixed { .. } => Self::Fixed,
            PairRate::Closed => Self::Closed,
        }
    }
}

impl NewRate {
    pub(super) fn pair_rate(&self, from: Scale, to: Scale) -> Result<PairRate, RateRefusal> {
        let margin = Margin::try_new(self.margin_bps.unwrap_or(0)).ok_or(RateRefusal::MarginOutOfRange)?;
        match (self.kind, &self.send, &self.receive) {
            (Kind::Fixed, Some(send), Some(receive)) => {
                Ok(PairRate::Fixed { send: send.tokens("send", from)?, receive: receive.tokens("receive", to)?, margin })
            }
            (Kind::Fixed, _, _) => Err(RateRefusal::FixedRateIncomplete),
            (Kind::Cross, None, None) => Ok(PairRate::Cross { margin }),
            (Kind::Closed, None, None) if margin == Margin::default() => Ok(PairRate::Closed),
            (Kind::Cross | Kind::Closed, _, _) => Err(RateRefusal::FixedRateOnly),
        }
    }
}
