//! The report as a person reads it: loads, ratios against the bar, other figures, the machine.

use super::{Bar, Report, Row, Side};
use crate::figures::{Figure, Unit};
use std::fmt;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.rows.is_empty() {
            writeln!(
                f,
                "{:<44}{:>11}{:>9}{:>9}{:>9}   processors busy: load, server, postgres",
                "load", "per second", "mean ms", "p50 ms", "p99 ms"
            )?;
            self.rows.iter().try_for_each(|row| write_row(f, row))?;
        }
        if !self.figures.is_empty() {
            writeln!(f, "\n{:<64}{:>14}", "figure", "measured")?;
            self.figures.iter().try_for_each(|figure| write_figure(f, figure))?;
        }
        if !self.bars.is_empty() {
            writeln!(f, "\n{:<64}{:>14}   bar", "ratio, within this run", "measured")?;
            self.bars.iter().try_for_each(|bar| write_bar(f, bar))?;
        }
        self.failures.iter().try_for_each(|failure| writeln!(f, "\nFAILED  {failure}"))?;
        self.write_machine(f)
    }
}

impl Report {
    fn write_machine(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        let settings: Vec<String> = machine.postgres.iter().map(|(name, value)| format!("{name} {value}")).collect();
        writeln!(f, "\n{}", self.how)?;
        let (processor, processors, memory, kernel) = (&machine.processor, machine.processors, machine.memory_mib, &machine.kernel);
        writeln!(f, "{processors} processors ({processor}), {memory} MiB, {kernel}; commit {}, {} build", machine.commit, machine.build)?;
        write!(f, "PostgreSQL: {}", settings.join(", "))
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, row: &Row) -> fmt::Result {
    let millis = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.2}"));
    let share = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |v| format!("{v:.2}"));
    let taken = &row.taken;
    let shares = [taken.shares.load, taken.shares.servers, taken.shares.postgres].map(share).join(", ");
    let (mean, p50, p99) = (millis(Some(taken.mean_ms)), millis(taken.p50_ms), millis(taken.p99_ms));
    writeln!(f, "{:<44}{:>11}{mean:>9}{p50:>9}{p99:>9}   {shares}", row.title, grouped(taken.per_second))
}

fn write_figure(f: &mut fmt::Formatter<'_>, figure: &Figure) -> fmt::Result {
    writeln!(f, "{:<64}{:>14}", figure.name, shown(figure.value, figure.unit))
}

fn write_bar(f: &mut fmt::Formatter<'_>, bar: &Bar) -> fmt::Result {
    let side = match bar.side {
        Side::AtLeast => "at least",
        Side::AtMost => "at most",
    };
    let verdict = if bar.passes() { "pass" } else { "MISS" };
    writeln!(f, "{:<64}{:>14}   {side} {} {verdict}", bar.name, shown(bar.measured, bar.unit), shown(bar.bar, bar.unit))
}

fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Count | Unit::PerSecond => format!("{} {}", grouped(value), unit.symbol()).trim_end().to_owned(),
        Unit::Times => format!("{value:.2}"),
        Unit::Millis | Unit::Seconds | Unit::Mebibytes | Unit::Processors => format!("{value:.2} {}", unit.symbol()),
    }
}

/// Whole, with a comma between thousands.
pub(super) fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!([0.4, 999.0, 1000.0, 1_234_567.6].map(grouped), ["0", "999", "1,000", "1,234,568"]);
    }
}
