//! `docs/tutorial-first-rule.md` as its reader goes through it: every file is written, every command run, every output
//! compared. `UPDATE_EXPECT=1` writes what comes into the page.

use std::path::Path;

use expect_test::expect_file;

use crate::command::{checkout, folder, headroom_in};

#[test]
fn the_tutorial_is_what_happens() {
    let page = std::fs::read_to_string(checkout("docs/tutorial-first-rule.md")).expect("the tutorial");
    let dir = folder(&[]);
    let mut reader = Reader { dir: dir.path(), out: String::new(), file: None, commands: 0, files: 0 };
    let mut blocks = page.split("```");
    reader.prose(blocks.next().unwrap_or_default());
    while let Some(block) = blocks.next() {
        reader.block(block);
        reader.prose(blocks.next().unwrap_or_default());
    }
    assert!(reader.commands >= 10 && reader.files >= 4, "{} commands, {} files", reader.commands, reader.files);
    expect_file!["../../../../docs/tutorial-first-rule.md"].assert_eq(&reader.out);
}

struct Reader<'a> {
    dir: &'a Path,
    out: String,
    /// Where the next block goes, as a comment above it says.
    file: Option<String>,
    commands: usize,
    files: usize,
}

impl Reader<'_> {
    fn prose(&mut self, text: &str) {
        let name = text.rsplit_once("<!-- file: ").and_then(|(_, rest)| rest.split_once(" -->"));
        self.file = name.filter(|(_, rest)| rest.trim().is_empty()).map(|(name, _)| name.to_owned());
        self.out.push_str(text);
    }

    fn block(&mut self, block: &str) {
        let (kind, body) = block.split_once('\n').unwrap_or((block, ""));
        self.out.push_str(&format!("```{kind}\n"));
        match (self.file.take(), kind) {
            (Some(file), _) => self.write(&file, body),
            (None, "console") => self.console(body),
            _ => self.out.push_str(body),
        }
        self.out.push_str("```");
    }

    fn write(&mut self, file: &str, body: &str) {
        self.files += 1;
        let path = self.dir.join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, body).expect("written");
        self.out.push_str(body);
    }

    fn console(&mut self, body: &str) {
        for command in body.lines().filter_map(|line| line.strip_prefix("$ ")) {
            self.commands += 1;
            let shown = steady(&self.run(command));
            self.out.push_str(&format!("$ {command}\n{shown}"));
        }
    }

    fn run(&self, command: &str) -> String {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["headroom", words @ ..] => {
                let ran = headroom_in(self.dir, words);
                ran.stderr + &ran.stdout
            }
            ["cat", file] => std::fs::read_to_string(self.dir.join(file)).expect("a file"),
            _ => panic!("the tutorial may run `headroom` and `cat`, not `{command}`"),
        }
    }
}

/// Dates and hashes change from day to day.
fn steady(text: &str) -> String {
    let word = |word: &str| match word.len() {
        64 if word.bytes().all(|byte| byte.is_ascii_hexdigit()) => "9f…".to_owned(),
        _ => word.to_owned(),
    };
    let line = |line: &str| match line.strip_prefix("since: ") {
        Some(_) => "since: 2026-11-22".to_owned(),
        None => line.split(' ').map(word).collect::<Vec<_>>().join(" "),
    };
    text.lines().map(|each| line(each) + "\n").collect()
}
