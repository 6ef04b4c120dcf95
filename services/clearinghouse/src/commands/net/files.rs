//! The files that one netting leaves in a folder.

use super::{NetError, summary::Summary};
use netting::{Netting, Party, Strategy};
use runs::csv_text::{push_row, safe_cell};
use scrip::{Micro, Scale};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

pub(super) const TRANSFERS: &str = "transfers.csv";
pub(super) const POSITIONS: &str = "positions.csv";
pub(super) const SET_OFFS: &str = "setoffs.csv";
pub(super) const CARRIES: &str = "carries.csv";
pub(super) const MANIFEST: &str = "manifest.json";

/// Says what was netted and how, and pins the other files down.
#[derive(Debug, Serialize)]
struct Manifest<'s> {
    #[serde(flatten)]
    summary: &'s Summary,
    digits: u8,
    algorithm_version: i32,
    files: Vec<ManifestFile>,
}

#[derive(Debug, Serialize)]
struct ManifestFile {
    name: &'static str,
    rows: usize,
    size_bytes: u64,
    sha256: String,
}

/// Refuses something that is there and no folder, before anything is read.
pub(super) fn check_folder(folder: &Path) -> Result<(), NetError> {
    match folder.ancestors().find(|path| path.exists() && !path.is_dir()) {
        Some(path) => Err(NetError::NotAFolder { path: path.to_owned() }),
        None => Ok(()),
    }
}

/// The manifest comes last: where it stands, the files that it names are complete.
pub(super) fn write(folder: &Path, netting: &Netting, summary: &Summary, shown_with: Scale) -> Result<(), NetError> {
    fs::create_dir_all(folder).map_err(|error| NetError::Unwritten { path: folder.to_owned(), error })?;
    let party = |party: &Party| safe_cell(party.as_str()).into_owned();
    let shown = |amount: Micro| amount.display_at_least(shown_with);

    let mut files = vec![
        write_csv(folder, TRANSFERS, ["payer", "payee", "amount"], &netting.transfers, |t| {
            [party(&t.payer), party(&t.payee), t.amount.display_at_least(netting.digits)]
        })?,
        write_csv(folder, POSITIONS, ["party", "owed", "owes", "net"], &netting.positions, |p| {
            [party(&p.party), shown(p.owed), shown(p.owes), shown(p.net)]
        })?,
    ];
    if netting.strategy == Strategy::Conservative {
        files.push(write_csv(folder, SET_OFFS, ["debtor", "creditor", "amount", "set_off", "remaining"], &netting.set_offs, |s| {
            [party(&s.debtor), party(&s.creditor), shown(s.amount), shown(s.set_off), shown(s.remaining)]
        })?);
    } else {
        remove_stale(folder, SET_OFFS)?;
    }
    if !netting.carries.is_empty() {
        files.push(write_csv(folder, CARRIES, ["debtor", "creditor", "amount"], &netting.carries, |c| {
            [party(&c.debtor), party(&c.creditor), shown(c.amount)]
        })?);
    } else {
        remove_stale(folder, CARRIES)?;
    }
    let (digits, algorithm_version) = (netting.digits.decimals(), netting::ALGORITHM_VERSION);
    let manifest = Manifest { summary, digits, algorithm_version, files };
    write_whole(folder, MANIFEST, |file| {
        serde_json::to_writer_pretty(&mut *file, &manifest)?;
        writeln!(file)
    })?;
    Ok(())
}

/// Refuses to write over the file that was read.
pub(super) fn spare_input(file: &Path, folder: &Path) -> Result<(), NetError> {
    let Ok(input) = file.canonicalize() else { return Ok(()) };
    let mut written = [TRANSFERS, POSITIONS, SET_OFFS, CARRIES, MANIFEST].into_iter().map(|name| folder.join(name));
    match written.find(|path| path.canonicalize().is_ok_and(|path| path == input)) {
        Some(path) => Err(NetError::WouldOverwrite { path }),
        None => Ok(()),
    }
}

/// What an earlier netting left in the folder and this one does not write; its manifest names it. A file of somebody else's stays.
fn remove_stale(folder: &Path, name: &str) -> Result<(), NetError> {
    let manifest = fs::read(folder.join(MANIFEST)).ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    let files = manifest.as_ref().and_then(|manifest| manifest["files"].as_array()).into_iter().flatten();
    if !files.into_iter().any(|file| file["name"] == name) {
        return Ok(());
    }
    let path = folder.join(name);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(NetError::Unwritten { path, error }),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn write_csv<T, const N: usize>(
    folder: &Path,
    name: &'static str,
    header: [&str; N],
    rows: &[T],
    cells: impl Fn(&T) -> [String; N],
) -> Result<ManifestFile, NetError> {
    let hashed = write_whole(folder, name, |file| {
        let mut text = Vec::new();
        push_row(&mut text, header);
        for row in rows {
            push_row(&mut text, cells(row));
        }
        file.write_all(&text)
    })?;
    Ok(ManifestFile { name, rows: rows.len(), size_bytes: hashed.size_bytes, sha256: hex::encode(hashed.sha256.finalize()) })
}

/// Writes a file under another name and renames it when it is complete, so that nobody ever reads half of one.
fn write_whole(folder: &Path, name: &str, write: impl FnOnce(&mut Hashed) -> io::Result<()>) -> Result<Hashed, NetError> {
    let path = folder.join(name);
    let part = folder.join(format!("{name}.part"));
    let written = File::create(&part).and_then(|file| {
        let mut hashed = Hashed { file: io::BufWriter::new(file), size_bytes: 0, sha256: Sha256::new() };
        write(&mut hashed)?;
        hashed.flush()?;
        fs::rename(&part, &path)?;
        Ok(hashed)
    });
    written.map_err(|error| NetError::Unwritten { path, error })
}

/// A file that knows its size and hash.
struct Hashed {
    file: io::BufWriter<File>,
    size_bytes: u64,
    sha256: Sha256,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_all(bytes)?;
        self.sha256.update(bytes);
        self.size_bytes = self.size_bytes.strict_add(u64::try_from(bytes.len()).expect("a length fits in 64 bits"));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
