//! Forecasts: what each vendor's position will come to when its scheme's window closes, and when it reaches its cap, if swaps go on as they have
//! since the window was opened. An estimate that nothing is decided on; the arithmetic is exact all the same. Disputes and exclusions are not looked at.

mod pace;
mod store;

use jiff::Timestamp;
use ledger::{Fault, Tx, read_exposures, read_time};
use pace::Pace;
use scrip::posting::{Exposure, ExposureKey};
use scrip::{Micro, SchemeId, VendorId};
pub use store::STATEMENTS;

/// What a scheme's open window is on the way to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// The window's number.
    pub window: i64,
    /// Since when it takes obligations.
    pub opened_at: Timestamp,
    /// The instant that everything is said for.
    pub as_of: Timestamp,
    /// When the first of the scheme's schedules closes it; none: no schedule does.
    pub closes_at: Option<Timestamp>,
    /// The currency of every figure.
    pub currency: String,
    /// Its vendors, by code.
    pub vendors: Vec<VendorForecast>,
}

/// What one vendor is on the way to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VendorForecast {
    /// Its code.
    pub vendor: String,
    /// What it is owed and owes of what the next run nets so far: in the open window, also what was carried or imported there, and in those before it
    /// that no run settles.
    pub so_far: Exposure,
    /// What it is owed less what it owes, in micro-units for each day that swaps go on like this; none: the window has not been watched for long
    /// enough.
    pub pace_per_day: Option<i128>,
    /// What it will be owed less what it will owe when the window closes.
    pub net_at_close: Option<i128>,
    /// The most that it may owe less what it is owed, over everything unsettled.
    pub cap: Option<Micro>,
    /// When that will be reached, within a year; none: not at this pace.
    pub cap_reached_at: Option<Timestamp>,
}

/// The forecast for the scheme's vendors with a code above `after`, or for one of them alone; none where there is no such scheme. Read as the house.
pub async fn forecast(tx: &Tx<'_>, scheme: SchemeId, only: Option<VendorId>, after: &str, limit: i64) -> Result<Option<Forecast>, Fault> {
    let as_of = read_time(tx).await?;
    let Some(open) = store::find_open(tx, scheme).await? else { return Ok(None) };
    let watched = store::list_vendors(tx, scheme, open.id, only, after, limit).await?;
    let exposures = read_exposures(tx, watched.iter().map(|vendor| ExposureKey::of(vendor.id))).await?;
    let forecast_of = |vendor: store::Watched| {
        let store::Watched { id, code, so_far, swapped, cap } = vendor;
        let net = |exposure: Exposure| exposure.net_debit().saturating_neg();
        let pace = Pace::observed(net(swapped), open.opened_at, as_of);
        let at_close = |pace: Pace| open.closes_at.map(|at| net(so_far).saturating_add(pace.until(as_of, at)));
        let left = |cap: Micro| i128::from(cap.units()).saturating_sub(exposures.get(ExposureKey::of(id)).net_debit());
        VendorForecast {
            vendor: code,
            so_far,
            pace_per_day: pace.map(Pace::per_day),
            net_at_close: pace.and_then(at_close),
            cap,
            cap_reached_at: pace.zip(cap).and_then(|(pace, cap)| pace.falls_by(left(cap), as_of)),
        }
    };
    Ok(Some(Forecast {
        window: open.number,
        opened_at: open.opened_at,
        as_of,
        closes_at: open.closes_at,
        currency: open.currency,
        vendors: watched.into_iter().map(forecast_of).collect(),
    }))
}
