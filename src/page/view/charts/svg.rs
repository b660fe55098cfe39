//! SVG markup. A chart is redrawn as a whole, so its elements need no reactive views.

use leptos::prelude::*;
use std::fmt::{Display, Write};

const FONT: &str = "system-ui, sans-serif";

/// An element: its name, its attributes, and after a semicolon what is in it, as [`Svg`] or words.
/// `svg!(text x = 2, y = tenth(y), text-anchor = "end"; "row 1")` is `<text x="2" y="…" text-anchor="end">row 1</text>`.
macro_rules! svg {
    ($name:ident $($first:ident $(- $rest:ident)* = $value:expr),* $(; $($inside:expr),+ $(,)?)?) => {
        $crate::page::view::charts::svg::Svg::element(
            stringify!($name),
            &[$((concat!(stringify!($first) $(, "-", stringify!($rest))*), &$value as &dyn std::fmt::Display)),*],
            $crate::page::view::charts::svg::svg!(@inside $($($inside),+)?),
        )
    };
    (@inside) => { $crate::page::view::charts::svg::Svg::default() };
    (@inside $inside:expr) => { $crate::page::view::charts::svg::Svg::from($inside) };
    (@inside $($inside:expr),+) => { [$($crate::page::view::charts::svg::Svg::from($inside)),+].into_iter().collect() };
}
pub(super) use svg;

/// Elements and words, as markup.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Svg(String);

impl Svg {
    /// An element with `inside` between its tags. Use [`svg!`](crate::page::view::charts::svg::svg) to write one.
    pub fn element(name: &str, attributes: &[(&str, &dyn Display)], inside: Svg) -> Svg {
        let mut markup = format!("<{name}");
        for (name, value) in attributes {
            // Writing into a string never fails.
            let _ = write!(markup, " {name}=\"{}\"", escaped(&value.to_string()));
        }
        let _ = write!(markup, ">{}</{name}>", inside.0);
        Svg(markup)
    }

    /// A picture of this size, in pixels, enlarged by `scale`. `spoken` is its description for screen readers.
    pub fn picture(width: f64, height: f64, scale: f64, spoken: &str, letters: f64, inside: Svg) -> AnyView {
        let view_box = format!("0 0 {width} {height}");
        let (wide, high) = (width * scale, height * scale);
        svg!(svg width = wide, height = high, viewBox = view_box, role = "img", aria-label = spoken, font-family = FONT, font-size = letters;
            svg!(rect width = width, height = height, fill = "var(--card)"),
            inside,
        )
        .view()
    }

    /// As text, for an element that has a view.
    pub fn markup(self) -> String {
        self.0
    }

    /// The drawing as a part of the page.
    pub fn view(self) -> AnyView {
        view! { <span class="drawing" inner_html=self.0></span> }.into_any()
    }
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

impl From<&str> for Svg {
    fn from(words: &str) -> Svg {
        Svg(escaped(words))
    }
}

impl From<String> for Svg {
    fn from(words: String) -> Svg {
        Svg(escaped(&words))
    }
}

impl From<Vec<Svg>> for Svg {
    fn from(parts: Vec<Svg>) -> Svg {
        parts.into_iter().collect()
    }
}

impl From<Option<Svg>> for Svg {
    fn from(part: Option<Svg>) -> Svg {
        part.unwrap_or_default()
    }
}

impl FromIterator<Svg> for Svg {
    fn from_iter<I: IntoIterator<Item = Svg>>(parts: I) -> Svg {
        Svg(parts.into_iter().map(|part| part.0).collect())
    }
}
