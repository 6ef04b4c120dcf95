//! What vendors owe under caps, held against a small model of it while runs are made, paid, failed, voided and made again at random.

use crate::support::{House, User, Vendor, audit, micro};
use fastrand::Rng;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CODES: [&str; 4] = ["AA", "BB", "CC", "DD"];
/// A hundredth of a token is worth this many millionths.
const UNIT_VALUE: i64 = 3_700;

/// What each owes each other, in millionths.
type Pairs = BTreeMap<(String, String), i64>;

fn add(to: &mut Pairs, debtor: &str, creditor: &str, amount: i64) {
    *to.entry((debtor.to_owned(), creditor.to_owned())).or_default() += amount;
}

struct ModelTransfer {
    payer: String,
    payee: String,
    amount: i64,
    state: &'static str,
}

struct ModelRun {
    view: Value,
    windows: Vec<Pairs>,
    carries: Pairs,
    transfers: Vec<ModelTransfer>,
    is_exported: bool,
}

impl ModelRun {
    /// What it makes two vendors owe, and a vendor all others.
    fn owes(&self, debtor: &str, creditor: Option<&str>) -> i64 {
        let is = |from: &str, to: &str| from == debtor && creditor.is_none_or(|creditor| creditor == to);
        let of = |pairs: &Pairs| pairs.iter().filter(|((from, to), _)| is(from, to)).map(|(_, amount)| amount).sum::<i64>();
        if self.is_exported {
            self.transfers.iter().filter(|t| t.state != "rolled" && is(&t.payer, &t.payee)).map(|t| t.amount).sum()
        } else {
            let left = self.windows.iter().map(of).sum::<i64>() - of(&self.carries);
            if creditor.is_some() { left.max(0) } else { left }
        }
    }

    fn is_settled(&self) -> bool {
        self.is_exported && self.transfers.iter().all(|t| ["received", "rolled", "written_off"].contains(&t.state))
    }
}

struct Model<'h> {
    house: &'h House,
    vendors: BTreeMap<&'static str, Vendor>,
    alice: User,
    open: Pairs,
    waiting: Vec<Pairs>,
    runs: Vec<ModelRun>,
    standing: Option<Standing>,
    rng: Rng,
}

/// A cap that was set before something happened: what is left under it afterwards is known to whoever has heard of what happened.
struct Standing {
    from: &'static str,
    to: &'static str,
    by_pair: bool,
    cap: i64,
}

impl Standing {
    fn code(&self) -> &'static str {
        if self.by_pair { "bilateral_cap_exceeded" } else { "debit_cap_exceeded" }
    }
}

impl<'h> Model<'h> {
    async fn begin(house: &'h House, seed: u64) -> Self {
        house.operator.scheme_with("EURO", "direct", 2).await;
        let alice = house.user("alice").await;
        let mut vendors = BTreeMap::new();
        for code in CODES {
            let vendor = house.operator.vendor("EURO", code, "0.37").await;
            vendor.endow(&alice, "100000").await;
            vendors.insert(code, vendor);
        }
        Self { house, vendors, alice, open: Pairs::new(), waiting: Vec::new(), runs: Vec::new(), standing: None, rng: Rng::with_seed(seed) }
    }

    /// What one owes on balance over everything that is not settled: another one, or all of them.
    fn net_debit(&self, debtor: &str, creditor: Option<&str>) -> i64 {
        let one_way = |from: &str, to: Option<&str>, turned: bool| {
            let is = |(debtor, creditor): &(String, String)| {
                let (first, second) = if turned { (creditor, debtor) } else { (debtor, creditor) };
                first == from && to.is_none_or(|to| to == second)
            };
            let windows = self.waiting.iter().chain([&self.open]);
            windows.flat_map(|pairs| pairs.iter().filter(|(pair, _)| is(pair)).map(|(_, amount)| amount)).sum::<i64>()
        };
        let in_windows = one_way(debtor, creditor, false) - one_way(debtor, creditor, true);
        let of_run = |run: &ModelRun| match creditor {
            Some(creditor) => run.owes(debtor, Some(creditor)) - run.owes(creditor, Some(debtor)),
            None => run.owes(debtor, None) - CODES.iter().chain(&["HOUSE"]).map(|other| run.owes_exactly(other, debtor)).sum::<i64>(),
        };
        in_windows + self.runs.iter().map(of_run).sum::<i64>()
    }

    /// Every figure that anybody is shown.
    async fn check(&self, after: &str) {
        for (code, vendor) in &self.vendors {
            let shown = vendor.client.get("/v1/vendor/headroom").await.ok()["net_debit"].clone();
            assert_eq!(micro(shown.as_str().unwrap()), self.net_debit(code, None), "{code} after {after}");
            for other in CODES.iter().filter(|other| *other != code) {
                let shown = vendor.client.get(&format!("/v1/vendor/caps/{other}")).await.ok()["net_debit"].clone();
                assert_eq!(micro(shown.as_str().unwrap()), self.net_debit(other, Some(code)), "{other} to {code} after {after}");
            }
        }
    }

    fn two(&mut self) -> (&'static str, &'static str) {
        let from = self.rng.usize(..CODES.len());
        let to = (from + self.rng.usize(1..CODES.len())) % CODES.len();
        (CODES[from], CODES[to])
    }

    async fn swap(&mut self, hundredths: i64, from: &str, to: &str) {
        let amount = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        self.alice.convert(&amount, &self.vendors[from], &self.vendors[to]).await.created();
        add(&mut self.open, from, to, hundredths * UNIT_VALUE);
    }

    async fn cap(&self, Standing { from, to, by_pair, .. }: &Standing, cap: Option<i64>) {
        let text = cap.map(|cap| format!("{}.{:06}", cap / 1_000_000, cap % 1_000_000));
        match by_pair {
            true => drop(self.vendors[to].accept(&self.vendors[from], text.as_deref()).await),
            false => drop(self.house.operator.cap(&self.vendors[from], text.as_deref()).await),
        }
    }

    async fn refuse(&self, hundredths: i64, standing: &Standing) {
        let amount = format!("{}.{:02}", hundredths / 100, hundredths % 100);
        let (from, to) = (&self.vendors[standing.from], &self.vendors[standing.to]);
        self.alice.convert(&amount, from, to).await.refused(422, standing.code());
    }

    /// Sets a cap under which hardly anything is left, and has the engine find that out, which it remembers.
    async fn stand(&mut self) {
        let (from, to) = self.two();
        let by_pair = self.rng.bool();
        let owes = self.net_debit(from, by_pair.then_some(to));
        let standing = Standing { from, to, by_pair, cap: owes.max(0) + i64::from(self.rng.u32(..3)) * UNIT_VALUE };
        self.cap(&standing, Some(standing.cap)).await;
        self.refuse((standing.cap - owes) / UNIT_VALUE + 1, &standing).await;
        self.standing = Some(standing);
    }

    /// Whatever has happened since: exactly what is left under the cap is granted, and not a hundredth more.
    async fn swap_up_to_the_cap(&mut self) {
        let Some(standing) = self.standing.take() else { return };
        let left = (standing.cap - self.net_debit(standing.from, standing.by_pair.then_some(standing.to))).div_euclid(UNIT_VALUE);
        self.refuse(left.max(0) + 1, &standing).await;
        // A window takes no more than so much of a token that somebody may hold.
        if (1..50_000).contains(&left) {
            self.swap(left, standing.from, standing.to).await;
            self.refuse(1, &standing).await;
        }
        // Some of the caps stay, so that sums are kept for some and not for others.
        let stays = !standing.by_pair && self.rng.bool();
        self.cap(&standing, stays.then_some(1_000_000_000_000)).await;
    }

    /// Under a cap, something that leaves more of it.
    async fn swap_something(&mut self) -> bool {
        let any = self.two();
        let (from, to) = self.standing.as_ref().map_or(any, |standing| (standing.to, standing.from));
        let hundredths = i64::from(self.rng.u32(1..3_000));
        self.swap(hundredths, from, to).await;
        true
    }

    /// Each of these says whether there was something to do.
    async fn settle(&mut self) -> bool {
        let strategy = ["direct", "fewest", "gross", "bilateral", "conservative", "hub"][self.rng.usize(..6)];
        let smallest = ["0", "4"][self.rng.usize(..2)];
        let rule = ["exclude_and_renet", "collateral_then_loss_share", "pro_rata"][self.rng.usize(..3)];
        let terms = json!({"strategy": strategy, "min_transfer": smallest, "failure_rule": rule});
        self.house.operator.client.patch("/v1/schemes/EURO", "*", terms).await.ok();
        let view = self.house.operator.settle("EURO").await;
        let transfers = self.house.operator.client.get(&format!("/v1/runs/{}/transfers", view["id"].as_str().unwrap())).await.ok();
        let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
        let transfer = |t: &Value| ModelTransfer {
            payer: text(t, "payer"),
            payee: text(t, "payee"),
            amount: micro(t["amount"].as_str().unwrap()),
            state: "instructed",
        };
        let mut carries = Pairs::new();
        let file = self.house.operator.file(&view, "carries.csv").await;
        if file.status == 200 {
            for row in file.text().lines().skip(1) {
                let cells: Vec<&str> = row.split(',').collect();
                add(&mut carries, cells[0], cells[1], micro(cells[2]));
            }
        }
        let mut windows = std::mem::take(&mut self.waiting);
        windows.push(std::mem::replace(&mut self.open, carries.clone()));
        let transfers = transfers["items"].as_array().unwrap().iter().map(transfer).collect();
        self.runs.push(ModelRun { view, windows, carries, transfers, is_exported: false });
        true
    }

    fn some_run(&mut self, of: impl Fn(&ModelRun) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.runs.len()).filter(|index| of(&self.runs[*index])).collect();
        (!fitting.is_empty()).then(|| fitting[self.rng.usize(..fitting.len())])
    }

    async fn export(&mut self) -> bool {
        let Some(index) = self.some_run(|run| !run.is_exported) else { return false };
        self.house.export(&self.runs[index].view).await;
        self.runs[index].is_exported = true;
        true
    }

    async fn void(&mut self) -> bool {
        let untouched = |run: &ModelRun| !run.transfers.is_empty() && run.transfers.iter().all(|t| t.state == "instructed");
        let Some(index) = self.some_run(|run| !run.is_exported || untouched(run)).filter(|_| self.runs.len() > 1) else { return false };
        let run = self.runs.remove(index);
        let body = json!({"reason": "once more", "instructions_recalled": true});
        self.house.operator.step(&run.view, "void", body).await.ok();
        for ((debtor, creditor), amount) in &run.carries {
            add(&mut self.open, creditor, debtor, *amount);
        }
        self.waiting.extend(run.windows);
        true
    }

    /// A transfer arrives, or fails; and what has failed is written off, or owed again.
    async fn mark(&mut self) -> bool {
        let Some(index) = self.some_run(|run| run.is_exported && !run.is_settled()) else { return false };
        let run = &mut self.runs[index];
        let unfinished: Vec<usize> =
            (0..run.transfers.len()).filter(|t| !["received", "rolled", "written_off"].contains(&run.transfers[*t].state)).collect();
        let number = unfinished[self.rng.usize(..unfinished.len())];
        let transfer = &mut run.transfers[number];
        let to = match (transfer.state, self.rng.u32(..4)) {
            ("instructed", 0..=1) => "received",
            ("instructed", _) => "failed",
            ("failed", 0) => "written_off",
            (_, _) if transfer.payer == "HOUSE" || transfer.payee == "HOUSE" => "written_off",
            (_, _) => "rolled",
        };
        let body = json!({"to": to, "reason_code": (to == "failed").then_some("AC04"), "reason": "as agreed"});
        self.house.operator.mark(&run.view, i64::try_from(number).unwrap() + 1, body).await.created();
        transfer.state = to;
        if to == "rolled" {
            add(&mut self.open, &transfer.payer, &transfer.payee, transfer.amount);
        }
        true
    }

    /// A payer of whose transfers some have failed, and none is on its way, has not paid.
    async fn default(&mut self) -> bool {
        let has_failed = |run: &ModelRun, payer: &str| {
            let own: Vec<&ModelTransfer> = run.transfers.iter().filter(|t| t.payer == payer).collect();
            own.iter().any(|t| t.state == "failed") && own.iter().all(|t| t.state != "instructed" && t.payee != "HOUSE")
        };
        let payers = |run: &ModelRun| CODES.iter().copied().find(|payer| has_failed(run, payer));
        let Some(index) = self.some_run(|run| run.is_exported && payers(run).is_some()) else { return false };
        let run = &mut self.runs[index];
        let payer = payers(run).unwrap();
        self.house.operator.hold(payer, "1.23").await.ok();
        let path = format!("/v1/runs/{}/defaults/{payer}", run.view["id"].as_str().unwrap());
        let default = self.house.operator.client.put(&path, None, json!({"reason": "insolvent"})).await.ok();
        for debt in default["debts"].as_array().unwrap() {
            let part = |name: &str| debt[name].as_str().unwrap();
            add(&mut self.open, part("debtor"), part("creditor"), micro(part("amount")));
        }
        run.transfers.iter_mut().filter(|t| t.payer == payer && t.state == "failed").for_each(|t| t.state = "rolled");
        self.house.operator.client.delete(&format!("/v1/schemes/EURO/exclusions/{payer}")).await;
        true
    }
}

impl ModelRun {
    /// Without taking what is less than nothing for nothing: of what a vendor is owed by all others, as of what it owes.
    fn owes_exactly(&self, debtor: &str, creditor: &str) -> i64 {
        if self.is_exported {
            return self.owes(debtor, Some(creditor));
        }
        let of = |pairs: &Pairs| pairs.get(&(debtor.to_owned(), creditor.to_owned())).copied().unwrap_or_default();
        self.windows.iter().map(of).sum::<i64>() - of(&self.carries)
    }
}

#[test]
fn caps_are_held_against_what_is_owed_whatever_becomes_of_runs() {
    audit(async |house| {
        let mut model = Model::begin(house, 5).await;
        let mut done: BTreeMap<&str, u32> = BTreeMap::new();
        for _ in 0..180 {
            if model.rng.bool() {
                model.stand().await;
            }
            let (acted, what) = match model.rng.u32(..18) {
                0..=2 => (model.swap_something().await, "a swap"),
                3 => (model.settle().await, "a run"),
                4..=5 => (model.export().await, "an export"),
                6 => (model.void().await, "a void"),
                7..=13 => (model.mark().await, "a mark"),
                _ => (model.default().await, "a default"),
            };
            model.runs.retain(|run| !run.is_settled());
            model.swap_up_to_the_cap().await;
            model.check(what).await;
            *done.entry(what).or_default() += u32::from(acted);
        }
        assert!(done.len() == 6 && done.values().all(|count| *count > 1), "{done:?}");
        let defaults = house.db_count("SELECT count(*) FROM defaults").await;
        let rolled = house.db_count("SELECT count(*) FROM transfers WHERE state = 'rolled' AND default_id IS NULL").await;
        let voided = house.db_count("SELECT count(*) FROM runs WHERE state = 'voided'").await;
        assert!(defaults > 0 && rolled > 0 && voided > 0, "{defaults} defaults, {rolled} rolled, {voided} voided");
    });
}
