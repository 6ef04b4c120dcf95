//! `POST /v1/swaps/bulk`: thousands of users' swaps in one request, under the operator's key.

use super::{Driver, Tally, next_key};
use crate::client::Answer;
use crate::market::{self, SEND, Wish};
use crate::{BenchError, client};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Instant;

impl Driver {
    /// Sends until the turn is over.
    pub(super) async fn bulk(mut self, lines: u32) -> Result<Tally, BenchError> {
        while Instant::now() < self.shared.end {
            let body = self.body(lines);
            let key = next_key();
            let request = client::post("/v1/swaps/bulk", &self.shared.house.operator_key, Some(&key), "application/x-ndjson", body);
            let sent = Instant::now();
            let answer = self.send(request).await?;
            let statuses = self.statuses(&answer, lines)?;
            self.count(sent, statuses);
        }
        Ok(self.tally)
    }

    fn body(&mut self, lines: u32) -> String {
        let mut body = String::new();
        for _ in 0..lines {
            let Wish { user, from, to } = self.market().draw(&mut self.rng, self.shared.draw);
            let (user, from, to) = (market::user_id(user), market::vendor_code(from), market::vendor_code(to));
            writeln!(body, r#"{{"user":"{user}","from":"{from}","to":"{to}","send":"{SEND}"}}"#).expect("a String takes everything");
        }
        body
    }

    /// How many swaps were answered with which status; every line must have its answer.
    fn statuses(&self, answer: &Answer, lines: u32) -> Result<BTreeMap<u16, u64>, BenchError> {
        let lines = u64::from(lines);
        if answer.status != 200 {
            // Refused whole.
            let refused = BTreeMap::from([(answer.status, lines)]);
            return if self.expects(answer.status) { Ok(refused) } else { Err(answer.unexpected("a bulk request")) };
        }
        let mut statuses: BTreeMap<u16, u64> = BTreeMap::new();
        for line in answer.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let status = status_of(line).filter(|status| self.expects(*status));
            let status = status.ok_or_else(|| BenchError::Answer {
                what: "a line of a bulk request".to_owned(),
                status: status_of(line).unwrap_or_default(),
                body: String::from_utf8_lossy(line).into_owned(),
            })?;
            *statuses.entry(status).or_default() += 1;
        }
        let answered: u64 = statuses.values().sum();
        let short = || BenchError::Unreadable(format!("a bulk request of {lines} lines was answered with {answered}"));
        if answered == lines { Ok(statuses) } else { Err(short()) }
    }
}

/// The status of one line of the answer: the number behind `"status":`, which comes before the swap.
fn status_of(line: &[u8]) -> Option<u16> {
    const NAME: &[u8] = br#""status":"#;
    let head = line.get(..line.len().min(80))?;
    let place = head.windows(NAME.len()).position(|window| window == NAME)? + NAME.len();
    let digits = head.get(place..place + 3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lines_status_is_read_without_reading_the_swap() {
        assert_eq!(status_of(br#"{"line":12,"status":201,"replayed":false,"swap":{"id":1}}"#), Some(201));
        assert_eq!(status_of(br#"{"line":4999,"status":503,"problem":{"status":503}}"#), Some(503));
        assert_eq!(status_of(b"{}"), None);
    }
}
