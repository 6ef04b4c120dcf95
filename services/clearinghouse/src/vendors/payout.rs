//! Where a vendor is paid.

use super::VendorRefusal;
use crate::names::is_name;

/// Bank details, checked as far as they can be without asking the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    /// Who the account belongs to.
    pub account_holder: String,
    /// Without spaces, upper case.
    pub iban: String,
    /// The bank, where the IBAN alone does not do.
    pub bic: Option<String>,
}

impl Payout {
    /// Checks the form, the country's length and pattern, and the check digits. Spaces, as people copy them, are dropped.
    pub fn try_new(account_holder: String, iban: &str, bic: Option<&str>) -> Result<Self, VendorRefusal> {
        if !is_name(&account_holder, 140) {
            return Err(VendorRefusal::AccountHolderMalformed);
        }
        let iban = sepa::validate_iban(iban).map_err(|error| VendorRefusal::IbanInvalid { why: error.to_string() })?;
        let bic = bic.map(sepa::validate_bic).transpose().map_err(|error| VendorRefusal::BicInvalid { why: error.to_string() })?;
        Ok(Self { account_holder, iban: iban.as_str().to_owned(), bic: bic.map(|bic| bic.as_str().to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid_to(iban: &str, bic: Option<&str>) -> Result<Payout, VendorRefusal> {
        Payout::try_new("Air Miles Ltd".to_owned(), iban, bic)
    }

    #[test]
    fn an_iban_must_have_its_check_digits_right() {
        assert_eq!(paid_to("DE89 3704 0044 0532 0130 00", Some("COBADEFFXXX")).unwrap().iban, "DE89370400440532013000");
        for bad in ["", "DE88370400440532013000", "DE89", "DE8937O400440532013000", "XX00", "89DE370400440532013000", "DE89\u{0}"] {
            assert!(matches!(paid_to(bad, None), Err(VendorRefusal::IbanInvalid { .. })), "{bad:?}");
        }
        assert!(matches!(paid_to("DE89370400440532013000", Some("NO")), Err(VendorRefusal::BicInvalid { .. })));
    }
}
