//! The files that a broker starts from, and the commands that start it.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::kafka::Kafka;
use crate::options::{Jvm, Options};
use crate::ports::Ports;

/// The same text that `scripts/kafka-local.sh` starts from.
const COMMON: &str = include_str!("../../../deploy/kafka-local/server.properties");
const LOGGING: &str = include_str!("../../../deploy/kafka-local/log4j2.properties");

/// Writes `server.properties` and `log4j2.properties` into the broker's folder.
pub fn write(folder: &Path, ports: &Ports, options: &Options) -> io::Result<()> {
    fs::write(folder.join("server.properties"), properties(folder, ports, options))?;
    fs::write(folder.join("log4j2.properties"), LOGGING)
}

/// A name that comes twice counts as it comes last.
fn properties(folder: &Path, Ports { client, controller, .. }: &Ports, options: &Options) -> String {
    let chosen: String = options.properties.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    format!(
        "{COMMON}listeners=PLAINTEXT://127.0.0.1:{client},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{client}\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         log.dirs={}\n{chosen}",
        folder.join("data").display()
    )
}

/// Prepares the data folder for a cluster with an id of its own.
pub fn format(kafka: &Kafka, folder: &Path, options: &Options) -> Result<(), String> {
    let mut command = java(kafka, folder, options);
    command
        .args(["kafka.tools.StorageTool", "format", "-t", &cluster_id()?, "-c"])
        .arg(folder.join("server.properties"));
    let output = command.output().map_err(|error| format!("cannot start java: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("cannot format the broker's folder:\n{out}{err}"))
}

/// What starts the broker, with its output into `log`.
pub fn broker(kafka: &Kafka, folder: &Path, options: &Options, log: File) -> io::Result<Command> {
    let mut command = java(kafka, folder, options);
    command.arg("kafka.Kafka").arg(folder.join("server.properties"));
    command.stdin(Stdio::null()).stderr(log.try_clone()?).stdout(log);
    Ok(command)
}

/// Java on Kafka's jars; it dies with whoever started it, also when that is killed.
fn java(kafka: &Kafka, folder: &Path, options: &Options) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "java", "-XX:+UseSerialGC", &format!("-Xmx{}m", options.heap_mb)]);
    if options.jvm == Jvm::QuickStart {
        command.arg("-XX:TieredStopAtLevel=1");
    }
    if let Some(archive) = &kafka.archive {
        command.args(["-Xshare:auto", &format!("-XX:SharedArchiveFile={}", archive.display())]);
    }
    command.arg(format!("-Dlog4j2.configurationFile={}", folder.join("log4j2.properties").display()));
    command.args(["-cp", &kafka.class_path]);
    command
}

/// Sixteen random bytes as Kafka writes ids. The first stays below 4, because an id may not look like an option.
fn cluster_id() -> Result<String, String> {
    let mut bytes = [0; 16];
    let source = "/dev/urandom";
    File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| format!("cannot read `{source}`: {error}"))?;
    bytes[0] &= 3;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
