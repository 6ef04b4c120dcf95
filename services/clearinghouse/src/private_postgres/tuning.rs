//! The settings that depend on the machine: how much memory it has, and what its PostgreSQL was built with.

use super::binaries::Binaries;
use super::identity::Identity;
use std::path::Path;
use std::process::Stdio;

/// Where the memory's size cannot be read.
const SHARED_BUFFERS_MIB_MIN: u64 = 256;
/// Above this the system's own cache does as well.
const SHARED_BUFFERS_MIB_MAX: u64 = 4096;

/// The end of postgresql.conf, for the cluster in `pgdata`.
pub(super) fn settings(binaries: &Binaries, identity: &Identity, pgdata: &Path) -> String {
    let shared_buffers = shared_buffers_mib(std::fs::read_to_string("/proc/meminfo").ok().as_deref());
    let wal_compression = if takes_lz4(binaries, identity, pgdata) { "lz4" } else { "off" };
    format!(
        "\n# A quarter of this machine's memory, at least 256 MB and at most 4 GB: holds the accounts and indexes that are hot.\n\
         shared_buffers = {shared_buffers}MB\n\
         # lz4 where PostgreSQL was built with it, because its own method costs more time than it saves in writing.\n\
         wal_compression = {wal_compression}\n\
         \ninclude_if_exists = 'local.conf'\n"
    )
}

fn shared_buffers_mib(meminfo: Option<&str>) -> u64 {
    let total =
        meminfo.and_then(|text| text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok()));
    let quarter = total.unwrap_or(0_u64).checked_div(4 * 1024).unwrap_or_default();
    quarter.clamp(SHARED_BUFFERS_MIB_MIN, SHARED_BUFFERS_MIB_MAX)
}

/// Asks the program whether it takes the setting; it says so without starting.
fn takes_lz4(binaries: &Binaries, identity: &Identity, pgdata: &Path) -> bool {
    let mut postgres = identity.command(&binaries.program("postgres"));
    postgres.args(["-C", "wal_compression", "-c", "wal_compression=lz4", "-D"]).arg(pgdata);
    postgres.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::shared_buffers_mib;

    #[test]
    fn a_quarter_of_the_memory_within_bounds() {
        let of = |kib: u64| shared_buffers_mib(Some(&format!("MemTotal:       {kib} kB\nMemFree:  1 kB\n")));
        assert_eq!(of(8 * 1024 * 1024), 2048);
        assert_eq!(of(512 * 1024), 256);
        assert_eq!(of(1024 * 1024 * 1024), 4096);
        assert_eq!(shared_buffers_mib(None), 256);
    }
}
