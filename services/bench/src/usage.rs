//! What processes use: processor time and memory, from /proc. Elsewhere than on Linux nothing is known, and nothing is claimed.

use std::fs;
use std::time::Instant;

/// The kernel shows processor time in hundredths of a second, whatever its own clock is.
const TICKS_PER_SECOND: f64 = 100.0;

/// Who shares the processors.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched {
    /// The servers under test.
    pub(crate) servers: Vec<u32>,
    /// PostgreSQL's first process.
    pub(crate) postmaster: Option<u32>,
}

/// Processor seconds until now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    at: Instant,
    load: Option<f64>,
    servers: Option<f64>,
    postgres: Option<f64>,
}

/// How many processors each kept busy between two samples; nothing where it is not known.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Shares {
    pub(crate) load: Option<f64>,
    pub(crate) servers: Option<f64>,
    pub(crate) postgres: Option<f64>,
}

impl Watched {
    pub(crate) fn sample(&self) -> Sample {
        Sample {
            at: Instant::now(),
            load: own_seconds("self"),
            servers: self.servers.iter().map(|pid| own_seconds(&pid.to_string())).sum(),
            postgres: self.postmaster.and_then(family_seconds),
        }
    }
}

impl Sample {
    /// What was used between this sample and a later one.
    pub(crate) fn until(&self, later: &Self) -> Shares {
        let wall = later.at.duration_since(self.at).as_secs_f64();
        let share = |from: Option<f64>, to: Option<f64>| Some((to? - from?) / wall);
        Shares {
            load: share(self.load, later.load),
            servers: share(self.servers, later.servers),
            postgres: share(self.postgres, later.postgres),
        }
    }
}

/// One process's fields of /proc/<pid>/stat that follow its name.
struct Stat {
    parent: u32,
    /// Its own, and that of children which have ended.
    own: f64,
    ended: f64,
}

fn read_stat(pid: &str) -> Option<Stat> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_stat(text: &str) -> Option<Stat> {
    // The name stands in parentheses and may itself hold some.
    let fields: Vec<&str> = text.get(text.rfind(')')? + 1..)?.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    let seconds = |first: usize, second: usize| Some((ticks(first)? + ticks(second)?) / TICKS_PER_SECOND);
    Some(Stat { parent: fields.get(1)?.parse().ok()?, own: seconds(11, 12)?, ended: seconds(13, 14)? })
}

fn own_seconds(pid: &str) -> Option<f64> {
    read_stat(pid).map(|stat| stat.own)
}

/// PostgreSQL's first process, those it has, and those it had.
fn family_seconds(first: u32) -> Option<f64> {
    let head = read_stat(&first.to_string())?;
    let entries = fs::read_dir("/proc").ok()?.flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| name.bytes().all(|b| b.is_ascii_digit()));
    let children: f64 = names.filter_map(|pid| read_stat(&pid)).filter(|stat| stat.parent == first).map(|stat| stat.own).sum();
    Some(head.own + head.ended + children)
}

/// The process that started this one.
pub(crate) fn parent_of(pid: u32) -> Option<u32> {
    read_stat(&pid.to_string()).map(|stat| stat.parent)
}

/// A process's memory in MiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) now: f64,
    pub(crate) peak: f64,
}

pub(crate) fn memory_of(pid: u32) -> Option<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kilobytes = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    Some(Memory { now: kilobytes("VmRSS:")? / 1024.0, peak: kilobytes("VmHWM:")? / 1024.0 })
}

/// Lets the peak begin anew from what the process uses now.
pub(crate) fn forget_peak(pid: u32) -> bool {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_line_is_read_past_its_name() {
        let line = "71 (post) gres: (x) S 7 71 71 0 -1 4194560 99 0 0 0 250 50 30 20 20 0 1 0 9 9 9";
        let stat = parse_stat(line).unwrap();
        assert_eq!((stat.parent, stat.own, stat.ended), (7, 3.0, 0.5));
    }
}
