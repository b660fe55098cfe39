//! “What the class found”: where lines are pasted, the chart and the table.

use crate::class::{DepthStatistics, Group, Handed, groups, people};
use crate::config::{Method, RunConfig};
use crate::page::commands::{class, opening};
use crate::page::state::Page;
use crate::page::state::run::name_of;
use crate::page::view::charts::Size;
use crate::page::view::charts::curves::{self, Curve, Point, Weight};
use crate::page::view::parts::figure::Figure;
use crate::page::view::parts::story::{YOU, fits, levels, narrow};
use crate::page::view::words::{percent, thousands};
use leptos::prelude::*;
use web_sys::wasm_bindgen::JsCast;

/// The largest number of students that the chart draws one by one. The mean counts all.
const DRAWN: usize = 300;

/// The chart, the table, and what fills them.
#[component]
pub fn Found(page: Page) -> impl IntoView {
    let found = Memo::new(move |_| page.class.with(|class| groups(&class.right().collect::<Vec<_>>())));
    let own = Memo::new(move |_| page.class.with(|class| people(&class.right().collect::<Vec<_>>())));
    let drawn = Memo::new(move |_| {
        let mut curves = page.class.with(|class| found.with(|found| class_curves(&class.right().collect::<Vec<_>>(), found)));
        let points = own.with(|own| own.iter().map(mean).collect::<Vec<_>>());
        if !points.is_empty() {
            curves.push(curve("the class itself".into(), YOU, Weight::Bold, points));
        }
        curves
    });
    let draw = move |size: Size| {
        let known = page.story.with(|story| {
            let fit = found.with(|found| found.first().is_some_and(|group| fits(&group.config.task, story.scale)));
            if fit { levels(story, narrow(size)) } else { Vec::new() }
        });
        drawn.with(|drawn| curves::draw(drawn, &known, size, None, None))
    };
    let counts = move || page.class.with(|class| (class.right().count(), class.lines.len()));
    let said = move || match (page.class_reading.get(), counts()) {
        (Some(read), _) => format!("Reading: {} lines so far.", thousands(read as u64)),
        (None, (_, 0)) => "No lines yet.".into(),
        (None, (right, all)) if right == all => format!("{} lines, all of the right form.", thousands(all as u64)),
        (None, (right, all)) => format!("{} lines: {} of the right form, {} not.", all, right, all - right),
    };
    view! {
        <h2>"What the class found"</h2>
        <Paste page=page />
        <p id="class-said" role="status" data-right=move || counts().0.to_string() data-lines=move || counts().1.to_string() data-reading=move || page.class_reading.get().is_some().to_string()>{said}</p>
        <Figure id="class-chart" name="class" height=280.0 draw=draw>
            <span class="text-hint">"Thin: each student. Bold: the mean; its bar is one standard deviation up and down."</span>
        </Figure>
        <div class="table-scroll">{move || found.with(|found| own.with(|own| table(found, own)))}</div>
    }
}

/// The text field, the files, and the buttons.
#[component]
fn Paste(page: Page) -> impl IntoView {
    let text = NodeRef::<leptos::html::Textarea>::new();
    let add = move |_| {
        if let Some(text) = text.get_untracked() {
            class::add_text(page, text.value());
            text.set_value("");
        }
    };
    let chosen = move |event: web_sys::Event| {
        let Some(input) = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok()) else { return };
        opening::open(page, input.files());
        // Without this, choosing the same files again would send no event.
        input.set_value("");
    };
    let empty = move || page.class.with(|class| class.lines.is_empty());
    view! {
        <label for="class-paste">"Paste the lines that the class handed in"</label>
        <textarea id="class-paste" node_ref=text rows="5" spellcheck="false" autocomplete="off"></textarea>
        <div class="button-row">
            <button type="button" id="class-add" class="button-main" on:click=add>"Add these lines"</button>
            <label class="class-files">"Open files… "<input id="class-files" type="file" multiple accept=".jsonl,.json,.txt,.csv" on:change=chosen /></label>
            <button type="button" id="class-save" disabled=empty on:click=move |_| class::save_all(page)>"Download all right lines"</button>
            <button type="button" id="class-clear" disabled=empty on:click=move |_| class::clear(page)>"Clear"</button>
        </div>
        <p class="text-hint">"You can also drop files here: results.jsonl of lookahead train opens too. The lines stay in this browser until you press Clear, for a day at most after you close the tab."</p>
    }
}

/// The curves of the chart: for each family of groups its students, then their mean.
fn class_curves(lines: &[&Handed], found: &[Group]) -> Vec<Curve> {
    let mut families: Vec<&Group> = Vec::new();
    for group in found {
        if !families.iter().any(|other| other.family == group.family) {
            families.push(group);
        }
    }
    let mut curves = Vec::new();
    for (series, family) in families.iter().enumerate() {
        let mine = lines.iter().filter(|line| line.family == family.family);
        let room = DRAWN.saturating_sub(curves.len());
        curves.extend(students(mine, room).into_iter().map(|(seed, points)| curve(format!("seed {seed}"), series, Weight::Thin, points)));
        let name = if families.len() == 1 { "mean" } else { Method::of(&family.config).name() };
        let groups = found.iter().filter(|group| group.family == family.family);
        curves.push(curve(name.into(), series, Weight::Bold, groups.flat_map(|group| group.depths.iter().map(mean)).collect()));
    }
    curves
}

/// The points of each seed, of `room` seeds at most.
fn students<'a>(lines: impl Iterator<Item = &'a &'a Handed>, room: usize) -> Vec<(u64, Vec<Point>)> {
    let mut students: Vec<(u64, Vec<Point>)> = Vec::new();
    for line in lines {
        let seed = line.config.seed;
        let points = line.scores.iter().map(Point::of);
        match students.iter().position(|(other, _)| *other == seed) {
            Some(at) => students[at].1.extend(points),
            None if students.len() < room => students.push((seed, points.collect())),
            None => {}
        }
    }
    students
}

/// The mean of a depth. Its bar is one standard deviation up and down.
fn mean(depth: &DepthStatistics) -> Point {
    let spread = depth.deviation.unwrap_or(0.0);
    Point { depth: depth.depth, share: depth.mean, interval: ((depth.mean - spread).max(0.0), (depth.mean + spread).min(1.0)) }
}

fn curve(name: String, series: usize, weight: Weight, mut points: Vec<Point>) -> Curve {
    points.sort_by_key(|point| point.depth);
    Curve { name, series, weight, points }
}

fn table(found: &[Group], own: &[DepthStatistics]) -> AnyView {
    let row = |name: String, depth: &DepthStatistics| {
        let cells = [
            depth.depth.to_string(),
            depth.seeds.to_string(),
            percent(depth.mean),
            depth.deviation.map_or("–".into(), percent),
            percent(depth.lowest),
            percent(depth.highest),
            format!("{} – {}", percent(depth.interval.0), percent(depth.interval.1)),
        ];
        view! {
            <tr data-depth=depth.depth.to_string() data-students=depth.seeds.to_string() data-mean=depth.mean.to_string()>
                <th scope="row">{name}</th>
                {cells.map(|cell| view! { <td>{cell}</td> }).collect_view()}
            </tr>
        }
    };
    let heads = ["k", "students", "mean", "sd", "lowest", "highest", "95 % of all answers"];
    let of_group = |group: &Group| {
        let name = name_of(&RunConfig { seed: 1, ..group.config.clone() });
        group.depths.iter().map(|depth| row(name.clone(), depth)).collect_view()
    };
    let of_people = own.iter().map(|depth| row("the class itself, without a network".into(), depth)).collect_view();
    view! {
        <table id="class-table" hidden=found.is_empty()>
            <caption class="text-hint">"Rows right in every cell, on test rules. sd: standard deviation over the students, with n − 1."</caption>
            <thead><tr><th scope="col">"Run"</th>{heads.map(|head| view! { <th scope="col">{head}</th> }).collect_view()}</tr></thead>
            <tbody>{found.iter().map(of_group).collect_view()}{of_people}</tbody>
        </table>
    }
    .into_any()
}
