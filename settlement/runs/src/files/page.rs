//! A vendor's statement as a page to print: the very lines of its CSV, as they come. Pure.

use crate::Run;
use html_escape::encode_text;

/// It comes with the page, so that nothing is fetched for it; each sheet of paper bears the header.
const STYLE: &str = "body{font:10pt/1.4 sans-serif;margin:2em}table{border-collapse:collapse;width:100%}thead{display:table-header-group}\
th,td{padding:.2em .5em;border-bottom:1px solid #ccc;text-align:left}tr{break-inside:avoid}.amount{text-align:right;font-variant-numeric:tabular-nums}\
.begins td{border-top:2px solid #333}";

/// The columns of a statement that are amounts.
const AMOUNTS: [usize; 2] = [6, 7];
/// The currency, which the heading says.
const CURRENCY: usize = 8;

/// A page that is being made of the bytes of a statement, whatever pieces they come in.
#[derive(Debug)]
pub struct StatementPage {
    head: Option<String>,
    /// What is not yet a whole line.
    rest: Vec<u8>,
    /// The kind of the line before.
    kind: String,
}

impl StatementPage {
    /// The page of the vendor's statement of this run.
    pub fn new(run: &Run, vendor: &str) -> Self {
        let title = format!("Statement of {} for run {} of {}", encode_text(vendor), run.number, encode_text(&run.scheme));
        let head = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style></head>\n\
             <body><h1>{title}</h1>\n<p>Up to {}, in {}. Run {}, which was {} when this page was made.</p>\n<table>\n",
            run.computed_at,
            encode_text(&run.currency),
            run.id,
            run.state,
        );
        Self { head: Some(head), rest: Vec::new(), kind: String::new() }
    }

    /// The part of the page that is whole with this piece of the statement.
    ///
    /// # Errors
    /// A line that is no CSV.
    pub fn push(&mut self, piece: &[u8]) -> Result<String, csv::Error> {
        self.rest.extend_from_slice(piece);
        let whole = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last.saturating_add(1));
        let lines: Vec<u8> = self.rest.drain(..whole).collect();
        let mut html = String::new();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(lines.as_slice());
        for record in reader.records() {
            let record = record?;
            match self.head.take() {
                Some(head) => html.push_str(&format!("{head}<thead>{}</thead>\n<tbody>\n", row(&record, "th", false))),
                None => {
                    let kind = record.get(0).unwrap_or_default();
                    html.push_str(&row(&record, "td", kind != self.kind));
                    kind.clone_into(&mut self.kind);
                }
            }
        }
        Ok(html)
    }

    /// The end of the page.
    pub fn end() -> &'static str {
        "</tbody></table></body></html>\n"
    }
}

fn row(record: &csv::StringRecord, cell: &str, begins: bool) -> String {
    let mut html = String::from(if begins { "<tr class=\"begins\">" } else { "<tr>" });
    for (column, text) in record.iter().enumerate().filter(|(column, _)| *column != CURRENCY) {
        let class = if AMOUNTS.contains(&column) { " class=\"amount\"" } else { "" };
        // Words for people: the kinds and the header are written with underscores.
        let text = if column == 0 || cell == "th" { text.replace('_', " ") } else { text.to_owned() };
        html.push_str(&format!("<{cell}{class}>{}</{cell}>", encode_text(&text)));
    }
    html.push_str("</tr>\n");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(statement: &str, pieces_of: usize) -> String {
        let mut page = StatementPage { head: Some("HEAD ".to_owned()), rest: Vec::new(), kind: String::new() };
        let mut html = String::new();
        for piece in statement.as_bytes().chunks(pieces_of) {
            html.push_str(&page.push(piece).unwrap());
        }
        html + StatementPage::end()
    }

    #[test]
    fn a_page_is_the_lines_in_whatever_pieces_they_come() {
        let statement = "kind,counterparty,reference,source,operation,booked_at,owed,owes,currency\r\n\
                         counterparty,BEANS,,,,,0.500000,0.000000,EUR\r\n\
                         counterparty,\"<A&B, É>\",,,,,0.000000,1.000000,EUR\r\n\
                         closing_carry,,,,,,0.500000,1.000000,EUR\r\n";
        let whole = page(statement, statement.len());
        let expected = "HEAD <thead><tr><th>kind</th><th>counterparty</th><th>reference</th><th>source</th><th>operation</th><th>booked at</th>\
                        <th class=\"amount\">owed</th><th class=\"amount\">owes</th></tr>\n</thead>\n<tbody>\n\
                        <tr class=\"begins\"><td>counterparty</td><td>BEANS</td><td></td><td></td><td></td><td></td>\
                        <td class=\"amount\">0.500000</td><td class=\"amount\">0.000000</td></tr>\n\
                        <tr><td>counterparty</td><td>&lt;A&amp;B, É&gt;</td><td></td><td></td><td></td><td></td>\
                        <td class=\"amount\">0.000000</td><td class=\"amount\">1.000000</td></tr>\n\
                        <tr class=\"begins\"><td>closing carry</td><td></td><td></td><td></td><td></td><td></td>\
                        <td class=\"amount\">0.500000</td><td class=\"amount\">1.000000</td></tr>\n\
                        </tbody></table></body></html>\n";
        assert_eq!(whole, expected);
        for pieces_of in 1..40 {
            assert_eq!(page(statement, pieces_of), whole, "{pieces_of} bytes at a time");
        }
    }
}
