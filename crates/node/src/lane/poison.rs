//! Faults on demand inside a step, for tests of what a real one would do (PROTOCOL P19): `HEADROOM_POISON=WHAT[=kill]`
//! with `event:ID`, `timer:ACCOUNT`, or `sweep:ACCOUNT`. Without the variable this costs a look at a static.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use headroom_engine::{AccountId, Cancelled, Record, Timer};

#[derive(Clone, PartialEq, Eq, Debug)]
struct Poison {
    what: What,
    kills: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum What {
    Event(String),
    Timer(String),
    Sweep(String),
}

/// What a step is about to work on.
pub struct Work<'a> {
    pub records: &'a [Record],
    pub timers: &'a [(AccountId, Timer)],
    pub swept: &'a [AccountId],
    pub cancelled: &'a BTreeSet<Cancelled>,
}

/// Panics or dies if the step holds what the variable names.
pub fn strike(work: &Work<'_>) {
    static ARMED: OnceLock<Option<Poison>> = OnceLock::new();
    let armed = ARMED.get_or_init(|| std::env::var("HEADROOM_POISON").ok().and_then(|text| parse(&text)));
    let Some(poison) = armed else { return };
    if !hits(&poison.what, work) {
        return;
    }
    if poison.kills {
        std::process::abort();
    }
    panic!("poison: {:?}", poison.what);
}

fn parse(text: &str) -> Option<Poison> {
    let (text, kills) = text.strip_suffix("=kill").map_or((text, false), |text| (text, true));
    let what = match text.split_once(':')? {
        ("event", id) => What::Event(id.to_owned()),
        ("timer", account) => What::Timer(account.to_owned()),
        ("sweep", account) => What::Sweep(account.to_owned()),
        _ => return None,
    };
    Some(Poison { what, kills })
}

fn hits(what: &What, work: &Work<'_>) -> bool {
    match what {
        What::Event(id) => work.records.iter().any(|each| each.event.as_ref().is_ok_and(|event| event.id == *id)),
        What::Timer(account) => work
            .timers
            .iter()
            .any(|(id, timer)| **id == **account && !work.cancelled.contains(&Cancelled::Timer(id.clone(), *timer))),
        What::Sweep(account) => {
            work.swept.iter().any(|id| **id == **account && !work.cancelled.contains(&Cancelled::Sweep(id.clone())))
        }
    }
}
