//! What a shard remembers beside accounts. Written once per commit, so the generated types do.

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_engine::{ShardState, Sweep, Timestamp, Totals};
use prost::Message;

use super::broadcasts::{put_broadcasts, take_broadcasts};
use super::{StoredError, VERSION, versioned};
use crate::proto;

/// Appends the stored form of a shard's state: a version byte, then a `StoredShard`. The same state gives the same bytes.
pub fn encode_state(state: &ShardState, out: &mut Vec<u8>) {
    out.push(VERSION);
    let feeds = state.feeds.iter().map(|(source, at)| (source.clone(), at.0));
    let message = proto::StoredShard {
        now: state.now.0,
        broadcasts: Some(put_broadcasts(&state.broadcasts)),
        seen_from_day: state.seen_from_day,
        provisional: state.provisional,
        accounts: state.accounts,
        feeds: feeds.collect::<BTreeMap<_, _>>(),
        totals: Some(put_totals(&state.totals)),
        sweep: state.sweep.as_ref().map(put_sweep),
    };
    message.encode(out).expect("a `Vec` grows as needed");
}

/// Reads the stored form of a shard's state.
///
/// # Errors
/// [`StoredError::Newer`] if a later build wrote it, [`StoredError::Damaged`] if it is no such value.
pub fn decode_state(bytes: &[u8]) -> Result<ShardState, StoredError> {
    let message = proto::StoredShard::decode(versioned(bytes)?);
    let message = message.map_err(|error| StoredError::damaged(format!("shard: {error}")))?;
    Ok(ShardState {
        now: Timestamp(message.now),
        broadcasts: Arc::new(take_broadcasts(message.broadcasts.unwrap_or_default())?),
        seen_from_day: message.seen_from_day,
        provisional: message.provisional,
        accounts: message.accounts,
        feeds: message.feeds.into_iter().map(|(source, at)| (source, Timestamp(at))).collect(),
        totals: take_totals(message.totals.unwrap_or_default()),
        sweep: message.sweep.map(take_sweep),
    })
}

fn put_sweep(sweep: &Sweep) -> proto::StoredSweep {
    proto::StoredSweep { target: sweep.target, after: sweep.after.as_ref().map(ToString::to_string) }
}

fn take_sweep(stored: proto::StoredSweep) -> Sweep {
    Sweep { target: stored.target, after: stored.after.map(Arc::from) }
}

fn put_totals(totals: &Totals) -> proto::StoredTotals {
    let totals = totals.clone();
    proto::StoredTotals {
        events: totals.events,
        duplicates: totals.duplicates,
        dead_letters: totals.dead_letters,
        changes: totals.changes,
        offers: totals.offers,
        reviews: totals.reviews,
        notices: totals.notices,
        fired: totals.fired,
        guards: totals.guards,
        not_evaluated: totals.not_evaluated,
        compensations_missed: totals.compensations_missed,
        cascades_cut: totals.cascades_cut,
        pending_drift: totals.pending_drift,
        overridden: totals.overridden,
    }
}

fn take_totals(totals: proto::StoredTotals) -> Totals {
    Totals {
        events: totals.events,
        duplicates: totals.duplicates,
        dead_letters: totals.dead_letters,
        changes: totals.changes,
        offers: totals.offers,
        reviews: totals.reviews,
        notices: totals.notices,
        fired: totals.fired,
        guards: totals.guards,
        not_evaluated: totals.not_evaluated,
        compensations_missed: totals.compensations_missed,
        cascades_cut: totals.cascades_cut,
        pending_drift: totals.pending_drift,
        overridden: totals.overridden,
    }
}
