//! The refusals of the posting engine, with vendors by their codes and amounts as decimals.

use crate::directory::{Directory, VendorFacts};
use crate::http::problem::Problem;
use crate::refusal::Refusal;
use axum::http::StatusCode;
use ledger::{Fault, PostRefusal};
use scrip::money::MICRO_SCALE;
use scrip::posting::Refusal as Rule;
use scrip::{Micro, Tokens, VendorId};

/// A refusal and what its vendors are called.
#[derive(Debug, thiserror::Error)]
#[error("{refusal}")]
pub(super) struct NamedRefusal {
    refusal: PostRefusal,
    vendors: Vec<VendorFacts>,
}

/// Looks up what the refusal mentions.
pub(super) async fn name(refusal: PostRefusal, directory: &Directory) -> Result<NamedRefusal, Fault> {
    let mut vendors = Vec::new();
    for id in mentioned(&refusal) {
        vendors.extend(directory.by_id(id).await?);
    }
    Ok(NamedRefusal { refusal, vendors })
}

fn mentioned(refusal: &PostRefusal) -> Vec<VendorId> {
    let PostRefusal::Rule(rule) = refusal else { return Vec::new() };
    match rule {
        Rule::AccountNotFound { vendor, .. }
        | Rule::SameVendor { vendor }
        | Rule::InsufficientTokens { vendor, .. }
        | Rule::SwitchedOff { vendor, .. }
        | Rule::VendorSuspended { vendor }
        | Rule::AmountTooSmall { vendor, .. }
        | Rule::BelowMinReceive { vendor, .. }
        | Rule::AboveMaxSend { vendor, .. }
        | Rule::DebitCapExceeded { vendor, .. } => vec![*vendor],
        Rule::NoRate { from, to }
        | Rule::NoCommonScheme { from, to }
        | Rule::WindowFull { from, to }
        | Rule::BilateralCapExceeded { from, to, .. } => vec![*from, *to],
        Rule::SameUser
        | Rule::AmountTooLarge
        | Rule::TradeNotFound
        | Rule::TradeEnded { .. }
        | Rule::TradeExpired { .. }
        | Rule::TradeNotExpired { .. } => Vec::new(),
    }
}

impl NamedRefusal {
    fn code(&self, id: VendorId) -> String {
        self.vendors.iter().find(|v| v.id == id).map(|v| v.code.to_string()).unwrap_or_default()
    }

    fn amount(&self, id: VendorId, amount: Tokens) -> Option<String> {
        self.vendors.iter().find(|v| v.id == id).map(|v| amount.display(v.scale).to_string())
    }

    fn rule(&self, rule: &Rule) -> Problem {
        match *rule {
            Rule::AccountNotFound { user, vendor } => {
                Problem::unprocessable("account_not_found", self).fact("vendor", self.code(vendor)).fact("user", user.to_string())
            }
            Rule::SameVendor { vendor } => Problem::unprocessable("same_vendor", self).fact("vendor", self.code(vendor)),
            Rule::SameUser => Problem::unprocessable("same_user", self),
            Rule::InsufficientTokens { vendor, available, needed } => Problem::unprocessable("insufficient_tokens", self)
                .retryable()
                .fact("vendor", self.code(vendor))
                .fact("available", self.amount(vendor, available))
                .fact("needed", self.amount(vendor, needed)),
            Rule::SwitchedOff { vendor, switch } => {
                Problem::unprocessable("switched_off", self).retryable().fact("vendor", self.code(vendor)).fact("switch", switch.as_str())
            }
            Rule::VendorSuspended { vendor } => {
                Problem::unprocessable("vendor_suspended", self).retryable().fact("vendor", self.code(vendor))
            }
            Rule::NoRate { from, to } => {
                Problem::unprocessable("no_rate", self).retryable().fact("from", self.code(from)).fact("to", self.code(to))
            }
            Rule::NoCommonScheme { from, to } => {
                Problem::unprocessable("no_common_scheme", self).fact("from", self.code(from)).fact("to", self.code(to))
            }
            Rule::AmountTooSmall { vendor, min_send } => Problem::unprocessable("amount_too_small", self)
                .fact("vendor", self.code(vendor))
                .fact("min_send", self.amount(vendor, min_send)),
            Rule::WindowFull { from, to } => {
                Problem::unprocessable("window_full", self).retryable().fact("from", self.code(from)).fact("to", self.code(to))
            }
            Rule::DebitCapExceeded { vendor, cap, headroom, needed } => {
                let problem = Problem::unprocessable("debit_cap_exceeded", self).fact("vendor", self.code(vendor));
                capped(problem, cap, headroom, needed)
            }
            Rule::BilateralCapExceeded { from, to, cap, headroom, needed } => {
                let problem = Problem::unprocessable("bilateral_cap_exceeded", self);
                capped(problem.fact("from", self.code(from)).fact("to", self.code(to)), cap, headroom, needed)
            }
            Rule::AmountTooLarge => Problem::unprocessable("amount_too_large", self),
            Rule::BelowMinReceive { vendor, receive } => Problem::unprocessable("below_min_receive", self)
                .retryable()
                .fact("vendor", self.code(vendor))
                .fact("receive", self.amount(vendor, receive)),
            Rule::AboveMaxSend { vendor, send } => Problem::unprocessable("above_max_send", self)
                .retryable()
                .fact("vendor", self.code(vendor))
                .fact("send", self.amount(vendor, send)),
            Rule::TradeNotFound => Problem::not_found("not_found", self),
            Rule::TradeEnded { state } => Problem::conflict("trade_ended", self).fact("state", state.as_str()),
            Rule::TradeExpired { expires_at } => Problem::conflict("trade_expired", self).fact("expires_at", expires_at.to_string()),
            Rule::TradeNotExpired { expires_at } => Problem::conflict("trade_not_expired", self).fact("expires_at", expires_at.to_string()),
        }
    }
}

/// With how much of a cap is left, in the scheme's currency. There is more once something is settled, or somebody swaps the other way.
fn capped(problem: Problem, cap: Micro, headroom: Micro, needed: Micro) -> Problem {
    let money = |amount: Micro| amount.display(MICRO_SCALE).to_string();
    problem.retryable().fact("cap", money(cap)).fact("headroom", money(headroom)).fact("needed", money(needed))
}

impl Refusal for NamedRefusal {
    fn problem(&self) -> Problem {
        match &self.refusal {
            PostRefusal::Rule(rule) => self.rule(rule),
            PostRefusal::IdempotencyKeyReused => Problem::unprocessable("idempotency_key_reused", self),
            PostRefusal::IdempotencyKeyInUse => Problem::new(StatusCode::CONFLICT, "idempotency_key_in_use", self).retry_after(1),
            PostRefusal::Overloaded => Problem::overloaded(self),
        }
    }
}
