//! What open windows are on the way to.

use super::{Answer, Settlement, SettlementRefusal};
use crate::schemes;
use ledger::{Failure, Fault};
use runs::forecasts::{Forecast, VendorForecast, forecast};
use scrip::VendorId;

impl Settlement {
    /// The forecast for the scheme's vendors with a code above `after`.
    pub(crate) async fn forecast_scheme(&self, scheme: &str, after: Option<String>, limit: i64) -> Answer<Forecast> {
        let scheme = self.get_scheme_id(scheme).await?;
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let found = forecast(&tx, scheme, None, after.as_deref().unwrap_or_default(), limit).await?;
        found.ok_or(Failure::Refused(SettlementRefusal::SchemeNotFound))
    }

    /// The vendor's own, and the window that its debts fall into. As the house, because vendors do not read schedules.
    pub(crate) async fn forecast_vendor(&self, vendor: VendorId) -> Answer<(Forecast, VendorForecast)> {
        let mut connection = self.db.connection().await?;
        let tx = connection.begin_house().await?;
        let scheme = schemes::find_scheme_of(&tx, vendor).await?.ok_or(Failure::Refused(SettlementRefusal::NoScheme))?;
        let found = forecast(&tx, scheme, Some(vendor), "", 1).await?;
        let mut forecast = found.ok_or_else(|| Fault::Unreadable(format!("scheme {scheme} has no open window")))?;
        let own = forecast.vendors.pop().ok_or_else(|| Fault::Unreadable(format!("vendor {vendor} is no member any more")))?;
        Ok((forecast, own))
    }
}
