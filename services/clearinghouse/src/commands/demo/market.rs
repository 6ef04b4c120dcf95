//! A small market: five vendors, three users, and one of each thing that they can do.

use super::caller::Caller;
use super::text;
use crate::commands::CommandError;
use serde_json::json;

/// Code, name, decimals, what a whole token is worth in euros, and where the vendor is paid (the banks' own example numbers).
const VENDORS: [(&str, &str, u8, &str, &str); 5] = [
    ("AIRMILES", "Northern Air Miles", 0, "0.01", "NL91ABNA0417164300"),
    ("BEANS", "Bean Counter Coffee", 2, "0.50", "DE89370400440532013000"),
    ("BOOKS", "Page Turner Books", 2, "1", "GB29NWBK60161331926819"),
    ("GRID", "Green Grid Energy", 3, "0.12", "BE68539007547034"),
    ("RIDES", "City Rides", 1, "1.50", "FR1420041010050500013M02606"),
];

const USERS: [&str; 3] = ["ada", "ben", "cleo"];

/// Who was issued what.
const ISSUES: [(&str, &str, &str); 8] = [
    ("AIRMILES", "ada", "12000"),
    ("AIRMILES", "ben", "4000"),
    ("BEANS", "ben", "150.50"),
    ("BEANS", "cleo", "80"),
    ("BOOKS", "cleo", "64.25"),
    ("GRID", "ada", "900.125"),
    ("RIDES", "ben", "30"),
    ("RIDES", "cleo", "12.5"),
];

/// Who converts how much of what into what.
const CONVERTS: [(&str, &str, &str, &str); 6] = [
    ("ada", "5000", "AIRMILES", "BEANS"),
    ("ada", "250", "GRID", "BOOKS"),
    ("ben", "60", "BEANS", "RIDES"),
    ("ben", "2500", "AIRMILES", "GRID"),
    ("cleo", "20", "BOOKS", "AIRMILES"),
    ("cleo", "4", "RIDES", "BEANS"),
];

/// Everybody, with their credentials.
#[derive(Debug)]
pub(super) struct Market {
    vendors: Vec<Caller>,
    users: Vec<Caller>,
}

impl Market {
    /// Creates the scheme, onboards the vendors, registers the users, opens accounts.
    pub(super) async fn open(operator: &Caller) -> Result<Self, CommandError> {
        println!("The operator creates a scheme and onboards five vendors:");
        operator.post("/v1/schemes", json!({"code": "DEMO", "currency": "EUR", "strategy": "direct"})).await?;
        let mut vendors = Vec::new();
        for (code, name, scale, unit_value, iban) in VENDORS {
            let payout = json!({"account_holder": name, "iban": iban});
            let body = json!({"payout": payout, "code": code, "name": name, "scale": scale, "unit_value": unit_value, "scheme": "DEMO"});
            let made = operator.post("/v1/vendors", body).await?;
            println!("  {code:<9} {name}: a token is worth {unit_value} EUR");
            vendors.push(operator.with(text(&made, "api_key")));
        }
        let mut users = Vec::new();
        for handle in USERS {
            let credentials = json!({"handle": handle, "password": "a demo's password"});
            operator.post("/v1/users", credentials.clone()).await?;
            let session = operator.post("/v1/sessions", credentials).await?;
            let user = operator.with(text(&session, "token"));
            for (code, ..) in VENDORS {
                user.post("/v1/accounts", json!({"vendor": code})).await?;
            }
            users.push(user);
        }
        println!("Users register and open accounts: {}.", USERS.join(", "));
        Ok(Self { vendors, users })
    }

    /// Issues, converts, sends and trades.
    pub(super) async fn play(&self) -> Result<(), CommandError> {
        println!("Vendors issue tokens:");
        for (code, handle, amount) in ISSUES {
            self.vendor(code).post("/v1/vendor/issues", json!({"user": handle, "amount": amount})).await?;
            println!("  {code} issues {amount} to {handle}");
        }
        println!("BEANS keeps a margin of 1.5 % on what others' tokens buy. Users swap:");
        self.vendor("BEANS").post("/v1/vendor/rates", json!({"from": "AIRMILES", "kind": "cross", "margin_bps": 150})).await?;
        for (handle, send, from, to) in CONVERTS {
            let swap = self.user(handle).post("/v1/swaps", json!({"from": from, "to": to, "send": send})).await?;
            println!(
                "  {handle} converts {} {from} into {} {to}; {from} owes {to} {} EUR",
                text(&swap, "send"),
                text(&swap, "receive"),
                text(&swap, "to_vendor")
            );
        }
        let send = json!({"from": "GRID", "to": "RIDES", "receive": "10", "payee": "cleo"});
        let sent = self.user("ada").post("/v1/swaps", send).await?;
        println!("  ada pays cleo 10 RIDES with {} GRID", text(&sent, "send"));
        let trade = json!({"with": "cleo", "give": {"vendor": "RIDES", "amount": "5"}, "take": {"vendor": "BOOKS", "amount": "7.50"}});
        let trade = self.user("ben").post("/v1/trades", trade).await?;
        let accept = format!("/v1/trades/{}/accept", text(&trade, "id"));
        self.user("cleo").post(&accept, json!({})).await?;
        println!("  ben gives cleo 5 RIDES for 7.50 BOOKS, which nobody owes anybody for");
        let supply = self.vendor("BEANS").get("/v1/vendor/supply").await?;
        println!(
            "BEANS has issued {}, retired {}; {} are outstanding.",
            text(&supply, "issued"),
            text(&supply, "retired"),
            text(&supply, "outstanding")
        );
        Ok(())
    }

    /// A vendor's code and key, to look around with.
    pub(super) fn sample_vendor(&self) -> (&'static str, &str) {
        (VENDORS[0].0, self.vendors.first().map(Caller::credential).unwrap_or_default())
    }

    /// A user's handle and session, to look around with.
    pub(super) fn sample_user(&self) -> (&'static str, &str) {
        (USERS[0], self.users.first().map(Caller::credential).unwrap_or_default())
    }

    fn vendor(&self, code: &str) -> &Caller {
        let place = VENDORS.iter().position(|vendor| vendor.0 == code);
        place.and_then(|place| self.vendors.get(place)).expect("the market has this vendor")
    }

    fn user(&self, handle: &str) -> &Caller {
        let place = USERS.iter().position(|user| *user == handle);
        place.and_then(|place| self.users.get(place)).expect("the market has this user")
    }
}
