use super::*;

fn messages(text: &str) -> Vec<String> {
    match parse(text) {
        Ok(node) => vec![format!("fine: {}", node.what())],
        Err(errors) => errors.into_iter().map(|error| error.message).collect(),
    }
}

fn mapped<'a>(file: &'a str, node: &Node, part: &str) -> &'a str {
    let text = node.text().expect("a scalar");
    let start = text.find(part).expect("the part is in the text");
    let span = node.source_map().map(Span { start, end: start + part.len() });
    &file[span.start..span.end]
}

#[test]
fn nodes_know_their_bytes() {
    let file = "# 规则\nid: 超额 # x\nlist: [a, {b: c}]\nnone:\n";
    let root = parse(file).expect("it parses");
    let id = root.get("id").expect("id");
    assert_eq!(&file[id.span.start..id.span.end], "超额");
    let list = root.get("list").expect("list");
    assert_eq!(&file[list.span.start..list.span.end], "[a, {b: c}]");
    assert_eq!(list.elements().expect("elements")[1].what(), "a map");
    assert_eq!(root.get("none").expect("none").kind, Kind::Null);
    let keys: Vec<&str> =
        root.entries().expect("a map").iter().map(|(key, _)| &file[key.span.start..key.span.end]).collect();
    assert_eq!(keys, ["id", "list", "none"]);
}

#[test]
fn offsets_in_a_literal_block_map_to_the_file() {
    let file = "# 注\nwhen: |\n\n    a.b && 中\n\n      && c.d\n    && e.f\nnext: 1\n";
    let root = parse(file).expect("it parses");
    let when = root.get("when").expect("when");
    for part in ["a.b", "中", "c.d", "e.f"] {
        assert_eq!(mapped(file, when, part), part);
    }
    let both = mapped(file, when, "&& c.d\n&& e.f");
    assert_eq!(both, "&& c.d\n    && e.f");
}

#[test]
fn windows_line_ends_do_not_shift_a_block() {
    let file = "when: |\r\n  a.b\r\n  && c.d\r\n";
    let root = parse(file).expect("it parses");
    let when = root.get("when").expect("when");
    assert_eq!(mapped(file, when, "c.d"), "c.d");
}

#[test]
fn one_line_scalars_map_exactly_and_others_as_a_whole() {
    let file = "a: x.y > 1\nb: 'x.y > 1'\nc: \"x.y\\t> 1\"\nd: x.y\n  > 1\n";
    let root = parse(file).expect("it parses");
    let at = |key: &str| root.get(key).expect("a key");
    assert_eq!(mapped(file, at("a"), "> 1"), "> 1");
    assert_eq!(mapped(file, at("b"), "> 1"), "> 1");
    assert_eq!(mapped(file, at("c"), "> 1"), "\"x.y\\t> 1\"");
    assert_eq!(mapped(file, at("d"), "> 1"), "x.y\n  > 1");
}

#[test]
fn every_refused_part_is_reported_at_once() {
    let file = "a: &x 1\nb: *x\nc: !!str 2\na: 3\n? [k]\n: v\n";
    assert_eq!(
        messages(file),
        [
            "anchors do not exist in rule files",
            "aliases do not exist in rule files",
            "tags do not exist in rule files",
            "the key `a` is given twice",
            "a key has to be a plain text",
        ]
    );
}

#[test]
fn broken_and_boundless_files_are_refused() {
    assert_eq!(messages(""), ["fine: nothing"]);
    assert_eq!(messages("a: 1\n---\nb: 2\n"), ["a file holds one document"]);
    assert!(messages("a: [")[0].starts_with("while parsing"));
    let deep = "[".repeat(40);
    assert_eq!(messages(&deep), ["lists and maps nest deeper than 32"]);
    let large = "#".repeat(BYTES_MAX + 1);
    assert!(messages(&large)[0].starts_with("the file has 1048577 bytes"));
}
