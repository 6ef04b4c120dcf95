//! Caps on the same whiteboard. A unit of A is worth 1,000 micro-units, so `convert(n)` makes A owe B `n` times a thousand.
#![expect(clippy::arithmetic_side_effects, reason = "a model of small numbers")]

use super::*;
use proptest::prelude::*;

const C: VendorId = VendorId::new(Uuid::from_u128(0xC));

const A_TO_ALL: ExposureKey = ExposureKey::of(A);
const A_TO_B: ExposureKey = ExposureKey::towards(A, B);

fn capped(caps: &[(ExposureKey, i64)]) -> Terms {
    Terms { caps: caps.iter().map(|(key, cap)| (*key, Micro::new(*cap))).collect(), ..terms() }
}

fn owing(exposures: &[(ExposureKey, i128, i128)]) -> Exposures {
    exposures.iter().map(|(key, owes, owed)| (*key, Exposure { owes: *owes, owed: *owed })).collect()
}

/// What becomes of swaps of so many units of A each, in one batch.
fn check(terms: &Terms, mut exposures: Exposures, swaps: &[i64], expected: &[Result<(), Refusal>]) -> Exposures {
    let mut book = book((1_000_000, 1_000_000), (0, 0));
    let postings: Vec<Posting> = swaps.iter().map(|units| Posting::Swap(convert(*units))).collect();
    let decided = super::super::decide(&postings, &mut book, &mut exposures, terms);
    let outcomes: Vec<Result<(), Refusal>> = decided.outcomes.into_iter().map(|outcome| outcome.map(drop)).collect();
    assert_eq!(outcomes, expected);
    assert_eq!(decided.journal.obligations.len(), expected.iter().filter(|outcome| outcome.is_ok()).count());
    exposures
}

fn no_debit(cap: i64, headroom: i64, needed: i64) -> Result<(), Refusal> {
    Err(Refusal::DebitCapExceeded { vendor: A, cap: Micro::new(cap), headroom: Micro::new(headroom), needed: Micro::new(needed) })
}

fn not_from_b(cap: i64, headroom: i64, needed: i64) -> Result<(), Refusal> {
    Err(Refusal::BilateralCapExceeded { from: A, to: B, cap: Micro::new(cap), headroom: Micro::new(headroom), needed: Micro::new(needed) })
}

#[test]
fn a_vendor_owes_exactly_up_to_its_cap() {
    check(&capped(&[(A_TO_ALL, 9_000)]), owing(&[(A_TO_ALL, 0, 0)]), &[9], &[Ok(())]);
    check(&capped(&[(A_TO_ALL, 8_999)]), owing(&[(A_TO_ALL, 0, 0)]), &[9], &[no_debit(8_999, 8_999, 9_000)]);
}

#[test]
fn what_a_vendor_is_owed_makes_room() {
    check(&capped(&[(A_TO_ALL, 9_000)]), owing(&[(A_TO_ALL, 7_000, 7_000)]), &[9], &[Ok(())]);
    check(&capped(&[(A_TO_ALL, 9_000)]), owing(&[(A_TO_ALL, 7_000, 6_999)]), &[9], &[no_debit(9_000, 8_999, 9_000)]);
    check(&capped(&[(A_TO_ALL, 0)]), owing(&[(A_TO_ALL, 0, 9_000)]), &[9, 3], &[Ok(()), no_debit(0, 0, 3_000)]);
}

#[test]
fn a_later_swap_sees_what_an_earlier_one_owes_and_a_refused_one_leaves_no_trace() {
    let swaps = [6, 6, 3, 3];
    let expected = [Ok(()), no_debit(9_000, 3_000, 6_000), Ok(()), no_debit(9_000, 0, 3_000)];
    let after = check(&capped(&[(A_TO_ALL, 9_000)]), owing(&[(A_TO_ALL, 0, 0)]), &swaps, &expected);
    assert_eq!(after, owing(&[(A_TO_ALL, 9_000, 0)]));
}

#[test]
fn a_creditor_accepts_no_more_than_its_cap_net_of_what_it_owes() {
    let terms = capped(&[(A_TO_B, 9_000)]);
    check(&terms, owing(&[(A_TO_B, 5_000, 5_000)]), &[9, 3], &[Ok(()), not_from_b(9_000, 0, 3_000)]);
}

#[test]
fn the_net_debit_cap_is_asked_before_the_bilateral_one() {
    let terms = capped(&[(A_TO_ALL, 10_000), (A_TO_B, 6_000)]);
    let exposures = owing(&[(A_TO_ALL, 2_000, 0), (A_TO_B, 0, 0)]);
    check(&terms, exposures, &[9, 6, 3], &[no_debit(10_000, 8_000, 9_000), Ok(()), no_debit(10_000, 2_000, 3_000)]);
    let exposures = owing(&[(A_TO_ALL, 0, 0), (A_TO_B, 0, 0)]);
    check(&terms, exposures, &[9, 6], &[not_from_b(6_000, 6_000, 9_000), Ok(())]);
}

#[test]
fn what_makes_a_vendor_owe_less_is_allowed_above_its_cap() {
    // B owes more than a cap that was lowered, and both of A's caps are far away: A's tokens for B's make B owe less.
    let b_to_all = ExposureKey::of(B);
    let terms = capped(&[(b_to_all, 1_000), (ExposureKey::towards(B, A), 1_000)]);
    let exposures = owing(&[(b_to_all, 500_000, 0), (ExposureKey::towards(B, A), 500_000, 0)]);
    let after = check(&terms, exposures, &[300], &[Ok(())]);
    assert_eq!(after, owing(&[(b_to_all, 500_000, 300_000), (ExposureKey::towards(B, A), 500_000, 300_000)]));
}

#[test]
fn a_cap_comes_before_the_balance_and_after_the_payers_limits() {
    let (terms, mut exposures) = (capped(&[(A_TO_ALL, 1_000)]), owing(&[(A_TO_ALL, 0, 0)]));
    let order = SwapOrder { min_receive: Some(Tokens::new(4)), ..convert(9) };
    let orders = [Posting::Swap(order), Posting::Swap(convert(9))];
    let decided = super::super::decide(&orders, &mut book((0, 0), (0, 0)), &mut exposures, &terms);
    assert_eq!(decided.outcomes[0], Err(Refusal::BelowMinReceive { vendor: B, receive: Tokens::new(3) }));
    assert_eq!(decided.outcomes[1].clone().map(drop), no_debit(1_000, 1_000, 9_000));
}

#[test]
fn a_swap_that_fails_for_its_balance_uses_no_headroom() {
    let (terms, mut exposures) = (capped(&[(A_TO_ALL, 9_000)]), owing(&[(A_TO_ALL, 0, 0)]));
    super::super::decide(&[Posting::Swap(convert(9))], &mut book((5, 0), (0, 0)), &mut exposures, &terms);
    assert_eq!(exposures, owing(&[(A_TO_ALL, 0, 0)]));
}

#[test]
fn a_forecast_knows_no_exposures_and_holds_no_cap_against_anything() {
    let forecast = forecast([Posting::Swap(convert(9))].iter(), &capped(&[(A_TO_ALL, 1)]));
    assert_eq!(forecast[&AccountKey::new(ALICE, A)].balance, Tokens::new(-9));
}

#[test]
fn what_is_to_be_read_are_the_caps_of_debtors_and_of_their_pairs() {
    let terms = capped(&[(A_TO_ALL, 1), (A_TO_B, 1), (ExposureKey::of(B), 1), (ExposureKey::towards(B, A), 1)]);
    let issue = Posting::Issue(Issue { operation: operation(1), vendor: B, user: ALICE, amount: Tokens::new(10) });
    assert_eq!(terms.caps_of([Posting::Swap(convert(9)), issue].iter()), [A_TO_ALL, A_TO_B].into());
}

#[test]
fn warnings_come_at_70_and_90_percent_exactly() {
    let level = |owes, cap| Exposure { owes, owed: 0 }.level(Micro::new(cap)).as_str();
    for (owes, cap, expected) in [
        (0, 1_000, "ok"),
        (699, 1_000, "ok"),
        (700, 1_000, "warning_70"),
        (899, 1_000, "warning_70"),
        (900, 1_000, "warning_90"),
        (999, 1_000, "warning_90"),
        (1_000, 1_000, "full"),
        (5_000, 1_000, "full"),
        (0, 0, "full"),
        (2, 3, "ok"),
        (i128::from(i64::MAX) - 1, i64::MAX, "warning_90"),
    ] {
        assert_eq!(level(owes, cap), expected, "{owes} of {cap}");
    }
    let used = |owes, owed, cap| Exposure { owes, owed }.used_per_mille(Micro::new(cap));
    let table = [used(699_999, 0, 1_000_000), used(5, 10, 3), used(9, 0, 3), used(0, 0, 0), used(0, 1, 0), used(1, 3, 2)];
    assert_eq!(table, [699, 0, 3_000, 1_000, 0, 0]);
}

#[test]
fn a_crossing_is_what_a_batch_brings_nearer_to_its_cap() {
    let caps = capped(&[(A_TO_ALL, 1_000), (A_TO_B, 1_000), (ExposureKey::of(B), 1_000), (ExposureKey::of(C), 1_000)]).caps;
    let before = owing(&[(A_TO_ALL, 699, 0), (A_TO_B, 700, 0), (ExposureKey::of(B), 950, 0), (ExposureKey::of(C), 0, 0)]).levels(&caps);
    let after = owing(&[(A_TO_ALL, 950, 0), (A_TO_B, 800, 0), (ExposureKey::of(B), 950, 300), (ExposureKey::of(C), 1_000, 0)]);
    assert_eq!(after.crossings(&caps, &before), [(A_TO_ALL, Level::Warning90), (ExposureKey::of(C), Level::Full)].into());
    assert_eq!(after.crossings(&caps, &after.levels(&caps)), Levels::new());
}

const VENDORS: [VendorId; 3] = [A, B, C];

/// What each key of the caps owes, by adding up all obligations.
fn added_up(caps: &Caps, obligations: &[(VendorId, VendorId, i128)]) -> Exposures {
    let of = |key: &ExposureKey| {
        let mut sum = Exposure::default();
        for (debtor, creditor, amount) in obligations {
            if *debtor == key.debtor && key.creditor.is_none_or(|of| of == *creditor) {
                sum.owes += amount;
            }
            if *creditor == key.debtor && key.creditor.is_none_or(|of| of == *debtor) {
                sum.owed += amount;
            }
        }
        sum
    };
    caps.keys().map(|key| (*key, of(key))).collect()
}

/// Whether no cap would be exceeded that the swap makes more of.
fn is_within(caps: &Caps, obligations: &[(VendorId, VendorId, i128)], debtor: VendorId, creditor: VendorId, amount: i128) -> bool {
    let exposures = added_up(caps, obligations);
    let grows = |key: &ExposureKey| key.debtor == debtor && key.creditor.is_none_or(|of| of == creditor);
    caps.iter().filter(|(key, _)| grows(key)).all(|(key, cap)| exposures.get(*key).net_debit() + amount <= i128::from(cap.units()))
}

fn pair() -> impl Strategy<Value = (VendorId, VendorId)> {
    (0_usize..3, 1_usize..3).prop_map(|(from, step)| (VENDORS[from], VENDORS[(from + step) % 3]))
}

fn key() -> impl Strategy<Value = ExposureKey> {
    (pair(), any::<bool>()).prop_map(
        |((debtor, creditor), bilateral)| {
            if bilateral { ExposureKey::towards(debtor, creditor) } else { ExposureKey::of(debtor) }
        },
    )
}

proptest! {
    #[test]
    fn caps_refuse_exactly_what_adding_everything_up_refuses(
        caps in proptest::collection::btree_map(key(), (0_i64..40_000).prop_map(Micro::new), 0..9),
        before in proptest::collection::vec((pair(), 1_i128..30_000), 0..12),
        swaps in proptest::collection::vec((pair(), 1_i64..12), 1..40),
    ) {
        let mut everywhere = Terms { caps: caps.clone(), ..terms() };
        let of_a = everywhere.vendors[&A];
        everywhere.vendors = VENDORS.iter().map(|vendor| (*vendor, of_a)).collect();
        let full = Account { balance: Tokens::new(1_000_000), held: Tokens::ZERO, entry_count: 1 };
        let mut book = Book::new(VENDORS.map(|vendor| (AccountKey::new(ALICE, vendor), full)), []);
        let mut obligations: Vec<_> = before.iter().map(|((debtor, creditor), amount)| (*debtor, *creditor, *amount)).collect();
        let mut exposures = added_up(&caps, &obligations);
        let postings: Vec<Posting> = swaps.iter().map(|((from, to), units)| Posting::Swap(SwapOrder { from: *from, to: *to, ..convert(*units) })).collect();

        let decided = super::super::decide(&postings, &mut book, &mut exposures, &everywhere);

        for (((from, to), units), outcome) in swaps.iter().zip(&decided.outcomes) {
            let amount = i128::from(*units) * 1_000;
            let expected = is_within(&caps, &obligations, *from, *to, amount);
            prop_assert_eq!(outcome.is_ok(), expected, "{:?}", outcome);
            if expected {
                obligations.push((*from, *to, amount));
            }
        }
        prop_assert_eq!(exposures, added_up(&caps, &obligations));
    }
}
