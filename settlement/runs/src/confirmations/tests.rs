//! What the readers make of what banks write, and of what nobody should.

use super::entry::{ConfirmationError, ENTRIES_MAX, Entry, Stated, UPLOAD_BYTES_MAX};
use super::read::{Read, read};
use proptest::prelude::*;

const PAIN: &str = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10";
const STATEMENT: &str = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08";
const NOTIFICATION: &str = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08";
const HEADER: &str = "reference,amount,currency,result,reason,bank_reference,booked_on\n";

fn pain(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"{PAIN}\">\n<CstmrPmtStsRpt>{inner}</CstmrPmtStsRpt>\n</Document>\n"
    )
}

fn statement(inner: &str) -> String {
    format!("<Document xmlns=\"{STATEMENT}\"><BkToCstmrStmt><Stmt><Id>1</Id>{inner}</Stmt></BkToCstmrStmt></Document>")
}

/// Each entry as `line reference said amount currency reason bank-reference day`.
fn shown(entry: &Entry) -> String {
    let Entry { line, reference, amount, currency, said, reason, bank_reference, booked_on, account: _ } = entry;
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let amount = match amount {
        Stated::Nothing => "?".to_owned(),
        Stated::Unreadable => "x".to_owned(),
        Stated::Amount(amount) => amount.display_at_least(scrip::money::Scale::try_new(2).unwrap()),
    };
    let reason = reason.as_ref().map(|r| format!("{}({})", r.code.map_or("-", |c| c.code), r.text.as_deref().unwrap_or_default()));
    let day = booked_on.map(|day| day.to_string());
    format!("{line} {} {} {amount} {} {} {} {}", or(reference), said.as_str(), or(currency), or(&reason), or(bank_reference), or(&day))
}

fn check(text: impl AsRef<[u8]>, format: &str, entries: &[&str]) {
    let read: Read = read(text.as_ref()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read.format.as_str(), format);
    assert_eq!(read.entries.iter().map(shown).collect::<Vec<_>>(), entries);
}

fn refusal(text: impl AsRef<[u8]>) -> String {
    read(text.as_ref()).expect_err("it is refused").to_string()
}

#[test]
fn a_status_report_says_what_became_of_each_instruction() {
    let report = pain(
        "
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-11-26T10:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>X</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId>
<TxInfAndSts><OrgnlEndToEndId>SH-5A24AD2BB5D6-1</OrgnlEndToEndId><TxSts>ACSC</TxSts><AccptncDtTm>2026-11-26T10:00:00Z</AccptncDtTm>
  <AcctSvcrRef>B&amp;1</AcctSvcrRef><OrgnlTxRef><Amt><InstdAmt Ccy=\"EUR\">20.00</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>SH-5A24AD2BB5D6-2</OrgnlEndToEndId><TxSts>RJCT</TxSts>
  <StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf><AddtlInf>in May</AddtlInf></StsRsnInf></TxInfAndSts>
<TxInfAndSts><OrgnlInstrId>SH-5A24AD2BB5D6-3</OrgnlInstrId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Prtry>OWN</Prtry></Rsn></StsRsnInf></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>SH-5A24AD2BB5D6-4</OrgnlEndToEndId><TxSts>PDNG</TxSts></TxInfAndSts>
</OrgnlPmtInfAndSts>",
    );
    check(
        report,
        "pain.002.001.10",
        &[
            "7 SH-5A24AD2BB5D6-1 sent 20.00 EUR - B&1 2026-11-26",
            "9 SH-5A24AD2BB5D6-2 failed ? - AC04(closed) - -",
            "11 SH-5A24AD2BB5D6-3 failed ? - NARR(OWN) - -",
            "12 SH-5A24AD2BB5D6-4 pending ? - - - -",
        ],
    );
}

#[test]
fn an_entry_is_seen_on_the_account_of_its_own_statement() {
    let entry = "<Ntry><Amt Ccy=\"EUR\">1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts></Ntry>";
    let of = |account: &str| format!("<Stmt><Id>1</Id>{account}{entry}{entry}</Stmt>");
    let iban = |iban: &str| format!("<Acct><Id><IBAN>{iban}</IBAN></Id></Acct>");
    let text = format!(
        "<Document xmlns=\"{STATEMENT}\"><BkToCstmrStmt>{}{}{}</BkToCstmrStmt></Document>",
        of(&iban("DE89370400440532013000")),
        of(""),
        of(&iban("NL91ABNA0417164300")),
    );
    let accounts: Vec<Option<String>> = read(text.as_bytes()).unwrap().entries.into_iter().map(|entry| entry.account).collect();
    let [first, third] = ["DE89370400440532013000", "NL91ABNA0417164300"].map(|iban| Some(iban.to_owned()));
    assert_eq!(accounts, [first.clone(), first, None, None, third.clone(), third]);
    let long = format!("<Document xmlns=\"{STATEMENT}\"><BkToCstmrStmt>{}</BkToCstmrStmt></Document>", of(&iban(&"1".repeat(35))));
    assert_eq!(refusal(long), "line 1: IBAN has more than 34 characters");
}

#[test]
fn a_report_about_a_whole_message_is_one_entry_without_a_reference() {
    check(pain("<OrgnlGrpInfAndSts><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts>"), "pain.002.001.10", &["3 - failed ? - MS03() - -"]);
    let batch =
        "<OrgnlGrpInfAndSts><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><PmtInfSts>RJCT</PmtInfSts></OrgnlPmtInfAndSts>";
    check(pain(batch), "pain.002.001.10", &["3 - failed ? - MS03() - -"]);
}

#[test]
fn a_statement_says_what_was_booked() {
    let entries = "
<Ntry><Amt Ccy=\"EUR\">20</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-25</Dt></BookgDt><AcctSvcrRef>S1</AcctSvcrRef>
 <NtryDtls><TxDtls><Refs><EndToEndId>A</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy=\"EUR\">30</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><DtTm>2026-11-25T23:59:59+01:00</DtTm></BookgDt>
 <NtryDtls><TxDtls><Refs><AcctSvcrRef>T1</AcctSvcrRef><EndToEndId>B</EndToEndId></Refs><Amt Ccy=\"EUR\">10.00</Amt></TxDtls>
 <TxDtls><Refs><EndToEndId>C</EndToEndId></Refs><Amt Ccy=\"EUR\">20.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
  <RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy=\"EUR\">1</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>PDNG</Cd></Sts><NtryDtls><TxDtls><Refs><EndToEndId>D</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy=\"EUR\">0.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><AddtlNtryInf>fees</AddtlNtryInf></Ntry>
<Ntry><Amt Ccy=\"EUR\">7</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd><Sts><Cd>BOOK</Cd></Sts>
 <NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>";
    let expected = [
        "3 A sent 20.00 EUR - S1 2026-11-25",
        "5 B received 10.00 EUR - T1 2026-11-25",
        "6 C failed 20.00 EUR AC04() - 2026-11-25",
        "8 D pending 1.00 EUR - - -",
        "9 - sent x EUR - - -",
        "11 - failed 7.00 EUR MS03() - -",
    ];
    check(statement(entries), "camt.053.001.08", &expected);
    let notification = format!(
        "<x:Document xmlns:x=\"{NOTIFICATION}\"><x:BkToCstmrDbtCdtNtfctn><x:Ntfctn>{}</x:Ntfctn></x:BkToCstmrDbtCdtNtfctn></x:Document>",
        entries.replace("</", "</x:").replace('<', "<x:").replace("<x:/x:", "</x:")
    );
    check(notification, "camt.054.001.08", &expected);
}

#[test]
fn an_entry_says_once_and_plainly_what_became_of_it() {
    let entry = |status: &str, flag: &str| {
        statement(&format!("<Ntry><Amt Ccy=\"EUR\">7</Amt><CdtDbtInd>CRDT</CdtDbtInd>{flag}<Sts>{status}</Sts></Ntry>"))
    };
    for (status, flag, what) in [
        ("<Cd>BOOK</Cd>", "<RvslInd>TRUE</RvslInd>", "RvslInd"),
        ("<Cd>BOOK</Cd>", "<RvslInd></RvslInd>", "RvslInd"),
        ("<Cd>PDNG</Cd><Cd>BOOK</Cd>", "", "Sts"),
    ] {
        let refused = read(entry(status, flag).as_bytes()).unwrap_err();
        assert!(matches!(refused, ConfirmationError::Malformed { what: named, .. } if named == what), "{status} {flag}: {refused}");
    }
    check(entry("<Cd>BOOK</Cd>", "<RvslInd>0</RvslInd>"), "camt.053.001.08", &["1 - received 7.00 EUR - - -"]);
    check(entry("BOOK", ""), "camt.053.001.08", &["1 - received 7.00 EUR - - -"]);
}

#[test]
fn only_the_namespace_of_the_message_counts() {
    let foreign = "<Ntry><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><NtryDtls><TxDtls><Refs><EndToEndId>A</EndToEndId>
        <o:EndToEndId xmlns:o=\"urn:o\">B</o:EndToEndId></Refs><SplmtryData xmlns=\"urn:o\"><Refs><EndToEndId>C</EndToEndId></Refs></SplmtryData>
        </TxDtls></NtryDtls></Ntry><o:Ntry xmlns:o=\"urn:o\"/>";
    check(statement(foreign), "camt.053.001.08", &["1 A sent ? - - - -"]);
}

#[test]
fn a_csv_says_it_plainly() {
    let text = format!(
        "\u{feff}{HEADER}SH-1,20.00,EUR,sent,,\"B,1\",2026-11-25\r\nSH-2,3,EUR,failed,AC04,,\nSH-3,3,EUR,failed,\"no, thanks\",,\nSH-4,1,JPY,received,,,\n"
    );
    check(
        text,
        "csv",
        &[
            "2 SH-1 sent 20.00 EUR - B,1 2026-11-25",
            "3 SH-2 failed 3.00 EUR AC04() - -",
            "4 SH-3 failed 3.00 EUR NARR(no, thanks) - -",
            "5 SH-4 received 1.00 JPY - - -",
        ],
    );
    check(HEADER, "csv", &[]);
}

#[test]
fn a_row_that_cannot_be_read_refuses_the_csv() {
    for (row, sentence) in [
        ("A,1e3,EUR,sent,,,", "line 2: amount: an amount is digits"),
        ("A,0,EUR,sent,,,", "line 2: amount: the amount is zero"),
        ("A,1,eur,sent,,,", "line 2: currency cannot be read: it is three capital letters, such as EUR"),
        ("A,1,EUR,paid,,,", "line 2: result cannot be read: it is sent, received, failed or pending"),
        ("A,1,EUR,sent,AC04,,", "line 2: reason cannot be read: only what failed has one"),
        ("A,1,EUR,sent,,,25.11.2026", "line 2: booked_on cannot be read: a day looks like 2026-11-23"),
        ("A,1,EUR,sent,,,2026-02-30", "line 2: booked_on cannot be read: a day looks like 2026-11-23"),
        ("A,1,EUR,sent,,,2026-11-23T10:00", "line 2: booked_on cannot be read: a day looks like 2026-11-23"),
        ("A,1,EUR,sent,,", "line 2: the row cannot be read: it has 6 cells, but the header has 7"),
        ("A,1,EUR,sent,,\"B\nC\",", "line 2: the row cannot be read: a quotation mark is not closed in its line"),
        ("A\0,1,EUR,sent,,,", "line 2: the text holds a character that controls"),
    ] {
        let said = refusal(format!("{HEADER}{row}\n"));
        assert!(said.starts_with(sentence), "{row}: {said}");
    }
    assert!(refusal(format!("{HEADER}{},1,EUR,sent,,,\n", "A".repeat(36))).starts_with("line 2: reference has more than 35 characters"));
    assert!(refusal("debtor,creditor,amount\nA,B,1\n").starts_with("line 1: the document is debtor,creditor,amount, but this takes"));
    assert!(refusal("reference;amount\n").contains("but this takes"));
    assert_eq!(refusal(""), "the confirmation is empty");
    assert_eq!(refusal(" \n"), "the confirmation is empty");
    assert_eq!(refusal(b"reference\n\xFF"), "line 2: the text is not UTF-8");
}

#[test]
fn a_document_type_definition_is_refused_whatever_is_in_it() {
    for doctype in [
        "<!DOCTYPE Document>",
        "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>",
        "<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/hostname\">]>",
        "<!DOCTYPE x SYSTEM \"http://127.0.0.1/x.dtd\">",
    ] {
        let said = refusal(format!("<?xml version=\"1.0\"?>\n{doctype}\n{}", statement("")));
        assert_eq!(said, "line 2: a document type definition is not taken; no bank writes one");
    }
    assert_eq!(refusal(statement("\n<Id>&f;</Id>")), "line 2: the entity is not one of XML's own five");
}

#[test]
fn what_is_no_xml_is_refused_with_its_line() {
    for (text, sentence) in [
        (statement("<Ntry>"), "line 1: this is no XML: "),
        (statement("\n\n</Ntry>"), "line 3: this is no XML: "),
        ("<Document".to_owned(), "line 1: this is no XML: "),
        (format!("<Document xmlns=\"{STATEMENT}\">\n<A>"), "line 2: this is no XML: it breaks off"),
        (format!("{0}{0}", statement("")), "line 1: this is no XML: there is a second root element"),
        (format!("{}text", statement("")), "line 1: this is no XML: there is text outside of the elements"),
        (statement("<A a=\"1\" a=\"2\"/>"), "line 1: this is no XML: "),
        (statement("<p:A/>"), "line 1: this is no XML: a prefix has no namespace"),
        (statement("<a/b>"), "line 1: this is no XML: "),
        (statement(&format!("<A b=\"{}\"/>", "x".repeat(5000))), "line 1: this is no XML: a tag has more than 4096 bytes"),
        (statement(&format!("<A>{}</A>", "x".repeat(70_000))), "line 1: this is no XML: an element has more than 65536 bytes of text"),
        ("<html/>".to_owned(), "line 1: the document is html, but this takes"),
        ("<Document/>".to_owned(), "line 1: the document is , but this takes"),
        (
            pain("").replace("pain.002.001.10", "pain.001.001.09"),
            "line 2: the document is urn:iso:std:iso:20022:tech:xsd:pain.001.001.09, but",
        ),
    ] {
        let said = refusal(&text);
        assert!(said.starts_with(sentence), "{text}: {said}");
    }
}

#[test]
fn deep_nesting_is_refused_where_it_becomes_too_deep() {
    let deep = "<A>\n".repeat(1_000_000);
    assert_eq!(refusal(statement(&deep)), "line 62: elements are nested more than 64 deep");
    assert_eq!(refusal(statement(&"<o:A xmlns:o=\"urn:o\">\n".repeat(100))), "line 62: elements are nested more than 64 deep");
}

#[test]
fn a_value_that_its_field_does_not_take_is_refused_with_its_line() {
    let entry = |inner: &str| statement(&format!("\n<Ntry>\n{inner}</Ntry>"));
    for (text, sentence) in [
        (entry("<CdtDbtInd>BOTH</CdtDbtInd>"), "line 3: CdtDbtInd cannot be read: it is CRDT or DBIT"),
        (entry("<Sts><Cd>BOOK</Cd></Sts>"), "line 2: CdtDbtInd is missing"),
        (entry("<BookgDt><Dt>yesterday</Dt></BookgDt>"), "line 3: BookgDt cannot be read: a day looks like 2026-11-23"),
        (entry(&format!("<AcctSvcrRef>{}</AcctSvcrRef>", "A".repeat(36))), "line 3: AcctSvcrRef has more than 35 characters"),
        (entry("<AcctSvcrRef>A&#0;B</AcctSvcrRef>"), "line 3: "),
        (entry("<AcctSvcrRef>A&#1;B</AcctSvcrRef>"), "line 3: the text holds a character that controls"),
        (pain("<OrgnlPmtInfAndSts>\n<TxInfAndSts/></OrgnlPmtInfAndSts>"), "line 4: TxSts is missing"),
    ] {
        let said = refusal(&text);
        assert!(said.starts_with(sentence), "{text}: {said}");
    }
}

#[test]
fn there_are_never_too_many_entries_or_bytes() {
    let rows = |count: usize| format!("{HEADER}{}", "A,1,EUR,sent,,,\n".repeat(count));
    assert_eq!(read(rows(ENTRIES_MAX).as_bytes()).unwrap().entries.len(), ENTRIES_MAX);
    assert_eq!(refusal(rows(ENTRIES_MAX + 1)), "line 50002: a confirmation has at most 50000 entries");
    assert_eq!(read(&vec![b'<'; UPLOAD_BYTES_MAX + 1]), Err(ConfirmationError::TooLarge));
}

/// Pieces of the messages, so that chance finds its way into them.
const PIECES: [&str; 24] = [
    "<Ntry>",
    "</Ntry>",
    "<NtryDtls>",
    "</NtryDtls>",
    "<TxDtls>",
    "</TxDtls>",
    "<Refs>",
    "</Refs>",
    "<EndToEndId>",
    "</EndToEndId>",
    "<CdtDbtInd>CRDT</CdtDbtInd>",
    "<Sts><Cd>BOOK</Cd></Sts>",
    "<Amt Ccy=\"EUR\">1</Amt>",
    "<RtrInf/>",
    "&amp;",
    "&#65;",
    "&x;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?p ?>",
    "A",
    "<x:A xmlns:x=\"u\">",
];

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        for frame in [HEADER.to_owned(), format!("<Document xmlns=\"{PAIN}\">"), format!("<Document xmlns=\"{STATEMENT}\">")] {
            let _ = read(&[frame.as_bytes(), &*bytes].concat());
        }
    }

    #[test]
    fn no_order_of_elements_makes_a_reader_panic(pieces in prop::collection::vec(0..PIECES.len(), 0..60)) {
        let inner: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        if let Ok(read) = read(statement(&inner).as_bytes()) {
            prop_assert!(read.entries.len() <= pieces.len());
        }
        let _ = read(statement(&inner).replace("camt.053", "camt.054").as_bytes());
    }

    #[test]
    fn no_cells_make_the_csv_reader_panic(rows in prop::collection::vec("[A-Z0-9\",.é\\n-]{0,30}", 0..10)) {
        let _ = read(format!("{HEADER}{}", rows.join("\n")).as_bytes());
    }

    #[test]
    fn a_truncated_document_never_reads(cut in 1_usize..500) {
        let whole = statement("<Ntry><Amt Ccy=\"EUR\">20</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><NtryDtls><TxDtls><Refs><EndToEndId>A</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>");
        let kept = whole.len().saturating_sub(cut).max(1);
        prop_assert!(read(&whole.as_bytes()[..kept]).is_err());
    }
}
