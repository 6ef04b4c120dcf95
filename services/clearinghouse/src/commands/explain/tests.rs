//! The command on files, without the words of the command line around it.

use super::*;
use clap::Parser;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: ExplainArgs,
}

const CIRCLE: &str = "debtor,creditor,amount\nA,B,60\nA,C,40\nB,C,70.00\nC,D,50\nD,A,20\n";

fn explained(csv: &str, words: &[&str]) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("in.csv");
    std::fs::write(&file, csv).unwrap();
    let command = Command::try_parse_from(["explain", file.to_str().unwrap()].iter().chain(words)).map_err(|e| e.to_string())?;
    let mut out = Vec::new();
    run(&command.args, &mut out).map_err(|e| e.to_string().replace(&format!("{}/", folder.path().display()), ""))?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn every_loop_is_told_in_a_line() {
    let expected = "\
5 obligations between 4 parties, netted by direct: 3 transfers
40.00  path: A owes C (line 3); A pays C (transfer 1)
20.00  path: A owes B (line 2), B owes C (line 4); A pays C (transfer 1)
20.00  path: A owes B (line 2), B owes C (line 4), C owes D (line 5); A pays D (transfer 2)
10.00  path: B owes C (line 4), C owes D (line 5); B pays D (transfer 3)
20.00  circle: A owes B (line 2), B owes C (line 4), C owes D (line 5), D owes A (line 6)
";
    assert_eq!(explained(CIRCLE, &["--strategy", "direct"]).unwrap(), expected);
}

#[test]
fn the_example_of_the_help_is_what_it_prints() {
    let printed = explained("debtor,creditor,amount\nA,B,5\nB,C,5\n", &["--strategy", "direct"]).unwrap();
    assert!(EXAMPLES.ends_with(printed.lines().nth(1).unwrap()), "{printed}");
}

#[test]
fn one_transfer_is_told_alone() {
    let csv = explained(CIRCLE, &["--strategy", "direct", "--transfer", "2", "--csv"]).unwrap();
    let expected = "\
loop,kind,step,type,from,to,reference,amount\r
1,path,1,owed,A,B,2,20.00\r
1,path,2,owed,B,C,4,20.00\r
1,path,3,owed,C,D,5,20.00\r
1,path,4,transfer,A,D,2,20.00\r
";
    assert_eq!(csv, expected);
    let json = explained(CIRCLE, &["--strategy", "direct", "--transfer", "3", "--json"]).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["loop"], &json["kind"], &json["amount"]), (&1.into(), &"path".into(), &"10.00".into()));
    assert_eq!(
        json["steps"][0],
        serde_json::json!({"type": "owed", "debtor": "B", "creditor": "C", "parts": [{"line": 4, "amount": "10.00"}]})
    );
    assert_eq!(json["steps"][2], serde_json::json!({"type": "transfer", "number": 3, "payer": "B", "payee": "D"}));
}

#[test]
fn the_obligations_of_one_party_are_told_with_their_sums() {
    let expected = "\
5 obligations between 4 parties, netted by direct: 3 transfers
line 2  A owes B 60.00: 40.00 paid, 0.00 carried, 20.00 set off
line 3  A owes C 40.00: 40.00 paid, 0.00 carried, 0.00 set off
line 6  D owes A 20.00: 0.00 paid, 0.00 carried, 20.00 set off
A is owed 20.00: 0.00 paid, 0.00 carried, 20.00 set off
A owes 100.00: 80.00 paid, 0.00 carried, 20.00 set off
";
    assert_eq!(explained(CIRCLE, &["--strategy", "direct", "--party", "A"]).unwrap(), expected);
    let csv = explained("debtor,creditor,amount\n=A,B,1.5\n", &["--strategy", "gross", "--digits", "0", "--party", "=A", "--csv"]).unwrap();
    assert_eq!(csv, "line,debtor,creditor,amount,paid,carried,set_off\r\n2,'=A,B,1.5,1.0,0.5,0.0\r\n");
    let json = explained(CIRCLE, &["--strategy", "direct", "--party", "D", "--json"]).unwrap();
    let first: serde_json::Value = serde_json::from_str(json.lines().next().unwrap()).unwrap();
    assert_eq!((&first["line"], &first["set_off"]), (&5.into(), &"20.00".into()));
}

#[test]
fn what_is_not_paid_now_is_told_as_a_carry() {
    let csv = "debtor,creditor,amount\nA,B,3\nA,B,1\n";
    let printed = explained(csv, &["--strategy", "gross", "--min-transfer", "5"]).unwrap();
    assert!(printed.ends_with("\n4  path: A owes B (3 of line 2, 1 of line 3); A goes on owing B (carry 1)\n"), "{printed}");
    let many = format!("debtor,creditor,amount\n{}", "A,B,1\n".repeat(20));
    let printed = explained(&many, &["--strategy", "gross"]).unwrap();
    assert!(printed.ends_with("1 of line 9, and of 12 more lines); A pays B (transfer 1)\n"), "{printed}");
    assert_eq!(explained("debtor,creditor,amount\n", &["--strategy", "hub"]).unwrap(), "no obligations, netted by hub: 0 transfers\n");
}

#[test]
fn what_is_not_there_is_refused_in_one_sentence() {
    for (csv, words, sentence) in [
        (CIRCLE, &["--transfer", "4"][..], "there is no transfer 4: in.csv comes to 3"),
        (CIRCLE, &["--transfer", "0"], "there is no transfer 0: in.csv comes to 3"),
        (CIRCLE, &["--party", "X"], "in.csv: X neither owes nor is owed anything"),
        ("debtor,creditor,amount\nA,B,1e3\n", &[], "in.csv: line 2, column amount: "),
    ] {
        let refusal = explained(csv, &[&["--strategy", "direct"], words].concat()).unwrap_err();
        assert!(refusal.starts_with(sentence) && !refusal.contains('\n'), "{refusal}");
    }
    for words in [&["--party", "A", "--transfer", "1"][..], &["--json", "--csv"]] {
        assert!(explained(CIRCLE, &[&["--strategy", "direct"], words].concat()).unwrap_err().contains("cannot be used with"));
    }
    assert!(explained(CIRCLE, &["--strategy", "hub"]).unwrap().contains("HOUSE"));
    assert!(explained("debtor,creditor,amount\nHOUSE,B,1\n", &["--strategy", "hub"]).unwrap_err().contains("HOUSE"));
}
