//! What was measured, for people ([`table`], [`chart`]) and for machines.

mod chart;
mod table;

use crate::figures::{Figure, Taken, Unit, median};
use crate::machine::Machine;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// On which side of the bar a ratio must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// No less.
    AtLeast,
    /// No more.
    AtMost,
}

/// A ratio of two figures of this run, and what it must be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    /// What is compared with what.
    pub name: String,
    /// What was measured.
    pub measured: f64,
    /// On which side of `bar` it must be.
    pub side: Side,
    /// What it must be.
    pub bar: f64,
    /// What the bar counts.
    #[serde(skip)]
    pub unit: Unit,
}

impl Bar {
    /// Whether it is on the right side.
    pub fn passes(&self) -> bool {
        match self.side {
            Side::AtLeast => self.measured >= self.bar,
            Side::AtMost => self.measured <= self.bar,
        }
    }
}

/// One kind of load: the median of its turns.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) taken: Taken,
}

/// Everything that a run of the bench found.
#[derive(Debug, Clone)]
pub struct Report {
    pub(crate) rows: Vec<Row>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) bars: Vec<Bar>,
    pub(crate) machine: Machine,
    /// How it was measured, as one sentence.
    pub(crate) how: String,
    pub(crate) failures: Vec<String>,
}

impl Report {
    pub(crate) fn new(machine: Machine, how: String) -> Self {
        Self { rows: Vec::new(), figures: Vec::new(), bars: Vec::new(), machine, how, failures: Vec::new() }
    }

    /// Every figure, those of the loads included.
    pub fn figures(&self) -> Vec<Figure> {
        self.rows.iter().flat_map(row_figures).chain(self.figures.iter().cloned()).collect()
    }

    /// The ratios and what they must be.
    pub fn bars(&self) -> &[Bar] {
        &self.bars
    }

    /// What could not be measured, and why; or that the books do not prove. Then the figures are none to go by.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// `{"figures": {name: number}, "bars": [..], "machine": {..}, "how": "..", "failures": []}`; a figure's unit follows from its last word.
    pub fn to_json(&self) -> Value {
        let figures: Map<String, Value> = self.figures().into_iter().map(|figure| (figure.name, json!(figure.value))).collect();
        let bars: Vec<Value> = self.bars.iter().map(bar_json).collect();
        json!({"figures": figures, "bars": bars, "machine": self.machine, "how": self.how, "failures": self.failures})
    }

    /// Adds the median of the turns of one load.
    pub(crate) fn row(&mut self, name: &str, title: impl Into<String>, turns: &[Taken]) {
        self.rows.push(Row { name: name.to_owned(), title: title.into(), taken: middle(turns) });
    }

    pub(crate) fn fail(&mut self, what: String) {
        self.failures.push(what);
    }

    pub(crate) fn figure(&mut self, name: impl Into<String>, value: f64, unit: Unit) {
        self.figures.push(Figure { name: name.into(), value, unit });
    }

    /// Adds a ratio; one that could not be measured is left out, as its figures are.
    pub(crate) fn bar(&mut self, name: impl Into<String>, measured: Option<f64>, side: Side, bar: f64) {
        self.bar_of(name, measured, side, bar, Unit::Times);
    }

    pub(crate) fn bar_of(&mut self, name: impl Into<String>, measured: Option<f64>, side: Side, bar: f64, unit: Unit) {
        if let Some(measured) = measured {
            self.bars.push(Bar { name: name.into(), measured, side, bar, unit });
        }
    }
}

fn bar_json(bar: &Bar) -> Value {
    json!({"name": bar.name, "measured": bar.measured, "side": bar.side, "bar": bar.bar, "passes": bar.passes()})
}

fn row_figures(row: &Row) -> Vec<Figure> {
    let Taken { per_second, mean_ms, p50_ms, p99_ms, shares } = row.taken;
    let known = [
        ("per_second", Some(per_second), Unit::PerSecond),
        ("mean_ms", Some(mean_ms), Unit::Millis),
        ("p50_ms", p50_ms, Unit::Millis),
        ("p99_ms", p99_ms, Unit::Millis),
        ("load_processors", shares.load, Unit::Processors),
        ("server_processors", shares.servers, Unit::Processors),
        ("postgres_processors", shares.postgres, Unit::Processors),
    ];
    let figure =
        |(what, value, unit): (&str, Option<f64>, Unit)| Some(Figure { name: format!("{}.{what}", row.name), value: value?, unit });
    known.into_iter().filter_map(figure).collect()
}

/// The median of each figure on its own.
fn middle(turns: &[Taken]) -> Taken {
    let of = |figure: fn(&Taken) -> Option<f64>| median(turns.iter().filter_map(figure));
    Taken {
        per_second: of(|t| Some(t.per_second)).unwrap_or_default(),
        mean_ms: of(|t| Some(t.mean_ms)).unwrap_or_default(),
        p50_ms: of(|t| t.p50_ms),
        p99_ms: of(|t| t.p99_ms),
        shares: crate::usage::Shares {
            load: of(|t| t.shares.load),
            servers: of(|t| t.shares.servers),
            postgres: of(|t| t.shares.postgres),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_passed_on_its_side() {
        let bar = |measured, side| Bar { name: String::new(), measured, side, bar: 2.0, unit: Unit::Times }.passes();
        assert!(bar(2.0, Side::AtLeast) && bar(2.0, Side::AtMost) && bar(3.0, Side::AtLeast) && bar(1.0, Side::AtMost));
        assert!(!bar(1.9, Side::AtLeast) && !bar(2.1, Side::AtMost));
    }
}
