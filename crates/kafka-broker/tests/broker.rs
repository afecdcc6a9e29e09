//! A broker from its jars: it starts, dies, and comes back with what it had.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::{self, sleep};
use std::time::Duration;

use headroom_kafka_broker::{Broker, Options, require};

/// Set for the child process of `a_broker_dies_with_its_process`, which then only starts a broker.
const HOLDER: &str = "HEADROOM_TEST_HOLDS_A_BROKER";
/// Kafka's number of the request for the cluster's metadata.
const METADATA: i16 = 3;

/// The answer to a metadata request (version 2) about no topic: it names the cluster.
fn metadata(broker: &Broker) -> Vec<u8> {
    let body = [&METADATA.to_be_bytes()[..], &2i16.to_be_bytes(), &7i32.to_be_bytes(), &(-1i16).to_be_bytes(), &[0; 4]];
    let request = body.concat();
    let mut stream = TcpStream::connect(broker.bootstrap()).unwrap();
    let length = i32::try_from(request.len()).unwrap();
    stream.write_all(&[&length.to_be_bytes()[..], &request].concat()).unwrap();
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut answer = vec![0; usize::try_from(i32::from_be_bytes(length)).unwrap()];
    stream.read_exact(&mut answer).unwrap();
    answer
}

fn exists(pid: u32) -> bool {
    // A killed process whose parent has not looked yet still has a folder.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..3_000 {
        if condition() {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("waited in vain: {what}");
}

#[test]
fn a_broker_comes_back_after_each_kind_of_end() {
    let Some(broker) = Broker::for_test(Options::default().with("message.max.bytes", "2000000")) else { return };
    let before = metadata(&broker);
    let first = broker.pid().unwrap();
    assert!(before.len() > 50, "no cluster in {before:?}");

    broker.kill();
    assert!(!exists(first) && !broker.listens() && broker.pid().is_none());
    broker.restart().unwrap();
    assert_ne!(broker.pid(), Some(first));
    assert_eq!(metadata(&broker), before);

    broker.stop().unwrap();
    assert!(!broker.listens());
    broker.restart().unwrap();
    broker.restart().unwrap();
    assert_eq!(metadata(&broker), before);
    assert!(broker.cpu_seconds().unwrap() > 0.0);

    let (address, pid) = (broker.bootstrap(), broker.pid().unwrap());
    let folder = broker.log().parent().unwrap().to_path_buf();
    drop(broker);
    assert!(!exists(pid) && TcpStream::connect(address).is_err() && !folder.exists());
}

#[test]
fn a_paused_broker_answers_once_it_goes_on() {
    let Some(broker) = Broker::for_test(Options::default()) else { return };
    let before = metadata(&broker);
    broker.pause().unwrap();
    let state = || fs::read_to_string(format!("/proc/{}/stat", broker.pid().unwrap())).unwrap();
    wait_until("the broker is stopped", || state().contains(") T "));
    thread::scope(|scope| {
        let answer = scope.spawn(|| metadata(&broker));
        assert!(broker.listens() && !answer.is_finished());
        broker.resume().unwrap();
        assert_eq!(answer.join().unwrap(), before);
    });
    broker.pause().unwrap();
    broker.stop().unwrap();
    assert_eq!(broker.pause(), Err("the kafka broker is down".to_string()));
}

#[test]
fn the_thread_that_started_a_broker_may_end() {
    let Some(()) = require() else { return };
    let broker = thread::spawn(|| Broker::start(Options::default()).unwrap()).join().unwrap();
    assert!(!metadata(&broker).is_empty());
    assert!(exists(broker.pid().unwrap()));
}

#[test]
fn two_brokers_are_two_clusters() {
    let (Some(one), Some(other)) = (Broker::for_test(Options::default()), Broker::for_test(Options::default())) else {
        return;
    };
    assert_ne!(one.bootstrap(), other.bootstrap());
    assert_ne!(metadata(&one), metadata(&other));
}

#[test]
fn a_wrong_setting_is_told_from_the_log() {
    let Some(()) = require() else { return };
    let error = Broker::start(Options::default().with("num.io.threads", "none")).unwrap_err();
    assert!(error.contains("num.io.threads"), "{error}");
}

#[test]
fn a_broker_dies_with_its_process() {
    if std::env::var_os(HOLDER).is_some() {
        return hold_a_broker();
    }
    let Some(()) = require() else { return };
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("pid");
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_broker_dies_with_its_process"])
        .env(HOLDER, &told)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the other process has a broker", || told.exists());
    let text = fs::read_to_string(&told).unwrap();
    let (pid, left_behind) = text.split_once(' ').unwrap();
    let pid: u32 = pid.parse().unwrap();
    assert!(exists(pid));
    holder.kill().unwrap();
    holder.wait().unwrap();
    wait_until("the broker is gone", || !exists(pid));
    // Nobody was there to remove it.
    fs::remove_dir_all(left_behind).unwrap();
}

/// Starts a broker, tells its number and folder, and waits to be killed.
fn hold_a_broker() {
    let broker = Broker::start(Options::default()).unwrap();
    let told = std::env::var(HOLDER).unwrap();
    let written = Path::new(&told).with_extension("new");
    let folder = broker.log().parent().unwrap().display().to_string();
    fs::write(&written, format!("{} {folder}", broker.pid().unwrap())).unwrap();
    fs::rename(written, told).unwrap();
    loop {
        thread::park();
    }
}
