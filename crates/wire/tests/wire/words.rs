//! The engine's words and the contract's enums are the same lists: numbers are positions plus one.

use headroom_engine::{
    CapName, Cause, ChangeKind, HoldOf, Precision, Priority, Provenance, Purpose, Regime, ReviewOutcome, Scope,
    Segment, Side, Status, Tier,
};

#[track_caller]
fn same(name: &str, prefix: &str, words: Vec<&str>) {
    let choices = crate::fill::pool().get_enum_by_name(&format!("headroom.v1.{name}")).unwrap();
    let contract: Vec<(i32, String)> = choices.values().map(|each| (each.number(), each.name().to_owned())).collect();
    let with_unspecified = std::iter::once("unspecified").chain(words);
    let engine = with_unspecified.zip(0..).map(|(word, number)| (number, format!("{prefix}_{}", word.to_uppercase())));
    assert_eq!(contract, engine.collect::<Vec<_>>());
}

macro_rules! words {
    ($list:ident) => {
        $list::ALL.iter().map(|each| each.word()).collect()
    };
}

#[test]
fn contract_enums_are_engine_words() {
    same("Segment", "SEGMENT", words!(Segment));
    same("Tier", "TIER", words!(Tier));
    same("AccountStatus", "ACCOUNT_STATUS", words!(Status));
    same("Cause", "CAUSE", words!(Cause));
    same("Scope", "SCOPE", words!(Scope));
    same("CapName", "CAP_NAME", words!(CapName));
    same("HoldOf", "HOLD_OF", words!(HoldOf));
    same("Provenance", "PROVENANCE", words!(Provenance));
    same("TimePrecision", "TIME_PRECISION", words!(Precision));
    same("OrderEvent.Side", "SIDE", words!(Side));
    same("OrderEvent.Purpose", "PURPOSE", words!(Purpose));
    same("RegimeChanged.Regime", "REGIME", words!(Regime));
    same("ReviewResolved.Outcome", "OUTCOME", words!(ReviewOutcome));
    same("Review.Priority", "PRIORITY", words!(Priority));
    same("LimitChange.Kind", "KIND", words!(ChangeKind));
}
