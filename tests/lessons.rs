//! The lessons' Markdown, and the lessons that ship with the page.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use lookahead::lesson::{self, Block, Fault, LessonError, Live, Source, partner};

const HEAD: &str = "# Two *ahead*\n*35 minutes · Why?*\n";

fn read(text: &str) -> lesson::Lesson {
    lesson::read(&format!("{HEAD}{text}")).unwrap()
}

/// The fault of a text behind the head, and its line in the file.
fn fault(text: &str) -> (usize, Fault) {
    let LessonError { line, fault } = lesson::read(&format!("{HEAD}{text}")).unwrap_err();
    (line, fault)
}

fn html(text: &str) -> String {
    match &read(text).sections[0].blocks[..] {
        [Block::Prose(html)] => html.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_head_is_read() {
    let head = lesson::head(HEAD).unwrap();
    assert_eq!((head.title.as_str(), head.minutes, head.question.as_str()), ("Two *ahead*", 35, "Why?"));
    assert_eq!(lesson::read("Two").unwrap_err().to_string(), "Line 1: a lesson begins with its title, “# Title”.");
    assert_eq!(lesson::read("# Two\n35 minutes").unwrap_err().line, 2);
}

#[test]
fn prose_becomes_html() {
    assert_eq!(html("one\ntwo **bold** and *em*"), "<p>one two <strong>bold</strong> and <em>em</em></p>");
    assert_eq!(html("2 * 3 < 7 & `a<b`"), "<p>2 * 3 &lt; 7 &amp; <code>a&lt;b</code></p>");
    assert_eq!(html("- a\n- b\n  goes on\n\n1. x\n2. y"), "<ul><li>a</li><li>b goes on</li></ul><ol><li>x</li><li>y</li></ol>");
    assert_eq!(html("### Third"), "<h4>Third</h4>");
    assert_eq!(html("words:\n- a"), "<p>words:</p><ul><li>a</li></ul>");
    let table = html("| | k |\n|---|---|\n| a | `b` |");
    assert!(
        table.contains(
            "<thead><tr><td></td><th scope=\"col\">k</th></tr></thead><tbody><tr><th scope=\"row\">a</th><td><code>b</code></td></tr>"
        ),
        "{table}"
    );
}

#[test]
fn addresses_are_of_lessons_or_of_the_web() {
    assert_eq!(html("[One](one-ahead.md)"), "<p><a href=\"?lesson=one-ahead\" data-lesson=\"one-ahead\">One</a></p>");
    assert!(html("[One](one-ahead.teacher.md)").contains("?lesson=one-ahead.teacher"));
    assert!(html("[a](https://x.org/?a=\"b)").contains("href=\"https://x.org/?a=&quot;b\""));
    for address in ["javascript:alert(1", "other.md", "../docs/a.md", "http://x.org"] {
        assert_eq!(fault(&format!("[a]({address})")), (3, Fault::Address(address.into())));
    }
}

#[test]
fn live_blocks_are_read() {
    let text = "```question k=2 rule=shown\nLook **up**.\n```\n## Run\n```predict guess k=1,2\nHow many?\n```\n```run straight quick&k=2&engine=portable\nTrain\n```\n```compare guess straight ref:aloud you\nLook.\n```\n```explain why\nWhy?\n```\n```expect straight quick&k=2\nk=2 128 of 256\n```";
    let lesson = read(text);
    assert_eq!(lesson.sections.iter().map(|section| section.title.as_str()).collect::<Vec<_>>(), ["", "Run"]);
    let live: Vec<&Live> = lesson.live().collect();
    assert_eq!(live[0], &Live::Question { depth: 2, rule: true });
    assert_eq!(live[1], &Live::Predict { id: "guess".into(), depths: vec![1, 2] });
    assert_eq!(lesson.run("straight").unwrap().task.depth, 2);
    assert_eq!(lesson.predicted("guess"), [1, 2]);
    let Live::Compare { sources } = live[3] else { panic!("{:?}", live[3]) };
    assert_eq!(sources[..2], [Source::Prediction("guess".into()), Source::Run("straight".into())]);
    assert_eq!(sources[2].key(), "aloud");
    assert_eq!(sources[3], Source::You);
    let Live::Expect { rows, .. } = live[5] else { panic!("{:?}", live[5]) };
    assert_eq!((rows[0].depth, rows[0].right, rows[0].asked), (2, 128, 256));
    let Block::Live { words, .. } = &lesson.sections[0].blocks[0] else { panic!() };
    assert_eq!(words, "Look <strong>up</strong>.");
}

#[test]
fn faults_name_their_line() {
    assert_eq!(fault("a\n\n# Again"), (5, Fault::Heading));
    assert_eq!(fault("#### Four"), (3, Fault::Heading));
    assert_eq!(fault("> said"), (3, Fault::Unsupported));
    assert_eq!(fault("- a\n  - b"), (4, Fault::Unsupported));
    assert_eq!(fault("<b>a</b>"), (3, Fault::Unsupported));
    assert_eq!(fault("a **b"), (3, Fault::Unclosed("**")));
    assert_eq!(fault("a `b"), (3, Fault::Unclosed("`")));
    assert_eq!(fault("| a | b |\n|---|\n"), (4, Fault::NoRule(2)));
    assert_eq!(fault("| a | b |\n|---|---|\n| c |"), (5, Fault::Cells(2)));
    assert_eq!(fault("```python\n```"), (3, Fault::UnknownBlock("python".into())));
    assert_eq!(fault("```explain a\nWhy?"), (3, Fault::OpenBlock));
    assert_eq!(fault("```predict a k=7\nWhy?\n```"), (3, Fault::Depth(4)));
    assert_eq!(fault("```explain a\nx\n```\n```explain a\nx\n```"), (6, Fault::Twice("a".into())));
    assert_eq!(fault("```compare a\nx\n```"), (3, Fault::UnknownName("a".into())));
    assert_eq!(fault("```compare ref:fixed\nx\n```"), (3, Fault::UnknownName("ref:fixed".into())));
    for text in ["question k=1", "question k=1 rule=maybe", "predict a", "run a", "compare", "explain", "expect a"] {
        assert!(matches!(fault(&format!("```{text}\n```")), (3, Fault::Form(_))), "{text}");
    }
    for row in ["k=1 2 of", "k=1 3 of 2", "k=1 0 of 0", "1 1 of 2"] {
        assert_eq!(fault(&format!("```expect a quick\n{row}\n```")).0, 4, "{row}");
    }
    let (line, told) = fault("```run a quick&k=99\nx\n```");
    assert_eq!(line, 3);
    assert!(told.to_string().contains("(k)"), "{told}");
}

#[test]
fn predictions_find_their_curves() {
    let all = |predictions: &[&str], measured: &[&str]| -> Vec<Option<usize>> {
        (0..measured.len()).map(|index| partner(predictions, measured, index)).collect()
    };
    assert_eq!(all(&["guess"], &["aloud", "straight-two"]), [Some(0), Some(0)]);
    assert_eq!(all(&["guess-straight", "guess-aloud"], &["straight", "aloud"]), [Some(0), Some(1)]);
    assert_eq!(all(&["guess-act", "guess-fct"], &["straight", "act", "fct"]), [None, Some(0), Some(1)]);
    assert_eq!(all(&["guess-short", "guess-long"], &["short", "seed-one"]), [Some(0), Some(1)]);
    assert_eq!(all(&["a", "b"], &["x"]), [None]);
    assert_eq!(all(&[], &["x"]), [None]);
}

/// Every lesson that ships with the page can be read, and so can its page for teachers.
#[test]
fn all_lessons_can_be_read() {
    let folder =
        std::env::var_os("LESSONS").map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/lessons").into(), std::path::PathBuf::from);
    for name in lesson::NAMES {
        for page in [name.to_string(), format!("{name}{}", lesson::TEACHER)] {
            let path = folder.join(format!("{page}.md"));
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let lesson = lesson::read(&text).unwrap_or_else(|error| panic!("{page}.md: {error}"));
            assert!(lesson.sections.len() > 1, "{page}.md has no sections");
        }
    }
}
