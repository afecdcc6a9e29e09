//! Random expressions of the language, each with the CEL that means the same.

use super::random::Random;

/// Ints with values at the edges of the range.
pub const INTS: [&str; 4] = ["f.a", "f.b", "f.c", "f.d"];
/// Small ints, the parts of ratios.
pub const PARTS: [&str; 2] = ["f.m", "f.n"];
/// Small ints, the wholes of ratios.
pub const WHOLES: [&str; 2] = ["f.v", "f.w"];
/// Bools.
pub const TRUTHS: [&str; 3] = ["f.p", "f.q", "f.r"];
/// The enum.
pub const ENUM: Enum = Enum { name: "f.t", values: &["none", "silver", "gold"] };
/// A name that is never there.
const NOWHERE: &str = "f.nowhere";

/// An enum feature.
pub struct Enum {
    pub name: &'static str,
    pub values: &'static [&'static str],
}

/// An expression in our words and in CEL's.
#[derive(Clone, Debug)]
pub struct Pair {
    pub ours: String,
    pub cel: String,
}

impl Pair {
    fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Pair { ours: text.clone(), cel: text }
    }

    fn map(&self, shape: impl Fn(&str) -> String) -> Self {
        Pair { ours: shape(&self.ours), cel: shape(&self.cel) }
    }

    fn join(&self, other: &Pair, shape: impl Fn(&str, &str) -> String) -> Self {
        Pair { ours: shape(&self.ours, &other.ours), cel: shape(&self.cel, &other.cel) }
    }
}

/// Makes expressions.
pub struct Generator<'a> {
    random: &'a mut Random,
}

impl<'a> Generator<'a> {
    /// A generator on this sequence.
    pub fn new(random: &'a mut Random) -> Self {
        Generator { random }
    }

    /// A condition or a number.
    pub fn any(&mut self) -> Pair {
        let depth = 1 + self.random.below(4);
        match self.random.below(4) {
            0 => self.int(depth),
            _ => self.truth(depth),
        }
    }

    fn truth(&mut self, depth: usize) -> Pair {
        if depth == 0 {
            return self.truth_leaf();
        }
        let next = depth - 1;
        match self.random.below(12) {
            0..=2 => self.logic(next, "&&"),
            3..=5 => self.logic(next, "||"),
            6 => self.truth(next).map(|x| format!("!({x})")),
            7 | 8 => self.comparison(next),
            9 => self.membership(next),
            10 => self.percent(next),
            _ => self.choice(next, Self::truth),
        }
    }

    fn truth_leaf(&mut self) -> Pair {
        match self.random.below(10) {
            0 => Pair::same("true"),
            1 => Pair::same("false"),
            2 => self.presence(),
            3 | 4 => self.tier(),
            5 => self.comparison(0),
            6 => {
                let name = self.random.pick(&TRUTHS);
                fallback(name, &Pair::same("false"))
            }
            _ => Pair::same(self.random.pick(&TRUTHS)),
        }
    }

    fn presence(&mut self) -> Pair {
        let names = [INTS[0], TRUTHS[0], WHOLES[0], ENUM.name];
        Pair::same(format!("has({})", self.random.pick(&names)))
    }

    fn tier(&mut self) -> Pair {
        let (name, value) = (ENUM.name, self.random.pick(ENUM.values));
        let other = self.random.pick(ENUM.values);
        Pair::same(match self.random.below(5) {
            0 => format!("{name} == \"{value}\""),
            1 => format!("'{value}' != {name}"),
            2 => format!("{name} in [\"{value}\", '{other}']"),
            3 => format!("\"{value}\" == \"{other}\""),
            _ => format!("({TRUTH} ? \"{value}\" : {name}) == \"{other}\"", TRUTH = TRUTHS[2]),
        })
    }

    fn logic(&mut self, next: usize, operator: &str) -> Pair {
        let mut all = self.truth(next);
        for _ in 0..=self.random.below(3) {
            let other = self.truth(next);
            let bare = self.random.below(2) == 0;
            all = all.join(&other, |a, b| match bare {
                // The operands may be of a looser operator: without brackets the text means something else, to both.
                true => format!("{a} {operator} {b}"),
                false => format!("({a}) {operator} ({b})"),
            });
        }
        all.map(|x| format!("({x})"))
    }

    fn comparison(&mut self, next: usize) -> Pair {
        let operator = self.random.pick(&["==", "!=", "<", "<=", ">", ">="]);
        if next > 0 && self.random.below(6) == 0 {
            let equal = self.random.pick(&["==", "!="]);
            let (a, b) = (self.truth(next), self.truth(next));
            return a.join(&b, |a, b| format!("(({a}) {equal} ({b}))"));
        }
        let (a, b) = (self.int(next), self.int(next));
        a.join(&b, |a, b| format!("({a} {operator} {b})"))
    }

    fn membership(&mut self, next: usize) -> Pair {
        let mut list = Pair::same("");
        for at in 0..self.random.below(4) {
            let element = self.int(next.saturating_sub(1));
            list = list.join(&element, |a, b| match at {
                0 => b.to_owned(),
                _ => format!("{a}, {b}"),
            });
        }
        let wanted = self.int(next);
        wanted.join(&list, |wanted, list| format!("({wanted} in [{list}])"))
    }

    /// The values are small, so that CEL's products do not overflow where ours have 128 bits.
    fn percent(&mut self, _next: usize) -> Pair {
        let (part, whole) = (self.random.pick(&PARTS), self.random.pick(&WHOLES));
        let operator = self.random.pick(&["<", "<=", ">", ">="]);
        let bound = self.random.pick(&["80", "-30", "0", "150"]);
        let ratio = format!("{part} * 100 {operator} {bound} * {whole}");
        let cel = format!("({part} == {part} && {whole} > 0 ? {ratio} : {NOWHERE} > 0)");
        let flipped = match operator {
            "<" => ">",
            "<=" => ">=",
            ">" => "<",
            _ => "<=",
        };
        let ours = match self.random.below(2) {
            0 => format!("(pct({part}, {whole}) {operator} {bound})"),
            _ => format!("({bound} {flipped} pct({part}, {whole}))"),
        };
        Pair { ours, cel }
    }

    fn choice(&mut self, next: usize, branch: fn(&mut Self, usize) -> Pair) -> Pair {
        let condition = self.truth(next);
        let (yes, no) = (branch(self, next), branch(self, next));
        let branches = yes.join(&no, |a, b| format!("{a} : {b}"));
        condition.join(&branches, |c, rest| format!("({c} ? {rest})"))
    }

    fn int(&mut self, depth: usize) -> Pair {
        if depth == 0 {
            return self.int_leaf();
        }
        let next = depth - 1;
        match self.random.below(10) {
            0..=4 => self.sum(next),
            5 => self.int(next).map(|x| format!("-({x})")),
            6 => self.extreme(next),
            7 => self.choice(next, Self::int),
            _ => self.int_leaf(),
        }
    }

    fn int_leaf(&mut self) -> Pair {
        match self.random.below(8) {
            0 => Pair::same(self.random.pick(&["0", "1", "-1", "7", "0x1F", "100"])),
            1 => Pair::same(self.random.pick(&["9223372036854775807", "-9223372036854775808"])),
            2 => {
                let name = self.random.pick(&INTS);
                let other = self.int(0);
                fallback(name, &other)
            }
            3 => Pair::same(self.random.pick(&PARTS)),
            _ => Pair::same(self.random.pick(&INTS)),
        }
    }

    fn sum(&mut self, next: usize) -> Pair {
        let mut all = self.int(next);
        for _ in 0..=self.random.below(2) {
            let operator = self.random.pick(&["+", "-", "*", "/", "%"]);
            let other = self.int(next);
            let bare = self.random.below(2) == 0;
            all = all.join(&other, |a, b| match bare {
                true => format!("{a} {operator} {b}"),
                false => format!("({a}) {operator} ({b})"),
            });
        }
        all.map(|x| format!("({x})"))
    }

    fn extreme(&mut self, next: usize) -> Pair {
        let (a, b) = (self.int(next), self.int(next));
        let (name, operator) = self.random.pick(&[("min", "<="), ("max", ">=")]);
        Pair {
            ours: format!("{name}({}, {})", a.ours, b.ours),
            cel: format!("({a} {operator} {b} ? {a} : {b})", a = a.cel, b = b.cel),
        }
    }
}

fn fallback(name: &str, other: &Pair) -> Pair {
    Pair { ours: format!("default({name}, {})", other.ours), cel: format!("(has({name}) ? {name} : {})", other.cel) }
}
