//! Spans arrive at a collector. A file of its own: telemetry is set up once per process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use headroom_node::Config;
use headroom_node::telemetry::{init, lane_span, process_span, round_span};

/// Request line and body.
fn read_request(stream: &TcpStream) -> (String, Vec<u8>) {
    let mut lines = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(lines.read_line(&mut head).unwrap(), 0, "{head}");
    }
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:").map(str::to_owned));
    let mut body = vec![0; length.unwrap().trim().parse().unwrap()];
    lines.read_exact(&mut body).unwrap();
    (head.lines().next().unwrap().to_owned(), body)
}

fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn a_collector_gets_process_lane_and_round() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("telemetry.otlp_endpoint=http://{}", collector.local_addr().unwrap());
    let sets = [&endpoint, "telemetry.otlp_service_name=headroom-east", "telemetry.otlp_sample_percent=100"];
    let config = Config::load(None, &sets.map(str::to_owned)).unwrap();
    let telemetry = init(&config.telemetry).unwrap();
    let got = thread::spawn(move || {
        let mut stream = collector.accept().unwrap().0;
        let request = read_request(&stream);
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
        request
    });
    let process = process_span("node-7", 3);
    let lane = lane_span(&process, 0);
    lane.in_scope(|| (0..3).for_each(|seq| round_span(5, seq).in_scope(|| tracing::info!("a line of the log"))));
    drop((lane, process));
    telemetry.stop();
    let (line, body) = got.join().unwrap();
    assert_eq!(line, "POST /v1/traces HTTP/1.1");
    for text in ["headroom-east", "service.name", "node-7", "process", "lane", "round", "shard", "seq"] {
        assert!(holds(&body, text), "{text}");
    }
    assert!(!holds(&body, "a line of the log"));
    assert!(!telemetry.render().contains("headroom_otlp_dropped_spans_total{"));
}
