use super::*;

struct Taken<'a>(&'a [&'a str]);

impl State for Taken<'_> {
    fn taken(&self, step: &str) -> bool {
        self.0.contains(&step)
    }

    fn value(&self, key: &str) -> Option<&str> {
        (key == "N").then_some("7")
    }
}

fn rendered(source: &str, taken: &[&str]) -> Option<String> {
    Template::parse(source).expect("parses").render(&Taken(taken)).expect("has its values")
}

#[test]
fn alternatives_nest() {
    let source = "a\n@if x\nb\n@if y\nc\n@else\nd\n@end\n@else\ne\n@end\nf @{N}@{N}\n";
    assert_eq!(rendered(source, &[]).as_deref(), Some("a\ne\nf 77\n"));
    assert_eq!(rendered(source, &["x"]).as_deref(), Some("a\nb\nd\nf 77\n"));
    assert_eq!(rendered(source, &["x", "y"]).as_deref(), Some("a\nb\nc\nf 77\n"));
}

#[test]
fn a_file_waits_for_its_step() {
    assert_eq!(rendered("@when x\na\n", &[]), None);
    assert_eq!(rendered("@when x\na\n", &["x"]).as_deref(), Some("a\n"));
}

#[test]
fn what_it_mentions() {
    let template = Template::parse("@when w\n@if x\n@{A}\n@else\n@if y\n@{B}\n@end\n@end\n").expect("parses");
    assert_eq!(template.steps(), ["w", "x", "y"]);
    assert_eq!(template.keys(), ["A", "B"]);
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let line = |n, text: &str| Err(BadTemplate::Line(n, text.to_owned()));
    assert_eq!(Template::parse("a\n@else\n"), line(2, "@else"));
    assert_eq!(Template::parse("@if x\n@else\n@else\n@end\n"), line(3, "@else"));
    assert_eq!(Template::parse("@end\n"), line(1, "@end"));
    assert_eq!(Template::parse("a\n@if x\nb\n"), line(2, "@if x"));
    assert_eq!(Template::parse("a\n@when x\n"), line(2, "@when x"));
    assert_eq!(Template::parse("@fi x\n"), line(1, "@fi x"));
    assert_eq!(Template::parse("a @{N\n"), Err(BadTemplate::OpenValue(1)));
    let template = Template::parse("@{M}\n").expect("parses");
    assert_eq!(template.render(&Taken(&[])), Err(BadTemplate::NoValue("M".to_owned())));
}
