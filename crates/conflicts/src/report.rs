//! What an analysis says.

use crate::accepted::Note;
use crate::witness::Witness;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $word:literal: $meaning:literal),+ $(,)?) => {
        /// What is wrong between rules, or about one.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Kind { $($(#[$doc])* $variant),+ }

        impl Kind {
            /// Every kind, the gravest first.
            pub const ALL: &'static [Kind] = &[$(Self::$variant),+];

            /// As reports and notes write it.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// What it means, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning),+ }
            }

            /// The reverse of [`Self::word`].
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| each.word() == word)
            }
        }
    };
}

kinds! {
    /// Two rules want opposite things at once.
    Contradictory = "contradictory": "two rules want opposite things in one decision, and nothing in what they are says which should count",
    /// What one rule does, another undoes.
    Oscillation = "oscillation": "after the change of one rule the other's condition holds and undoes it",
    /// A rule that never fires.
    Dead = "dead": "no account and no event make the rule do anything",
    /// A rule that always loses.
    Shadowed = "shadowed": "whenever the rule fires, a stronger one beats it",
    /// A rule that adds nothing.
    Redundant = "redundant": "whenever the rule fires, another one does the same",
    /// Two boosts for one occasion.
    DoubleBoost = "double_boost": "one occasion is lent for twice, by two rules at different moments",
    /// Values that a ladder of rules leaves out.
    Gap = "gap": "rules of one family divide the values of a feature among them, and leave some out",
    /// The solver cannot say.
    Unknown = "unknown": "nothing could be proven: arithmetic that is not linear, or too much work",
}

/// A rule that a finding is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// SHA-256 over its file and the values of its parameters, hex: an accepted note is bound to it.
    pub hash: String,
}

/// Something that a person should mend or explain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// Between which rules, or about which; in the order of their numbers.
    pub rules: Vec<Named>,
    /// On which triggers.
    pub on: Vec<String>,
    /// In which segments.
    pub segments: Vec<&'static str>,
    /// What happens, in a sentence.
    pub text: String,
    /// An account on which it shows.
    pub witness: Option<Witness>,
    /// Why a person accepted it, as long as neither rule has changed since.
    pub note: Option<Note>,
    /// A note stood here, but one of the rules was edited.
    pub voided: bool,
}

/// Two rules that meet, and how arbitration decides between them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Overlap {
    /// Ids of the two.
    pub rules: [String; 2],
    /// On which triggers.
    pub on: Vec<String>,
    /// In which segments.
    pub segments: Vec<&'static str>,
    /// How it is decided.
    pub how: &'static str,
    /// An account on which they meet.
    pub witness: Option<Witness>,
}

/// What the analysis has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Effort {
    /// Rules looked at.
    pub rules: usize,
    /// Pairs of rules that have something to do with each other on a common trigger.
    pub pairs: usize,
    /// Pairs that interval boxes alone keep apart.
    pub apart: usize,
    /// Questions to the solver.
    pub questions: u64,
    /// Witnesses held against the evaluator; all of them agreed.
    pub confirmed: usize,
}

/// Everything that was found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// To mend or to explain, the gravest first.
    pub findings: Vec<Finding>,
    /// Settled by arbitration: nothing to do.
    pub overlaps: Vec<Overlap>,
    /// Notes that explain nothing any more, by kind and rules.
    pub idle_notes: Vec<String>,
    /// What was done.
    pub effort: Effort,
}

impl Report {
    /// Findings that nobody has explained.
    pub fn unexplained(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|each| each.note.is_none())
    }
}
