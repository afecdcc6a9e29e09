//! An account as rules read it: every feature and declared fact with its value, as of the shard's clock.

use std::slice;

use headroom_engine::{Account, Context, EventFacts, FeatureType, Reader as SlotReader, Ruleset, ShardState, View};
use headroom_policy::{Currency, Slots, Type};
use headroom_store::{Reader, StoreError};

use super::{Item, names};

/// Stands for "no currency yet".
const NO_CURRENCY: Currency = Currency(*b"XXX");

/// Features by name, and those of blocks by the block's cause; nothing where the directory holds no ruleset that this
/// build can load. What only an event knows is null, and so is everything else that is unknown.
///
/// # Errors
/// What the store says.
pub fn features(reader: &Reader, account: &Account) -> Result<Option<(Item, Item)>, StoreError> {
    let state = reader.state()?.unwrap_or_default();
    Ok(names::ruleset(reader)?.map(|ruleset| of(&ruleset, &state, account)))
}

fn of(ruleset: &Ruleset, state: &ShardState, account: &Account) -> (Item, Item) {
    let context = Context { ruleset, broadcasts: &state.broadcasts, feeds: &state.feeds };
    let now = state.now.max(account.clock);
    let mut view = View::new(&context, account, now, EventFacts::default());
    let all = values(ruleset, &view, |name| !name.starts_with("block."));
    let mut blocks = Vec::new();
    for block in &account.stack.blocks {
        (view.cause, view.causes) = (Some(block.cause), slice::from_ref(&block.cause));
        let own = values(ruleset, &view, |name| name.starts_with("block."));
        blocks.push((block.cause.word().to_owned(), own));
    }
    (all, Item::Fields(blocks))
}

fn values(ruleset: &Ruleset, view: &View<'_>, wanted: fn(&str) -> bool) -> Item {
    let mut slots = Slots::new(ruleset.schema.len());
    let mut shown = Vec::new();
    for (slot, (symbol, reader)) in ruleset.schema.symbols().iter().zip(&ruleset.readers).enumerate() {
        let found = read(ruleset, reader, &slots, view);
        found.into_iter().for_each(|value| slots.set(slot, value));
        if wanted(&symbol.name) {
            shown.push((symbol.name.clone(), value(&symbol.ty, reader, found)));
        }
    }
    Item::Fields(shown)
}

/// What scores are made of has lower slots than they.
fn read(ruleset: &Ruleset, reader: &SlotReader, slots: &Slots, view: &View<'_>) -> Option<i64> {
    match reader {
        SlotReader::Feature(feature) => feature.value(view),
        SlotReader::Fact(key, default) => view.account.fact(*key, view.now).map(|each| each.value).or(*default),
        SlotReader::Score(at) => ruleset.scores[*at].value(slots, view.account.currency.unwrap_or(NO_CURRENCY)),
    }
}

fn value(ty: &Type, reader: &SlotReader, found: Option<i64>) -> Item {
    let Some(value) = found else { return Item::Null };
    match (ty, reader) {
        (Type::Bool, _) => (value != 0).into(),
        (_, SlotReader::Feature(feature)) => match feature.ty {
            FeatureType::Enum(words) => usize::try_from(value).ok().and_then(|at| words.get(at)).copied().into(),
            _ => value.into(),
        },
        (Type::Enum(words), _) => usize::try_from(value).ok().and_then(|at| words.get(at)).map(String::as_str).into(),
        _ => value.into(),
    }
}
