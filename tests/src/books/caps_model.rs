//! What vendors owe under caps, held against a small model of it while runs are made, paid, failed, voided and made again at random.

use crate::support::{House, User, Vendor, audit, micro};
use fastrand::Rng;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

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
    rng: Rng,
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
        Self { house, vendors, alice, open: Pairs::new(), waiting: Vec::new(), runs: Vec::new(), rng: Rng::with_seed(seed) }
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
            None => run.owes(debtor, None) - CODES.iter().map(|other| run.owes_exactly(other, debtor)).sum::<i64>(),
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

    /// Under caps that leave room for exactly one swap, it is made, and one of a hundredth more is not.
    async fn swap_up_to_caps(&mut self) {
        let (from, to) = self.two();
        let hundredths = i64::from(self.rng.u32(1..3_000));
        let needed = hundredths * UNIT_VALUE;
        let (all, one) = (self.net_debit(from, None) + needed, self.net_debit(from, Some(to)) + needed);
        let text = |cap: i64| format!("{}.{:06}", cap / 1_000_000, cap % 1_000_000);
        let by_pair = self.rng.bool();
        if (if by_pair { one } else { all }) < 0 {
            return self.swap(hundredths, from, to).await;
        }
        let code = if by_pair { "bilateral_cap_exceeded" } else { "debit_cap_exceeded" };
        match by_pair {
            true => drop(self.vendors[to].accept(&self.vendors[from], Some(&text(one))).await),
            false => drop(self.house.operator.cap(&self.vendors[from], Some(&text(all))).await),
        }
        let more = format!("{}.{:02}", (hundredths + 1) / 100, (hundredths + 1) % 100);
        self.alice.convert(&more, &self.vendors[from], &self.vendors[to]).await.refused(422, code);
        self.swap(hundredths, from, to).await;
        self.alice.convert("0.01", &self.vendors[from], &self.vendors[to]).await.refused(422, code);
        // Some of the caps stay, so that sums are kept for some and not for others.
        self.vendors[to].accept(&self.vendors[from], None).await;
        let stays = self.rng.bool();
        self.house.operator.cap(&self.vendors[from], stays.then_some("1000000")).await;
    }

    async fn settle(&mut self) {
        let strategy = ["direct", "fewest", "gross", "bilateral", "conservative"][self.rng.usize(..5)];
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
    }

    fn some_run(&mut self, of: impl Fn(&ModelRun) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..self.runs.len()).filter(|index| of(&self.runs[*index])).collect();
        (!fitting.is_empty()).then(|| fitting[self.rng.usize(..fitting.len())])
    }

    async fn export(&mut self) {
        if let Some(index) = self.some_run(|run| !run.is_exported) {
            self.house.export(&self.runs[index].view).await;
            self.runs[index].is_exported = true;
        }
    }

    async fn void(&mut self) {
        let untouched = |run: &ModelRun| !run.transfers.is_empty() && run.transfers.iter().all(|t| t.state == "instructed");
        let Some(index) = self.some_run(|run| !run.is_exported || untouched(run)).filter(|_| self.runs.len() > 2) else { return };
        let run = self.runs.remove(index);
        let body = json!({"reason": "once more", "instructions_recalled": true});
        self.house.operator.step(&run.view, "void", body).await.ok();
        for ((debtor, creditor), amount) in &run.carries {
            add(&mut self.open, creditor, debtor, *amount);
        }
        self.waiting.extend(run.windows);
    }

    /// A transfer arrives, or fails; and what has failed is written off, or owed again.
    async fn mark(&mut self) {
        let Some(index) = self.some_run(|run| run.is_exported && !run.is_settled()) else { return };
        let run = &mut self.runs[index];
        let unfinished: Vec<usize> =
            (0..run.transfers.len()).filter(|t| !["received", "rolled", "written_off"].contains(&run.transfers[*t].state)).collect();
        let number = unfinished[self.rng.usize(..unfinished.len())];
        let transfer = &mut run.transfers[number];
        let to = match (transfer.state, self.rng.u32(..4)) {
            ("instructed", 0..=1) => "received",
            ("instructed", _) => "failed",
            ("failed", 0) => "written_off",
            (_, _) => "rolled",
        };
        let body = json!({"to": to, "reason_code": (to == "failed").then_some("AC04"), "reason": "as agreed"});
        self.house.operator.mark(&run.view, i64::try_from(number).unwrap() + 1, body).await.created();
        transfer.state = to;
        if to == "rolled" {
            add(&mut self.open, &transfer.payer, &transfer.payee, transfer.amount);
        }
    }

    /// A payer of whose transfers some have failed, and none is on its way, has not paid.
    async fn default(&mut self) {
        let has_failed = |run: &ModelRun, payer: &str| {
            let own: Vec<&ModelTransfer> = run.transfers.iter().filter(|t| t.payer == payer).collect();
            own.iter().any(|t| t.state == "failed") && own.iter().all(|t| t.state != "instructed")
        };
        let payers = |run: &ModelRun| CODES.iter().copied().find(|payer| has_failed(run, payer));
        let Some(index) = self.some_run(|run| run.is_exported && payers(run).is_some()) else { return };
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
        let mut model = Model::begin(house, 20_261_126).await;
        let mut seen = BTreeSet::new();
        for _ in 0..160 {
            let what = match model.rng.u32(..16) {
                0..=3 => (model.swap_up_to_caps().await, "a swap").1,
                4 => (model.settle().await, "a run").1,
                5 => (model.export().await, "an export").1,
                6 => (model.void().await, "a void").1,
                7..=13 => (model.mark().await, "a mark").1,
                _ => (model.default().await, "a default").1,
            };
            model.runs.retain(|run| !run.is_settled());
            model.check(what).await;
            seen.insert(what);
        }
        assert_eq!(seen.len(), 6);
        let defaults = house.db_count("SELECT count(*) FROM defaults").await;
        let rolled = house.db_count("SELECT count(*) FROM transfers WHERE state = 'rolled' AND default_id IS NULL").await;
        let voided = house.db_count("SELECT count(*) FROM runs WHERE state = 'voided'").await;
        assert!(defaults > 0 && rolled > 0 && voided > 0, "{defaults} defaults, {rolled} rolled, {voided} voided");
    });
}
