//! `GET /v1/accounts/{id}/explain`: the limit stack term by term, in words.

use axum::Json;
use axum::extract::State;
use headroom_engine::{
    Action, Block, Boost, Cap, Cause, Class, Hold, HoldOf, HoldUntil, Rule, Scope, Undo, UndoField, Waiver,
};
use headroom_store::{Reader, StoreError};
use headroom_wire::proto::{self, output::Body};
use serde::Serialize;
use utoipa::ToSchema;

use super::app::{App, Id};
use super::failure::{Answered, Failure, Problem};
use super::limits::{LimitsAnswer, Told, time};
use super::schema::OutputBody;

/// Outputs that are looked through at a time for the newest change.
const LOOK: usize = 64;

/// Why a limit is what it is.
#[derive(Serialize, ToSchema)]
pub struct Explanation {
    /// The account's id.
    account: String,
    /// The moment that it is about: the shard's clock.
    as_of: Option<String>,
    /// How far the account has come.
    status: String,
    /// ISO 4217; none: no event has said.
    currency: Option<String>,
    /// The numbers, each with what binds it.
    limits: LimitsAnswer,
    /// Everything in the stack.
    terms: Vec<TermAnswer>,
    /// The newest limit change with its trace: every condition of its rule with the values that it read.
    #[schema(value_type = Option<OutputBody>)]
    newest_change: Option<proto::Output>,
}

/// One term of the stack.
#[derive(Serialize, ToSchema)]
pub struct TermAnswer {
    /// What it is.
    kind: TermKind,
    /// Of a cap its name, of a block, a waiver or an undo its cause, of a hold what it stops.
    name: Option<String>,
    /// Whether it counts now.
    in_force: bool,
    /// Minor units: what a boost adds, where a cap or block stands, what can be given back.
    amount: Option<i64>,
    /// The rule that made it; none: a person did.
    rule: Option<RuleAnswer>,
    /// First instant.
    since: Option<String>,
    /// First instant after it.
    until: Option<String>,
    /// What it does, in words.
    what: String,
    /// What would end it, in words.
    ends: String,
}

/// What a term of the stack is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TermKind {
    /// A temporary addition to base.
    Boost,
    /// A ceiling with a name.
    Cap,
    /// A ceiling for a reason.
    Block,
    /// Stops favourable changes.
    Hold,
    /// Keeps freezes of one cause from taking effect.
    Waiver,
    /// An adverse change that may be given back.
    Undo,
}

/// A rule as explanations name it.
#[derive(Serialize, ToSchema)]
pub struct RuleAnswer {
    /// Its number.
    number: u32,
    /// Its id.
    id: String,
    /// English title; empty if the ruleset in force has no such rule.
    title: String,
    /// Its reason code; empty if the ruleset in force has no such rule.
    reason: String,
}

/// Explains a limit.
///
/// What binds `granted`, `effective` and `spendable` and why; every boost, cap, block, hold, waiver and undo with its
/// rule, its time and what would end it; and the newest change with its trace.
#[utoipa::path(
    get,
    path = "/v1/accounts/{id}/explain",
    tag = "accounts",
    params(("id" = String, Path, description = "The account's id.")),
    responses(
        (status = 200, description = "The limit, explained.", body = Explanation),
        (status = 404, description = "HR0518: nobody ever heard of the account.", body = Problem),
        (status = 503, description = "HR03xx: the shard cannot be read.", body = Problem),
    )
)]
pub async fn get_explanation(State(app): State<App>, Id(id): Id) -> Answered<Json<Explanation>> {
    let explained = app.blocking(move |service| {
        let shard = service.shard_of(&id);
        let reader = service.reader(shard)?;
        let account = reader.account(&id)?.ok_or_else(|| Failure::unknown_account(&id))?;
        let now = reader.state()?.unwrap_or_default().now.max(account.clock);
        let told = Told { account: &account, ruleset: &*service.ruleset(shard)?, now };
        Ok(told.explanation(newest_change(&reader, &id)?))
    });
    explained.await.map(Json)
}

fn newest_change(reader: &Reader, id: &str) -> Answered<Option<proto::Output>> {
    let mut before = None;
    loop {
        let rows: Result<Vec<(u64, Vec<u8>)>, StoreError> = reader.account_outputs(id, before, LOOK);
        let rows = rows?;
        for (_, stored) in &rows {
            let output = headroom_wire::output_from_protobuf(stored).map_err(Failure::unreadable)?;
            if matches!(output.body, Some(Body::LimitChange(_))) {
                return Ok(Some(output));
            }
        }
        match rows.last() {
            Some((sequence, _)) => before = Some(*sequence),
            None => return Ok(None),
        }
    }
}

impl Told<'_> {
    fn explanation(&self, newest_change: Option<proto::Output>) -> Explanation {
        Explanation {
            account: self.account.id.to_string(),
            as_of: time(self.now),
            status: self.account.status.word().to_owned(),
            currency: self.account.currency.map(|currency| currency.to_string()),
            limits: self.limits(),
            terms: self.terms(),
            newest_change,
        }
    }

    fn terms(&self) -> Vec<TermAnswer> {
        let stack = &self.account.stack;
        let boosts = stack.boosts.iter().map(|each| self.boost(each));
        let caps = stack.caps.iter().map(|each| self.cap(each));
        let blocks = stack.blocks.iter().map(|each| self.block(each));
        let holds = stack.holds.iter().map(|each| self.hold(each));
        let waivers = stack.waivers.iter().map(|each| self.waiver(each));
        let undo = stack.undo.iter().map(|each| self.undo(each));
        boosts.chain(caps).chain(blocks).chain(holds).chain(waivers).chain(undo).collect()
    }

    fn boost(&self, boost: &Boost) -> TermAnswer {
        let active = boost.active(self.now);
        let counts = active
            && self
                .account
                .stack
                .boosts
                .iter()
                .all(|each| !each.active(self.now) || (each.amount, each.rule) <= (boost.amount, boost.rule));
        let what = match (active, counts) {
            (true, true) => format!("adds {} to base", self.money(boost.amount)),
            (true, false) => format!("would add {}, but a larger boost counts", self.money(boost.amount)),
            (false, _) => "adds nothing now".to_owned(),
        };
        let steps = boost.steps.map(|steps| format!("{} steps of {} % to come; ", steps.left, steps.percent));
        TermAnswer {
            in_force: counts,
            amount: Some(boost.amount),
            rule: self.rule(boost.rule),
            since: time(boost.from),
            until: time(boost.until),
            ends: format!("{}it ends by itself at {}", steps.unwrap_or_default(), or_never(time(boost.until))),
            ..TermAnswer::new(TermKind::Boost, None, what)
        }
    }

    fn cap(&self, cap: &Cap) -> TermAnswer {
        let uncaps = |action: &Action| matches!(action, Action::Uncap { name } if *name == cap.name);
        let rules = self.rules_that(|rule| rule.actions.iter().any(uncaps));
        let until = cap.until.and_then(time);
        TermAnswer {
            in_force: cap.until.is_none_or(|until| self.now < until),
            amount: Some(cap.amount),
            ends: match &until {
                Some(until) => format!("it ends by itself at {until}"),
                None => format!("it stands until it is lifted{rules}"),
            },
            until,
            ..TermAnswer::new(
                TermKind::Cap,
                Some(cap.name.word()),
                format!("granted is at most {}", self.money(cap.amount)),
            )
        }
    }

    fn block(&self, block: &Block) -> TermAnswer {
        let until = block.until.and_then(time);
        let by = if block.by.is_empty() { String::new() } else { format!(", set by {}", block.by) };
        let what = match block.ceiling {
            Some(ceiling) => format!("{} at most {}{by}", bounds(block.scope), self.money(ceiling)),
            None => format!("watches, and bounds nothing{by}"),
        };
        TermAnswer {
            in_force: block.lasts(self.now) && block.ceiling.is_some(),
            amount: block.ceiling,
            rule: self.rule(block.rule),
            since: time(block.since),
            ends: self.lifted(block.cause, until.as_deref()),
            until,
            ..TermAnswer::new(TermKind::Block, Some(block.cause.word()), what)
        }
    }

    fn lifted(&self, cause: Cause, until: Option<&str>) -> String {
        let by_itself = until
            .map_or_else(|| "it does not end by itself".to_owned(), |until| format!("it ends by itself at {until}"));
        let rules = self.rules_that(|rule| rule.class == Class::Restore && rule.causes.contains(&cause));
        format!("{by_itself}; a person can lift it (manual_unblock){rules}")
    }

    fn hold(&self, hold: &Hold) -> TermAnswer {
        let what = match hold.of {
            HoldOf::Increase => "no increase of base",
            HoldOf::Boost => "no boost",
        };
        let (until, in_force, ends) = match hold.until {
            HoldUntil::Time(at) => (time(at), self.now < at, format!("it ends by itself at {}", or_never(time(at)))),
            HoldUntil::Cured { days_after } => {
                (None, true, format!("it ends {days_after} days after nothing is past due any more"))
            }
        };
        TermAnswer {
            in_force,
            rule: self.rule(hold.rule),
            until,
            ends,
            ..TermAnswer::new(TermKind::Hold, Some(hold.of.word()), what.to_owned())
        }
    }

    fn waiver(&self, waiver: &Waiver) -> TermAnswer {
        let what = format!("a freeze for {} takes no effect", waiver.cause.word());
        TermAnswer {
            in_force: self.now < waiver.until,
            rule: self.rule(waiver.rule),
            until: time(waiver.until),
            ends: format!("it ends by itself at {}", or_never(time(waiver.until))),
            ..TermAnswer::new(TermKind::Waiver, Some(waiver.cause.word()), what)
        }
    }

    fn undo(&self, undo: &Undo) -> TermAnswer {
        let field = match undo.field {
            UndoField::Base => "base",
            UndoField::Boost => "a boost",
            UndoField::Block => "a block",
        };
        let what = format!("change {} took {} ({field}), and may be given back", undo.sequence, self.money(undo.delta));
        TermAnswer {
            in_force: false,
            amount: Some(undo.delta),
            rule: self.rule(undo.rule),
            since: time(undo.at),
            ends: "a rule gives it back when its cause turns out to be none".to_owned(),
            ..TermAnswer::new(TermKind::Undo, undo.cause.map(Cause::word), what)
        }
    }

    fn rule(&self, number: u32) -> Option<RuleAnswer> {
        let rule = self.ruleset.rule(number).map(|at| &self.ruleset.rules[at]);
        (number != 0).then(|| RuleAnswer {
            number,
            id: self.ruleset.names.name(number),
            title: rule.map(|rule| rule.title_en.clone()).unwrap_or_default(),
            reason: rule.map(|rule| rule.reason.clone()).unwrap_or_default(),
        })
    }

    /// The ids of rules for this account's segment, to stand at the end of a sentence; empty if there are none.
    fn rules_that(&self, lift: impl Fn(&Rule) -> bool) -> String {
        let rules = self.ruleset.rules.iter().filter(|rule| rule.is_for(self.account.segment) && lift(rule));
        let ids: Vec<String> = rules.map(|rule| format!("`{}`", rule.id)).collect();
        if ids.is_empty() { String::new() } else { format!("; rules that can: {}", ids.join(", ")) }
    }
}

impl TermAnswer {
    fn new(kind: TermKind, name: Option<&str>, what: String) -> Self {
        let name = name.map(str::to_owned);
        Self {
            kind,
            name,
            in_force: false,
            amount: None,
            rule: None,
            since: None,
            until: None,
            what,
            ends: String::new(),
        }
    }
}

fn bounds(scope: Scope) -> &'static str {
    match scope {
        Scope::Watch => "an order may use",
        Scope::Cash => "cash may use",
        Scope::Spend => "spending may use",
        Scope::All => "everything may use",
    }
}

fn or_never(time: Option<String>) -> String {
    time.unwrap_or_else(|| "no time that is known".to_owned())
}
