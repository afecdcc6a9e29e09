//! Bars by day: on top of each other, or up and down from a line.

use super::{Frame, Tick, Words, step, up_to};
use crate::commands::report::number::count;

/// One part of all bars, from the bottom upwards.
pub struct Stack<'a> {
    pub name: &'a str,
    /// Its colour: a class of the page's style.
    pub class: &'a str,
    pub values: Vec<u64>,
}

/// How much of its slot a bar fills.
const FILL: f64 = 0.82;
const HEIGHT: f64 = 260.0;
const RIGHT: f64 = 24.0;

/// Bars whose parts stand on top of each other; `names` are what the slots are called.
pub fn stacked(words: &Words<'_>, names: &[String], ticks: &[Tick], stacks: &[Stack<'_>]) -> String {
    let of = |slot: usize, stack: &Stack<'_>| stack.values.get(slot).copied().unwrap_or(0);
    let total = |slot: usize| stacks.iter().map(|stack| of(slot, stack)).sum::<u64>();
    let most = (0..names.len()).map(total).max().unwrap_or(0) as f64;
    let step = step(most, 1.0);
    let frame = Frame { height: HEIGHT, right: RIGHT, slots: names.len(), low: 0.0, high: up_to(most, step) };
    let mut out = frame.open(words) + &frame.grid(step, words.unit) + &frame.ticks(ticks);
    for (slot, name) in names.iter().enumerate() {
        let (mut below, mut said) = (0, format!("{name}: {}", count(total(slot))));
        for stack in stacks {
            let value = of(slot, stack);
            if value > 0 {
                out.push_str(&rect(&frame, slot, stack.class, (below + value) as f64, below as f64));
                said.push_str(&format!("\n{} {}", count(value), stack.name));
            }
            below += value;
        }
        out.push_str(&frame.hover(slot, &said));
    }
    out + "</svg>\n"
}

/// One number of each slot up, another down.
pub fn diverging(words: &Words<'_>, names: &[String], ticks: &[Tick], up: &Stack<'_>, down: &Stack<'_>) -> String {
    let most = |stack: &Stack<'_>| stack.values.iter().copied().max().unwrap_or(0) as f64;
    let step = step(most(up) + most(down), 1.0);
    let high = up_to(most(up), step);
    let low = if most(down) > 0.0 { -up_to(most(down), step) } else { 0.0 };
    let frame = Frame { height: HEIGHT, right: RIGHT, slots: names.len(), low, high };
    let mut out = frame.open(words) + &frame.grid(step, words.unit) + &frame.ticks(ticks);
    for (slot, name) in names.iter().enumerate() {
        let [risen, fallen] = [up, down].map(|stack| stack.values.get(slot).copied().unwrap_or(0));
        if risen > 0 {
            out.push_str(&rect(&frame, slot, up.class, risen as f64, 0.0));
        }
        if fallen > 0 {
            out.push_str(&rect(&frame, slot, down.class, 0.0, -(fallen as f64)));
        }
        let said = format!("{name}\n{} {}\n{} {}", count(risen), up.name, count(fallen), down.name);
        out.push_str(&frame.hover(slot, &said));
    }
    out + "</svg>\n"
}

fn rect(frame: &Frame, slot: usize, class: &str, high: f64, low: f64) -> String {
    let (top, bottom, width) = (frame.y(high), frame.y(low), frame.slot_width());
    // Where there is little, something can still be seen.
    let height = (bottom - top).max(0.8);
    let x = frame.x(slot) + width * (1.0 - FILL) / 2.0;
    format!(
        "<rect class=\"{class}\" x=\"{x:.2}\" y=\"{top:.2}\" width=\"{:.2}\" height=\"{height:.2}\"/>",
        width * FILL
    )
}
