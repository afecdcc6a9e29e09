//! Pieces whose transaction is open: staged in the store, and released or abandoned together (PROTOCOL P14, P16).

use std::collections::BTreeMap;
use std::sync::Arc;

use headroom_engine::Commit;
use headroom_store::{CommitExtra, Store, StoreError};
use headroom_wire::{Journal, proto};

use super::{Lane, entry};
use crate::error::RunError;

/// A piece whose transaction is open.
#[derive(Debug)]
pub struct StagedPiece {
    /// Of its journal record.
    pub seq: u64,
    /// The journal record.
    pub journal: Vec<u8>,
    /// What its commit changes in the store.
    pub delta: Vec<u8>,
    /// Its outputs as published.
    pub outputs: Vec<proto::Output>,
}

impl Lane {
    /// Stages a record that says who serves the shard from here on (PROTOCOL P11); that of a new shard comes behind its
    /// first ruleset.
    ///
    /// # Errors
    /// What the store says.
    pub fn take_over(&mut self) -> Result<(), RunError> {
        // Kept until it is committed: after an abort it is staged again.
        if let Some(first) = self.first.take() {
            let hash = Arc::clone(&self.head.ruleset.hash);
            let staged =
                self.stage_record(Some((&hash, &first.rules)), &first.positions, |it| it.ruleset_seeded = true);
            self.first = Some(first);
            staged?;
        }
        self.stage_record(None, &BTreeMap::new(), |journal| journal.take_over = true)
    }

    fn stage_record(
        &mut self,
        ruleset: Option<(&str, &[(String, String)])>,
        positions: &BTreeMap<(Arc<str>, u32), u64>,
        fill: impl FnOnce(&mut Journal),
    ) -> Result<(), RunError> {
        self.before.push_back(self.head.clone());
        let mut journal = self.head.chain.blank(&self.head.ruleset.hash);
        journal.now = self.head.state.now;
        journal.outputs.first = self.head.outputs;
        fill(&mut journal);
        let (chain, mut sealed) = (&mut self.head.chain, None);
        let delta = self.store.stage_record(ruleset, positions, |delta| {
            let journal = chain.seal_with_delta(journal, delta);
            let entry = entry(&journal);
            sealed = Some(entry.clone());
            entry
        })?;
        let (seq, journal) = sealed.expect("staging makes the journal record");
        self.pieces.push(StagedPiece { seq, journal, delta, outputs: Vec::new() });
        Ok(())
    }

    /// What was staged since the last call, in order.
    pub fn take_staged(&mut self) -> Vec<StagedPiece> {
        std::mem::take(&mut self.pieces)
    }

    /// How many pieces are staged, taken or not.
    pub fn staged(&self) -> usize {
        self.before.len()
    }

    /// The oldest `count` staged pieces are committed: the store writes them.
    ///
    /// # Errors
    /// What the store says of earlier writes.
    pub fn release(&mut self, count: usize) -> Result<(), StoreError> {
        for _ in 0..count {
            self.store.release()?;
            self.before.pop_front();
            self.first = None;
        }
        Ok(())
    }

    /// All staged pieces came to nothing.
    pub fn abandon(&mut self) {
        if let Some(head) = self.before.pop_front() {
            self.head = head;
        }
        self.before.clear();
        self.pieces.clear();
        self.store.abandon();
    }

    /// The store, for applying what others decided: open a lane over it again.
    ///
    /// # Panics
    /// If pieces are staged.
    pub fn into_store(self) -> Store {
        assert!(self.before.is_empty(), "pieces are released or abandoned first");
        self.store
    }

    pub(super) fn stage(
        &mut self,
        commit: Commit,
        extra: CommitExtra,
        (journal, outputs): (Journal, Vec<proto::Output>),
    ) -> Result<(), RunError> {
        let (chain, mut sealed) = (&mut self.head.chain, None);
        let delta = self.store.stage(commit, extra, |delta| {
            let entry = entry(&chain.seal_with_delta(journal, delta));
            sealed = Some(entry.clone());
            entry
        })?;
        let (seq, journal) = sealed.expect("staging makes the journal record");
        self.pieces.push(StagedPiece { seq, journal, delta, outputs });
        Ok(())
    }
}
