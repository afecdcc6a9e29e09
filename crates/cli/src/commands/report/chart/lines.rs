//! Lines over slots, each named at its end.

use super::{Frame, TOP, Tick, WIDTH, Words, step, up_to};
use crate::commands::report::html::escape;

/// One line.
pub struct Line<'a> {
    pub name: &'a str,
    /// Its colour and stroke: a class of the page's style.
    pub class: &'a str,
    pub values: Vec<f64>,
    /// The area below it is tinted.
    pub filled: bool,
}

/// Room for the names at the ends.
const RIGHT: f64 = 118.0;
/// Lines of text keep this distance.
const APART: f64 = 16.0;

/// Lines from 0 upwards; `said` is what the pointer is told of each slot. `least` is the smallest step of the axis.
pub fn lines(words: &Words<'_>, ticks: &[Tick], lines: &[Line<'_>], said: &[String], size: (f64, f64)) -> String {
    let (height, least) = size;
    let values = lines.iter().flat_map(|line| line.values.iter().copied());
    let most = values.fold(0.0, f64::max);
    let step = step(most, least);
    let slots = lines.iter().map(|line| line.values.len()).max().unwrap_or(0);
    let frame = Frame { height, right: RIGHT, slots, low: 0.0, high: up_to(most, step) };
    let mut out = frame.open(words) + &frame.grid(step, words.unit) + &frame.ticks(ticks);
    out.extend(lines.iter().map(|line| path(&frame, line)));
    out.push_str(&names(&frame, lines));
    out.extend(said.iter().enumerate().map(|(slot, words)| frame.hover(slot, words)));
    out + "</svg>\n"
}

fn path(frame: &Frame, line: &Line<'_>) -> String {
    let middle = frame.slot_width() / 2.0;
    let point = |(slot, value): (usize, &f64)| format!("{:.1},{:.1}", frame.x(slot) + middle, frame.y(*value));
    let points: Vec<String> = line.values.iter().enumerate().map(point).collect();
    let (Some(last), class) = (line.values.len().checked_sub(1), line.class) else { return String::new() };
    let mut out = String::new();
    if line.filled {
        let (left, right, floor) = (frame.x(0) + middle, frame.x(last) + middle, frame.y(0.0));
        let area = points.join(" ");
        out.push_str(&format!(
            "<polygon class=\"area {class}\" points=\"{left:.1},{floor:.1} {area} {right:.1},{floor:.1}\"/>\n"
        ));
    }
    out.push_str(&format!("<polyline class=\"line {class}\" points=\"{}\"/>\n", points.join(" ")));
    if points.len() == 1 {
        let (x, y) = (frame.x(0) + middle, frame.y(line.values[0]));
        out.push_str(&format!("<circle class=\"point {class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>\n"));
    }
    out
}

/// Names beside the ends of lines, pushed apart where lines end close to each other.
fn names(frame: &Frame, lines: &[Line<'_>]) -> String {
    let ends = lines.iter().filter_map(|line| line.values.last().map(|last| (frame.y(*last), line)));
    let mut ends: Vec<(f64, &Line<'_>)> = ends.collect();
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut out = String::new();
    for (y, (end, line)) in spread(&ends.iter().map(|end| end.0).collect::<Vec<f64>>(), frame).into_iter().zip(&ends) {
        let x = WIDTH - RIGHT;
        let class = line.class;
        out.push_str(&format!(
            "<line class=\"leader {class}\" x1=\"{:.1}\" y1=\"{end:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/>",
            x,
            x + 12.0
        ));
        out.push_str(&format!(
            "<text class=\"label name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            x + 17.0,
            y + 4.0,
            escape(line.name)
        ));
    }
    out
}

/// Sorted heights, at least a line of text apart and within the frame.
fn spread(ends: &[f64], frame: &Frame) -> Vec<f64> {
    let mut placed: Vec<f64> = Vec::with_capacity(ends.len());
    for end in ends {
        let least = placed.last().map_or(TOP, |last| last + APART);
        placed.push(end.max(least));
    }
    // What was pushed over the floor pushes back upwards.
    let mut most = frame.y(0.0);
    for place in placed.iter_mut().rev() {
        *place = place.min(most);
        most = *place - APART;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_distance_and_stay_inside() {
        let frame = Frame { height: 280.0, right: RIGHT, slots: 90, low: 0.0, high: 1.0 };
        for ends in [[20.0, 20.0, 21.0, 90.0], [240.0, 250.0, 251.0, 252.0]] {
            let placed = spread(&ends, &frame);
            assert!(placed.windows(2).all(|pair| pair[1] - pair[0] >= APART - 1e-9), "{placed:?}");
            assert!(placed.iter().all(|y| (TOP..=frame.y(0.0)).contains(y)), "{placed:?}");
        }
    }
}
