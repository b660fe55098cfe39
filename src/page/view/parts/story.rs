//! The first screen: the question for the visitor, what the study found, and what to do next.

use super::puzzle::Puzzle;
use crate::config::{Method, RunConfig, shipped};
use crate::page::commands::{display, opening, story};
use crate::page::state::Page;
use crate::page::state::door::Door;
use crate::page::state::run::Run;
use crate::page::state::story::{Reference, Scale, Story as Curves};
use crate::page::view::charts::Size;
use crate::page::view::charts::curves::{self, Curve, Level, Point, Weight};
use crate::page::view::words::percent;
use crate::task::Task;
use leptos::prelude::*;

use super::figure::Figure;

/// The colour and marker of a method. Runs of the visitor have the ones after them.
pub fn series(method: Method) -> usize {
    match method {
        Method::Straight | Method::AllRows | Method::WithRule => 0,
        Method::Reward => 1,
        Method::Aloud => 2,
        Method::Memory => 3,
        Method::Longer => 4,
        Method::Fixed => 5,
    }
}

/// The colour and marker of the visitor's own curve.
pub const YOU: usize = 5;

/// The question for the visitor.
#[component]
pub fn ForYou(page: Page) -> impl IntoView {
    // A lesson shows the same puzzle. Its cells have names, so there is only one of it.
    let here = Memo::new(move |_| page.door.get() == Door::Explore);
    view! {
        <section class="card-box story-you" aria-label="A question for you">
            <h2 class="story-title">{YOUR_TITLE}</h2>
            {move || here.get().then(|| view! { <Puzzle page=page /> })}
        </section>
    }
}

/// The question for the visitor, as in index.html.
pub const YOUR_TITLE: &str = "How far ahead can you think?";
/// The question of the study, as in index.html.
pub const TITLE: &str = "How far ahead can a small network think?";

/// What the study found, as curves.
#[component]
pub fn Finding(page: Page) -> impl IntoView {
    let names = Memo::new(move |_| page.story.with(|story| story.references.iter().map(|reference| reference.method).collect::<Vec<_>>()));
    let draw = move |size: Size| {
        let mut drawn =
            page.story.with(|story| story.references.iter().map(|reference| curve(reference, narrow(size))).collect::<Vec<_>>());
        drawn.extend(page.puzzle.with(|puzzle| you(&puzzle.scores(false))));
        let scale = page.story.with(|story| story.scale);
        drawn.extend(
            page.runs
                .with(|runs| runs.iter().filter(|run| run.visible && fits(&run.config.task, scale)).filter_map(own).collect::<Vec<_>>()),
        );
        let chosen =
            page.story.with(|story| story.chosen).and_then(|chosen| names.with(|names| names.iter().position(|name| *name == chosen)));
        let press = Callback::new(move |index: usize| {
            if let Some(method) = names.with_untracked(|names| names.get(index).copied()) {
                story::choose(page, method);
            }
        });
        page.story.with(|story| curves::draw(&drawn, &levels(story, narrow(size)), size, chosen, Some(press)))
    };
    let scales = Scale::ALL.into_iter().map(|scale| {
        view! { <button type="button" class="button-quiet" aria-pressed=move || page.story.with(|story| story.scale == scale).to_string() on:click=move |_| story::show(page, scale)>{scale.name()}</button> }
    });
    view! {
        <section class="card-box story-finding" aria-label="What the study found" data-curves=move || names.with(Vec::len).to_string()>
            <div class="card-heading">
                <h2 class="story-title">{TITLE}</h2>
                <div class="button-row" role="group" aria-label="Size of the task">
                    {scales.collect_view()}
                    <button type="button" id="close-story" class="button-quiet" aria-label="Hide the story" on:click=move |_| display::open_story(page, false)>"✕"</button>
                </div>
            </div>
            <p class="text-hint">{move || page.story.with(about)}</p>
            <Figure id="story-chart" name="methods" height=300.0 draw=draw />
            {move || page.story.with(|story| match story.chosen.and_then(|chosen| story.reference(chosen)) {
                Some(reference) => chosen_view(page, reference),
                None => view! { <p class="story-sentence" id="story-sentence"><strong>{lead(story)}</strong> " " {after(story)}</p> }.into_any(),
            })}
        </section>
    }
}

/// What is drawn.
fn about(story: &Curves) -> String {
    if story.missing {
        return "The results could not be loaded from the site: check your connection, then load this page again.".into();
    }
    match story.scale {
        Scale::Small => "Share of rows right in every cell, on rules that no network was trained on. Rows of 10 cells; 1,500 steps; the middle one of 3 seeds, 256 questions each. Touch a curve to see more.".into(),
        Scale::Paper => "Share of rows right in every cell, on rules that no network was trained on. Rows of 20 cells, four billion rules, as in the paper; one seed, 256 questions each. Touch a curve to see more.".into(),
    }
}

fn lead(story: &Curves) -> &'static str {
    match story.scale {
        Scale::Small => {
            "One step ahead, every network succeeds. At two, answering straight falls to what repeating a visible pattern gets."
        }
        Scale::Paper => "At the paper’s size the order is the same: straight stops after one step.",
    }
}

fn after(story: &Curves) -> &'static str {
    match story.scale {
        Scale::Small => "Writing the rows down carries it to four; so does a reward, for which it invents the writing itself.",
        Scale::Paper => "Thinking aloud goes to four, and a reward goes on step by step.",
    }
}

/// Whether a chart has no room for long names.
pub fn narrow(size: Size) -> bool {
    size.width < 560.0
}

fn curve(reference: &Reference, narrow: bool) -> Curve {
    let (name, term) = (reference.method.name(), reference.method.term());
    let points = reference.groups.iter().map(|group| {
        let (share, interval) = group.share();
        Point { depth: group.depth, share, interval }
    });
    let name = if narrow || reference.method == Method::Straight { name.into() } else { format!("{name} ({term})") };
    Curve { name, series: series(reference.method), weight: Weight::Plain, points: points.collect() }
}

/// The visitor's curve, once there are two answers.
pub fn you(scores: &[crate::results::OwnScore]) -> Option<Curve> {
    let asked: usize = scores.iter().map(|score| score.asked).sum();
    let points = scores.iter().map(|score| Point { depth: score.depth, share: score.share(), interval: score.interval() });
    (asked >= 2).then(|| Curve { name: "You".into(), series: YOU, weight: Weight::Bold, points: points.collect() })
}

/// Whether these curves are of this task, whatever its depth.
pub fn fits(task: &Task, scale: Scale) -> bool {
    match scale {
        Scale::Small => (task.radius.entries(), task.width, task.shown) == (8, 10, 4),
        Scale::Paper => (task.radius.entries(), task.width, task.shown) == (32, 20, 10),
    }
}

/// The curve of a run of the visitor.
fn own(run: &Run) -> Option<Curve> {
    let scores = &run.latest()?.depths;
    let points = scores.iter().map(Point::of);
    Some(Curve { name: "yours".into(), series: series(Method::of(&run.config)) + 6, weight: Weight::Bold, points: points.collect() })
}

/// What no model can exceed, and what tricks reach.
pub fn levels(story: &Curves, narrow: bool) -> Vec<Level> {
    let level = |read: fn(&crate::page::state::story::Floor) -> f64| {
        story.floors.iter().map(|floor| (floor.depth, read(floor))).collect::<Vec<_>>()
    };
    vec![
        Level {
            name: if narrow { "tricks without the rule" } else { "tricks without the rule: copy a row, repeat a visible pattern" },
            filled: true,
            points: level(|floor| floor.copy.max(floor.cycle)),
        },
        Level { name: "best possible", filled: false, points: level(|floor| floor.ceiling) },
    ]
}

/// What a touched curve is, and what can be done with it.
fn chosen_view(page: Page, reference: &Reference) -> AnyView {
    let method = reference.method;
    let seeds = reference.groups.iter().map(|group| {
        let each: Vec<String> = group.scores.iter().map(|(score, _)| percent(score.share())).collect();
        format!("k = {}: {}", group.depth, each.join(", "))
    });
    let (count, asked) = reference.groups.first().map_or((0, 0), |group| (group.scores.len(), group.median().0.samples));
    let told = format!(
        "{} {}, {asked} questions each. {}.",
        if count == 1 { "1".into() } else { count.to_string() },
        if count == 1 { "seed" } else { "seeds" },
        seeds.collect::<Vec<_>>().join("; ")
    );
    let run = reference.groups.iter().find(|group| group.depth == 2).or(reference.groups.last()).map(|group| example(&group.scores));
    let off = move || page.phase.get().active();
    let weights = reference.groups.iter().flat_map(|group| &group.scores).find_map(|(_, config)| shipped::trained_by(config));
    let take = weights.map(|shipped| view! { <button type="button" id="story-take" disabled=off title="The question and what the network reads, thinks and writes are then shown without training" on:click=move |_| opening::take(page, shipped)>"Take its weights"</button> });
    let press = run.map(|config| view! { <button type="button" id="story-run" disabled=off on:click=move |_| story::run(page, config.clone())>"Run it yourself"</button> });
    view! {
        <div class="story-chosen" id="story-chosen" data-method=method.key()>
            <p><strong>{method.name()} " · " {method.term()} "."</strong> " " {method.sentence()} " " <span class="text-hint">{told}</span></p>
            <div class="button-row">
                {press}
                {take}
                <button type="button" class="button-quiet" on:click=move |_| story::choose(page, method)>"All curves"</button>
            </div>
        </div>
    }
    .into_any()
}

/// The run that a visitor makes herself: seed 1 of these.
fn example(scores: &[(crate::results::DepthScore, RunConfig)]) -> RunConfig {
    let first = scores.iter().find(|(_, config)| config.seed == 1).or(scores.first());
    first.map_or_else(crate::config::presets::quick, |(_, config)| config.clone())
}
