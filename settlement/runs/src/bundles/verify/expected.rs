//! Text that a file should have, held against its bytes as they pass: known at its beginning and its end, and by its hash between.

use crate::seals::Hash;
use sha2::{Digest, Sha256};

/// The text, and how far it was met.
pub(super) struct Expected {
    begin: Vec<u8>,
    middle_bytes: u64,
    middle: Hash,
    end: Vec<u8>,
    at: u64,
    hasher: Sha256,
    differs: bool,
}

impl Expected {
    /// A text of three parts.
    pub(super) fn new(begin: Vec<u8>, (middle_bytes, middle): (u64, Hash), end: Vec<u8>) -> Self {
        Self { begin, middle_bytes, middle, end, at: 0, hasher: Sha256::new(), differs: false }
    }

    /// A text that is known.
    pub(super) fn whole(text: Vec<u8>) -> Self {
        Self::new(text, (0, Sha256::digest([]).into()), Vec::new())
    }

    /// Meets the next bytes.
    pub(super) fn meet(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let begin_bytes = length(&self.begin);
            let middle_end = begin_bytes.saturating_add(self.middle_bytes);
            let (part_begin, part_end) = if self.at < begin_bytes {
                (0, begin_bytes)
            } else if self.at < middle_end {
                (begin_bytes, middle_end)
            } else {
                (middle_end, middle_end.saturating_add(length(&self.end)))
            };
            let take = usize::try_from(part_end.saturating_sub(self.at)).unwrap_or(usize::MAX).min(bytes.len());
            if take == 0 {
                self.differs = true;
                return;
            }
            let (met, rest) = bytes.split_at(take);
            let from = usize::try_from(self.at.saturating_sub(part_begin)).unwrap_or(usize::MAX);
            let known = |text: &[u8]| text.get(from..).is_some_and(|text| text.starts_with(met));
            if self.at < begin_bytes {
                self.differs |= !known(&self.begin);
            } else if self.at < middle_end {
                self.hasher.update(met);
            } else {
                self.differs |= !known(&self.end);
            }
            self.at = self.at.saturating_add(length(met));
            bytes = rest;
        }
    }

    /// Whether all bytes were those of the text, and none are missing.
    pub(super) fn met(self) -> bool {
        let bytes = length(&self.begin).saturating_add(self.middle_bytes).saturating_add(length(&self.end));
        let middle: Hash = self.hasher.finalize().into();
        !self.differs && self.at == bytes && middle == self.middle
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_met(text: &str, chunk: usize) -> bool {
        let middle = b"middle";
        let mut expected = Expected::new(b"begin".to_vec(), (6, Sha256::digest(middle).into()), b"end".to_vec());
        text.as_bytes().chunks(chunk).for_each(|bytes| expected.meet(bytes));
        expected.met()
    }

    #[test]
    fn only_the_text_itself_is_met_however_it_is_cut() {
        for chunk in 1..20 {
            assert!(is_met("beginmiddleend", chunk));
            for other in
                ["", "begin", "beginmiddle", "beginmiddleen", "beginmiddleendx", "xeginmiddleend", "beginmxddleend", "beginmiddlexnd"]
            {
                assert!(!is_met(other, chunk), "{other} by {chunk}");
            }
        }
        assert!(Expected::whole(Vec::new()).met());
    }
}
