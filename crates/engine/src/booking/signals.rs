//! Facts: a changed value triggers; an occurrence always does.

use crate::account::{Fact, MarkKind};
use crate::event::{FactValue, Signal};
use crate::features::{COMPARED_FACTS, FactDef, FactType};
use crate::ids::fact_key;
use crate::refusal::{Refusal, RefusalCode};
use crate::time::DAY;
use crate::trigger::On;

use super::Booking;

/// An earlier value must be at least this old to be compared with.
const EARLIER: i64 = 30 * DAY;

impl Booking<'_, '_> {
    pub(super) fn signal(&mut self, signal: &Signal, source: &str) -> Result<(), Refusal> {
        let key = fact_key(&signal.name);
        let Some(def) = self.context.ruleset.facts.get(&key).filter(|each| each.name == signal.name) else {
            let detail = format!("no fact is named `{}`; a ruleset declares its own in `facts.yaml`", signal.name);
            return Err(Refusal::new(RefusalCode::UnknownFact, detail));
        };
        if !def.sources.is_empty() && !def.sources.iter().any(|each| each == source) {
            let detail = format!("`{source}` may not report `{}`", def.name);
            return Err(Refusal::new(RefusalCode::FactSourceNotAllowed, detail));
        }
        let value = self.fact_value(def, &signal.value)?;
        self.store_fact(def, key, value, signal);
        Ok(())
    }

    fn fact_value(&mut self, def: &FactDef, value: &FactValue) -> Result<i64, Refusal> {
        let wrong = || {
            let detail = format!("`{}` does not take {value:?}", def.name);
            Refusal::new(RefusalCode::FactOutOfRange, detail)
        };
        let value = match (&def.ty, value) {
            (FactType::Bool, FactValue::Bool(value)) => i64::from(*value),
            (FactType::Int, FactValue::Int(value)) => *value,
            (FactType::Money, FactValue::Money(value, currency)) if (def.min..=def.max).contains(value) => {
                self.admit(*currency, &[])?;
                *value
            }
            (FactType::Enum(words), FactValue::Text(word)) => {
                let at = words.iter().position(|each| each == word).ok_or_else(wrong)?;
                return i64::try_from(at).map_err(|_| wrong());
            }
            _ => return Err(wrong()),
        };
        if value < def.min || value > def.max { Err(wrong()) } else { Ok(value) }
    }

    fn store_fact(&mut self, def: &FactDef, key: u32, value: i64, signal: &Signal) {
        let (at, now) = (self.at, self.now);
        let old = self.account.facts.iter().position(|each| each.key == key);
        let before = old.map(|place| self.account.facts[place]);
        if before.is_some_and(|each| at < each.at) {
            return;
        }
        let known = before.filter(|each| each.until.is_none_or(|until| now < until));
        let is_true = def.ty == FactType::Bool && value == 1;
        let fact = Fact {
            key,
            value,
            at,
            until: signal.valid_until,
            last_true: if is_true { Some(at) } else { before.and_then(|each| each.last_true) },
            earlier: before
                .filter(|_| COMPARED_FACTS.contains(&def.name.as_str()))
                .and_then(|each| if at.since(each.at) >= EARLIER { Some((each.value, each.at)) } else { each.earlier }),
        };
        match old {
            Some(place) => self.account.facts[place] = fact,
            None => self.account.facts.push(fact),
        }
        let turned = known.is_none_or(|each| each.value != value);
        if (def.occurrence && is_true) || (!def.occurrence && turned) {
            self.booked.on.push(On::Fact(key));
            if is_true && matches!(def.name.as_str(), "fraud.list_hit" | "fraud.login_anomaly") {
                self.mark(MarkKind::Fraud);
            }
        }
    }
}
