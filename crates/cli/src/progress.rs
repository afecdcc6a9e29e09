//! Progress bars on stderr; silent where nobody watches.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::Output;

/// Often enough to be smooth, seldom enough to cost nothing.
const FRAMES_PER_SECOND: u8 = 8;

/// A bar over bytes; events are told beside it.
pub fn bytes(total: u64, output: &Output) -> ProgressBar {
    styled(ProgressBar::new(total), "{msg} [{bar:30}] {bytes}/{total_bytes} {eta}", output)
}

/// A bar over a known number of steps.
pub fn steps(total: u64, output: &Output) -> ProgressBar {
    styled(ProgressBar::new(total), "{msg} [{bar:30}] {pos}/{len} {eta}", output)
}

/// Bytes that went over a line, without an end.
pub fn moved(output: &Output) -> ProgressBar {
    let bar = styled(ProgressBar::new_spinner(), "{spinner} {msg} {bytes} {bytes_per_sec}", output);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A count without an end.
pub fn count(output: &Output) -> ProgressBar {
    let bar = styled(ProgressBar::new_spinner(), "{spinner} {human_pos} {msg} {per_sec}", output);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn styled(bar: ProgressBar, template: &str, output: &Output) -> ProgressBar {
    // Off the terminal indicatif draws nothing.
    bar.set_draw_target(match output.quiet {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr_with_hz(FRAMES_PER_SECOND),
    });
    bar.with_style(ProgressStyle::with_template(template).expect("a template without mistakes").progress_chars("=> "))
}
