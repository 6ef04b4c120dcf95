//! What to measure, how large, for how long.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// One thing that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// pgbench's own TPC-B.
    Tpcb,
    /// One swap per tx, as a plain program writes it.
    Naive,
    /// `POST /v1/swaps` on many connections.
    Singles,
    /// `POST /v1/swaps/bulk` on a few.
    Bulk,
    /// Everybody swaps between the same two vendors.
    HotPair,
    /// One user makes a fifth of all swaps.
    HotAccount,
    /// More accounts, and millions of stored swaps.
    Growth,
    /// Two servers on one database.
    Processes,
    /// Closing and netting a window of millions of obligations; downloading a long statement.
    Settlement,
    /// Netting without a database.
    Netting,
    /// Far more connections and requests than can be served.
    Overload,
}

/// There is no such part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no part of the bench; the parts are {list}", list = Part::ALL.map(Part::name).join(", "))]
pub struct UnknownPart(String);

impl Part {
    /// All of them, in the order in which they are measured: those that leave PostgreSQL millions of rows to tidy up come last.
    pub const ALL: [Self; 11] = [
        Self::Tpcb,
        Self::Naive,
        Self::Singles,
        Self::Bulk,
        Self::HotPair,
        Self::HotAccount,
        Self::Processes,
        Self::Overload,
        Self::Netting,
        Self::Growth,
        Self::Settlement,
    ];

    /// Those that take turns on one server.
    pub(crate) const IN_TURNS: [Self; 6] = [Self::Tpcb, Self::Naive, Self::Singles, Self::Bulk, Self::HotPair, Self::HotAccount];

    /// Its word on the command line and in the figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tpcb => "tpcb",
            Self::Naive => "naive",
            Self::Singles => "singles",
            Self::Bulk => "bulk",
            Self::HotPair => "hot-pair",
            Self::HotAccount => "hot-account",
            Self::Growth => "growth",
            Self::Processes => "processes",
            Self::Settlement => "settlement",
            Self::Netting => "netting",
            Self::Overload => "overload",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Part {
    type Err = UnknownPart;

    fn from_str(text: &str) -> Result<Self, UnknownPart> {
        Self::ALL.into_iter().find(|part| part.name() == text).ok_or_else(|| UnknownPart(text.to_owned()))
    }
}

/// What to measure. [`Plan::full`] is what the bar is about; the others are for looking around and for tests.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The parts.
    pub parts: BTreeSet<Part>,
    /// How often every part has its turn.
    pub rounds: u32,
    /// How long one turn is measured.
    pub take: Duration,
    /// How long before that it runs already.
    pub warm: Duration,
    /// Users with ten accounts each.
    pub users: u32,
    /// TPC-B's branches; 100,000 accounts each.
    pub tpcb_scale: u32,
    /// Clients of the yardsticks, and connections of single swaps.
    pub connections: u32,
    /// Connections of bulk swaps.
    pub bulk_connections: u32,
    /// Swaps in one bulk request.
    pub bulk_lines: u32,
    /// Users of the fresh, the middle and the large house.
    pub growth_users: [u32; 3],
    /// Swaps that are stored in the large house before it is measured again.
    pub growth_swaps: u64,
    /// Obligations in the window that is settled.
    pub obligations: u64,
    /// Sizes of the generated networks.
    pub networks: Vec<u32>,
    /// Connections of the overload.
    pub overload_connections: u32,
    /// How long the overload lasts.
    pub overload: Duration,
}

impl Plan {
    /// Everything, at full size: some forty minutes.
    pub fn full() -> Self {
        Self {
            parts: Part::ALL.into(),
            rounds: 3,
            take: Duration::from_secs(10),
            warm: Duration::from_secs(2),
            users: 20_000,
            tpcb_scale: 50,
            connections: 64,
            bulk_connections: 4,
            bulk_lines: 5_000,
            growth_users: [200, 20_000, 200_000],
            growth_swaps: 5_000_000,
            obligations: 10_000_000,
            networks: vec![100_000, 300_000, 1_000_000],
            overload_connections: 2_000,
            overload: Duration::from_secs(60),
        }
    }

    /// A minute's look: the same parts but growth and overload, at a tenth of the size and less.
    pub fn quick() -> Self {
        let mut parts: BTreeSet<Part> = Part::ALL.into();
        parts.remove(&Part::Growth);
        parts.remove(&Part::Overload);
        Self {
            parts,
            rounds: 1,
            take: Duration::from_secs(3),
            warm: Duration::from_millis(500),
            users: 2_000,
            tpcb_scale: 5,
            growth_users: [20, 2_000, 20_000],
            growth_swaps: 50_000,
            obligations: 200_000,
            networks: vec![100_000],
            overload: Duration::from_secs(5),
            ..Self::full()
        }
    }

    /// Whether this part is asked for.
    pub fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_reads_back_from_its_name() {
        for part in Part::ALL {
            assert_eq!(part.name().parse(), Ok(part));
        }
        assert!("bulks".parse::<Part>().unwrap_err().to_string().contains("bulk"));
    }
}
