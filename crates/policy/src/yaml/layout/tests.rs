use super::*;
use crate::layout_expression;

const LAYOUT: Layout = Layout {
    order: |path| match path {
        [] => &["id", "when", "then"],
        _ => &[],
    },
    lines: |path, text, width| if path.last() == Some(&"when") { layout_expression(text, width) } else { None },
    as_block: |_| false,
    is_open: |path| path == ["tests"],
    has_lines: |path, count| path == ["lines"] && count > 1,
    keeps_form: false,
};

#[track_caller]
fn is(text: &str, expected: &str) {
    let laid_out = layout(text, &LAYOUT).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(laid_out, expected);
    assert_eq!(layout(&laid_out, &LAYOUT).as_deref(), Ok(expected), "twice");
}

#[test]
fn keys_come_in_their_order_and_comments_with_them() {
    is(
        "# about the file\nthen: {a: 1,\n  b: [ 2,3 ]} # what it does\n# why\nid:   x\n\n\nwhen: |\n   a.b&&c.d\nmore: 1\n# end\n",
        "# about the file\n# why\nid: x\nwhen: a.b && c.d\nthen: {a: 1, b: [2, 3]}  # what it does\nmore: 1\n# end\n",
    );
}

#[test]
fn comments_open_a_map() {
    is(
        "then:\n  a: 1 # one\n  # two\n  b: 2\nid: x # last\n",
        "id: x  # last\nthen:\n  a: 1  # one\n  # two\n  b: 2\n",
    );
    is("then: { # open\n a: 1, # one\n b: 2 }\n", "then:\n  # open\n  a: 1  # one\n  b: 2\n");
}

#[test]
fn what_is_no_comment_stays() {
    is("id: 'a # b'\nwhy: a#b\n", "id: 'a # b'\nwhy: a#b\n");
    is("why: |\n  # no comment\n  b\n# one\n", "why: |\n  # no comment\n  b\n# one\n");
}

#[test]
fn expressions_that_are_no_plain_text_are_blocks() {
    is("when: \"!a.b\"\n", "when: |\n  !a.b\n");
    let long = "aaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbb > ccccccccccccccc.dddddddddddddd";
    is(&format!("when: {long}\n   && {long}\n"), &format!("when: |\n  {long}\n  && {long}\n"));
    is(&format!("when: {long} # so\n  \n"), &format!("when: {long}  # so\n"));
}

#[test]
fn elements_of_an_open_list_stand_apart() {
    is(
        "tests:\n- name: a\n  steps: |\n    x\n\n    y\n\n# second\n- {name: b, steps: z}\n",
        "tests:\n  - name: a\n    steps: |\n      x\n\n      y\n\n  # second\n  - name: b\n    steps: z\n",
    );
}

#[test]
fn long_texts_are_folded_and_short_ones_are_not() {
    is("why: >\n  one\n  two\n", "why: one two\n");
    is("why: one\n  two: 3\n".replace("two: 3", "two").as_str(), "why: one two\n");
    let words = vec!["word"; 40].join(" ");
    let folded = layout(&format!("why: >-\n  {words}\n"), &LAYOUT).unwrap();
    assert!(
        folded.starts_with("why: >-\n  word") && folded.lines().all(|line| line.chars().count() <= 120),
        "{folded}"
    );
    is(&folded, &folded);
}

#[test]
fn a_map_may_ask_for_lines() {
    is("lines: {a: 1}\n", "lines: {a: 1}\n");
    is("lines: {a: 1, b: 2}\n", "lines:\n  a: 1\n  b: 2\n");
}

#[test]
fn what_would_be_lost_is_refused() {
    assert_eq!(layout("a: [1\n", &LAYOUT).unwrap_err()[0].code, "HR0140");
}
