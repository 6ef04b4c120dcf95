//! Random operations over HTTP against a model in memory that knows the rules by heart. The seed names the run.

use crate::support::{House, User, Vendor, audit};
use serde_json::Value;
use std::collections::BTreeMap;

const VENDORS: [(&str, i64); 3] = [("AA", 7), ("BB", 10), ("CC", 23)];
const USERS: [&str; 3] = ["alice", "bob", "carol"];
const OPERATIONS: usize = 150;

/// What AA may owe on balance, and what CC may owe BB, in millionths.
const AA_OWES_MAX: i64 = 4_000;
const CC_OWES_BB_MAX: i64 = 6_000;

/// SplitMix64 (Steele, Lea, Flood 2014): the same seed gives the same run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn amount(&mut self) -> i64 {
        i64::try_from(self.below(400)).unwrap() + 1
    }
}

struct Offer {
    view: Value,
    proposer: usize,
    acceptor: usize,
    give: (usize, i64),
    take: (usize, i64),
    open: bool,
}

/// What the books should say. Users, vendors and amounts as plain numbers; a unit of vendor `v` is worth `VENDORS[v].1`.
#[derive(Default)]
struct Model {
    balance: BTreeMap<(usize, usize), i64>,
    held: BTreeMap<(usize, usize), i64>,
    issued: [i64; 3],
    retired: [i64; 3],
    owed: BTreeMap<(usize, usize), i64>,
}

impl Model {
    fn balance(&mut self, user: usize, vendor: usize) -> &mut i64 {
        self.balance.entry((user, vendor)).or_default()
    }

    fn issue(&mut self, user: usize, vendor: usize, amount: i64) {
        *self.balance(user, vendor) += amount;
        self.issued[vendor] += amount;
    }

    /// Sends `x` of `from`, or receives `y` of `to`; whether it is granted.
    fn swap(&mut self, payer: usize, payee: usize, (from, to): (usize, usize), send: Option<i64>, receive: Option<i64>) -> bool {
        let (p, q) = (VENDORS[from].1, VENDORS[to].1);
        let y = send.map_or_else(|| receive.unwrap(), |x| x * p / q);
        let x = (y * q + p - 1) / p;
        if from == to || y == 0 || !self.is_within_caps(from, to, x * p) || *self.balance(payer, from) < x {
            return false;
        }
        *self.balance(payer, from) -= x;
        *self.balance(payee, to) += y;
        self.retired[from] += x;
        self.issued[to] += y;
        *self.owed.entry((from, to)).or_default() += x * p;
        true
    }

    fn is_within_caps(&self, from: usize, to: usize, value: i64) -> bool {
        let owed = |debtor: usize, creditor: usize| self.owed.get(&(debtor, creditor)).copied().unwrap_or_default();
        let aa_owes: i64 = [1, 2].map(|other| owed(0, other) - owed(other, 0)).iter().sum();
        let cc_owes_bb = owed(2, 1) - owed(1, 2);
        (from != 0 || aa_owes + value <= AA_OWES_MAX) && ((from, to) != (2, 1) || cc_owes_bb + value <= CC_OWES_BB_MAX)
    }

    fn propose(&mut self, proposer: usize, acceptor: usize, give: (usize, i64), take: (usize, i64)) -> bool {
        let granted = proposer != acceptor && give.0 != take.0 && *self.balance(proposer, give.0) >= give.1;
        if granted {
            *self.balance(proposer, give.0) -= give.1;
            *self.held.entry((proposer, give.0)).or_default() += give.1;
        }
        granted
    }

    fn accept(&mut self, offer: &Offer) -> bool {
        let Offer { proposer, acceptor, give, take, open, .. } = *offer;
        if !open || *self.balance(acceptor, take.0) < take.1 {
            return false;
        }
        *self.held.entry((proposer, give.0)).or_default() -= give.1;
        *self.balance(acceptor, give.0) += give.1;
        *self.balance(acceptor, take.0) -= take.1;
        *self.balance(proposer, take.0) += take.1;
        true
    }

    fn release(&mut self, offer: &Offer) -> bool {
        if offer.open {
            *self.held.entry((offer.proposer, offer.give.0)).or_default() -= offer.give.1;
            *self.balance(offer.proposer, offer.give.0) += offer.give.1;
        }
        offer.open
    }
}

/// Millionths of a currency unit, below one.
fn money(micro: i64) -> String {
    format!("0.{micro:06}")
}

fn whole(units: i64) -> String {
    format!("{}.{:02}", units / 100, units % 100)
}

#[test]
fn random_operations_leave_what_the_model_says() {
    for seed in [1, 20_261_123, 0xC1EA_12A6] {
        println!("seed {seed}");
        audit(async |house| play(house, seed).await);
    }
}

async fn play(house: &House, seed: u64) {
    house.operator.scheme_with("EURO", "bilateral", 6).await;
    let (mut vendors, mut users) = (Vec::new(), Vec::new());
    for (code, value) in VENDORS {
        vendors.push(house.operator.vendor("EURO", code, &format!("0.{:06}", value * 100)).await);
    }
    house.operator.cap(&vendors[0], Some(&money(AA_OWES_MAX))).await;
    vendors[1].accept(&vendors[2], Some(&money(CC_OWES_BB_MAX))).await;
    for handle in USERS {
        let user = house.user(handle).await;
        for vendor in &vendors {
            user.open(vendor).await;
        }
        users.push(user);
    }
    let (mut model, mut random, mut offers) = (Model::default(), Random(seed), Vec::<Offer>::new());
    let (mut granted, mut refused) = (0, 0);
    for step in 0..OPERATIONS {
        let (answered, expected) = operate(&mut model, &mut random, &mut offers, &vendors, &users).await;
        assert_eq!(answered, expected, "seed {seed}, step {step}");
        if answered { granted += 1 } else { refused += 1 }
    }
    assert!(granted > OPERATIONS / 4 && refused > 5, "seed {seed}: {granted} granted, {refused} refused");
    compare(house, &mut model, &vendors, &users).await;
}

/// One random operation; whether the house granted it and whether the model would.
async fn operate(model: &mut Model, random: &mut Random, offers: &mut Vec<Offer>, vendors: &[Vendor], users: &[User]) -> (bool, bool) {
    let (a, b) = (random.below(3), random.below(3));
    let (v, w) = (random.below(3), random.below(3));
    let (amount, other) = (random.amount(), random.amount());
    match random.below(10) {
        0..=2 => {
            let answer = vendors[v].issue(&users[a], &whole(amount)).await;
            model.issue(a, v, amount);
            (answer.status == 201, true)
        }
        3..=4 => {
            let answer = users[a].convert(&whole(amount), &vendors[v], &vendors[w]).await;
            (answer.status == 201, model.swap(a, a, (v, w), Some(amount), None))
        }
        5..=6 => {
            let answer = users[a].send(&users[b], &whole(amount), &vendors[v], &vendors[w]).await;
            (answer.status == 201, model.swap(a, b, (v, w), None, Some(amount)))
        }
        7 => {
            let answer = users[a].propose(&users[b], (&vendors[v], &whole(amount)), (&vendors[w], &whole(other))).await;
            let expected = model.propose(a, b, (v, amount), (w, other));
            let made = answer.status == 201;
            if made {
                offers.push(Offer { view: answer.json(), proposer: a, acceptor: b, give: (v, amount), take: (w, other), open: true });
            }
            (made, expected)
        }
        reply if !offers.is_empty() => {
            let chosen = random.below(offers.len());
            let offer = &mut offers[chosen];
            let accepts = reply == 8;
            let answer = if accepts {
                users[offer.acceptor].reply(&offer.view, "accept")
            } else {
                users[offer.proposer].reply(&offer.view, "cancel")
            }
            .await;
            let expected = if accepts { model.accept(offer) } else { model.release(offer) };
            offer.open &= !expected;
            (answer.status == 200, expected)
        }
        _ => (true, true),
    }
}

async fn compare(house: &House, model: &mut Model, vendors: &[Vendor], users: &[User]) {
    for (u, user) in users.iter().enumerate() {
        for (v, vendor) in vendors.iter().enumerate() {
            let account = user.account(vendor).await;
            let held = model.held.get(&(u, v)).copied().unwrap_or_default();
            let expected = (whole(*model.balance(u, v)), whole(held));
            assert_eq!(
                (account["balance"].as_str().unwrap(), account["held"].as_str().unwrap()),
                (expected.0.as_str(), expected.1.as_str())
            );
        }
    }
    for (v, vendor) in vendors.iter().enumerate() {
        let supply = vendor.supply().await;
        assert_eq!(
            (supply["issued"].as_str().unwrap(), supply["retired"].as_str().unwrap()),
            (whole(model.issued[v]).as_str(), whole(model.retired[v]).as_str())
        );
    }
    let run = house.operator.settle("EURO").await;
    let gross: i64 = model.owed.values().sum();
    assert_eq!(run["gross"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap(), gross);
}
