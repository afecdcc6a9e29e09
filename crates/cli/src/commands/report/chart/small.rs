//! Drawings within a row of a table.

use crate::commands::report::html::escape;

const SPARK_WIDTH: f64 = 220.0;
const SPARK_HEIGHT: f64 = 22.0;

/// One bar of so many hundredths.
pub fn bar(value: u64, most: u64) -> String {
    let share = if most == 0 { 0.0 } else { value as f64 * 100.0 / most as f64 };
    let share = if value > 0 { share.max(0.6) } else { share };
    format!(
        "<svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
         <rect class=\"track\" width=\"100\" height=\"10\"/><rect class=\"s1\" width=\"{share:.1}\" height=\"10\"/></svg>"
    )
}

/// Bars by day without any axis: the row's own numbers say how much.
pub fn spark(values: &[u64], words: &str) -> String {
    let most = values.iter().copied().max().unwrap_or(0).max(1) as f64;
    let width = SPARK_WIDTH / values.len().max(1) as f64;
    let mut out = format!(
        "<svg class=\"spark\" viewBox=\"0 0 {SPARK_WIDTH} {SPARK_HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\">\
         <title>{}</title><line class=\"axis\" x1=\"0\" x2=\"{SPARK_WIDTH}\" y1=\"{SPARK_HEIGHT}\" y2=\"{SPARK_HEIGHT}\"/>",
        escape(words)
    );
    for (at, value) in values.iter().enumerate().filter(|(_, value)| **value > 0) {
        let height = ((*value as f64) / most * SPARK_HEIGHT).max(1.0);
        let (x, y) = (width * at as f64, SPARK_HEIGHT - height);
        out.push_str(&format!(
            "<rect class=\"s1\" x=\"{x:.2}\" y=\"{y:.2}\" width=\"{:.2}\" height=\"{height:.2}\"/>",
            width * 0.82
        ));
    }
    out + "</svg>"
}
