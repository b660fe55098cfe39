//! What the page shows: short links, views by name, links that people put together, QR codes. Needs neither browser nor engine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../src/page/view/charts/qr.rs"]
mod qr;
#[allow(dead_code, reason = "the page uses the rest")]
#[path = "../src/page/state/views.rs"]
mod views;

use lookahead::config::link::Mangling;
use lookahead::config::presets;
use lookahead::config::{RunConfig, Start, link, sentences, shipped, short};
use views::{Set, Sharing, VIEWS, View, Views};

fn config(text: &str) -> RunConfig {
    short::read(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}")).0.config
}

fn faults(text: &str) -> String {
    sentences(&short::read(text).unwrap_err()).join(" ")
}

#[test]
fn every_name_opens_its_run_with_settings_and_without() {
    for preset in presets::all() {
        let own = (preset.config)();
        for text in [preset.key.to_string(), format!("#{}", preset.key), format!("https://example.org/?workers=1#{}", preset.key)] {
            assert_eq!(config(&text), own, "{text}");
        }
        assert_eq!(config(&format!("{}&seed=7", preset.key)), RunConfig { seed: 7, ..own });
    }
    let k1 = shipped::find("k1").unwrap().config().unwrap();
    assert_eq!(config("k1"), k1);
    let two = config("#quick&k=2&seed=3");
    assert_eq!((two.task.depth, two.seed, two.task.width), (2, 3, 8));
    let (link, notes) = short::read("quick%26k%3D2").unwrap();
    assert_eq!((link.config.task.depth, notes.undone, notes.short), (2, vec![Mangling::Percent], true));
}

#[test]
fn a_name_stands_for_the_run_that_another_starts_from() {
    let quick = presets::quick();
    assert_eq!(config("quick&from=(quick)").start, Start::from_run(&quick));
    assert_eq!(config("#quick&k=2&from=(quick&seed=5)").start, Start::from_run(&RunConfig { seed: 5, ..quick.clone() }));
    let middle = RunConfig { start: Start::from_run(&quick), ..quick.clone() };
    assert_eq!(config("quick&from=(quick&from=(quick))").start, Start::from_run(&middle));
    let whole = link::write(&quick, None);
    let (link, notes) = short::read(&format!("{whole}&from=(quick)")).unwrap();
    assert_eq!((link.config, notes.short, notes.named), (middle, true, None));
    let told = faults("quick&from=(quik)");
    assert!(told.contains("In the run that it starts from: “quik” is not the name"), "{told}");
    assert!(faults("quick&from=(quick&k=99)").contains("In the run that it starts from"));
}

#[test]
fn an_unknown_name_is_told_with_the_names() {
    for text in ["quik", "#quik&k=2", "https://example.org/#quik"] {
        let told = faults(text);
        assert!(told.contains("“quik”") && told.contains("one, two, cot") && told.contains("k1"), "{told}");
    }
    assert!(faults("#quick&k=99").contains("99"));
    assert!(faults("#quick&colour=red").contains("“colour”"));
    // What is left of a whole link is no name.
    for rest in ["", "60&r=1&W=8", "=1&r=1", "<script>alert(1)</script>"] {
        assert_eq!(short::read(rest), link::read_with_notes(rest), "{rest}");
    }
}

#[test]
fn whole_links_are_read_and_told_as_before() {
    let runs = presets::all().map(|preset| (preset.config)());
    for run in runs.flat_map(|run| [RunConfig { start: Start::from_run(&run), ..run.clone() }, run]) {
        let text = link::seal(&run, None);
        let percent: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let middle = text.len() / 2;
        let changed = [
            text.clone(),
            format!("https://example.org/a/?show=depth#{text}"),
            percent,
            text.replace('&', "&amp;"),
            format!("{}\u{200b}{}", &text[..middle], &text[middle..]),
            text[..middle].into(),
            format!("{text}#{text}"),
            format!("{text}…"),
            text.replace("sum=", "sum=0"),
        ];
        for text in changed {
            assert_eq!(short::read(&text), link::read_with_notes(&text), "{text}");
        }
    }
    assert_eq!(short::read("v=1&W=8"), link::read_with_notes("v=1&W=8"));
}

#[test]
fn the_table_of_views_has_the_order_of_its_enum() {
    for about in &VIEWS {
        assert_eq!(about.view.about().name, about.name);
        let only = Views::read(Some(about.name), None, None);
        assert_eq!((only.shown, only.fault), (Set::NONE.with(about.view, true), None));
        assert!(!Views::read(None, Some(about.name), None).shown.has(about.view));
        assert_eq!(Views::read(None, None, Some(about.name)).embed, Some(about.view));
    }
    assert_eq!(Set::ALL.views().count(), VIEWS.len());
}

#[test]
fn the_query_says_what_is_shown() {
    assert_eq!(Views::read(None, None, None), Views::default());
    let two = Views::read(Some("depth%2Cquestion"), None, None);
    assert_eq!(two.shown.views().map(|about| about.view).collect::<Vec<_>>(), [View::Picture, View::Depth]);
    assert_eq!(Views::read(Some("picture,depth"), None, None), two, "both words for the picture");
    assert_eq!(Views::read(None, Some("settings,sweep"), None).shown.views().count(), VIEWS.len() - 2);
}

#[test]
fn a_wrong_query_is_told_and_everything_is_shown() {
    let cases = [
        (Views::read(Some("depth,colour"), None, None), "“colour”"),
        (Views::read(None, Some("colour"), None), "“colour”"),
        (Views::read(None, None, Some("colour")), "“colour”"),
        (Views::read(None, None, Some("")), "“”"),
        (Views::read(Some("depth"), Some("loss"), None), "keep one"),
        (Views::read(Some("depth"), None, Some("loss")), "keep one"),
        (Views::read(Some(""), None, None), "without a view"),
    ];
    for (views, words) in cases {
        let told = views.fault.clone().unwrap();
        assert!(told.contains(words) && (words == "keep one" || told.contains("you, story, presets")), "{told}");
        assert_eq!(views, Views { fault: Some(told), ..Views::default() });
    }
}

/// Reads a query as the page does.
fn opened(query: &str) -> (Views, bool) {
    let value = |key: &str| query.split('&').filter_map(|pair| pair.split_once('=')).find(|pair| pair.0 == key).map(|pair| pair.1);
    (Views::read(value("show"), value("hide"), value("embed")), value("projector").is_some())
}

#[test]
fn a_shared_link_opens_what_was_ticked() {
    for about in &VIEWS {
        for (set, frame, projector) in [
            (Set::NONE.with(about.view, true), false, false),
            (Set::NONE.with(about.view, true), true, true),
            (Set::ALL.with(about.view, false), false, true),
            (Set::ALL.with(about.view, false), true, false),
        ] {
            let sharing = Sharing { shown: set, frame, projector };
            let (views, large) = opened(&sharing.query());
            assert_eq!((views.shown, views.fault, large), (set, None, projector), "{}", sharing.query());
            assert_eq!(views.embed.is_some(), frame && set != Set::ALL.with(about.view, false));
        }
    }
    assert_eq!(Sharing::default().query(), "");
    assert_eq!(Sharing { shown: Set::NONE, ..Sharing::default() }.query(), "");
    let frame = Sharing { frame: true, ..Sharing::default() }.text("https://example.org/?a=&b=#v=1&W=8");
    assert!(frame.starts_with("<iframe src=\"https://example.org/?a=&amp;b=#v=1&amp;W=8\"") && frame.ends_with("</iframe>"), "{frame}");
}

/// The dark modules of a QR code, read from its path.
fn modules(drawn: &qr::Drawn) -> Vec<Vec<bool>> {
    let side = drawn.side as usize;
    let mut modules = vec![vec![false; side]; side];
    for run in drawn.path.split('M').skip(1) {
        let (x, rest) = run.split_once(' ').unwrap();
        let (y, rest) = rest.split_once('h').unwrap();
        let (x, y, wide): (usize, usize, usize) =
            (x.parse().unwrap(), y.parse().unwrap(), rest.split_once('v').unwrap().0.parse().unwrap());
        modules[y][x..x + wide].fill(true);
    }
    modules
}

#[test]
fn a_qr_code_has_its_size_its_finders_and_a_light_border() {
    let quick = format!("https://your.host/lookahead/#{}", link::seal(&presets::quick(), None));
    for text in ["#quick", &quick] {
        let drawn = qr::draw(text).unwrap();
        let modules = modules(&drawn);
        let size = modules.len() - 8;
        assert!(size >= 21 && (size - 17).is_multiple_of(4), "{size}");
        for (y, row) in modules.iter().enumerate() {
            for (x, &dark) in row.iter().enumerate() {
                let inside = |at: usize| (4..4 + size).contains(&at);
                assert!(!dark || inside(x) && inside(y), "{x}, {y} lies in the border");
            }
        }
        for (left, top) in [(4, 4), (size - 3, 4), (4, size - 3)] {
            for (y, x) in (0..7usize).flat_map(|y| (0..7usize).map(move |x| (y, x))) {
                let ring = x.abs_diff(3).max(y.abs_diff(3));
                assert_eq!(modules[top + y][left + x], ring != 2, "finder at {left}, {top}");
            }
        }
        for at in 8..size - 8 {
            assert_eq!(modules[4 + 6][4 + at], at.is_multiple_of(2), "timing");
        }
    }
    assert_eq!(qr::draw(&"x".repeat(2953)).unwrap().side, 177 + 8);
    assert_eq!(qr::draw(&"x".repeat(2954)), None);
}
