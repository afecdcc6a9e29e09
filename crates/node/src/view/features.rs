//! An account as rules read it: every feature and declared fact with its value, as of the shard's clock.

use std::slice;

use headroom_engine::{Account, Context, EventFacts, FeatureType, Reader as SlotReader, Ruleset, ShardState, View};
use headroom_policy::Type;
use headroom_store::{Reader, StoreError};

use super::{Item, names};

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
    let symbols = ruleset.schema.symbols().iter().zip(&ruleset.readers);
    let shown = symbols.filter(|(symbol, _)| wanted(&symbol.name));
    Item::Fields(shown.map(|(symbol, reader)| (symbol.name.clone(), value(&symbol.ty, reader, view))).collect())
}

fn value(ty: &Type, reader: &SlotReader, view: &View<'_>) -> Item {
    let found = match reader {
        SlotReader::Feature(feature) => feature.value(view),
        SlotReader::Fact(key, default) => view.account.fact(*key, view.now).map(|each| each.value).or(*default),
    };
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
