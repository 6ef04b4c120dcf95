//! The people of the house. Each can do only what its role can.

use super::{Answer, Client};
use serde_json::{Value, json};

/// Runs the house.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    pub(crate) client: Client,
}

impl Operator {
    /// A scheme in EUR with two digits that settles by `direct`.
    pub(crate) async fn scheme(&self, code: &str) -> Value {
        self.scheme_with(code, "direct", 2).await
    }

    pub(crate) async fn scheme_with(&self, code: &str, strategy: &str, digits: u8) -> Value {
        let body = json!({"code": code, "currency": "EUR", "strategy": strategy, "digits": digits});
        self.client.post("/v1/schemes", body).await.created()
    }

    /// Onboards a vendor with two decimals, whose whole token is worth `unit_value`.
    pub(crate) async fn vendor(&self, scheme: &str, code: &str, unit_value: &str) -> Vendor {
        self.vendor_with(json!({"code": code, "name": code, "scale": 2, "unit_value": unit_value, "scheme": scheme})).await
    }

    pub(crate) async fn vendor_with(&self, body: Value) -> Vendor {
        let onboarded = self.client.post("/v1/vendors", body).await.created();
        let key = onboarded["api_key"].as_str().expect("the first key is shown").to_owned();
        let code = onboarded["vendor"]["code"].as_str().expect("a vendor has a code").to_owned();
        Vendor { client: self.client.with(&key), code, key }
    }

    /// From now on the vendor neither issues nor converts.
    pub(crate) async fn suspend(&self, vendor: &str) {
        let path = format!("/v1/vendors/{vendor}");
        let version = self.client.get(&path).await.header("etag").to_owned();
        self.client.patch(&path, &version, json!({"status": "suspended"})).await.ok();
    }

    /// Lets the vendor owe no more than this on balance; none: as much as it likes.
    pub(crate) async fn cap(&self, vendor: &Vendor, cap: Option<&str>) -> Value {
        self.client.put(&format!("/v1/vendors/{}/cap", vendor.code), Some("*"), json!({"net_debit_cap": cap})).await.ok()
    }

    /// Has the house hold so much of a vendor's that settles in EURO.
    pub(crate) async fn hold(&self, vendor: &str, amount: &str) -> Answer {
        self.client.put(&format!("/v1/schemes/EURO/members/{vendor}/collateral"), Some("*"), json!({"amount": amount})).await
    }

    /// What the vendor owes, and how much more it may.
    pub(crate) async fn headroom(&self, vendor: &Vendor) -> Value {
        self.client.get(&format!("/v1/vendors/{}/headroom", vendor.code)).await.ok()
    }

    /// Closes the scheme's window and nets it.
    pub(crate) async fn settle(&self, scheme: &str) -> Value {
        self.client.post_once(&format!("/v1/schemes/{scheme}/runs"), json!({})).await.created()
    }

    /// `propose`, `export` or `void` with its body.
    pub(crate) async fn step(&self, run: &Value, step: &str, body: Value) -> Answer {
        self.client.post(&format!("/v1/runs/{}/{step}", run["id"].as_str().expect("a run has an id")), body).await
    }

    /// Approves the result that the run shows.
    pub(crate) async fn approve(&self, run: &Value) -> Answer {
        self.step(run, "approve", json!({"output_hash": run["output_hash"]})).await
    }

    /// Says what became of a transfer of the run.
    pub(crate) async fn mark(&self, run: &Value, number: i64, body: Value) -> Answer {
        mark(&self.client, run, number, body).await
    }

    /// Uploads what a bank says.
    pub(crate) async fn confirm(&self, scheme: &str, document: &str) -> Answer {
        let request = self.client.request(reqwest::Method::POST, &format!("/v1/schemes/{scheme}/confirmations"));
        Answer::of(request.body(document.to_owned())).await
    }

    pub(crate) async fn apply(&self, confirmation: &Value) -> Answer {
        self.client.post(&format!("/v1/confirmations/{}/apply", confirmation["id"].as_str().expect("it has an id")), json!({})).await
    }

    pub(crate) async fn file(&self, run: &Value, name: &str) -> Answer {
        self.client.get(&format!("/v1/runs/{}/files/{name}", run["id"].as_str().unwrap())).await
    }
}

async fn mark(client: &Client, run: &Value, number: i64, body: Value) -> Answer {
    client.post_once(&format!("/v1/runs/{}/transfers/{number}/steps", run["id"].as_str().expect("a run has an id")), body).await
}

/// Issues a token.
#[derive(Debug, Clone)]
pub(crate) struct Vendor {
    pub(crate) client: Client,
    pub(crate) code: String,
    pub(crate) key: String,
}

impl Vendor {
    pub(crate) async fn issue(&self, user: &User, amount: &str) -> Answer {
        self.client.post_once("/v1/vendor/issues", json!({"user": user.handle, "amount": amount})).await
    }

    /// Opens the user's account and issues this much into it.
    pub(crate) async fn endow(&self, user: &User, amount: &str) {
        user.open(self).await;
        self.issue(user, amount).await.created();
    }

    /// Says what became of a transfer of the run.
    pub(crate) async fn mark(&self, run: &Value, number: i64, body: Value) -> Answer {
        mark(&self.client, run, number, body).await
    }

    pub(crate) async fn supply(&self) -> Value {
        self.client.get("/v1/vendor/supply").await.ok()
    }

    /// Accepts no more than this of what the debtor owes it on balance; none: whatever it owes.
    pub(crate) async fn accept(&self, debtor: &Vendor, cap: Option<&str>) -> Value {
        self.client.put(&format!("/v1/vendor/caps/{}", debtor.code), Some("*"), json!({"cap": cap})).await.ok()
    }

    /// Switches one direction on or off.
    pub(crate) async fn switch(&self, name: &str, on: bool) {
        let own = self.client.get("/v1/vendor").await;
        let version = own.header("etag").to_owned();
        self.client.patch("/v1/vendor", &version, json!({"switches": {name: on}})).await.ok();
    }
}

/// Holds tokens.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) client: Client,
    pub(crate) handle: String,
    pub(crate) session: String,
}

impl User {
    /// Opens an account with the vendor.
    pub(crate) async fn open(&self, vendor: &Vendor) -> Value {
        self.client.post("/v1/accounts", json!({"vendor": vendor.code})).await.created()
    }

    pub(crate) async fn balance(&self, vendor: &Vendor) -> String {
        self.account(vendor).await["balance"].as_str().expect("a balance is text").to_owned()
    }

    pub(crate) async fn account(&self, vendor: &Vendor) -> Value {
        self.client.get(&format!("/v1/accounts/{}", vendor.code)).await.ok()
    }

    pub(crate) async fn entries(&self, vendor: &Vendor) -> Vec<Value> {
        let page = self.client.get(&format!("/v1/accounts/{}/entries", vendor.code)).await.ok();
        page["items"].as_array().expect("a page has items").clone()
    }

    /// Gives up to this much of one token for the other.
    pub(crate) async fn convert(&self, send: &str, from: &Vendor, to: &Vendor) -> Answer {
        self.swap(json!({"from": from.code, "to": to.code, "send": send})).await
    }

    /// Pays another user exactly this much in the payee's token.
    pub(crate) async fn send(&self, payee: &User, receive: &str, from: &Vendor, to: &Vendor) -> Answer {
        self.swap(json!({"from": from.code, "to": to.code, "receive": receive, "payee": payee.handle})).await
    }

    pub(crate) async fn swap(&self, body: Value) -> Answer {
        self.client.post_once("/v1/swaps", body).await
    }

    pub(crate) async fn propose(&self, with: &User, give: (&Vendor, &str), take: (&Vendor, &str)) -> Answer {
        let leg = |(vendor, amount): (&Vendor, &str)| json!({"vendor": vendor.code, "amount": amount});
        self.client.post_once("/v1/trades", json!({"with": with.handle, "give": leg(give), "take": leg(take)})).await
    }

    /// `accept`, `decline` or `cancel`.
    pub(crate) async fn reply(&self, trade: &Value, reply: &str) -> Answer {
        let id = trade["id"].as_str().expect("a trade has an id");
        self.client.post_once(&format!("/v1/trades/{id}/{reply}"), json!({})).await
    }
}
