//! Blocks: a freeze never touches base, never loosens a block of its cause, never resets since when it stands.

use crate::output::{BlockChange, StackView, Trace};
use crate::stack::{BLOCKS_MAX, Block, UndoField, WAIVERS_MAX, Waiver};
use crate::time::Timestamp;
use crate::vocabulary::{Cause, ChangeKind};

use super::decide::Decision;
use super::emit::Change;
use super::proposal::{Act, Proposal};
use super::propose::percent_of;

impl Decision<'_> {
    /// The block as a freeze would leave it; `None` if it stands so already.
    pub fn frozen(&self, act: &Act, rule: u32) -> Option<Block> {
        let Act::Freeze { cause, scope, ceiling, until } = act else { return None };
        let Some(standing) = self.account.stack.block(*cause).filter(|each| each.lasts(self.now)) else {
            return Some(Block {
                cause: *cause,
                scope: *scope,
                ceiling: *ceiling,
                since: self.now,
                until: *until,
                granted_before: self.account.stack.granted(self.now).0,
                rule,
                proposed: self.now,
                by: String::new(),
            });
        };
        let mut block = standing.clone();
        block.scope = standing.scope.max(*scope);
        block.ceiling = match (standing.ceiling, *ceiling) {
            (Some(standing), Some(wanted)) => Some(standing.min(wanted)),
            (standing, wanted) => standing.or(wanted),
        };
        block.until = match (standing.until, *until) {
            (Some(standing), Some(wanted)) => Some(standing.max(wanted)),
            _ => None,
        };
        let same = block.scope == standing.scope && block.ceiling == standing.ceiling && block.until == standing.until;
        block.rule = if same { standing.rule } else { rule };
        (!same).then_some(block)
    }

    pub fn freeze(&mut self, proposal: &Proposal, traces: &[Trace]) -> Option<u128> {
        let before = self.stack_view();
        let rule = self.context.ruleset.rules[proposal.rule].number;
        let block = self.frozen(&proposal.act, rule)?;
        let taken = before.limits.effective.saturating_sub(block.ceiling.unwrap_or(before.limits.effective)).max(1);
        self.remember_undo(UndoField::Block, taken, Some(block.cause), rule);
        self.account.stack.waivers.retain(|each| each.cause != block.cause);
        Some(self.put_block(block, before, "", Some((proposal, traces))))
    }

    /// Sets a block and emits the change.
    pub fn put_block(
        &mut self,
        block: Block,
        before: StackView,
        reason: &str,
        by: Option<(&Proposal, &[Trace])>,
    ) -> u128 {
        let mut change = self.block_change(block.cause, before, Some((block.scope, block.ceiling)), by);
        (change.adverse, change.expires_at) = (true, block.until);
        if !reason.is_empty() {
            change = change.because(reason);
        }
        let blocks = &mut self.account.stack.blocks;
        blocks.retain(|each| each.cause != block.cause);
        blocks.push(block);
        blocks.sort_by_key(|each| each.cause);
        assert!(blocks.len() <= BLOCKS_MAX, "one block per cause");
        self.emit(change)
    }

    /// Removes a block and emits the change.
    pub fn drop_block(
        &mut self,
        cause: Cause,
        before: StackView,
        reason: &str,
        by: Option<(&Proposal, &[Trace])>,
    ) -> u128 {
        let mut change = self.block_change(cause, before, None, by);
        if !reason.is_empty() {
            change = change.because(reason);
            change.without_rule_reason = true;
        }
        self.account.stack.blocks.retain(|each| each.cause != cause);
        self.account.stack.waivers.retain(|each| each.cause != cause);
        // What was taken is given back: there is nothing left to undo.
        self.account.stack.undo.retain(|each| each.field != UndoField::Block || each.cause != Some(cause));
        self.account.memory.compensations.retain(|each| each.cause != cause);
        self.emit(change)
    }

    fn block_change<'a>(
        &self,
        cause: Cause,
        before: StackView,
        after: Option<(crate::vocabulary::Scope, Option<i64>)>,
        by: Option<(&'a Proposal, &'a [Trace])>,
    ) -> Change<'a> {
        let standing = self.account.stack.block(cause).map(|each| (each.scope, each.ceiling));
        let mut change = Change::new(ChangeKind::BlockChanged, before, self.now);
        change.block = Some(BlockChange { cause, before: standing, after });
        match by {
            Some((proposal, traces)) => change.by(proposal, traces),
            None => change,
        }
    }

    pub fn unfreeze(&mut self, cause: Cause, proposal: &Proposal, traces: &[Trace]) -> Option<u128> {
        let before = self.stack_view();
        Some(self.drop_block(cause, before, "", Some((proposal, traces))))
    }

    /// The ceiling that a restore leads to.
    fn restored_ceiling(&self, cause: Cause, percent: i64) -> Option<i64> {
        percent_of(self.account.stack.block(cause)?.granted_before, percent)
    }

    pub fn would_restore(&self, cause: Cause, percent: i64, waive_until: Option<Timestamp>) -> bool {
        let Some(block) = self.account.stack.block(cause) else { return false };
        let raises = self.restored_ceiling(cause, percent).is_some_and(|to| block.ceiling.is_some_and(|now| now < to));
        let waived = self.account.stack.waiver(cause, self.now).is_some_and(|each| Some(each.until) >= waive_until);
        raises || (waive_until.is_some_and(|until| until > self.now) && !waived)
    }

    /// Raises the ceiling and writes the waiver; the third flip in one promotion goes to a person instead.
    pub fn restore(&mut self, proposal: &Proposal, traces: &[Trace]) -> Option<u128> {
        let Act::Restore { cause, percent, waive_until } = proposal.act else { return None };
        let before = self.stack_view();
        let to = self.restored_ceiling(cause, percent)?;
        let block = self.account.stack.block(cause)?;
        let (scope, standing) = (block.scope, block.ceiling);
        let raises = standing.is_some_and(|now| now < to);
        if raises && self.is_third_flip() {
            let review = self.rule_review(proposal, "compensation_flips", Some(cause), traces);
            self.emit_review(review);
            self.tally.fired.push(self.context.ruleset.rules[proposal.rule].number);
            return None;
        }
        if let Some(until) = waive_until.filter(|until| *until > self.now) {
            self.write_waiver(Waiver { cause, rule: self.context.ruleset.rules[proposal.rule].number, until });
        }
        self.account.memory.compensations.retain(|each| each.cause != cause);
        if !raises {
            return None;
        }
        self.note_favourable();
        let change = self.block_change(cause, before, Some((scope, Some(to))), Some((proposal, traces)));
        if let Some(block) = self.account.stack.blocks.iter_mut().find(|each| each.cause == cause) {
            block.ceiling = Some(to);
        }
        Some(self.emit(change))
    }

    fn write_waiver(&mut self, waiver: Waiver) {
        let waivers = &mut self.account.stack.waivers;
        waivers.retain(|each| each.cause != waiver.cause);
        if waivers.len() == WAIVERS_MAX {
            waivers.remove(0);
        }
        waivers.push(waiver);
    }
}
