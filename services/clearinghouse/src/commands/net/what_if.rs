//! What every strategy comes to, side by side.

use super::summary::{Percent, of_whom, print_lines};
use netting::{Alternative, Figures, LargestPayer, Strategy, WhatIf};
use scrip::{Micro, Scale};
use serde::Serialize;
use std::io::{self, Write};

#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    digits: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_transfer: Option<String>,
    obligations: usize,
    parties: usize,
    gross: String,
    bilateral: String,
    conservative: String,
    net: String,
    strategies: Vec<Row>,
    #[serde(skip)]
    saved: [Percent; 3],
}

#[derive(Debug, Serialize)]
struct Row {
    strategy: Strategy,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Outcome {
    Figures(Shown),
    Refused { refused: String },
}

/// The figures as decimals.
#[derive(Debug, Serialize)]
struct Shown {
    transfers: usize,
    total: String,
    remaining: String,
    set_off: String,
    carried: String,
    largest_transfer: String,
    largest_payer: Option<ShownPayer>,
    optimal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfers_needed: Option<usize>,
}

#[derive(Debug, Serialize)]
struct ShownPayer {
    party: String,
    pays: String,
}

impl Comparison {
    pub(super) fn of(compared: &WhatIf, shown_with: Scale) -> Self {
        let WhatIf { digits, min_transfer, obligations, parties, gross, bilateral, conservative, net, alternatives } = compared;
        let shown = |amount: &Micro| amount.display_at_least(shown_with);
        Self {
            digits: digits.decimals(),
            min_transfer: (*min_transfer > Micro::ZERO).then(|| shown(min_transfer)),
            obligations: *obligations,
            parties: *parties,
            gross: shown(gross),
            bilateral: shown(bilateral),
            conservative: shown(conservative),
            net: shown(net),
            strategies: alternatives.iter().map(|alternative| Row::of(alternative, shown_with)).collect(),
            saved: [bilateral, conservative, net].map(|left| Percent::saved(*gross, *left)),
        }
    }

    pub(super) fn print_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }

    pub(super) fn print_table(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{}, netted by every strategy", of_whom(self.obligations, self.parties))?;
        if self.obligations == 0 {
            return Ok(());
        }
        let [bilateral, conservative, net] = self.saved;
        print_lines(
            out,
            &[
                ("gross", &self.gross, None),
                ("after bilateral", &self.bilateral, Some(bilateral)),
                ("after conservative", &self.conservative, Some(conservative)),
                ("net internal debt", &self.net, Some(net)),
            ],
        )?;
        writeln!(out)?;
        self.print_rows(out)
    }

    /// A refusal stands in place of the figures, so it does not widen their columns.
    fn print_rows(&self, out: &mut impl Write) -> io::Result<()> {
        let cells: Vec<(&str, Result<[String; COLUMNS], &str>)> =
            self.strategies.iter().map(|row| (row.strategy.name(), row.outcome.cells())).collect();
        let figures = || cells.iter().filter_map(|(_, cells)| cells.as_ref().ok());
        let width = |column: usize| figures().map(|cells| cells[column].len()).chain([HEADER[column].len()]).max().unwrap_or_default();
        let widths: [usize; COLUMNS] = std::array::from_fn(width);
        let mut line = |name: &str, cells: Result<[&str; COLUMNS], &str>, last: &str| {
            write!(out, "  {name:12}")?;
            match cells {
                Ok(cells) => cells.iter().zip(widths).try_for_each(|(cell, width)| write!(out, "  {cell:>width$}"))?,
                Err(refused) => write!(out, "  {refused}")?,
            }
            writeln!(out, "{last}")
        };
        line("strategy", Ok(HEADER), "  by")?;
        for (row, (name, cells)) in self.strategies.iter().zip(&cells) {
            let cells = cells.as_ref().map(|cells| cells.each_ref().map(String::as_str)).map_err(|refused| *refused);
            line(name, cells, &row.outcome.payer())?;
        }
        Ok(())
    }
}

const COLUMNS: usize = 8;
const HEADER: [&str; COLUMNS] =
    ["transfers", "optimal", "moved", "left to pay", "set off", "carried", "largest transfer", "most paid by one"];

impl Row {
    fn of(alternative: &Alternative, shown_with: Scale) -> Self {
        let Alternative { strategy, figures } = alternative;
        let outcome = match figures {
            Ok(figures) => Outcome::Figures(Shown::of(figures, shown_with)),
            Err(refusal) => Outcome::Refused { refused: refusal.to_string() },
        };
        Self { strategy: *strategy, outcome }
    }
}

impl Outcome {
    /// What stands below the header; or why nothing does.
    fn cells(&self) -> Result<[String; COLUMNS], &str> {
        let Shown { transfers, total, remaining, set_off, carried, largest_transfer, largest_payer, optimal, transfers_needed } = match self
        {
            Self::Figures(shown) => shown,
            Self::Refused { refused } => return Err(refused),
        };
        let optimal = match (optimal, transfers_needed) {
            (true, _) => "yes".to_owned(),
            (false, Some(needed)) => format!("at least {needed}"),
            (false, None) => "no".to_owned(),
        };
        let pays = largest_payer.as_ref().map_or_else(|| "-".to_owned(), |payer| payer.pays.clone());
        let [total, remaining, set_off, carried, largest] = [total, remaining, set_off, carried, largest_transfer].map(String::clone);
        Ok([transfers.to_string(), optimal, total, remaining, set_off, carried, largest, pays])
    }

    /// Who pays most, after the last column.
    fn payer(&self) -> String {
        match self {
            Self::Figures(Shown { largest_payer: Some(payer), .. }) => format!("  {}", payer.party),
            Self::Figures(_) | Self::Refused { .. } => String::new(),
        }
    }
}

impl Shown {
    fn of(figures: &Figures, shown_with: Scale) -> Self {
        let Figures { transfers, total, remaining, set_off, carried, largest_payer, largest_transfer, optimal, transfers_needed } = figures;
        let shown = |amount: &Micro| amount.display_at_least(shown_with);
        let payer = |LargestPayer { party, pays }: &LargestPayer| ShownPayer { party: party.to_string(), pays: shown(pays) };
        Self {
            transfers: *transfers,
            total: shown(total),
            remaining: shown(remaining),
            set_off: shown(set_off),
            carried: shown(carried),
            largest_transfer: shown(largest_transfer),
            largest_payer: largest_payer.as_ref().map(payer),
            optimal: *optimal,
            transfers_needed: *transfers_needed,
        }
    }
}
