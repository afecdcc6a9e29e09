//! What a rule may combine (RULEBOOK section 4): class and actions, causes and blocks, triggers and features.

use headroom_policy::yaml::Node;
use headroom_policy::{Diagnostic, Expr, Kind, Program, Scope as Names, Span};

use crate::features::catalogue;
use crate::trigger::{On, TriggerKind};
use crate::vocabulary::{Cause, Class};

use super::action::Action;
use super::action_file::Placed;
use super::fields::{Fields, Findings};

/// Which blocks and changes a rule is about.
#[derive(Debug, Default)]
pub struct Subject {
    /// Its causes, ascending.
    pub causes: Vec<Cause>,
    /// It is about the block that the resolved review names.
    pub of_review: bool,
    /// The file gives causes, but one of them is no cause: what follows from them is not checked.
    pub broken: bool,
}

impl Subject {
    fn is_none(&self) -> bool {
        self.causes.is_empty() && !self.of_review && !self.broken
    }
}

/// What fires a rule.
#[derive(Debug)]
pub struct Trigger {
    /// The trigger.
    pub on: On,
    /// As written.
    pub word: String,
    /// Where it stands.
    pub at: Span,
}

/// A rule whose parts were read; what could not be read is missing.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Its file's keys.
    pub fields: Fields<'a>,
    /// Its class.
    pub class: Option<Class>,
    /// What it is about.
    pub subject: Subject,
    /// What fires it.
    pub triggers: Vec<Trigger>,
    /// Its condition and the node that it was compiled from.
    pub when: Option<(Program, &'a Node)>,
    /// Its actions.
    pub then: Option<Vec<Placed>>,
}

/// Notes everything that the parts of a rule do not allow each other.
pub fn check(draft: &Draft<'_>, out: &mut Findings) {
    if let Some(then) = &draft.then {
        primary(draft, then, out);
        secondary(then, out);
        lifting(draft, then, out);
    }
    stated(draft, out);
    if let Some((when, node)) = &draft.when {
        provable(when, node, out);
    }
}

/// The class and the first action are tied.
fn primary(draft: &Draft<'_>, then: &[Placed], out: &mut Findings) {
    let Some(first) = then.first() else {
        return out.add(Diagnostic::error("HR0202", "a rule needs an action", draft.fields.place("then")));
    };
    let (word, class) = (first.action.word(), first.action.class());
    match (class, draft.class) {
        (None, _) => {
            let message = format!("`{word}` cannot be the first action");
            out.add(
                Diagnostic::error("HR0214", message, first.at).help("the first action decides the class of a rule"),
            );
        }
        (Some(found), Some(wanted)) if found != wanted => {
            let message = format!("a rule of class `{}` cannot begin with `{word}`", wanted.word());
            let finding = Diagnostic::error("HR0214", message, first.at);
            out.add(finding.help(format!("`{word}` makes it a rule of class `{}`", found.word())));
        }
        _ => {}
    }
}

/// What may stand beside the first action.
pub fn secondary(then: &[Placed], out: &mut Findings) {
    for each in then.iter().skip(1).filter(|each| !each.action.may_be_secondary()) {
        let message = format!("`{}` cannot stand beside another action", each.action.word());
        let finding = Diagnostic::error("HR0215", message, each.at);
        out.add(
            finding.help(
                "`hold`, `review`, `notify`, `end_boost` and a freeze of scope `watch` can; else write two rules",
            ),
        );
    }
}

/// Rules that lift blocks name them; blocks of fraud and by hand are lifted by a person only.
fn lifting(draft: &Draft<'_>, then: &[Placed], out: &mut Findings) {
    let lifts = |action: &Action| match action {
        Action::Unfreeze | Action::Restore { .. } => true,
        Action::Undo { of_fault, .. } => !of_fault,
        _ => false,
    };
    for each in then.iter().filter(|each| lifts(&each.action)) {
        let word = each.action.word();
        if draft.subject.is_none() {
            let finding = Diagnostic::error("HR0216", format!("`{word}` needs the rule's `cause`"), each.at);
            out.add(
                finding
                    .help("the cause says which block or change it is about; `review`: the one that the review names"),
            );
        } else if let Some(beyond) = beyond_reach(&draft.subject).filter(|_| !only_after_review(draft)) {
            let message = format!("`{word}` of {beyond} is for rules on `review_resolved` alone");
            let finding = Diagnostic::error("HR0217", message, each.at);
            out.add(finding.help("a block of that kind is lifted by a person"));
        }
    }
}

fn beyond_reach(subject: &Subject) -> Option<String> {
    let found = subject.causes.iter().find(|each| matches!(each, Cause::Fraud | Cause::Manual));
    match found {
        Some(cause) => Some(format!("cause `{}`", cause.word())),
        None => subject.of_review.then(|| "cause `review`".to_owned()),
    }
}

fn only_after_review(draft: &Draft<'_>) -> bool {
    draft.triggers.iter().all(|each| each.on == On::Kind(TriggerKind::ReviewResolved))
}

/// Freeze, decrease and cap say what unknown does: silence would be a choice that nobody made.
fn stated(draft: &Draft<'_>, out: &mut Findings) {
    let must = matches!(draft.class, Some(Class::Freeze | Class::Decrease | Class::Cap));
    if let (Some(class), true, None) = (draft.class, must, draft.fields.get("on_unknown")) {
        let message = format!("a rule of class `{}` needs `on_unknown`", class.word());
        let finding = Diagnostic::error("HR0218", message, draft.fields.place("class"));
        out.add(finding.help("`skip`, `hold` or `review`: what happens when its condition ends unknown"));
    }
}

/// Whether a feature depends on the cause that is being evaluated.
pub fn depends_on_cause(name: &str) -> bool {
    needs_cause(name) || name == "undo.active"
}

fn needs_cause(name: &str) -> bool {
    name.starts_with("block.") && name != "block.any"
}

/// What an expression reads that its rule cannot give it: blocks without a cause, events that none of its triggers brings.
pub fn reading(
    program: &Program,
    node: &Node,
    subject: &Subject,
    triggers: &[Trigger],
    names: &Names<'_>,
    out: &mut Findings,
) {
    for slot in program.reads() {
        let name = &names.schema.symbol(*slot).name;
        if subject.is_none() && needs_cause(name) {
            let message = format!("`{name}` needs the rule's `cause`");
            let finding = Diagnostic::error("HR0216", message, place(program, *slot, node));
            out.add(finding.help("the cause says which block is meant; `block.any` needs none"));
        }
        if !triggers.is_empty() && of_event(name) && !triggers.iter().any(|each| brings(each.on, name)) {
            let message = format!("`{name}` is never known on these triggers");
            let finding = Diagnostic::warning("HR0231", message, place(program, *slot, node));
            out.add(finding.help("it is known only while its own event is decided"));
        }
    }
}

/// Whether a feature lives only in the event that is being decided.
fn of_event(name: &str) -> bool {
    let found = catalogue().find(|each| each.name == name);
    found.is_some_and(|feature| feature.moved_by.split(' ').any(|each| each == "E"))
}

/// Whether a trigger can come with the event behind a feature; internal ones come with any.
fn brings(on: On, name: &str) -> bool {
    use TriggerKind as T;
    let On::Kind(kind) = on else { return false };
    let group = match kind {
        T::OrderPlaced | T::OrderPaid | T::OrderDeclined | T::OrderCancelled | T::OrderRefunded => "order.",
        T::PaymentPosted | T::PaymentCleared | T::PaymentReturned => "payment.",
        T::ReviewResolved => "review.",
        T::AccountFrozen | T::LimitChanged | T::BeforeIncrease => "",
        _ => return false,
    };
    name.starts_with(group)
}

fn provable(when: &Program, node: &Node, out: &mut Findings) {
    if !when.linear() {
        let message = "the condition is no linear arithmetic: the conflict check will answer UNKNOWN";
        let finding = Diagnostic::warning("HR0232", message, node.source_map().map(when.root().span));
        out.add(finding.help("let one side of each product, and each divisor, be a constant or a parameter"));
    }
}

/// Where an expression first reads a slot.
fn place(program: &Program, slot: usize, node: &Node) -> Span {
    let mut found = None;
    program.root().walk(&mut |expr: &Expr| {
        if matches!(expr.kind, Kind::Slot(each) | Kind::Has(each) | Kind::Default(each, _) if each == slot) {
            found = found.or(Some(expr.span));
        }
    });
    node.source_map().map(found.unwrap_or(program.root().span))
}
