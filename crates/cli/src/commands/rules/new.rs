//! `headroom rules new`: a rule and its test that pass at once, to be changed into what is wanted.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use headroom_engine::{Family, Ruleset};
use headroom_node::view::Item;
use headroom_sim::{Scaffold, bless_rule_tests, format_file, run_rule_tests};
use headroom_sources::read_ruleset_dir;

use crate::failure::{Status, Usage};
use crate::output::Output;
use crate::rules_dir;

type Files = Vec<(String, String)>;

/// Which rule.
#[derive(Args)]
pub struct Command {
    /// The rule's id: lower-case letters, digits and underscores
    id: String,
    /// Its family; its files go into a folder of that name
    #[arg(long, value_parser = families())]
    family: Family,
    /// The ruleset's directory; one that is empty or not there becomes a ruleset
    #[arg(long, value_name = "DIR", default_value = ".")]
    rules: PathBuf,
    /// A fact of type bool that the rule reads besides, like `weather.storm`; declared in `facts.yaml` if it is new
    #[arg(long, value_name = "NAME")]
    fact: Option<String>,
}

fn families() -> impl TypedValueParser<Value = Family> {
    let words = Family::ALL.iter().map(|family| family.word());
    PossibleValuesParser::new(words).map(|word| Family::parse(&word).expect("one of the possible values"))
}

impl Command {
    /// Writes the files once it is clear that the ruleset loads with them and that the test passes.
    pub fn run(&self, output: &Output) -> Result<Status> {
        if !is_id(&self.id) {
            bail!(Usage(format!("`{}` is no id: lower-case letters, digits and underscores, a letter first", self.id)));
        }
        let before = self.before()?;
        let ruleset = load(&before)?;
        let since = today();
        let scaffold = Scaffold {
            id: &self.id,
            family: self.family,
            fact: self.fact.as_deref(),
            since: &since,
            ruleset: Some(&ruleset),
        };
        if scaffold.has_wrong_fact() {
            bail!("`{}` is no fact of type bool", self.fact.as_deref().unwrap_or_default());
        }
        let new = self.new_files(&scaffold, &before)?;
        let written = self.write(new)?;
        let test = format!("headroom rules test {}", self.rules.display());
        let list = |prefix: &str| written.iter().map(|path| format!("{prefix}{path}\n")).collect::<String>();
        let prose = format!("{}next: change the rule and its test, then: {test}\n", list("wrote "));
        let item = Item::fields([
            ("rule", scaffold.rule_path().into()),
            ("test", scaffold.test_path().into()),
            ("number", scaffold.number().into()),
            ("written", Item::list(written.clone())),
        ]);
        output.print_as(&item, &prose)?;
        Ok(Status::Done)
    }

    /// The ruleset as it is; that of a directory without one is its name alone.
    fn before(&self) -> Result<Files> {
        let is_empty = match fs::read_dir(&self.rules) {
            Ok(mut entries) => entries.next().is_none(),
            Err(_) => !self.rules.exists(),
        };
        if is_empty { Ok(Vec::new()) } else { Ok(read_ruleset_dir(&self.rules)?) }
    }

    /// What is to be written, with its contents.
    fn new_files(&self, scaffold: &Scaffold<'_>, before: &Files) -> Result<Files> {
        let mut new = Files::new();
        if before.is_empty() {
            let name = self.rules.file_name().map_or_else(|| "rules".into(), |name| name.to_string_lossy());
            new.push(("ruleset.yaml".to_owned(), format!("name: {name:?}\nzone: UTC\n")));
        }
        if let Some(line) = scaffold.declaration() {
            let facts = before.iter().find(|(path, _)| path == "facts.yaml").map_or("", |(_, text)| text.as_str());
            let gap = if facts.is_empty() || facts.ends_with('\n') { "" } else { "\n" };
            new.push(("facts.yaml".to_owned(), format!("{facts}{gap}{line}")));
        }
        new.push((scaffold.rule_path(), tidy(&scaffold.rule_path(), scaffold.rule())));
        let mut files: Files =
            before.iter().filter(|(path, _)| !new.iter().any(|(each, _)| each == path)).cloned().collect();
        files.extend(new.iter().cloned());
        let ruleset = Arc::new(load(&files)?);
        new.push((scaffold.test_path(), tidy(&scaffold.test_path(), tested(scaffold, &ruleset)?)));
        Ok(new)
    }

    fn write(&self, files: Files) -> Result<Vec<String>> {
        let is_new = |path: &str| !matches!(path, "ruleset.yaml" | "facts.yaml");
        if let Some((path, _)) = files.iter().find(|(path, _)| is_new(path) && self.rules.join(path).exists()) {
            bail!("`{}` exists: choose another id, or change that rule", self.rules.join(path).display());
        }
        for (path, text) in &files {
            write(&self.rules.join(path), text)?;
        }
        Ok(files.into_iter().map(|(path, _)| path).collect())
    }
}

/// The tests; where other rules of the ruleset have a say, with what comes then.
fn tested(scaffold: &Scaffold<'_>, ruleset: &Arc<Ruleset>) -> Result<String> {
    let (path, text) = (scaffold.test_path(), scaffold.tests());
    let file = [(path.clone(), text.clone())];
    if run_rule_tests(ruleset, &file).is_fine() {
        return Ok(text);
    }
    let broken = |error: headroom_sim::TestFileError| anyhow::anyhow!(error.render(false));
    bless_rule_tests(ruleset, &path, &text).map_err(broken)
}

fn tidy(path: &str, text: String) -> String {
    match format_file(path, &text) {
        Some(Ok(tidy)) => tidy,
        _ => text,
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    let doing = || format!("cannot write `{}`", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(doing)?;
    }
    fs::write(path, text).with_context(doing)
}

fn load(files: &Files) -> Result<Ruleset> {
    Ruleset::load(files).or_else(|reports| {
        rules_dir::show(&reports);
        bail!("the ruleset has errors: mend them first")
    })
}

fn is_id(id: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    id.starts_with(|c: char| c.is_ascii_lowercase()) && id.chars().all(fine)
}

/// The date in UTC.
fn today() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(0);
    jiff::Timestamp::from_second(seconds).unwrap_or_default().strftime("%Y-%m-%d").to_string()
}
