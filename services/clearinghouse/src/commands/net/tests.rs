//! The command on files, without the words of the command line around it.

use super::files::{MANIFEST, POSITIONS, TRANSFERS};
use super::*;
use clap::Parser;
use sha2::{Digest, Sha256};
use std::fs;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: NetArgs,
}

/// A folder of one test, removed when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("scriphouse-net-{}-{test}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn net(&self, csv: &str, more: &[&str]) -> Result<String, String> {
        let file = self.0.join("in.csv");
        fs::write(&file, csv).unwrap();
        self.net_file(&file, more)
    }

    fn net_file(&self, file: &Path, more: &[&str]) -> Result<String, String> {
        let words = ["net", file.to_str().unwrap()].into_iter().chain(more.iter().copied());
        let command = Command::try_parse_from(words).map_err(|e| e.to_string())?;
        let mut out = Vec::new();
        run(&command.args, &mut out).map_err(|e| e.to_string().replace(&format!("{}/", self.0.display()), ""))?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const SQUARE: &str = "debtor,creditor,amount\nA,B,60\nA,C,40.5\nB,C,70\nC,=D,50\n=D,A,20\n";

#[test]
fn the_summary_is_one_json_object() {
    let folder = Folder::new("json");
    let printed = folder.net(SQUARE, &["--strategy", "direct", "--json"]).unwrap();
    let expected = r#"{"strategy":"direct","obligations":5,"parties":4,"gross":"240.5","bilateral":"240.5","net":"90.5","set_off":"150.0","remaining":"90.5","transfers":3,"total":"90.5","optimal":true,"input_hash":""#;
    assert!(printed.starts_with(expected), "{printed}");
    assert_eq!(printed.lines().count(), 1);
}

#[test]
fn the_summary_is_a_table() {
    let folder = Folder::new("table");
    let printed = folder.net(SQUARE, &["--strategy", "hub", "--digits", "2"]).unwrap();
    let expected = "\
5 obligations between 4 parties, netted by hub
  gross               240.50
  after bilateral     240.50  saved   0.00 %
  net internal debt    90.50  saved  62.37 %
  left to pay by hub   90.50  saved  62.37 %
  moved by transfers  181.00
  transfers                4
";
    assert_eq!(printed, expected);
}

#[test]
fn the_files_are_complete_and_named_in_the_manifest() {
    let folder = Folder::new("files");
    let out = folder.0.join("deep/down");
    folder.net(SQUARE, &["--strategy", "direct", "--out", out.to_str().unwrap(), "--json"]).unwrap();

    assert_eq!(folder.read("deep/down/transfers.csv"), "payer,payee,amount\r\nA,C,60.5\r\nA,'=D,20.0\r\nB,'=D,10.0\r\n");
    let positions = "party,owed,owes,net\r\n'=D,50.0,20.0,30.0\r\nA,20.0,100.5,-80.5\r\nB,60.0,70.0,-10.0\r\nC,110.5,50.0,60.5\r\n";
    assert_eq!(folder.read("deep/down/positions.csv"), positions);
    let manifest: serde_json::Value = serde_json::from_str(&folder.read("deep/down/manifest.json")).unwrap();
    assert_eq!(manifest["total"], "90.5");
    assert_eq!(manifest["files"][1]["size_bytes"], positions.len());
    assert_eq!(manifest["files"][1]["sha256"], hex::encode(Sha256::digest(positions)));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 3, "no part is left behind");
}

#[test]
fn what_rounding_leaves_owed_is_written_down() {
    let folder = Folder::new("rounded");
    let out = folder.0.join("out");
    let csv = "debtor,creditor,amount\nA,D,10.005\nB,D,10.005\nC,D,10.005\n";
    let printed = folder.net(csv, &["--strategy", "direct", "--digits", "2", "--out", out.to_str().unwrap()]).unwrap();

    assert!(
        printed.contains("\n  moved by transfers     30.010\n  transfers                   3\n  carried                 0.010\n"),
        "{printed}"
    );
    assert_eq!(folder.read("out/transfers.csv"), "payer,payee,amount\r\nA,D,10.01\r\nB,D,10.00\r\nC,D,10.00\r\n");
    assert_eq!(folder.read("out/carries.csv"), "debtor,creditor,amount\r\nB,A,0.005\r\nC,D,0.005\r\n");
    let manifest: serde_json::Value = serde_json::from_str(&folder.read("out/manifest.json")).unwrap();
    assert_eq!(manifest["digits"], 2);
    assert_eq!(manifest["files"][2]["name"], "carries.csv");

    folder.net(csv, &["--strategy", "direct", "--out", out.to_str().unwrap()]).unwrap();
    assert!(!out.join("carries.csv").exists(), "three decimals leave nothing to carry");
}

#[test]
fn what_circles_cancel_is_written_down() {
    let folder = Folder::new("circles");
    let out = folder.0.join("out");
    folder.net(SQUARE, &["--strategy", "conservative", "--out", out.to_str().unwrap()]).unwrap();

    let set_offs = "debtor,creditor,amount,set_off,remaining\r\n'=D,A,20.0,20.0,0.0\r\nA,B,60.0,20.0,40.0\r\nA,C,40.5,0.0,40.5\r\nB,C,70.0,20.0,50.0\r\nC,'=D,50.0,20.0,30.0\r\n";
    assert_eq!(folder.read("out/setoffs.csv"), set_offs);
    assert_eq!(folder.read("out/transfers.csv"), "payer,payee,amount\r\nA,B,40.0\r\nA,C,40.5\r\nB,C,50.0\r\nC,'=D,30.0\r\n");

    folder.net(SQUARE, &["--strategy", "direct", "--out", out.to_str().unwrap()]).unwrap();
    assert!(!out.join("setoffs.csv").exists(), "of another strategy");
}

#[test]
fn what_is_not_of_an_earlier_netting_stays() {
    let folder = Folder::new("foreign");
    fs::write(folder.0.join("setoffs.csv"), "mine").unwrap();
    fs::write(folder.0.join("transfers.csv"), SQUARE).unwrap();
    let out = folder.0.to_str().unwrap();

    let input = folder.0.join("transfers.csv");
    let refusal = folder.net_file(&input, &["--strategy", "direct", "--out", out]).unwrap_err();
    assert_eq!(refusal, "transfers.csv is the file that is read; choose another folder for --out");
    assert_eq!(folder.read("transfers.csv"), SQUARE);

    folder.net(SQUARE, &["--strategy", "direct", "--out", out]).unwrap();
    assert_eq!(folder.read("setoffs.csv"), "mine");
}

#[test]
fn a_shuffled_file_gives_the_same_bytes() {
    let folder = Folder::new("shuffled");
    let net = |csv: &str, to: &str| {
        folder.net(csv, &["--strategy", "bilateral", "--out", folder.0.join(to).to_str().unwrap(), "--json"]).unwrap()
    };
    let shuffled = "amount,note,creditor,debtor\n20,x,A,=D\n70,,C,B\n60,,B,A\n50,,=D,C\n40.5,,C,A\n";
    assert_eq!(net(SQUARE, "one"), net(shuffled, "two"));
    for name in [TRANSFERS, POSITIONS, MANIFEST] {
        assert_eq!(folder.read(&format!("one/{name}")), folder.read(&format!("two/{name}")));
    }
}

#[test]
fn bad_input_is_refused_in_one_sentence_and_writes_nothing() {
    let folder = Folder::new("bad");
    let out = folder.0.join("out");
    let refused = |csv: &str, more: &[&str]| {
        let refusal = folder.net(csv, &[more, &["--out", out.to_str().unwrap()]].concat()).unwrap_err();
        assert!(!out.exists(), "{csv:?} wrote something");
        refusal
    };
    let direct = ["--strategy", "direct"];
    assert!(refused("debtor,creditor,amount\nA,B,1\nA,B,1e3\n", &direct).starts_with("in.csv: line 3, column amount: "));
    assert_eq!(refused("debtor,amount\n", &direct), "in.csv: line 1: the header has no column creditor");
    let decimals = "in.csv: line 2, column amount: the amount has more than 6 decimals";
    assert_eq!(refused("debtor,creditor,amount\nA,B,1.0000005\n", &direct), decimals);
    let house = "in.csv: a party may not be named HOUSE when the hub strategy is used";
    assert_eq!(refused("debtor,creditor,amount\nA,HOUSE,1\n", &["--strategy", "hub"]), house);
    let much = "debtor,creditor,amount\nA,B,4000000000000\nA,B,4000000000000\n";
    assert_eq!(refused(much, &direct), "in.csv: line 3: the obligations sum to more than can be netted at once");
    assert!(
        refused(SQUARE, &["--strategy", "best"]).contains("the strategy is one of gross, bilateral, conservative, direct, fewest and hub")
    );
    assert!(refused(SQUARE, &["--strategy", "direct", "--digits", "7"]).contains("0..=6"));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let refusal = Folder::new("missing").net_file(Path::new("no/such.csv"), &["--strategy", "gross"]).unwrap_err();
    assert!(refusal.starts_with("no/such.csv could not be opened: "), "{refusal}");
}

/// Payers of 10, 3 and 3, payees of 6, 5 and 5: whoever pays the largest first needs five transfers.
const SIX: &str = "debtor,creditor,amount\nA,X,6\nA,Y,4\nB,Y,1\nB,Z,2\nC,Z,3\n";

#[test]
fn the_fewest_transfers_are_written_down() {
    let folder = Folder::new("fewest");
    let out = folder.0.join("out");
    let printed = folder.net(SIX, &["--strategy", "fewest", "--json", "--out", out.to_str().unwrap()]).unwrap();
    assert!(printed.contains(r#""transfers":4,"total":"16","optimal":true"#) && printed.contains(r#""transfers_needed":4"#), "{printed}");
    assert_eq!(folder.read("out/transfers.csv"), "payer,payee,amount\r\nA,Y,5\r\nA,Z,5\r\nB,X,3\r\nC,X,3\r\n");
}

#[test]
fn what_is_too_small_to_transfer_is_written_down_as_carried() {
    let folder = Folder::new("minimum");
    let out = folder.0.join("out");
    let minimum = ["--strategy", "fewest", "--min-transfer", "4.50", "--out", out.to_str().unwrap()];
    let printed = folder.net(SIX, &minimum).unwrap();
    assert!(printed.contains("\n  moved by transfers     10\n  transfers               2\n  carried                 6\n"), "{printed}");
    assert_eq!(folder.read("out/transfers.csv"), "payer,payee,amount\r\nA,Y,5\r\nA,Z,5\r\n");
    assert_eq!(folder.read("out/carries.csv"), "debtor,creditor,amount\r\nB,X,3\r\nC,X,3\r\n");
    let manifest: serde_json::Value = serde_json::from_str(&folder.read("out/manifest.json")).unwrap();
    assert_eq!((&manifest["min_transfer"], &manifest["carried"]), (&"4.5".into(), &"6".into()));

    let everything = ["--strategy", "fewest", "--min-transfer", "0", "--out", out.to_str().unwrap()];
    folder.net(SIX, &everything).unwrap();
    assert!(!out.join("carries.csv").exists(), "every transfer is made");
    assert!(folder.net(SIX, &["--strategy", "fewest", "--min-transfer", "-1"]).is_err());
    assert!(folder.net(SIX, &["--strategy", "fewest", "--min-transfer", "1e3"]).unwrap_err().contains("--min-transfer"));
}

#[test]
fn every_strategy_is_shown_side_by_side() {
    let folder = Folder::new("what-if");
    let expected = "\
5 obligations between 6 parties, netted by every strategy
  gross               16.00
  after bilateral     16.00  saved   0.00 %
  after conservative  16.00  saved   0.00 %
  net internal debt   16.00  saved   0.00 %

  strategy      transfers  optimal  moved  left to pay  set off  carried  largest transfer  most paid by one  by
  gross                 5      yes  16.00        16.00     0.00     0.00              6.00             10.00  A
  bilateral             5      yes  16.00        16.00     0.00     0.00              6.00             10.00  A
  conservative          5      yes  16.00        16.00     0.00     0.00              6.00             10.00  A
  direct                5      yes  16.00        16.00     0.00     0.00              6.00             10.00  A
  fewest                4      yes  16.00        16.00     0.00     0.00              5.00             10.00  A
  hub                   6      yes  32.00        16.00     0.00     0.00             10.00             10.00  A
";
    assert_eq!(folder.net(SIX, &["--what-if", "--digits", "2"]).unwrap(), expected);

    let json: serde_json::Value = serde_json::from_str(&folder.net(SIX, &["--what-if", "--json", "--min-transfer", "6"]).unwrap()).unwrap();
    assert_eq!((&json["gross"], &json["conservative"], &json["min_transfer"]), (&"16".into(), &"16".into(), &"6".into()));
    let gross = serde_json::json!({
        "strategy": "gross", "transfers": 1, "total": "6", "remaining": "16", "set_off": "0", "carried": "10", "largest_transfer": "6",
        "largest_payer": {"party": "A", "pays": "6"}, "optimal": true,
    });
    assert_eq!(json["strategies"][0], gross);
    assert_eq!(json["strategies"].as_array().unwrap().len(), 6);
}

#[test]
fn a_strategy_that_refuses_shows_why_among_the_others() {
    let folder = Folder::new("house");
    let csv = "debtor,creditor,amount\nA,HOUSE,1\n";
    let printed = folder.net(csv, &["--what-if"]).unwrap();
    assert!(printed.starts_with("1 obligation between 2 parties, netted by every strategy\n"), "{printed}");
    assert!(printed.ends_with("\n  hub           a party may not be named HOUSE when the hub strategy is used\n"), "{printed}");
    let json: serde_json::Value = serde_json::from_str(&folder.net(csv, &["--what-if", "--json"]).unwrap()).unwrap();
    let refused = "a party may not be named HOUSE when the hub strategy is used";
    assert_eq!(json["strategies"][5], serde_json::json!({"strategy": "hub", "refused": refused}));
}

#[test]
fn a_file_without_obligations_says_so() {
    let folder = Folder::new("empty");
    let csv = "debtor,creditor,amount\n";
    assert_eq!(folder.net(csv, &["--strategy", "direct"]).unwrap(), "no obligations, netted by direct\n");
    assert_eq!(folder.net(csv, &["--what-if"]).unwrap(), "no obligations, netted by every strategy\n");
}

#[test]
fn all_strategies_and_one_of_them_are_two_questions() {
    let folder = Folder::new("both");
    let out = folder.0.to_str().unwrap();
    for words in [&["--what-if", "--strategy", "direct"][..], &["--what-if", "--out", out], &[]] {
        folder.net(SIX, words).unwrap_err();
    }
}

#[test]
fn files_are_not_put_into_what_is_no_folder() {
    let folder = Folder::new("no-folder");
    let file = folder.0.join("taken");
    fs::write(&file, "mine").unwrap();
    for out in [file.clone(), file.join("deeper")] {
        let refusal = folder.net(SIX, &["--strategy", "direct", "--out", out.to_str().unwrap()]).unwrap_err();
        assert_eq!(refusal, "taken is no folder; choose another for --out");
    }
    assert_eq!(folder.read("taken"), "mine");
}
