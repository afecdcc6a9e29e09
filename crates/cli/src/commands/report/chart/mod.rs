//! Drawings as SVG. A drawing has a fixed size in its own units and grows with the page.

mod bars;
mod lines;
mod small;

pub use bars::{Stack, diverging, stacked};
pub use lines::{Line, lines};
pub use small::{bar, spark};

use super::html::escape;
use super::number::{day_month, short};

/// Width of a drawing.
const WIDTH: f64 = 960.0;
/// Room for the labels of the vertical axis.
const LEFT: f64 = 64.0;
/// Room above and below the area that is drawn in.
const TOP: f64 = 24.0;
const BOTTOM: f64 = 28.0;
/// So many labels fit beside each other.
const LABELS_MAX: usize = 10;

/// What a drawing is called, and what it shows in words.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub description: &'a str,
    /// What the vertical axis counts.
    pub unit: &'a str,
}

/// Where on the horizontal axis something is said: a position and a text.
pub type Tick = (usize, String);

/// The area that is drawn in.
#[derive(Clone, Copy)]
struct Frame {
    height: f64,
    right: f64,
    slots: usize,
    low: f64,
    high: f64,
}

impl Frame {
    fn slot_width(&self) -> f64 {
        (WIDTH - LEFT - self.right) / (self.slots.max(1) as f64)
    }

    /// The left edge of a slot.
    fn x(&self, slot: usize) -> f64 {
        LEFT + self.slot_width() * slot as f64
    }

    fn y(&self, value: f64) -> f64 {
        let room = self.height - TOP - BOTTOM;
        TOP + room * (self.high - value) / (self.high - self.low)
    }

    fn open(&self, words: &Words<'_>) -> String {
        let (id, height) = (words.id, self.height);
        format!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-description\">\n\
             <title id=\"{id}-title\">{}</title><desc id=\"{id}-description\">{}</desc>\n",
            escape(words.title),
            escape(words.description)
        )
    }

    /// Lines with numbers, at whole steps; the axis' unit stands above them.
    fn grid(&self, step: f64, unit: &str) -> String {
        let (end, mut out) = (WIDTH - self.right, String::new());
        let mut value = self.low;
        while value <= self.high + step / 2.0 {
            let y = self.y(value);
            let class = if value.abs() < step / 2.0 { "axis" } else { "grid" };
            out.push_str(&format!(
                "<line class=\"{class}\" x1=\"{LEFT}\" x2=\"{end:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>"
            ));
            let text = short(value.abs());
            out.push_str(&format!(
                "<text class=\"label\" x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{text}</text>\n",
                LEFT - 8.0,
                y + 4.0
            ));
            value += step;
        }
        out.push_str(&format!(
            "<text class=\"label unit\" x=\"{}\" y=\"{}\">{}</text>\n",
            LEFT + 4.0,
            TOP - 10.0,
            escape(unit)
        ));
        out
    }

    fn ticks(&self, ticks: &[Tick]) -> String {
        let (y, mark) = (self.height - BOTTOM + 20.0, self.height - BOTTOM);
        let mut out = String::new();
        for (slot, text) in ticks {
            let x = self.x(*slot) + self.slot_width() / 2.0;
            out.push_str(&format!(
                "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{mark}\" y2=\"{}\"/>",
                mark + 5.0
            ));
            out.push_str(&format!(
                "<text class=\"label\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{}</text>\n",
                escape(text)
            ));
        }
        out
    }

    /// Says what a slot holds when the pointer rests on it.
    fn hover(&self, slot: usize, words: &str) -> String {
        let (x, width, height) = (self.x(slot), self.slot_width(), self.height - TOP - BOTTOM);
        format!(
            "<rect class=\"hover\" x=\"{x:.1}\" y=\"{TOP}\" width=\"{width:.2}\" height=\"{height:.1}\"><title>{}</title></rect>\n",
            escape(words)
        )
    }
}

/// A round step, about a quarter of a number; of things that are counted at least 1.
fn step(most: f64, least: f64) -> f64 {
    let rough = (most / 4.0).max(least);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|each| each * power).find(|each| *each >= rough * 0.999);
    let step = step.unwrap_or(10.0 * power);
    if least >= 1.0 { step.ceil() } else { step }
}

/// The next whole number of steps.
fn up_to(most: f64, step: f64) -> f64 {
    ((most / step - 1e-9).ceil() * step).max(step)
}

/// Labels for days: all of them if they are few, else each so many days, in whole weeks where there are weeks.
pub fn days(dates: &[&str]) -> Vec<Tick> {
    let rough = dates.len().div_ceil(LABELS_MAX).max(1);
    let every = if rough > 3 { rough.div_ceil(7) * 7 } else { rough };
    dates.iter().enumerate().step_by(every).map(|(at, date)| (at, day_month(date))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_reach_over_the_largest_value() {
        for most in [1.0, 3.0, 7.0, 42.0, 99.0, 1_541.0, 123_456.0] {
            let step = step(most, 1.0);
            let high = up_to(most, step);
            assert!(high >= most && high / step <= 6.0 && step.fract() == 0.0, "{most}: {step} {high}");
        }
        assert_eq!((step(0.0, 1.0), up_to(0.0, 1.0)), (1.0, 1.0));
        assert_eq!(step(2.0, 1e-6), 0.5);
    }

    #[test]
    fn labels_of_days_never_crowd() {
        let dates = vec!["2025-08-29"; 400];
        for length in [1, 5, 10, 11, 31, 90, 366, 400] {
            let ticks = days(&dates[..length]);
            assert!(!ticks.is_empty() && ticks.len() <= LABELS_MAX, "{length}: {}", ticks.len());
        }
        let weeks = days(&dates[..90]);
        assert_eq!(weeks[1].0, 14);
    }
}
