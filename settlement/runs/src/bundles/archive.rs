//! The archive around the members: uncompressed ustar, of which every byte is determined by the members' names, sizes and bytes and
//! by the run's instant. Pure.

use jiff::Timestamp;
use tar::{EntryType, Header};

/// Headers and the bytes of members fill whole blocks.
pub(super) const BLOCK_BYTES: usize = 512;

/// What a block is.
pub(super) type Block = [u8; BLOCK_BYTES];

/// The end of an archive is two of them.
pub(super) const ZEROS: Block = [0; BLOCK_BYTES];

/// Eleven octal digits.
pub(super) const MEMBER_BYTES_MAX: u64 = 0o77_777_777_777;

/// The header of a member: mode 0444, owner 0, the time of the run. None where the name or the size has no room.
pub(super) fn header(name: &str, size_bytes: u64, at_second: u64) -> Option<Block> {
    if size_bytes > MEMBER_BYTES_MAX || at_second > MEMBER_BYTES_MAX || name.len() > NAME_BYTES_MAX {
        return None;
    }
    let mut header = Header::new_ustar();
    header.set_path(name).ok()?;
    header.set_mode(0o444);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size_bytes);
    header.set_mtime(at_second);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    Some(*header.as_bytes())
}

/// The room for a name without its second half, which no member needs.
const NAME_BYTES_MAX: usize = 100;

/// What a header says, if it is written as [`header`] writes it.
pub(super) fn read_header(block: &Block) -> Option<Head> {
    let mut header = Header::new_old();
    header.as_mut_bytes().copy_from_slice(block);
    let name = String::from_utf8(header.path_bytes().into_owned()).ok()?;
    let (size_bytes, at_second) = (header.entry_size().ok()?, header.mtime().ok()?);
    (self::header(&name, size_bytes, at_second)? == *block).then_some(Head { name, size_bytes, at_second })
}

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) size_bytes: u64,
    pub(super) at_second: u64,
}

/// How many zeros follow the bytes of a member.
pub(super) fn padding(size_bytes: u64) -> usize {
    let block = u64::try_from(BLOCK_BYTES).unwrap_or(u64::MAX);
    let used = usize::try_from(size_bytes.checked_rem(block).unwrap_or_default()).unwrap_or_default();
    if used == 0 { 0 } else { BLOCK_BYTES.saturating_sub(used) }
}

/// The whole second of an instant; none was before 1970.
pub(super) fn second(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a bundle is made of must not change with a library: old bundles are verified by new programs.
    #[test]
    fn a_header_is_always_the_same() {
        let block = header("files/transfers.csv", 1_234, 1_795_690_800).unwrap();
        let mut expected = ZEROS;
        for (at, text) in [
            (0, "files/transfers.csv"),
            (100, "0000444\0"),
            (108, "0000000\0"),
            (116, "0000000\0"),
            (124, "00000002322\0"),
            (136, "15302010460\0"),
            (156, "0"),
            (257, "ustar\x0000"),
        ] {
            expected[at..at + text.len()].copy_from_slice(text.as_bytes());
        }
        let sum: u32 = block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) }).sum();
        expected[148..156].copy_from_slice(format!("{sum:07o}\0").as_bytes());
        assert_eq!(block[..], expected[..]);
        let head = Head { name: "files/transfers.csv".to_owned(), size_bytes: 1_234, at_second: 1_795_690_800 };
        assert_eq!(read_header(&block), Some(head));
    }

    #[test]
    fn no_header_can_be_read_with_a_bit_more_or_less() {
        let block = header("run.json", 900, 1_795_690_800).unwrap();
        for at in 0..BLOCK_BYTES {
            for bit in 0..8 {
                let mut flipped = block;
                flipped[at] ^= 1 << bit;
                assert_eq!(read_header(&flipped), None, "bit {bit} of byte {at}");
            }
        }
        assert_eq!(read_header(&ZEROS), None);
    }

    #[test]
    fn what_has_no_room_has_no_header() {
        assert!(header(&"x".repeat(100), MEMBER_BYTES_MAX, 0).is_some());
        assert_eq!(header(&"x".repeat(101), 1, 0), None);
        assert_eq!(header("x", MEMBER_BYTES_MAX + 1, 0), None);
        assert_eq!(header("../x", 1, 0), None);
        assert_eq!(header("", 1, 0), None);
        assert_eq!([0, 1, 511, 512, 513].map(padding), [0, 511, 1, 0, 511]);
    }
}
