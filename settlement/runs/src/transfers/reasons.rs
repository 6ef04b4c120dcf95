//! Why a transfer failed or was marked: a code of a closed list, and a text for people. Pure.
//!
//! The list is taken from the external status reason codes of ISO 20022, so that what a bank says need not be translated. A code that
//! is not in it becomes `NARR`, which means "see the text", and stands in the text.

/// A reason of the closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReasonCode {
    /// Four characters, as ISO 20022 has them.
    pub code: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

/// Every code, by itself.
pub const REASON_CODES: &[ReasonCode] = &[
    ReasonCode { code: "AC01", meaning: "the account number is wrong" },
    ReasonCode { code: "AC03", meaning: "the payee's account number is wrong" },
    ReasonCode { code: "AC04", meaning: "the account is closed" },
    ReasonCode { code: "AC06", meaning: "the account is blocked" },
    ReasonCode { code: "AG01", meaning: "the account may not be used for such transfers" },
    ReasonCode { code: "AG02", meaning: "the bank does not know this kind of operation" },
    ReasonCode { code: "AM01", meaning: "the amount is zero" },
    ReasonCode { code: "AM02", meaning: "the amount is more than is allowed" },
    ReasonCode { code: "AM04", meaning: "there is not enough money in the payer's account" },
    ReasonCode { code: "AM05", meaning: "it is a duplicate" },
    ReasonCode { code: "AM09", meaning: "the amount is not the agreed one" },
    ReasonCode { code: "BE05", meaning: "the bank does not know who instructs" },
    ReasonCode { code: "CUST", meaning: "the payer or the payee asked for it" },
    ReasonCode { code: "DT01", meaning: "the date is not valid" },
    ReasonCode { code: "DUPL", meaning: "it was paid twice" },
    ReasonCode { code: "FF01", meaning: "the file is not what the bank expects" },
    ReasonCode { code: "FOCR", meaning: "it was returned because the payer's bank asked for it" },
    ReasonCode { code: "FRAD", meaning: "fraud" },
    ReasonCode { code: "MS02", meaning: "the payee gave no reason" },
    ReasonCode { code: "MS03", meaning: "the bank gave no reason" },
    ReasonCode { code: "NARR", meaning: "see the text" },
    ReasonCode { code: "RC01", meaning: "the bank's identifier is wrong" },
    ReasonCode { code: "RR04", meaning: "for regulatory reasons" },
    ReasonCode { code: "TECH", meaning: "a technical failure" },
    ReasonCode { code: "TM01", meaning: "it came after the bank's cut-off" },
];

impl ReasonCode {
    /// The reason with that code.
    pub fn find(code: &str) -> Option<Self> {
        REASON_CODES.iter().copied().find(|reason| reason.code == code)
    }
}

/// Why, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reason {
    /// A code of the list.
    pub code: Option<ReasonCode>,
    /// For people; one line of at most [`crate::steps::REASON_LENGTH_MAX`] characters.
    pub text: Option<String>,
}

impl Reason {
    /// What a bank gives as its reason; without a code it gave none.
    pub(crate) fn of_bank(code: Option<&str>, text: Option<String>) -> Self {
        match (code.map(|code| (code, ReasonCode::find(code))), text) {
            (Some((_, Some(known))), text) => Self { code: Some(known), text },
            (Some((unknown, None)), Some(text)) => Self { code: ReasonCode::find("NARR"), text: Some(format!("{unknown}: {text}")) },
            (Some((unknown, None)), None) => Self { code: ReasonCode::find("NARR"), text: Some(unknown.to_owned()) },
            (None, Some(text)) => Self { code: ReasonCode::find("NARR"), text: Some(text) },
            (None, None) => Self { code: ReasonCode::find("MS03"), text: None },
        }
    }
}

/// Whether the text can stand in a step: one line of 1 to so many characters, none of which controls, no space at its ends.
pub(crate) fn is_line(text: &str, chars_max: usize) -> bool {
    (1..=chars_max).contains(&text.chars().count()) && text.trim() == text && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_four_characters_and_stands_once_in_order() {
        assert!(REASON_CODES.iter().all(|reason| reason.code.len() == 4 && !reason.meaning.is_empty()));
        assert!(REASON_CODES.is_sorted_by(|a, b| a.code < b.code));
    }

    #[test]
    fn what_a_bank_says_is_never_lost() {
        let said = |code: Option<&str>, text: Option<&str>| {
            let reason = Reason::of_bank(code, text.map(str::to_owned));
            (reason.code.expect("there is always one").code, reason.text)
        };
        assert_eq!(said(Some("AC04"), Some("closed in May")), ("AC04", Some("closed in May".to_owned())));
        assert_eq!(said(Some("XT99"), Some("closed")), ("NARR", Some("XT99: closed".to_owned())));
        assert_eq!(said(Some("XT99"), None), ("NARR", Some("XT99".to_owned())));
        assert_eq!(said(None, Some("closed")), ("NARR", Some("closed".to_owned())));
        assert_eq!(said(None, None), ("MS03", None));
    }

    #[test]
    fn a_line_is_one_line() {
        for good in ["x", "bank said no: 5 €", &"é".repeat(9)] {
            assert!(is_line(good, 20), "{good}");
        }
        for bad in ["", " x", "x\n", "x\0", &"é".repeat(21)] {
            assert!(!is_line(bad, 20), "{bad:?}");
        }
    }
}
