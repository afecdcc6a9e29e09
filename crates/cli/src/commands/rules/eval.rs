//! `headroom rules eval`: one expression over facts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use headroom_engine::catalogue;
use headroom_node::view::Item;
use headroom_policy::{Datum, Diagnostic, EvalReport, FactValue, Schema, eval_text};

use crate::failure::{Coded, Status};
use crate::output::Output;
use crate::rules_dir;

use super::facts;

/// What to evaluate.
#[derive(Args)]
pub struct Command {
    /// The expression, as in a rule's `when`
    #[arg(allow_hyphen_values = true)]
    expr: String,
    /// Facts as a JSON object, nested or with dotted names; money in minor units, null is unknown
    #[arg(long, value_name = "JSON", default_value = "{}", hide_default_value = true)]
    facts: String,
    /// A ruleset whose facts are known too
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
}

impl Command {
    /// A value and unknown are results; an error is one too, but a finding.
    pub fn run(&self, output: &Output) -> Result<Status> {
        let schema = self.schema()?;
        let facts = match facts::parse(&self.facts) {
            Ok(facts) => facts,
            Err(error) => {
                let code = error.downcast_ref::<Coded>().map(|each| each.code);
                output.print_as(&failed(code), "error")?;
                return Err(error);
            }
        };
        self.evaluate(&schema, &facts, output)
    }

    fn schema(&self) -> Result<Schema> {
        match &self.rules {
            Some(directory) => Ok(rules_dir::load(directory)?.schema),
            None => Ok(Schema::new(catalogue().map(|feature| feature.symbol()).collect())),
        }
    }

    fn evaluate(&self, schema: &Schema, facts: &BTreeMap<String, FactValue>, output: &Output) -> Result<Status> {
        match eval_text(&self.expr, schema, facts) {
            Ok(report) => self.shown(&report, output),
            Err(findings) => {
                self.show(&findings);
                output.print_as(&failed(findings.first().map(|each| each.code)), "error")?;
                Ok(Status::Findings)
            }
        }
    }

    fn shown(&self, report: &EvalReport, output: &Output) -> Result<Status> {
        self.show(&report.warnings);
        if let Some(name) = &report.missing {
            eprintln!("note: `{name}` is not known");
        }
        let (result, value, code) = parts(&report.datum);
        let prose = match code {
            Some(code) => format!("{result} ({code})"),
            None => text(&report.datum),
        };
        let item = Item::fields([
            ("result", result.into()),
            ("type", report.ty.to_string().into()),
            ("value", value),
            ("code", code.into()),
        ]);
        output.print_as(&item, &prose)?;
        Ok(if result == "error" { Status::Findings } else { Status::Done })
    }

    fn show(&self, findings: &[Diagnostic]) {
        rules_dir::show_text("expression", &self.expr, findings);
    }
}

/// An expression or facts that cannot be evaluated at all.
fn failed(code: Option<&str>) -> Item {
    Item::fields([("result", "error".into()), ("type", Item::Null), ("value", Item::Null), ("code", code.into())])
}

fn parts(datum: &Datum) -> (&'static str, Item, Option<&'static str>) {
    match datum {
        Datum::Bool(value) => ("value", (*value).into(), None),
        Datum::Int(value) | Datum::Money(value) => ("value", (*value).into(), None),
        Datum::Text(text) => ("value", text.as_str().into(), None),
        Datum::Ratio { .. } => ("value", datum.to_string().into(), None),
        Datum::Unknown(cause) => ("unknown", Item::Null, Some(cause.code())),
        Datum::Error(fault) => ("error", Item::Null, Some(fault.code())),
    }
}

fn text(datum: &Datum) -> String {
    match datum {
        Datum::Text(text) => text.clone(),
        other => other.to_string(),
    }
}
