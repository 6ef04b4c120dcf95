//! The posting rules on a whiteboard: two vendors A and B in one scheme, two users.

mod caps;

use super::*;
use crate::money::{Micro, UnitValue};
use crate::rate::{Margin, PairRate, RateVersion};
use crate::{SchemeId, WindowId};
use std::collections::BTreeMap;
use uuid::Uuid;

const A: VendorId = VendorId::new(Uuid::from_u128(0xA));
const B: VendorId = VendorId::new(Uuid::from_u128(0xB));
const ALICE: UserId = UserId::new(Uuid::from_u128(1));
const BOB: UserId = UserId::new(Uuid::from_u128(2));
const SCHEME: SchemeId = SchemeId::new(Uuid::from_u128(3));
const WINDOW: WindowId = WindowId::new(Uuid::from_u128(4));

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A's unit is worth 1000 micro-units, B's 3000; both are members of the scheme; everything is switched on.
fn terms() -> Terms {
    let vendor = |micro| VendorTerms {
        active: true,
        switches: Switches { issue: true, convert_out: true, convert_in: true },
        unit_value: UnitValue::try_new(micro),
        scheme: Some(SCHEME),
    };
    Terms {
        booked_at: at(1_000),
        now: at(1_000),
        vendors: [(A, vendor(1_000)), (B, vendor(3_000))].into(),
        rates: BTreeMap::new(),
        caps: Caps::new(),
        windows: [(SCHEME, WINDOW)].into(),
        window_totals: BTreeMap::new(),
    }
}

/// Decides where nobody is capped.
fn decide<'p>(postings: impl IntoIterator<Item = &'p Posting>, book: &mut Book, terms: &Terms) -> Decided {
    super::decide(postings, book, &mut Exposures::default(), terms)
}

/// Each user holds this much of A and B.
fn book(alice: (i64, i64), bob: (i64, i64)) -> Book {
    let account = |balance| Account { balance: Tokens::new(balance), held: Tokens::ZERO, entry_count: 1 };
    Book::new(
        [(ALICE, A, alice.0), (ALICE, B, alice.1), (BOB, A, bob.0), (BOB, B, bob.1)]
            .map(|(user, vendor, balance)| (AccountKey::new(user, vendor), account(balance))),
        [],
    )
}

fn balances(book: &Book) -> Vec<i64> {
    book.accounts().map(|(_, a)| a.balance.units()).collect()
}

fn operation(n: u128) -> OperationId {
    OperationId::new(Uuid::from_u128(n))
}

fn convert(units: i64) -> SwapOrder {
    SwapOrder {
        operation: operation(100),
        payer: ALICE,
        payee: ALICE,
        from: A,
        to: B,
        side: Side::Send(Tokens::new(units)),
        min_receive: None,
        max_send: None,
    }
}

fn trade() -> Trade {
    Trade {
        id: TradeId::new(Uuid::from_u128(200)),
        proposer: ALICE,
        acceptor: BOB,
        give: Leg { vendor: A, amount: Tokens::new(30) },
        take: Leg { vendor: B, amount: Tokens::new(7) },
        expires_at: at(2_000),
    }
}

/// Decides one posting that the rules must refuse, and proves that it left no trace.
fn refuse(posting: Posting, mut book: Book, terms: &Terms, expected: Refusal) {
    let before = balances(&book);
    let decided = decide(&[posting], &mut book, terms);
    assert_eq!(decided.outcomes, vec![Err(expected)]);
    assert_eq!(balances(&book), before);
    assert!(decided.journal.entries.is_empty() && decided.journal.obligations.is_empty() && decided.journal.issuances.is_empty());
}

#[test]
fn an_issue_adds_to_the_account() {
    let mut book = book((5, 0), (0, 0));
    let issue = Issue { operation: operation(1), vendor: A, user: ALICE, amount: Tokens::new(10) };
    let decided = decide(&[Posting::Issue(issue)], &mut book, &terms());
    assert_eq!(balances(&book), [15, 0, 0, 0]);
    assert_eq!(decided.journal.entries[0].seq, 2);
    assert_eq!(decided.journal.issuances[&A], 10);
}

#[test]
fn a_convert_retires_one_token_issues_another_and_leaves_an_obligation() {
    let mut book = book((100, 0), (0, 0));
    let decided = decide(&[Posting::Swap(convert(100))], &mut book, &terms());
    assert_eq!(balances(&book), [1, 33, 0, 0], "99 of the 100 are used");
    let obligation = decided.journal.obligations[0];
    assert_eq!((obligation.debtor, obligation.creditor, obligation.amount.units()), (A, B, 99_000));
    assert_eq!((obligation.send.units(), obligation.receive.units()), (99, 33));
}

#[test]
fn a_send_pays_another_user_in_another_token() {
    let mut book = book((100, 0), (0, 5));
    let send = SwapOrder { payee: BOB, side: Side::Receive(Tokens::new(20)), ..convert(0) };
    let decided = decide(&[Posting::Swap(send)], &mut book, &terms());
    assert_eq!(balances(&book), [40, 0, 0, 25]);
    assert_eq!(decided.journal.entries[0].kind, EntryKind::SendOut);
}

#[test]
fn a_later_posting_sees_what_an_earlier_one_left() {
    let mut book = book((10, 0), (0, 0));
    let decided = decide(&[Posting::Swap(convert(9)), Posting::Swap(convert(9)), Posting::Swap(convert(3))], &mut book, &terms());
    assert!(decided.outcomes[0].is_ok());
    let short = Refusal::InsufficientTokens { vendor: A, available: Tokens::new(1), needed: Tokens::new(9) };
    assert_eq!(decided.outcomes[1], Err(short));
    assert!(decided.outcomes[2].is_err());
    assert_eq!(decided.journal.swaps.len(), 1);
}

#[test]
fn a_swap_of_a_token_with_itself_is_refused() {
    refuse(Posting::Swap(SwapOrder { to: A, ..convert(9) }), book((9, 0), (0, 0)), &terms(), Refusal::SameVendor { vendor: A });
}

#[test]
fn a_missing_account_is_refused() {
    let nobody = UserId::new(Uuid::from_u128(99));
    let order = SwapOrder { payee: nobody, ..convert(9) };
    refuse(Posting::Swap(order), book((9, 0), (0, 0)), &terms(), Refusal::AccountNotFound { user: nobody, vendor: B });
}

#[test]
fn a_switched_off_direction_is_refused() {
    let mut out_off = terms();
    out_off.vendors.get_mut(&A).unwrap().switches.convert_out = false;
    let refusal = Refusal::SwitchedOff { vendor: A, switch: Switch::ConvertOut };
    refuse(Posting::Swap(convert(9)), book((9, 0), (0, 0)), &out_off, refusal);
    let mut in_off = terms();
    in_off.vendors.get_mut(&B).unwrap().switches.convert_in = false;
    let refusal = Refusal::SwitchedOff { vendor: B, switch: Switch::ConvertIn };
    refuse(Posting::Swap(convert(9)), book((9, 0), (0, 0)), &in_off, refusal);
}

#[test]
fn a_suspended_vendor_issues_nothing() {
    let mut suspended = terms();
    suspended.vendors.get_mut(&A).unwrap().active = false;
    let issue = Issue { operation: operation(1), vendor: A, user: ALICE, amount: Tokens::new(1) };
    refuse(Posting::Issue(issue), book((0, 0), (0, 0)), &suspended, Refusal::VendorSuspended { vendor: A });
}

#[test]
fn no_unit_value_or_a_closed_pair_is_no_rate() {
    let mut unvalued = terms();
    unvalued.vendors.get_mut(&B).unwrap().unit_value = None;
    refuse(Posting::Swap(convert(9)), book((9, 0), (0, 0)), &unvalued, Refusal::NoRate { from: A, to: B });
    let mut closed = terms();
    closed.rates.insert((A, B), RateVersion { id: Uuid::nil(), rate: PairRate::Closed });
    refuse(Posting::Swap(convert(9)), book((9, 0), (0, 0)), &closed, Refusal::NoRate { from: A, to: B });
}

#[test]
fn vendors_without_a_common_scheme_cannot_swap() {
    let mut apart = terms();
    apart.vendors.get_mut(&B).unwrap().scheme = None;
    refuse(Posting::Swap(convert(9)), book((9, 0), (0, 0)), &apart, Refusal::NoCommonScheme { from: A, to: B });
}

#[test]
fn too_small_an_amount_names_the_smallest() {
    let refusal = Refusal::AmountTooSmall { vendor: A, min_send: Tokens::new(3) };
    refuse(Posting::Swap(convert(2)), book((9, 0), (0, 0)), &terms(), refusal);
}

#[test]
fn the_payers_limits_are_kept() {
    let order = SwapOrder { min_receive: Some(Tokens::new(4)), ..convert(9) };
    refuse(Posting::Swap(order), book((9, 0), (0, 0)), &terms(), Refusal::BelowMinReceive { vendor: B, receive: Tokens::new(3) });
    let order = SwapOrder { side: Side::Receive(Tokens::new(3)), max_send: Some(Tokens::new(8)), ..convert(0) };
    refuse(Posting::Swap(order), book((9, 0), (0, 0)), &terms(), Refusal::AboveMaxSend { vendor: A, send: Tokens::new(9) });
}

#[test]
fn a_balance_that_would_not_fit_is_refused() {
    let issue = Issue { operation: operation(1), vendor: A, user: ALICE, amount: Tokens::new(2) };
    refuse(Posting::Issue(issue), book((i64::MAX - 1, 0), (0, 0)), &terms(), Refusal::AmountTooLarge);
}

#[test]
fn a_full_window_takes_no_more() {
    let mut nearly_full = terms();
    nearly_full.window_totals.insert(WINDOW, Micro::new(WINDOW_MAX.units() - 14_999));
    let mut book = book((30, 0), (0, 0));
    let swaps = [Posting::Swap(convert(6)), Posting::Swap(convert(9)), Posting::Swap(convert(6))];
    let decided = decide(&swaps, &mut book, &nearly_full);
    assert!(decided.outcomes[0].is_ok(), "6,000 fit into 14,999");
    assert_eq!(decided.outcomes[1], Err(Refusal::WindowFull { from: A, to: B }), "9,000 more do not");
    assert!(decided.outcomes[2].is_ok(), "but 6,000 do");
}

#[test]
fn a_margin_stays_with_the_destination_vendor() {
    let mut with_margin = terms();
    let rate = PairRate::Cross { margin: Margin::try_new(1_000).unwrap() };
    with_margin.rates.insert((A, B), RateVersion { id: Uuid::nil(), rate });
    let mut book = book((300, 0), (0, 0));
    let decided = decide(&[Posting::Swap(convert(300))], &mut book, &with_margin);
    assert_eq!(balances(&book), [0, 90, 0, 0]);
    assert_eq!(decided.journal.obligations[0].amount.units(), 300_000, "compensated in full");
}

#[test]
fn an_accepted_trade_moves_both_legs_and_leaves_no_obligation() {
    let mut book = book((30, 0), (0, 7));
    let proposed = decide(&[Posting::ProposeTrade(trade())], &mut book, &terms());
    assert!(proposed.outcomes[0].is_ok());
    assert_eq!(balances(&book), [0, 0, 0, 7], "the proposer's tokens are held");

    let accepted = decide(&[Posting::AcceptTrade(trade()), Posting::AcceptTrade(trade())], &mut book, &terms());
    assert_eq!(balances(&book), [0, 7, 30, 0]);
    assert_eq!(accepted.outcomes[1], Err(Refusal::TradeEnded { state: TradeState::Accepted }));
    assert!(accepted.journal.obligations.is_empty() && accepted.journal.issuances.is_empty());
    assert!(book.accounts().all(|(_, a)| a.held == Tokens::ZERO));
}

#[test]
fn an_ended_trade_gives_back_what_was_held() {
    for end in [TradeEnd::Declined, TradeEnd::Cancelled] {
        let mut book = book((30, 0), (0, 7));
        decide(&[Posting::ProposeTrade(trade())], &mut book, &terms());
        let ended = decide(&[Posting::EndTrade(trade(), end)], &mut book, &terms());
        assert!(ended.outcomes[0].is_ok());
        assert_eq!(balances(&book), [30, 0, 0, 7]);
    }
}

#[test]
fn a_trade_ends_by_time_and_not_before() {
    let mut book = book((30, 0), (0, 7));
    decide(&[Posting::ProposeTrade(trade())], &mut book, &terms());
    let early = decide(&[Posting::EndTrade(trade(), TradeEnd::Expired)], &mut book, &terms());
    assert_eq!(early.outcomes[0], Err(Refusal::TradeNotExpired { expires_at: at(2_000) }));
    let late = Terms { now: at(2_000), ..terms() };
    let too_late = decide(&[Posting::AcceptTrade(trade())], &mut book, &late);
    assert_eq!(too_late.outcomes[0], Err(Refusal::TradeExpired { expires_at: at(2_000) }));
    let expired = decide(&[Posting::EndTrade(trade(), TradeEnd::Expired)], &mut book, &late);
    assert!(expired.outcomes[0].is_ok());
    assert_eq!(balances(&book), [30, 0, 0, 7]);
}

#[test]
fn a_trade_with_oneself_or_of_one_token_is_refused() {
    refuse(Posting::ProposeTrade(Trade { acceptor: ALICE, ..trade() }), book((30, 0), (0, 0)), &terms(), Refusal::SameUser);
    let one_token = Trade { take: Leg { vendor: A, amount: Tokens::new(1) }, ..trade() };
    refuse(Posting::ProposeTrade(one_token), book((30, 0), (0, 0)), &terms(), Refusal::SameVendor { vendor: A });
}

#[test]
fn a_forecast_is_what_a_batch_changes_when_nothing_stands_in_its_way() {
    let postings = [Posting::Swap(convert(100)), Posting::ProposeTrade(trade())];
    let mut after = book((1_000, 1_000), (1_000, 1_000));
    let before: BTreeMap<_, _> = after.accounts().map(|(key, account)| (*key, *account)).collect();
    let forecast = forecast(postings.iter(), &terms());
    decide(&postings, &mut after, &terms());
    for (key, account) in after.accounts() {
        let change = forecast.get(key).copied().unwrap_or_default();
        assert_eq!(change.undo(account), before.get(key).copied(), "{key:?}");
    }
}

#[test]
fn what_terms_refuse_is_forecast_as_no_change_and_its_accounts_are_there() {
    let nothing_known = Terms { vendors: BTreeMap::new(), ..terms() };
    let forecast = forecast([Posting::Swap(convert(100))].iter(), &nothing_known);
    assert_eq!(forecast.len(), 2);
    assert!(forecast.values().all(|change| *change == Change::default()));
}
