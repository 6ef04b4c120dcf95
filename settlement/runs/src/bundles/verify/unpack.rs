//! The archive while it is read: member by member, from the first byte to the last, each of which is looked at.

use super::{NotProven, Rule, Stop};
use crate::bundles::archive::{self, BLOCK_BYTES, Head, ZEROS};
use crate::bundles::cells::Text;
use crate::bundles::records::{Member, RUN};
use sha2::{Digest, Sha256};
use std::io::{self, ErrorKind, Read};

/// As many as bundle.json can list within its bounds.
const MEMBERS_MAX: usize = 300_000;

/// The archive, and the header of the member that is to be read next.
pub(super) struct Unpacker<R> {
    reader: R,
    next: Option<Head>,
    at_byte: u64,
    /// The instant that all headers bear.
    pub(super) at_second: u64,
    /// The members that were read, as they are.
    pub(super) members: Vec<Member>,
}

impl<R: Read> Unpacker<R> {
    pub(super) fn open(mut reader: R) -> Result<Self, NotProven> {
        let mut block = ZEROS;
        match reader.read_exact(&mut block) {
            Ok(()) => (),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(NotProven::NoBundle),
            Err(error) => return Err(NotProven::Unread(error)),
        }
        let first = archive::read_header(&block).filter(|head| head.name == RUN).ok_or(NotProven::NoBundle)?;
        let at_second = first.at_second;
        Ok(Self { reader, next: Some(first), at_byte: 512, at_second, members: Vec::new() })
    }

    /// The member that comes next; none at the end of the archive.
    pub(super) fn next_name(&self) -> Option<&str> {
        self.next.as_ref().map(|head| head.name.as_str())
    }

    /// The bytes of the member, which is the one of this name and no larger than this.
    pub(super) fn read(&mut self, name: &str, bytes_max: u64) -> Result<Vec<u8>, Stop> {
        let mut bytes = Vec::new();
        self.copy(name, bytes_max, |chunk| bytes.extend_from_slice(chunk))?;
        Ok(bytes)
    }

    /// The same, chunk by chunk.
    pub(super) fn copy(&mut self, name: &str, bytes_max: u64, mut each: impl FnMut(&[u8])) -> Result<(), Stop> {
        let head = self.next.take().ok_or_else(|| torn(format!("{name} is missing at the end of the archive")))?;
        if head.name != name {
            return Err(torn(format!("{} stands where {name} belongs", head.name)));
        }
        if head.size_bytes > bytes_max {
            return Err(torn(format!("{name} says that it has {} bytes; it may have {bytes_max}", head.size_bytes)));
        }
        let (mut hasher, mut left) = (Sha256::new(), head.size_bytes);
        let mut buffer = vec![0; CHUNK_BYTES];
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK_BYTES);
            let chunk = &mut buffer[..wanted];
            self.fill(chunk, || format!("{name} breaks off"))?;
            hasher.update(&*chunk);
            each(chunk);
            left = left.saturating_sub(u64::try_from(wanted).unwrap_or(u64::MAX));
        }
        let padding = &mut [0; BLOCK_BYTES][..archive::padding(head.size_bytes)];
        self.fill(padding, || format!("{name} breaks off"))?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(torn(format!("{name} is followed by other bytes than zeros")));
        }
        self.members.push(Member { name: head.name, size_bytes: head.size_bytes, sha256: Text(hasher.finalize().into()) });
        self.advance()
    }

    /// Reads the next header, or the end.
    fn advance(&mut self) -> Result<(), Stop> {
        let last = self.members.last().map(|member| member.name.clone()).unwrap_or_default();
        if self.members.len() >= MEMBERS_MAX {
            return Err(torn(format!("{last} is the last of too many members")));
        }
        let (mut block, at_byte) = (ZEROS, self.at_byte);
        self.fill(&mut block, || format!("the archive breaks off after {last}"))?;
        if block == ZEROS {
            self.fill(&mut block, || format!("the archive breaks off after {last}"))?;
            return if block == ZEROS { self.finish(&last) } else { Err(torn(format!("the end after {last} is not all zeros"))) };
        }
        let head = archive::read_header(&block).filter(|head| head.at_second == self.at_second);
        let head = head.ok_or_else(|| torn(format!("what follows {last}, at byte {at_byte}, is no header of a member of this bundle")))?;
        self.next = Some(head);
        Ok(())
    }

    /// Nothing may follow the end.
    fn finish(&mut self, last: &str) -> Result<(), Stop> {
        let mut byte = [0];
        match self.reader.read_exact(&mut byte) {
            Ok(()) => Err(torn(format!("there are bytes behind the end of the archive, after {last}"))),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(()),
            Err(error) => Err(Stop::Unread(error)),
        }
    }

    fn fill(&mut self, buffer: &mut [u8], torn_where: impl Fn() -> String) -> Result<(), Stop> {
        self.reader
            .read_exact(buffer)
            .map_err(|error: io::Error| if error.kind() == ErrorKind::UnexpectedEof { torn(torn_where()) } else { Stop::Unread(error) })?;
        self.at_byte = self.at_byte.saturating_add(u64::try_from(buffer.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

/// So many bytes at a time.
const CHUNK_BYTES: usize = 64 * 1024;

fn torn(what: String) -> Stop {
    Stop::Ended { rule: Rule::Archive, what }
}
