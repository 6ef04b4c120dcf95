//! Closed windows to one run, in one tx: prove, seal, net, record, write, carry. Nothing is kept unless all of it is.

use super::{PendingWindow, Step, holdings, pairs, store};
use crate::ids::{run_id, transfer_id};
use crate::scheme::{Approval, Scheme};
use crate::{files, seals, steps, windows};
use ledger::obligations::{NewObligation, Recorder};
use ledger::{Db, Fault, Tx};
use netting::{Holding, Netting, Network, NetworkBuilder, Party, Strategy, WhatIf};
use scrip::{Micro, OperationId, RunId, Scale, SchemeId, VendorId};
use std::collections::BTreeMap;

/// Computes the run that a closed window asks for, over it and the windows before it that no run settles. The caller holds the scheme's
/// run lock.
///
/// The open window is locked only at the very end, so that swaps go on while the files are written.
pub(super) async fn compute(
    db: &Db,
    tx: &Tx<'_>,
    scheme: SchemeId,
    pending: &PendingWindow,
    progress: &(impl Fn(Step) + Send + Sync),
) -> Result<RunId, Fault> {
    let terms = get_scheme(tx, scheme).await?;
    let (run, at) = (run_id(scheme, &pending.slot), pending.closed_at);
    let windows = store::list_not_netted(tx, scheme, pending.number).await?;
    store::widen(tx).await?;

    progress(Step::Prove);
    let mut proven = Vec::with_capacity(windows.len());
    for window in &windows {
        proven.push(pairs::prove(tx, window).await?);
    }

    progress(Step::Seal);
    let mut contents = files::Contents::default();
    for (window, pairs) in windows.iter().zip(&proven) {
        let sealed = seals::find_or_seal_window(tx, scheme, window.id, window.number, at).await?;
        pairs::prove_seal(pairs, &sealed, window)?;
        contents.add(window.id, &sealed)?;
    }

    progress(Step::Net);
    let debts = Debts::of(proven)?;
    let holdings = holdings::read(tx, scheme, &windows, &debts).await?;
    let netting = net(&debts.network, &holdings, &terms)?;
    assert!(netting.gross == contents.gross(), "what is netted is what is sealed");

    progress(Step::Record);
    store::insert_run(tx, run, &terms, &pending.slot, contents.obligation_count(), &netting, at).await?;
    store::insert_windows(tx, run, &windows).await?;
    holdings::keep(tx, run, &holdings, &debts).await?;
    let vendor = |party: &Party| debts.vendors.get(party.as_str()).copied();
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
    let carries: Vec<NewObligation> = netting
        .carries
        .iter()
        .map(|c| Ok(NewObligation { debtor: known(&c.debtor)?, creditor: known(&c.creditor)?, amount: c.amount }))
        .collect::<Result<_, Fault>>()?;
    store::insert_carries(tx, run, &carries).await?;

    let netted = files::Netted { run, scheme: &terms, contents: &contents, netting: &netting, at };
    write_files(db, tx, &netted, progress).await?;

    progress(Step::Carry);
    if !carries.is_empty() {
        let moving = windows::begin_moving(tx, scheme).await?;
        windows::record_moved(&moving, scheme, Recorder::Run, OperationId::new(run.uuid()), &carries).await?;
    }
    if terms.approval == Approval::Auto {
        steps::propose_by_itself(tx, run).await?;
        if terms.dispute_hours == 0 {
            steps::approve_by_itself(tx, run).await?;
        }
    }
    Ok(run)
}

/// What a run would come to if the scheme's window were closed now.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The numbers of the windows that it would net, the open one last.
    pub windows: Vec<i64>,
    /// The currency of every figure.
    pub currency: String,
    /// The decimals that transfers have.
    pub digits: Scale,
    /// How many obligations there are.
    pub obligation_count: i64,
    /// The result, by the vendors' codes; its hashes are those that the run will have if nothing changes.
    pub netting: Netting,
}

/// What a run over the scheme's open window, and those before it that no run settles, would come to; none where there is no such scheme.
pub(super) async fn preview(tx: &Tx<'_>, scheme: SchemeId) -> Result<Option<Preview>, Fault> {
    let Some(owed) = Owed::read(tx, scheme).await? else { return Ok(None) };
    let netting = net(&owed.debts.network, &owed.holdings, &owed.terms)?;
    let Owed { terms, windows, obligation_count, debts: _, holdings: _ } = owed;
    Ok(Some(Preview { windows, currency: terms.currency, digits: terms.digits, obligation_count, netting }))
}

/// What every strategy would make of what a run would net now.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The numbers of the windows that it would net, the open one last.
    pub windows: Vec<i64>,
    /// The currency of every figure.
    pub currency: String,
    /// How the scheme's next run will be netted.
    pub strategy: Strategy,
    /// How many obligations there are.
    pub obligation_count: i64,
    /// All strategies side by side.
    pub what_if: WhatIf,
}

/// All strategies side by side for what a preview would net, with nothing held back; none where there is no such scheme.
pub(super) async fn compare(tx: &Tx<'_>, scheme: SchemeId) -> Result<Option<Comparison>, Fault> {
    let Some(owed) = Owed::read(tx, scheme).await? else { return Ok(None) };
    let Owed { terms, windows, obligation_count, debts, holdings: _ } = owed;
    let what_if = WhatIf::compute(&debts.network, terms.digits, terms.min_transfer).map_err(|e| Fault::Unreadable(e.to_string()))?;
    Ok(Some(Comparison { windows, currency: terms.currency, strategy: terms.strategy, obligation_count, what_if }))
}

/// What is owed in a scheme and settled by no run.
struct Owed {
    terms: Scheme,
    windows: Vec<i64>,
    obligation_count: i64,
    debts: Debts,
    holdings: Vec<Holding>,
}

impl Owed {
    async fn read(tx: &Tx<'_>, scheme: SchemeId) -> Result<Option<Self>, Fault> {
        let Some(terms) = store::find_scheme(tx, scheme).await? else { return Ok(None) };
        let windows = store::list_not_netted(tx, scheme, i64::MAX).await?;
        store::widen(tx).await?;
        let mut proven = Vec::with_capacity(windows.len());
        for window in &windows {
            proven.push(pairs::prove(tx, window).await?);
        }
        let obligation_count = proven.iter().flatten().fold(0_i64, |count, pair| count.saturating_add(pair.count));
        let debts = Debts::of(proven)?;
        let holdings = holdings::read(tx, scheme, &windows, &debts).await?;
        let windows = windows.into_iter().map(|window| window.number).collect();
        Ok(Some(Self { terms, windows, obligation_count, debts, holdings }))
    }
}

async fn get_scheme(tx: &Tx<'_>, scheme: SchemeId) -> Result<Scheme, Fault> {
    store::find_scheme(tx, scheme).await?.ok_or_else(|| Fault::Unreadable(format!("no scheme {scheme}")))
}

fn net(network: &Network, holdings: &[Holding], terms: &Scheme) -> Result<Netting, Fault> {
    Netting::compute_holding(network, holdings, terms.netting_terms()).map_err(|e| Fault::Unreadable(e.to_string()))
}

/// The obligations of a closed window stay as they are, so another connection reads them while this one writes. It is no connection of
/// the pool: runs that all hold one there would wait for a second in a circle.
async fn write_files(db: &Db, tx: &Tx<'_>, netted: &files::Netted<'_>, progress: &(impl Fn(Step) + Send + Sync)) -> Result<(), Fault> {
    let db = db.apart(1);
    let mut connection = db.connection().await?;
    let closed = connection.begin_snapshot().await?;
    store::widen(&closed).await?;
    let of = netted.contents.obligation_count();
    files::write_all(tx, &closed, netted, |obligations| progress(Step::Write { obligations, of })).await
}

/// What the vendors owe each other, and the vendors behind the codes.
///
/// The sums of each pair over all windows, not each obligation, are what is netted and what the input hash covers (the seals cover each
/// obligation): every strategy depends on the sums alone, and the network's memory grows with the pairs, not with the windows.
pub(super) struct Debts {
    pub(super) network: Network,
    pub(super) vendors: BTreeMap<String, VendorId>,
}

impl Debts {
    fn of(windows: Vec<Vec<store::Pair>>) -> Result<Self, Fault> {
        let mut sums: BTreeMap<(String, String), Micro> = BTreeMap::new();
        let mut vendors = BTreeMap::new();
        for pair in windows.into_iter().flatten() {
            vendors.insert(pair.debtor.clone(), pair.debtor_id);
            vendors.insert(pair.creditor.clone(), pair.creditor_id);
            let sum = sums.entry((pair.debtor, pair.creditor)).or_insert(Micro::ZERO);
            *sum = sum.checked_add(pair.amount).ok_or(Fault::PositionTooLarge)?;
        }
        let mut network = NetworkBuilder::default();
        for ((debtor, creditor), amount) in sums {
            network.add(&debtor, &creditor, amount).map_err(|e| Fault::Unreadable(e.to_string()))?;
        }
        Ok(Self { network: network.build(), vendors })
    }
}
