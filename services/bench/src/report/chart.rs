//! The chart: how many swaps a second each way of making them clears, and how long one takes; as SVG, without any library.

use super::table::grouped;
use super::{Report, Row};
use crate::figures::Taken;
use crate::machine::Machine;
use std::fmt::Write;

const WIDTH: f64 = 960.0;
/// Where bars begin, and how long the longest is.
const BAR_LEFT: f64 = 320.0;
const BAR_MAX: f64 = 450.0;
const BAR_HEIGHT: f64 = 20.0;
const ROW_HEIGHT: f64 = 32.0;
/// What stands above the first bar and below the last one of a panel.
const PANEL_HEAD: f64 = 46.0;
const PANEL_FOOT: f64 = 20.0;
const TITLE_HEIGHT: f64 = 64.0;
const FOOT_HEIGHT: f64 = 70.0;

const STYLE: &str = "text{font-family:system-ui,'Segoe UI',Helvetica,Arial,sans-serif;font-size:13px;fill:#1f2933}\
.title{font-size:20px;font-weight:600}.head{font-size:15px;font-weight:600}.note{font-size:11.5px;fill:#61707f}\
.label{text-anchor:end}.value{font-weight:600}";
const OURS: &str = "#0b7285";
const OURS_SOFT: &str = "#99d8e0";
const YARDSTICK: &str = "#a9b4bf";

impl Report {
    /// The chart of the loads as one SVG file; nothing where no load was measured.
    pub fn to_svg(&self) -> Option<String> {
        if self.rows.is_empty() {
            return None;
        }
        let timed: Vec<&Row> = self.rows.iter().filter(|row| !row.name.ends_with("bulk")).collect();
        let (speeds, latencies) = (panel_height(self.rows.len()), if timed.is_empty() { 0.0 } else { panel_height(timed.len()) });
        let height = TITLE_HEIGHT + speeds + latencies + FOOT_HEIGHT;
        let mut svg = String::new();
        let drawn = self.draw(&mut svg, height, &timed, TITLE_HEIGHT + speeds);
        drawn.expect("a String takes everything");
        Some(svg)
    }

    fn draw(&self, svg: &mut String, height: f64, timed: &[&Row], latencies_top: f64) -> std::fmt::Result {
        writeln!(svg, r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">"#)?;
        writeln!(svg, r#"<style>{STYLE}</style><rect width="100%" height="100%" fill="white"/>"#)?;
        text(svg, 24.0, 36.0, "title", "Scriphouse: swaps a second, every one on the disk before it is answered")?;
        self.draw_speeds(svg, TITLE_HEIGHT)?;
        if !timed.is_empty() {
            draw_latencies(svg, latencies_top, timed)?;
        }
        let machine = &self.machine;
        let version = machine.postgres.get("server_version").map_or("", |version| version.split(' ').next().unwrap_or_default());
        let lines = [
            format!(
                "{} processors ({}), {}; {}, commit {}.",
                machine.processors,
                machine.processor,
                machine.kernel,
                build(machine),
                machine.commit
            ),
            format!(
                "PostgreSQL {version} with fsync, synchronous_commit and full_page_writes on; the load generator runs on the same machine."
            ),
            self.how.clone(),
        ];
        for (line, up) in lines.iter().zip([50.0, 32.0, 14.0]) {
            text(svg, 24.0, height - up, "note", line)?;
        }
        svg.write_str("</svg>\n")
    }

    fn draw_speeds(&self, svg: &mut String, top: f64) -> std::fmt::Result {
        let yardstick = self.rows.iter().find(|row| row.name == "tpcb").map(|row| row.taken.per_second);
        let note = if yardstick.is_some() { "per second; in parentheses, in units of TPC-B" } else { "per second" };
        head(svg, top, "Throughput", note)?;
        let longest = self.rows.iter().map(|row| row.taken.per_second).fold(1.0, f64::max);
        for (place, row) in rows_from(top, &self.rows) {
            let speed = row.taken.per_second;
            let length = BAR_MAX * speed / longest;
            let ratio = yardstick.filter(|y| *y > 0.0).map_or_else(String::new, |y| format!(" ({:.1}×)", speed / y));
            let color = if is_yardstick(row) { YARDSTICK } else { OURS };
            bar(svg, place, length, color)?;
            text(svg, BAR_LEFT - 12.0, place + 15.0, "label", &row.title)?;
            text(svg, BAR_LEFT + length + 8.0, place + 15.0, "value", &format!("{}{ratio}", grouped(speed)))?;
        }
        Ok(())
    }
}

/// Of each load the median in full colour up to the 99th percentile in a lighter one; of the yardsticks only the mean is known.
fn draw_latencies(svg: &mut String, top: f64, rows: &[&Row]) -> std::fmt::Result {
    head(svg, top, "Latency of one swap", "milliseconds; from the median to the 99th percentile, of the yardsticks the mean")?;
    let longest = rows.iter().map(|row| row.taken.p99_ms.unwrap_or(row.taken.mean_ms)).fold(0.001, f64::max);
    for (place, row) in rows_from(top, rows) {
        let Taken { mean_ms, p50_ms, p99_ms, .. } = row.taken;
        let end = p99_ms.unwrap_or(mean_ms);
        let length = |ms: f64| BAR_MAX * ms / longest;
        let label = match (p50_ms, p99_ms) {
            (Some(p50), Some(p99)) => {
                bar(svg, place, length(p99), OURS_SOFT)?;
                bar(svg, place, length(p50), OURS)?;
                format!("{p50:.1} to {p99:.1}")
            }
            (None, _) | (_, None) => {
                bar(svg, place, length(mean_ms), YARDSTICK)?;
                format!("{mean_ms:.1}")
            }
        };
        text(svg, BAR_LEFT - 12.0, place + 15.0, "label", &row.title)?;
        text(svg, BAR_LEFT + length(end) + 8.0, place + 15.0, "value", &label)?;
    }
    Ok(())
}

fn build(machine: &Machine) -> String {
    format!("{} build", machine.build)
}

fn is_yardstick(row: &Row) -> bool {
    row.taken.p50_ms.is_none()
}

fn panel_height(rows: usize) -> f64 {
    PANEL_HEAD + ROW_HEIGHT * crate::number::count(rows) + PANEL_FOOT
}

/// Each row with where its bar begins.
fn rows_from<R>(top: f64, rows: &[R]) -> impl Iterator<Item = (f64, &R)> {
    rows.iter().enumerate().map(move |(number, row)| (top + PANEL_HEAD + ROW_HEIGHT * crate::number::count(number), row))
}

fn head(svg: &mut String, top: f64, title: &str, note: &str) -> std::fmt::Result {
    text(svg, 24.0, top + 22.0, "head", title)?;
    text(svg, BAR_LEFT, top + 22.0, "note", note)
}

fn bar(svg: &mut String, top: f64, length: f64, color: &str) -> std::fmt::Result {
    writeln!(svg, r#"<rect x="{BAR_LEFT}" y="{top:.1}" width="{:.1}" height="{BAR_HEIGHT}" rx="2" fill="{color}"/>"#, length.max(1.0))
}

fn text(svg: &mut String, x: f64, y: f64, class: &str, words: &str) -> std::fmt::Result {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    writeln!(svg, r#"<text x="{x:.1}" y="{y:.1}" class="{class}">{words}</text>"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_a_bar_for_every_load_and_says_how_many_times_the_yardstick_it_is() {
        let mut report = Report::new(Machine::inspect(Default::default()), "How < it was measured.".to_owned());
        let taken = |per_second, p99_ms: Option<f64>| Taken { per_second, mean_ms: 20.0, p50_ms: p99_ms, p99_ms, ..Taken::default() };
        assert_eq!(report.to_svg(), None);
        report.row("tpcb", "TPC-B of pgbench", &[taken(2_500.0, None)]);
        report.row("singles", "single converts over HTTP", &[taken(10_000.0, Some(12.5))]);
        report.row("bulk", "bulk converts over HTTP", &[taken(50_000.0, Some(400.0))]);

        let svg = report.to_svg().unwrap();

        for words in ["10,000 (4.0×)", "50,000 (20.0×)", "12.5 to 12.5", "How &lt; it was measured."] {
            assert!(svg.contains(words), "{words} is not in {svg}");
        }
        assert_eq!(svg.matches("bulk converts over HTTP").count(), 1, "a bulk request is no single swap: its latency is not drawn");
    }
}
