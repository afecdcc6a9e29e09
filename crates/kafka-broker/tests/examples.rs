//! The Python examples against a real broker: `examples/tests/test_examples.py`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use headroom_kafka_broker::{Broker, Options};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// The interpreter that `examples/setup.sh` makes; `None` where that is impossible, which is an error with `CI=true`.
fn python() -> Option<String> {
    let made = Command::new(examples().join("setup.sh")).output().expect("bash starts");
    if made.status.success() {
        return Some(String::from_utf8(made.stdout).unwrap().trim_end().to_string());
    }
    let why = String::from_utf8_lossy(&made.stderr);
    assert!(env::var_os("CI").is_none_or(|value| value != "true"), "no python for the examples:\n{why}");
    println!("skipped: no python for the examples:\n{why}");
    None
}

#[test]
fn the_python_examples_do_what_they_say() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let Some(python) = python() else { return };
    let tests = examples().join("tests/test_examples.py");
    let done = Command::new(python).arg(tests).env("HEADROOM_TEST_BROKERS", broker.bootstrap()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}
