//! What one netting comes to, as it is printed and stands in the manifest.

use netting::{Netting, Strategy};
use scrip::{Micro, Scale};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::Path,
};

#[derive(Debug, Serialize)]
pub(super) struct Summary {
    strategy: Strategy,
    obligations: usize,
    parties: usize,
    gross: String,
    bilateral: String,
    net: String,
    set_off: String,
    remaining: String,
    transfers: usize,
    total: String,
    optimal: bool,
    input_hash: String,
    output_hash: String,
    carried: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_transfer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfers_needed: Option<usize>,
    #[serde(skip)]
    is_carried: bool,
    #[serde(skip)]
    saved: Saved,
}

/// How much less than the gross.
#[derive(Debug)]
struct Saved {
    bilateral: Percent,
    net: Percent,
    remaining: Percent,
}

impl Summary {
    pub(super) fn of(netting: &Netting, shown_with: Scale) -> Self {
        let shown = |amount: Micro| amount.display_at_least(shown_with);
        let saved = |left: Micro| Percent::saved(netting.gross, left);
        let carried = netting.carried();
        Self {
            strategy: netting.strategy,
            obligations: netting.obligations,
            parties: netting.parties,
            gross: shown(netting.gross),
            bilateral: shown(netting.bilateral),
            net: shown(netting.net),
            set_off: shown(netting.set_off),
            remaining: shown(netting.remaining),
            transfers: netting.transfers.len(),
            total: shown(netting.total),
            optimal: netting.optimal,
            input_hash: netting.input_hash.to_string(),
            output_hash: netting.output_hash.to_string(),
            carried: shown(carried),
            min_transfer: (netting.min_transfer > Micro::ZERO).then(|| shown(netting.min_transfer)),
            transfers_needed: netting.transfers_needed,
            is_carried: carried > Micro::ZERO,
            saved: Saved { bilateral: saved(netting.bilateral), net: saved(netting.net), remaining: saved(netting.remaining) },
        }
    }

    pub(super) fn print_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }

    pub(super) fn print_table(&self, out: &mut impl Write, folder: Option<&Path>) -> io::Result<()> {
        writeln!(out, "{}, netted by {}", of_whom(self.obligations, self.parties), self.strategy)?;
        if self.obligations > 0 {
            self.print_figures(out)?;
        }
        match folder {
            Some(folder) => writeln!(out, "The files are in {}", folder.display()),
            None => Ok(()),
        }
    }

    fn print_figures(&self, out: &mut impl Write) -> io::Result<()> {
        let (transfers, left) = (self.transfers.to_string(), format!("left to pay by {}", self.strategy));
        let mut lines = vec![
            ("gross", &*self.gross, None),
            ("after bilateral", &self.bilateral, Some(self.saved.bilateral)),
            ("net internal debt", &self.net, Some(self.saved.net)),
            (&left, &self.remaining, Some(self.saved.remaining)),
            ("moved by transfers", &self.total, None),
            ("transfers", &transfers, None),
        ];
        let needed = self.transfers_needed.filter(|_| !self.optimal).map(|needed| needed.to_string());
        if let Some(needed) = &needed {
            lines.push(("needed at least", needed, None));
        }
        if self.is_carried {
            lines.push(("carried", &self.carried, None));
        }
        print_lines(out, &lines)
    }
}

/// `5 obligations between 4 parties`.
pub(in crate::commands) fn of_whom(obligations: usize, parties: usize) -> String {
    match obligations {
        0 => "no obligations".to_owned(),
        1 => format!("1 obligation between {parties} parties"),
        _ => format!("{obligations} obligations between {parties} parties"),
    }
}

/// Hundredths of a percent, rounded down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Percent(i128);

impl Percent {
    /// How much less is left than the gross.
    pub(super) fn saved(gross: Micro, left: Micro) -> Self {
        let [gross, left] = [gross, left].map(|amount| i128::from(amount.units()));
        Self(gross.strict_sub(left).strict_mul(10_000).checked_div(gross).unwrap_or_default())
    }
}

/// Labels, figures below each other, and what that saves.
pub(super) fn print_lines(out: &mut impl Write, lines: &[(&str, &str, Option<Percent>)]) -> io::Result<()> {
    let label_width = lines.iter().map(|(label, _, _)| label.len()).max().unwrap_or_default();
    let figure_width = lines.iter().map(|(_, figure, _)| figure.len()).max().unwrap_or_default();
    for (label, figure, saved) in lines {
        write!(out, "  {label:label_width$}  {figure:>figure_width$}")?;
        match saved {
            Some(Percent(saved)) => writeln!(out, "  saved {:>3}.{:02} %", saved.strict_div(100), saved.strict_rem(100))?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}
