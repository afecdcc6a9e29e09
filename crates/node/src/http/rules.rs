//! `GET /v1/rules`: what decides.

use axum::Json;
use axum::extract::State;
use headroom_engine::{Rule, Ruleset};
use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::failure::Answered;

/// A ruleset.
#[derive(Serialize, ToSchema)]
pub struct RulesAnswer {
    /// SHA-256 over its files, hex: limit changes name it.
    hash: String,
    /// The rules by number, ascending.
    rules: Vec<RuleInForce>,
}

/// One rule.
#[derive(Serialize, ToSchema)]
pub struct RuleInForce {
    /// Stable, never reused.
    number: u32,
    /// Its id.
    id: String,
    /// What it is called.
    title: Title,
    /// What it does: increase, decrease, boost, restore, freeze, cap, hold, review.
    class: String,
    /// Whose business it is.
    family: String,
    /// The code that its changes carry.
    reason: String,
    /// SHA-256 of its file, hex.
    hash: String,
}

/// A title in both languages.
#[derive(Serialize, ToSchema)]
pub struct Title {
    /// English.
    en: String,
    /// Chinese.
    zh: String,
}

/// Shows the ruleset in force.
///
/// Of the first shard; a ruleset that is being published reaches the others a moment later.
#[utoipa::path(
    get,
    path = "/v1/rules",
    tag = "rules",
    responses((status = 200, description = "The ruleset.", body = RulesAnswer))
)]
pub async fn get_rules(State(app): State<App>) -> Answered<Json<RulesAnswer>> {
    Ok(Json(rules(&*app.service.first_ruleset()?)))
}

fn rules(ruleset: &Ruleset) -> RulesAnswer {
    RulesAnswer { hash: ruleset.hash.to_string(), rules: ruleset.rules.iter().map(rule).collect() }
}

fn rule(rule: &Rule) -> RuleInForce {
    RuleInForce {
        number: rule.number,
        id: rule.id.to_string(),
        title: Title { en: rule.title_en.clone(), zh: rule.title_zh.clone() },
        class: rule.class.word().to_owned(),
        family: rule.family.word().to_owned(),
        reason: rule.reason.clone(),
        hash: rule.hash.to_string(),
    }
}
