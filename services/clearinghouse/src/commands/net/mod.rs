//! `scriphouse net FILE.csv --strategy S`: nets a file of obligations offline, without a database.
//!
//! Shape: read the whole file or refuse it, net, write the files, print the summary. Nothing is written before everything is
//! known. Transfers are in whole minor units of a currency with `--digits` decimals, and what that rounds away goes to
//! `carries.csv`; without `--digits` the decimals are those of the file, and nothing is rounded.

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use netting::{Netting, NettingError, Network, NetworkBuilder, NetworkError, Party, Strategy};
use runs::{
    csv_text::{push_row, safe_cell},
    obligations_csv::{ObligationsCsv, ObligationsCsvError},
};
use scrip::{Micro, Scale};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Nets a CSV file of obligations, without a database.
#[derive(Debug, Args)]
pub(crate) struct NetArgs {
    /// CSV with the header `debtor,creditor,amount`; more columns are ignored.
    file: PathBuf,
    /// `gross`, `bilateral`, `conservative`, `direct` or `hub`.
    #[arg(long)]
    strategy: Strategy,
    /// The currency's decimals, 0 to 6, to which transfers are rounded. Without it, the most decimals that stand in the file.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..=6))]
    digits: Option<i64>,
    /// The folder, made if it is missing, for `transfers.csv`, `positions.csv` and `manifest.json`, for `setoffs.csv` if the strategy
    /// is `conservative`, and for `carries.csv` if rounding leaves something owed. Without it nothing is written.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Why a file was not netted, in one sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetError {
    /// The file with the obligations could not be opened.
    #[error("{} could not be opened: {error}", path.display())]
    Unopened { path: PathBuf, error: io::Error },
    /// The file is no file of obligations.
    #[error("{}: {error}", path.display())]
    Refused { path: PathBuf, error: ObligationsCsvError },
    /// A row cannot join the rows before it.
    #[error("{}: line {line}: {error}", path.display())]
    TooMuch { path: PathBuf, line: u64, error: NetworkError },
    /// The strategy refuses the obligations.
    #[error("{}: {error}", path.display())]
    Unnetted { path: PathBuf, error: NettingError },
    /// What would be read and what would be written are one file.
    #[error("{} is the file that is read; choose another folder for --out", path.display())]
    WouldOverwrite { path: PathBuf },
    /// A result could not be written.
    #[error("{} could not be written: {error}", path.display())]
    Unwritten { path: PathBuf, error: io::Error },
}

/// Phases: read, net, write the files, print.
pub(crate) fn run(args: &NetArgs, out: &mut impl Write) -> Result<(), NetError> {
    let (network, decimals) = read(&args.file)?;
    let digits = args.digits.and_then(Scale::try_new).unwrap_or(decimals);
    let netting =
        Netting::compute(&network, args.strategy, digits).map_err(|error| NetError::Unnetted { path: args.file.clone(), error })?;

    // Every sum and difference of the file's amounts is shown in full with so many decimals.
    let shown_with = digits.max(decimals);
    let summary = Summary::of(&netting, shown_with);
    if let Some(folder) = &args.out {
        spare_input(&args.file, folder)?;
        write_files(folder, &netting, &summary, shown_with)?;
    }
    let printed = if args.json { summary.print_json(out) } else { summary.print_table(out, args.out.as_deref()) };
    match printed {
        // Whoever reads only the first lines has had enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.map_err(|error| NetError::Unwritten { path: PathBuf::from("the summary"), error }),
    }
}

/// The obligations, and the most decimals that one was written with.
fn read(path: &Path) -> Result<(Network, Scale), NetError> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (bytes, file) = opened.map_err(|error| NetError::Unopened { path: path.to_owned(), error })?;
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes}").expect("the template is fixed");
    // Draws to standard error, and only if that is a terminal.
    let progress = ProgressBar::new(bytes).with_style(style).with_message("reading");

    let refused = |error| NetError::Refused { path: path.to_owned(), error };
    let mut csv = ObligationsCsv::open(progress.wrap_read(file)).map_err(refused)?;
    let mut builder = NetworkBuilder::default();
    while let Some(row) = csv.next_row().map_err(refused)? {
        let line = row.line;
        let added = builder.add(row.debtor, row.creditor, row.amount);
        added.map_err(|error| NetError::TooMuch { path: path.to_owned(), line, error })?;
    }
    progress.finish_and_clear();
    Ok((builder.build(), csv.decimals_seen()))
}

/// What is printed, and stands in the manifest.
#[derive(Debug, Serialize)]
struct Summary {
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
    #[serde(skip)]
    carried: Option<String>,
    #[serde(skip)]
    saved: Saved,
}

/// How much less than the gross, in hundredths of a percent, rounded down.
#[derive(Debug)]
struct Saved {
    bilateral: i128,
    net: i128,
    remaining: i128,
}

impl Summary {
    fn of(netting: &Netting, shown_with: Scale) -> Self {
        let shown = |amount: Micro| amount.display_at_least(shown_with);
        let carried = netting.carries.iter().try_fold(Micro::ZERO, |sum, c| sum.checked_add(c.amount));
        let carried = carried.expect("what is carried is part of the gross");
        let saved = |left: Micro| {
            let [gross, left] = [netting.gross, left].map(|amount| i128::from(amount.units()));
            gross.strict_sub(left).strict_mul(10_000).checked_div(gross).unwrap_or_default()
        };
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
            carried: (carried > Micro::ZERO).then(|| shown(carried)),
            saved: Saved { bilateral: saved(netting.bilateral), net: saved(netting.net), remaining: saved(netting.remaining) },
        }
    }

    fn print_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }

    fn print_table(&self, out: &mut impl Write, folder: Option<&Path>) -> io::Result<()> {
        let transfers = self.transfers.to_string();
        let left = format!("left to pay by {}", self.strategy);
        let mut rows = vec![
            ("gross", &self.gross, None),
            ("after bilateral", &self.bilateral, Some(self.saved.bilateral)),
            ("net internal debt", &self.net, Some(self.saved.net)),
            (&left, &self.remaining, Some(self.saved.remaining)),
            ("moved by transfers", &self.total, None),
            ("transfers", &transfers, None),
        ];
        if let Some(carried) = &self.carried {
            rows.push(("carried by rounding", carried, None));
        }
        let label_width = rows.iter().map(|(label, _, _)| label.len()).max().unwrap_or_default();
        let amount_width = rows.iter().map(|(_, amount, _)| amount.len()).max().unwrap_or_default();
        writeln!(out, "{} obligations between {} parties, netted by {}", self.obligations, self.parties, self.strategy)?;
        for (label, amount, saved) in rows {
            write!(out, "  {label:label_width$}  {amount:>amount_width$}")?;
            match saved {
                Some(saved) => writeln!(out, "  saved {:>3}.{:02} %", saved.strict_div(100), saved.strict_rem(100))?,
                None => writeln!(out)?,
            }
        }
        match folder {
            Some(folder) => writeln!(out, "The files are in {}", folder.display()),
            None => Ok(()),
        }
    }
}

const TRANSFERS: &str = "transfers.csv";
const POSITIONS: &str = "positions.csv";
const SET_OFFS: &str = "setoffs.csv";
const CARRIES: &str = "carries.csv";
const MANIFEST: &str = "manifest.json";

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

/// The manifest comes last: where it stands, the files that it names are complete.
fn write_files(folder: &Path, netting: &Netting, summary: &Summary, shown_with: Scale) -> Result<(), NetError> {
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
fn spare_input(file: &Path, folder: &Path) -> Result<(), NetError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: NetArgs,
    }

    /// A folder of one test, removed when it ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("scriphouse-net-{}-{test}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn net(&self, csv: &str, more: &[&str]) -> Result<String, String> {
            let file = self.0.join("in.csv");
            fs::write(&file, csv).unwrap();
            let words = ["net", file.to_str().unwrap()].into_iter().chain(more.iter().copied());
            let command = Command::try_parse_from(words).map_err(|e| e.to_string())?;
            let mut out = Vec::new();
            run(&command.args, &mut out).map_err(|e| e.to_string().replace(&format!("{}/", self.0.display()), ""))?;
            Ok(String::from_utf8(out).unwrap())
        }

        fn read(&self, name: &str) -> String {
            fs::read_to_string(self.0.join(name)).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const SQUARE: &str = "debtor,creditor,amount\nA,B,60\nA,C,40.5\nB,C,70\nC,=D,50\n=D,A,20\n";

    #[test]
    fn the_summary_is_one_json_object() {
        let folder = Folder::new("json");
        let printed = folder.net(SQUARE, &["--strategy", "direct", "--json"]).unwrap();
        let expected = r#"{"strategy":"direct","obligations":5,"parties":4,"gross":"240.5","bilateral":"240.5","net":"90.5","set_off":"150.0","remaining":"90.5","transfers":3,"total":"90.5","optimal":true,"input_hash":""#;
        assert!(printed.starts_with(expected), "{printed}");
        assert_eq!(printed.lines().count(), 1);
    }

    #[test]
    fn the_summary_is_a_table() {
        let folder = Folder::new("table");
        let printed = folder.net(SQUARE, &["--strategy", "hub", "--digits", "2"]).unwrap();
        let expected = "\
5 obligations between 4 parties, netted by hub
  gross               240.50
  after bilateral     240.50  saved   0.00 %
  net internal debt    90.50  saved  62.37 %
  left to pay by hub   90.50  saved  62.37 %
  moved by transfers  181.00
  transfers                4
";
        assert_eq!(printed, expected);
    }

    #[test]
    fn the_files_are_complete_and_named_in_the_manifest() {
        let folder = Folder::new("files");
        let out = folder.0.join("deep/down");
        folder.net(SQUARE, &["--strategy", "direct", "--out", out.to_str().unwrap(), "--json"]).unwrap();

        assert_eq!(folder.read("deep/down/transfers.csv"), "payer,payee,amount\r\nA,C,60.5\r\nA,'=D,20.0\r\nB,'=D,10.0\r\n");
        let positions = "party,owed,owes,net\r\n'=D,50.0,20.0,30.0\r\nA,20.0,100.5,-80.5\r\nB,60.0,70.0,-10.0\r\nC,110.5,50.0,60.5\r\n";
        assert_eq!(folder.read("deep/down/positions.csv"), positions);
        let manifest: serde_json::Value = serde_json::from_str(&folder.read("deep/down/manifest.json")).unwrap();
        assert_eq!(manifest["total"], "90.5");
        assert_eq!(manifest["files"][1]["size_bytes"], positions.len());
        assert_eq!(manifest["files"][1]["sha256"], hex::encode(Sha256::digest(positions)));
        assert_eq!(fs::read_dir(&out).unwrap().count(), 3, "no part is left behind");
    }

    #[test]
    fn what_rounding_leaves_owed_is_written_down() {
        let folder = Folder::new("rounded");
        let out = folder.0.join("out");
        let csv = "debtor,creditor,amount\nA,D,10.005\nB,D,10.005\nC,D,10.005\n";
        let printed = folder.net(csv, &["--strategy", "direct", "--digits", "2", "--out", out.to_str().unwrap()]).unwrap();

        assert!(
            printed.contains("\n  moved by transfers     30.010\n  transfers                   3\n  carried by rounding     0.010\n"),
            "{printed}"
        );
        assert_eq!(folder.read("out/transfers.csv"), "payer,payee,amount\r\nA,D,10.01\r\nB,D,10.00\r\nC,D,10.00\r\n");
        assert_eq!(folder.read("out/carries.csv"), "debtor,creditor,amount\r\nB,A,0.005\r\nC,D,0.005\r\n");
        let manifest: serde_json::Value = serde_json::from_str(&folder.read("out/manifest.json")).unwrap();
        assert_eq!(manifest["digits"], 2);
        assert_eq!(manifest["files"][2]["name"], "carries.csv");

        folder.net(csv, &["--strategy", "direct", "--out", out.to_str().unwrap()]).unwrap();
        assert!(!out.join("carries.csv").exists(), "three decimals leave nothing to carry");
    }

    #[test]
    fn what_circles_cancel_is_written_down() {
        let folder = Folder::new("circles");
        let out = folder.0.join("out");
        folder.net(SQUARE, &["--strategy", "conservative", "--out", out.to_str().unwrap()]).unwrap();

        let set_offs = "debtor,creditor,amount,set_off,remaining\r\n'=D,A,20.0,20.0,0.0\r\nA,B,60.0,20.0,40.0\r\nA,C,40.5,0.0,40.5\r\nB,C,70.0,20.0,50.0\r\nC,'=D,50.0,20.0,30.0\r\n";
        assert_eq!(folder.read("out/setoffs.csv"), set_offs);
        assert_eq!(folder.read("out/transfers.csv"), "payer,payee,amount\r\nA,B,40.0\r\nA,C,40.5\r\nB,C,50.0\r\nC,'=D,30.0\r\n");

        folder.net(SQUARE, &["--strategy", "direct", "--out", out.to_str().unwrap()]).unwrap();
        assert!(!out.join("setoffs.csv").exists(), "of another strategy");
    }

    #[test]
    fn what_is_not_of_an_earlier_netting_stays() {
        let folder = Folder::new("foreign");
        fs::write(folder.0.join("setoffs.csv"), "mine").unwrap();
        fs::write(folder.0.join("transfers.csv"), SQUARE).unwrap();
        let out = folder.0.to_str().unwrap();

        let input = folder.0.join("transfers.csv");
        let args = NetArgs { file: input.clone(), strategy: Strategy::Direct, digits: None, out: Some(folder.0.clone()), json: false };
        let refusal = run(&args, &mut Vec::new()).unwrap_err().to_string();
        assert!(refusal.ends_with("transfers.csv is the file that is read; choose another folder for --out"), "{refusal}");
        assert_eq!(folder.read("transfers.csv"), SQUARE);

        folder.net(SQUARE, &["--strategy", "direct", "--out", out]).unwrap();
        assert_eq!(folder.read("setoffs.csv"), "mine");
    }

    #[test]
    fn a_shuffled_file_gives_the_same_bytes() {
        let folder = Folder::new("shuffled");
        let net = |csv: &str, to: &str| {
            folder.net(csv, &["--strategy", "bilateral", "--out", folder.0.join(to).to_str().unwrap(), "--json"]).unwrap()
        };
        let shuffled = "amount,note,creditor,debtor\n20,x,A,=D\n70,,C,B\n60,,B,A\n50,,=D,C\n40.5,,C,A\n";
        assert_eq!(net(SQUARE, "one"), net(shuffled, "two"));
        for name in [TRANSFERS, POSITIONS, MANIFEST] {
            assert_eq!(folder.read(&format!("one/{name}")), folder.read(&format!("two/{name}")));
        }
    }

    #[test]
    fn bad_input_is_refused_in_one_sentence_and_writes_nothing() {
        let folder = Folder::new("bad");
        let out = folder.0.join("out");
        let refused = |csv: &str, more: &[&str]| {
            let refusal = folder.net(csv, &[more, &["--out", out.to_str().unwrap()]].concat()).unwrap_err();
            assert!(!out.exists(), "{csv:?} wrote something");
            refusal
        };
        let direct = ["--strategy", "direct"];
        assert!(refused("debtor,creditor,amount\nA,B,1\nA,B,1e3\n", &direct).starts_with("in.csv: line 3, column amount: "));
        assert_eq!(refused("debtor,amount\n", &direct), "in.csv: line 1: the header has no column creditor");
        let decimals = "in.csv: line 2, column amount: the amount has more than 6 decimals";
        assert_eq!(refused("debtor,creditor,amount\nA,B,1.0000005\n", &direct), decimals);
        let house = "in.csv: a party may not be named HOUSE when the hub strategy is used";
        assert_eq!(refused("debtor,creditor,amount\nA,HOUSE,1\n", &["--strategy", "hub"]), house);
        let much = "debtor,creditor,amount\nA,B,4000000000000\nA,B,4000000000000\n";
        assert_eq!(refused(much, &direct), "in.csv: line 3: the obligations sum to more than can be netted at once");
        assert!(refused(SQUARE, &["--strategy", "best"]).contains("the strategy is one of gross, bilateral, conservative, direct and hub"));
        assert!(refused(SQUARE, &["--strategy", "direct", "--digits", "7"]).contains("0..=6"));
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let args = NetArgs { file: PathBuf::from("no/such.csv"), strategy: Strategy::Gross, digits: None, out: None, json: false };
        let refusal = run(&args, &mut Vec::new()).unwrap_err().to_string();
        assert!(refusal.starts_with("no/such.csv could not be opened: "), "{refusal}");
    }
}
