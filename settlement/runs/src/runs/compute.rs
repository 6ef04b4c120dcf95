//! One closed window to one run, in one tx: prove, seal, net, record, write, carry. Nothing is kept unless all of it is.

use super::{PendingWindow, Step, pairs, store};
use crate::ids::{run_id, transfer_id};
use crate::{files, seals, windows};
use ledger::obligations::{NewObligation, Recorder, record};
use ledger::{Db, Fault, Tx, lock_scheme_shared};
use netting::{Netting, Network, NetworkBuilder, Party};
use scrip::{OperationId, RunId, SchemeId, VendorId};
use std::collections::BTreeMap;

/// Computes the run of a closed window. The caller holds the scheme's run lock, and the windows before have their runs.
///
/// The open window is locked only at the very end, so that swaps go on while the files are written.
pub(super) async fn compute(
    db: &Db,
    tx: &Tx<'_>,
    scheme: SchemeId,
    window: &PendingWindow,
    progress: &(impl Fn(Step) + Send + Sync),
) -> Result<RunId, Fault> {
    let terms = store::find_scheme(tx, scheme).await?.ok_or_else(|| Fault::Unreadable(format!("no scheme {scheme}")))?;
    let (run, at) = (run_id(scheme, &window.slot), window.closed_at);
    store::widen(tx).await?;

    progress(Step::Prove);
    let pairs = pairs::prove(tx, window).await?;

    progress(Step::Seal);
    let sealed = seals::seal_window(tx, scheme, window.id, window.number, at).await?;
    pairs::prove_seal(&pairs, &sealed, window)?;

    progress(Step::Net);
    let (network, vendors) = read_network(pairs, window)?;
    let netting = Netting::compute(&network, terms.strategy, terms.digits).map_err(|e| Fault::Unreadable(e.to_string()))?;
    assert!(netting.gross == sealed.gross, "what is netted is what is sealed");

    progress(Step::Record);
    store::insert_run(tx, run, &terms, window, &sealed, &netting, at).await?;
    let vendor = |party: &Party| vendors.get(party.as_str()).copied();
    let known = |party: &Party| vendor(party).ok_or_else(|| Fault::Unreadable(format!("no vendor {party}")));
    let positions: Vec<_> = netting.positions.iter().map(|p| Ok((known(&p.party)?, p))).collect::<Result<_, Fault>>()?;
    store::insert_positions(tx, run, &positions).await?;
    let transfers = (1_i64..).zip(&netting.transfers).map(|(number, t)| store::NewTransfer {
        number,
        id: transfer_id(run, number),
        payer: vendor(&t.payer),
        payee: vendor(&t.payee),
        amount: t.amount,
    });
    store::insert_transfers(tx, run, transfers).await?;

    let netted = files::Netted { run, scheme: &terms, window: window.id, seal: &sealed, netting: &netting, at };
    write_files(db, tx, &netted, progress).await?;

    progress(Step::Carry);
    let carries: Vec<NewObligation> = netting
        .carries
        .iter()
        .map(|c| Ok(NewObligation { debtor: known(&c.debtor)?, creditor: known(&c.creditor)?, amount: c.amount }))
        .collect::<Result<_, Fault>>()?;
    if !carries.is_empty() {
        lock_scheme_shared(tx, scheme).await?;
        let open = windows::find_open(tx, scheme).await?.ok_or_else(|| Fault::Unreadable(format!("scheme {scheme} has no open window")))?;
        // The database's clock, like every booking: by now the window is ours until the tx ends.
        let booked_at = ledger::read_time(tx).await?;
        record(tx, open.id, Recorder::Run, OperationId::new(run.uuid()), booked_at, &carries).await?;
    }
    Ok(run)
}

/// The obligations of a closed window stay as they are, so another connection reads them while this one writes. It is no connection of
/// the pool: runs that all hold one there would wait for a second in a circle.
async fn write_files(db: &Db, tx: &Tx<'_>, netted: &files::Netted<'_>, progress: &(impl Fn(Step) + Send + Sync)) -> Result<(), Fault> {
    let db = db.apart(1);
    let mut connection = db.connection().await?;
    let closed = connection.begin_snapshot().await?;
    store::widen(&closed).await?;
    let of = netted.seal.obligation_count;
    files::write_all(tx, &closed, netted, |obligations| progress(Step::Write { obligations, of })).await
}

/// The window's debts by debtor and creditor, and the vendors behind the codes.
///
/// The sums of each pair, not each obligation, are what is netted and what the input hash covers (the seal covers each
/// obligation): every strategy depends on the sums alone, and the network's memory grows with the pairs, not with the window.
fn read_network(pairs: Vec<store::Pair>, window: &PendingWindow) -> Result<(Network, BTreeMap<String, VendorId>), Fault> {
    let mut network = NetworkBuilder::default();
    let mut vendors = BTreeMap::new();
    for pair in pairs {
        network.add(&pair.debtor, &pair.creditor, pair.amount).map_err(|e| Fault::Unreadable(format!("window {}: {e}", window.number)))?;
        vendors.insert(pair.debtor, pair.debtor_id);
        vendors.insert(pair.creditor, pair.creditor_id);
    }
    Ok((network.build(), vendors))
}
