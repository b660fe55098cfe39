//! On a teacher's page: the numbers of a run, and those of the run on this machine.

use super::place::Place;
use crate::config::{RunConfig, link};
use crate::lesson::Expected;
use crate::page::view::words::percent;
use crate::stats::wilson;
use leptos::prelude::*;

/// The numbers to expect.
pub fn view(place: &Place, id: &str, config: &RunConfig, rows: &[Expected]) -> AnyView {
    let Place { page, lesson, .. } = *place;
    let row = |row: &Expected| {
        let Expected { depth, right, asked } = *row;
        let (id, config) = (id.to_string(), config.clone());
        let own = move || {
            let own = page.work.with(|work| {
                work.scores(lesson, &id, &config).iter().find(|score| score.depth == depth).map(|score| (score.exact, score.samples))
            });
            own.map_or_else(|| "–".into(), |(right, asked)| format!("{right} of {asked}"))
        };
        view! {
            <tr>
                <th scope="row">{format!("k = {depth}")}</th>
                <td>{format!("{right} of {asked}")}</td>
                <td>{percent(right as f64 / asked as f64)}</td>
                <td>{interval(wilson(right, asked))}</td>
                <td>{own}</td>
            </tr>
        }
    };
    let body = rows.iter().map(row).collect_view();
    let missing = rows.is_empty().then(|| view! { <p class="text-hint">"These numbers are not measured yet."</p> });
    view! {
        <div class="live-box" data-live="expect">
            <p><strong>{id.replace('-', " ")}</strong> " " <a class="lesson-link" href=format!("#{}", link::seal(config, None))>"Put this run into the form"</a></p>
            {missing}
            <div class="table-scroll" tabindex="0" role="region" aria-label=format!("Numbers to expect: {id}")>
                <table hidden=rows.is_empty()>
                    <thead><tr><td></td><th scope="col">"right"</th><th scope="col">"share"</th><th scope="col">"95 % interval"</th><th scope="col">"on this machine"</th></tr></thead>
                    <tbody>{body}</tbody>
                </table>
            </div>
        </div>
    }
    .into_any()
}

/// An interval as “44 … 56 %”.
pub fn interval((low, high): (f64, f64)) -> String {
    format!("{} … {}", percent(low).trim_end_matches(" %"), percent(high))
}
