//! How windows, runs, positions, transfers and files are shown.
//!
//! Amounts are decimal strings with at least the currency's decimals; only nets, what is settled and what is carried have a sign.

use crate::settlement::Viewer;
use jiff::Timestamp;
use runs::Run;
use runs::files::FileHead;
use runs::runs::{Position, Transfer, WindowSummary};
use runs::seals::Seal;
use runs::windows::{Cut, Window};
use scrip::{Micro, RunId, Scale};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A window of a scheme.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WindowView {
    /// Counts the scheme's windows from 1.
    number: i64,
    /// `open` or `closed`.
    #[schema(example = "closed")]
    state: String,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    /// What closed it: a scheduled instant, or `manual:` and the key of the request.
    slot: Option<String>,
    /// Whether it was closed to wait for the scheme's next run.
    held: bool,
    /// The run that settles it; none while it is open or waits, and none after its run was voided, until the next one.
    run: Option<Uuid>,
    /// How many obligations it holds; known once it is sealed.
    obligation_count: Option<i64>,
    /// Their sum.
    #[schema(example = "10.005")]
    gross: Option<String>,
    /// The hash over them, chained to the window before.
    seal: Option<String>,
}

impl From<WindowSummary> for WindowView {
    fn from(WindowSummary { window, run, seal }: WindowSummary) -> Self {
        let Window { id: _, number, opened_at, closed } = window;
        let (state, closed_at, slot, held) = match closed {
            Some(Cut { closed_at, slot, held }) => ("closed", Some(closed_at), Some(slot), held),
            None => ("open", None, None, false),
        };
        let (obligation_count, gross, seal) = match seal {
            Some(Seal { version: _, obligation_count, gross, root: _, seal }) => {
                (Some(obligation_count), Some(gross.display(scrip::money::MICRO_SCALE).to_string()), Some(hex::encode(seal)))
            }
            None => (None, None, None),
        };
        let run = run.map(RunId::uuid);
        Self { number, state: state.to_owned(), opened_at, closed_at, slot, held, run, obligation_count, gross, seal }
    }
}

/// The netting of the windows of a scheme that no run before it settles.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunView {
    id: Uuid,
    /// Counts the scheme's runs from 1.
    number: i64,
    /// The scheme's code.
    #[schema(example = "EUROPE")]
    scheme: String,
    /// What closed its last window: a scheduled instant, or `manual:` and the key of the request.
    #[schema(example = "2026-11-23T12:00:00Z")]
    slot: String,
    /// computed, proposed, approved, exported, settling, settled, or voided.
    #[schema(example = "computed")]
    state: String,
    #[schema(example = "EUR")]
    currency: String,
    /// The decimals that transfers have.
    digits: u8,
    #[schema(example = "direct")]
    strategy: String,
    /// No transfer is smaller; zero: every one was made.
    #[schema(example = "0.00")]
    min_transfer: String,
    /// Who has to agree before it is paid, as its scheme said when it was computed: `second_person`, or `auto`: nobody.
    #[schema(example = "second_person")]
    approval: String,
    /// Until then vendors may dispute it, and it is not approved unless all of them acknowledge it; none where they cannot.
    #[schema(value_type = Option<String>, format = DateTime)]
    disputable_until: Option<Timestamp>,
    /// The cut-off that it is computed as of: the end of its last window.
    #[schema(value_type = String, format = DateTime)]
    computed_at: Timestamp,
    #[serde(flatten)]
    totals: Option<TotalsView>,
}

/// What a run comes to over all vendors; only the operator sees it. Among three vendors it would tell one what the other two owe each
/// other.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TotalsView {
    algorithm_version: i32,
    obligation_count: i64,
    /// The sum of the obligations.
    #[schema(example = "24.3403")]
    gross: String,
    /// What would be paid if only two vendors at a time set off.
    bilateral: String,
    /// The least money that could settle everything.
    net: String,
    /// What the transfers move.
    #[schema(example = "3.66")]
    total: String,
    /// What set-off cancels, so that nobody has to pay it.
    saved: String,
    transfer_count: i64,
    input_hash: String,
    output_hash: String,
}

impl RunView {
    pub(super) fn new(run: Run, viewer: Viewer) -> Self {
        let totals = match viewer {
            Viewer::House => Some(TotalsView::of(&run)),
            Viewer::Vendor(_) => None,
        };
        let Run {
            id, number, scheme, slot, state, currency, digits, strategy, min_transfer, approval, disputable_until, computed_at, ..
        } = run;
        let (state, min_transfer) = (state.to_string(), min_transfer.display_at_least(digits));
        let (digits, strategy) = (digits.decimals(), strategy.name().to_owned());
        let approval = approval.as_str().to_owned();
        Self {
            id: id.uuid(),
            number,
            scheme,
            slot,
            state,
            currency,
            digits,
            strategy,
            min_transfer,
            approval,
            disputable_until,
            computed_at,
            totals,
        }
    }
}

impl TotalsView {
    fn of(run: &Run) -> Self {
        let show = |amount: Micro| amount.display_at_least(run.digits);
        Self {
            algorithm_version: run.algorithm_version,
            obligation_count: run.obligation_count,
            gross: show(run.gross),
            bilateral: show(run.bilateral),
            net: show(run.net),
            total: show(run.total),
            saved: show(run.saved()),
            transfer_count: run.transfer_count,
            input_hash: hex::encode(run.input_hash),
            output_hash: hex::encode(run.output_hash),
        }
    }
}

/// Money that one party pays another because of a run.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TransferView {
    id: Uuid,
    /// Counts the run's transfers from 1.
    number: i64,
    /// What payer, payee and their banks call it.
    #[schema(example = "SH-5A24AD2BB5D6-1")]
    reference: String,
    /// A vendor's code, or HOUSE.
    payer: String,
    /// A vendor's code, or HOUSE.
    payee: String,
    #[schema(example = "3.66")]
    amount: String,
    currency: String,
    #[schema(example = "instructed")]
    state: String,
}

impl TransferView {
    pub(super) fn new(transfer: Transfer, currency: &str, digits: Scale) -> Self {
        let Transfer { id, number, reference, payer, payee, amount, state } = transfer;
        Self { id, number, reference, payer, payee, amount: amount.display_at_least(digits), currency: currency.to_owned(), state }
    }
}

/// A vendor in a run: `net = owed - owes = settled + carry`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PositionView {
    #[schema(example = "AIRMILES")]
    vendor: String,
    /// What others owe it.
    owed: String,
    /// What it owes others.
    owes: String,
    /// Positive: to be paid; negative: to pay.
    #[schema(example = "-3.6667")]
    net: String,
    /// What the transfers settle of it.
    settled: String,
    /// What is carried into the next window.
    carry: String,
    currency: String,
}

impl PositionView {
    pub(super) fn new(position: Position, currency: &str, digits: Scale) -> Self {
        let Position { vendor, owed, owes, net, settled, carry } = position;
        let show = |amount: Micro| amount.display_at_least(digits);
        Self {
            vendor,
            owed: show(owed),
            owes: show(owes),
            net: show(net),
            settled: show(settled),
            carry: show(carry),
            currency: currency.to_owned(),
        }
    }
}

/// A settlement file, to be downloaded by its name.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FileView {
    #[schema(example = "transfers.csv")]
    name: String,
    media_type: String,
    size_bytes: i64,
    /// Over its bytes, in hexadecimal; also the ETag of the download.
    sha256: String,
}

impl From<FileHead> for FileView {
    fn from(FileHead { id: _, name, media_type, size_bytes, sha256 }: FileHead) -> Self {
        Self { name, media_type, size_bytes, sha256: hex::encode(sha256) }
    }
}
