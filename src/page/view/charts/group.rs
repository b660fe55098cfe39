//! A group of answers to one question, best first: each answer's reward, and its tokens as cells below the true row.

use super::svg::{Svg, svg};
use super::tenth;
use crate::task::Vocabulary;
use leptos::prelude::AnyView;

/// Width of the numbers to the left of an answer's cells.
const LEFT: f64 = 124.0;
/// The right ends of the columns of numbers.
const RIGHT_OF: f64 = 54.0;
const ADVANTAGE: f64 = 112.0;
/// Height of the title and the column heads, and of one row.
const TOP: f64 = 46.0;
const ROW: f64 = 19.0;
/// Widths of the mark before an answer, of its end, of a sign between rows, and of the mark “more follows”.
const MARK: f64 = 68.0;
const END: f64 = 25.0;
const GAP: f64 = 5.0;
const MORE: f64 = 32.0;

/// A token, as the picture draws it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    /// A cell, 0 or 1.
    Cell(u8),
    /// The sign between rows.
    Gap,
    /// The sign after which an answer begins.
    Ask,
    End,
    /// Any other token; an answer should not contain it.
    Other,
}

impl Symbol {
    pub fn of(vocabulary: Vocabulary, token: u32) -> Self {
        match token {
            0 | 1 => Symbol::Cell(token as u8),
            token if token == vocabulary.sep() => Symbol::Gap,
            token if token == vocabulary.generate() => Symbol::Ask,
            token if token == vocabulary.eos() => Symbol::End,
            _ => Symbol::Other,
        }
    }
}

/// One answer and its reward.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The tokens before the last sign that begins an answer; `None` without such a sign.
    pub thinking: Option<Vec<Symbol>>,
    pub answer: Vec<Symbol>,
    /// Number of the answer's cells that are right.
    pub right: usize,
    /// The share of its tokens that are right, its end included.
    pub reward: f64,
    pub advantage: f64,
}

/// The answers to one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// “The first” or “The newest”, and the step that drew the group.
    pub name: &'static str,
    pub step: u64,
    /// The true row and its end.
    pub goal: Vec<Symbol>,
    /// Best first.
    pub answers: Vec<Answer>,
    /// Whether a completion may be longer than a bare answer.
    pub roomy: bool,
}

/// The advantage with its sign.
pub fn signed(advantage: f64) -> String {
    let sign = if advantage >= 0.05 {
        "+"
    } else if advantage <= -0.05 {
        "−"
    } else {
        ""
    };
    format!("{sign}{:.1}", advantage.abs())
}

/// Height of the picture with `count` answers.
pub fn height(answers: usize) -> f64 {
    TOP + (answers + 1) as f64 * ROW + 4.0
}

fn top(row: usize) -> f64 {
    TOP + row as f64 * ROW
}

/// The answer at height `y` of the picture with `count` answers.
pub fn at(y: f64, answers: usize) -> Option<usize> {
    let row = ((y - TOP) / ROW).floor();
    (row >= 1.0 && row <= answers as f64).then_some(row as usize - 1)
}

/// The marks of all rows, collected into one path for each colour.
#[derive(Default)]
struct Ink {
    off: String,
    on: String,
    other: String,
    wrong: String,
    words: Vec<Svg>,
}

impl Ink {
    fn say(&mut self, x: f64, y: f64, colour: &'static str, words: impl Into<String>) {
        let words = words.into();
        self.words.push(svg!(text x = tenth(x), y = tenth(y), fill = colour; words));
    }
}

/// Horizontal positions in the picture.
struct Columns {
    cell: f64,
    width: f64,
    /// The first position of the thinking, and the position at which all answers begin.
    thinking: f64,
    answer: f64,
}

impl Columns {
    fn of(group: &Group, width: f64) -> Self {
        let cells = group.goal.len().saturating_sub(1).max(1) as f64;
        let room = width - LEFT - END - 6.0;
        // The room for thinking is kept free from the beginning, so that the cells keep their size.
        let room = if group.roomy { (room - MARK) * 0.62 } else { room };
        let cell = (room / cells).clamp(3.0, 14.0);
        let cell = if cell >= 5.0 { cell.floor() } else { tenth(cell) };
        let columns = Self { cell, width, thinking: LEFT, answer: LEFT };
        let most = (width - LEFT - MARK - END - 6.0 - cells * cell).max(0.0);
        let long =
            |answer: &Answer| answer.thinking.as_ref().map(|symbols| symbols.iter().map(|symbol| columns.span(*symbol)).sum::<f64>());
        match group.answers.iter().filter_map(long).reduce(f64::max) {
            Some(widest) => Self { answer: LEFT + widest.min(most) + MARK, ..columns },
            None => columns,
        }
    }

    /// The width of a symbol.
    fn span(&self, symbol: Symbol) -> f64 {
        match symbol {
            Symbol::Cell(_) | Symbol::Other => self.cell,
            Symbol::Gap => GAP,
            Symbol::Ask => 11.0,
            Symbol::End => END,
        }
    }

    /// Draws a symbol in the row that begins at `y`.
    fn put(&self, ink: &mut Ink, symbol: Symbol, x: f64, y: f64, wrong: bool) {
        let (cell, above) = (self.cell, y + (ROW - self.cell) / 2.0);
        let square = format!("M{} {}h{cell}v{cell}h-{cell}z", tenth(x), tenth(above));
        let colour = if wrong { "var(--wrong)" } else { "var(--soft)" };
        match symbol {
            Symbol::Cell(0) => ink.off.push_str(&square),
            Symbol::Cell(_) => ink.on.push_str(&square),
            Symbol::Other => ink.other.push_str(&square),
            Symbol::Gap => {}
            Symbol::Ask => ink.say(x, y + 13.5, colour, "▸"),
            Symbol::End => ink.say(x + 3.0, y + 13.5, colour, "end"),
        }
        if wrong && matches!(symbol, Symbol::Cell(_) | Symbol::Other) {
            let inset = cell * 0.22;
            let (left, right, top, bottom) = (tenth(x + inset), tenth(x + cell - inset), tenth(above + inset), tenth(above + cell - inset));
            ink.wrong.push_str(&format!("M{left} {top}L{right} {bottom}M{right} {top}L{left} {bottom}"));
        }
    }

    /// Draws the answer at the position where all answers begin. It is cut off at the end of the picture.
    fn answer(&self, ink: &mut Ink, symbols: &[Symbol], goal: &[Symbol], y: f64) {
        let whole: f64 = symbols.iter().map(|symbol| self.span(*symbol)).sum();
        let end = if self.answer + whole <= self.width { self.width } else { self.width - MORE };
        let mut x = self.answer;
        for (place, &symbol) in symbols.iter().enumerate() {
            if x + self.span(symbol) > end {
                return ink.say(x + 4.0, y + 13.5, "var(--soft)", format!("+{}", symbols.len() - place));
            }
            self.put(ink, symbol, x, y, goal.get(place) != Some(&symbol));
            x += self.span(symbol);
        }
    }

    /// Draws the thinking up to the mark before the answer. If it does not fit, its beginning is left out.
    fn thinking(&self, ink: &mut Ink, symbols: &[Symbol], y: f64) {
        ink.say(self.answer - MARK + 4.0, y + 13.5, "var(--ink)", "▸ answer:");
        let whole: f64 = symbols.iter().map(|symbol| self.span(*symbol)).sum();
        let mut x = self.answer - MARK;
        let start = if x - whole >= self.thinking - 0.1 { self.thinking - 0.1 } else { self.thinking + 12.0 };
        for &symbol in symbols.iter().rev() {
            if x - self.span(symbol) < start {
                return ink.say(self.thinking, y + 13.5, "var(--soft)", "…");
            }
            x -= self.span(symbol);
            self.put(ink, symbol, x, y, false);
        }
    }
}

/// Draws a group with a coloured background behind the marked answer.
pub fn draw(group: &Group, marked: Option<usize>, width: f64) -> AnyView {
    let columns = Columns::of(group, width);
    let mut ink = Ink::default();
    columns.answer(&mut ink, &group.goal, &group.goal, top(0));
    for (row, answer) in group.answers.iter().enumerate() {
        if let Some(thinking) = &answer.thinking {
            columns.thinking(&mut ink, thinking, top(row + 1));
        }
        columns.answer(&mut ink, &answer.answer, &group.goal, top(row + 1));
    }
    let height = height(group.answers.len());
    let wash = marked.map(|row| format!("M0 {}h{width}v{ROW}h-{width}z", top(row + 1))).unwrap_or_default();
    let stroke = if columns.cell >= 6.0 { "var(--grid)" } else { "none" };
    let earned = group.answers.iter().enumerate().map(|(row, answer)| earned(answer, group.goal.len() - 1, top(row + 1) + 13.5));
    let pointer = marked.map(|row| format!("M1 {}l5 4.5l-5 4.5z", top(row + 1) + 5.0)).unwrap_or_default();
    let inside = svg!(g;
        svg!(path class = "answer-marked", d = wash, fill = "var(--wash)"),
        svg!(path d = pointer, fill = "var(--accent)"),
        svg!(text x = "2", y = "15", font-size = "14", font-weight = "600", fill = "var(--ink)";
            format!("{} group: step {}", group.name, group.step),
        ),
        heads(&columns),
        earned.collect::<Svg>(),
        svg!(g shape-rendering = "crispEdges", stroke = stroke;
            svg!(path class = "cell-off", d = ink.off, fill = "var(--cell-off)"),
            svg!(path class = "cell-on", d = ink.on, fill = "var(--cell-on)"),
            svg!(path d = ink.other, fill = "var(--cell-none)"),
        ),
        svg!(g fill = "none", stroke-linecap = "round";
            svg!(path d = ink.wrong.clone(), stroke = "var(--card)", stroke-width = "4"),
            svg!(path class = "cell-wrong", d = ink.wrong, stroke = "var(--wrong)", stroke-width = "2"),
        ),
        ink.words,
    );
    Svg::picture(width, height, 1.0, &aria_label(group), 11.5, inside)
}

/// Heads of the columns, and the name of the first row.
fn heads(columns: &Columns) -> Svg {
    let thinks = columns.answer > columns.thinking;
    let y = TOP - 8.0;
    svg!(g fill = "var(--soft)";
        svg!(text x = RIGHT_OF, y = y, text-anchor = "end"; "right"),
        svg!(text x = ADVANTAGE, y = y, text-anchor = "end", font-size = "10.5"; "advantage"),
        thinks.then(|| svg!(text x = columns.thinking, y = y; "thinking")),
        svg!(text x = columns.answer, y = y; if thinks { "answer" } else { "answer, best first" }),
        svg!(text x = ADVANTAGE, y = top(0) + 13.5, text-anchor = "end"; "the true row"),
    )
}

/// The numbers to the left of an answer: right cells and advantage.
fn earned(answer: &Answer, of: usize, y: f64) -> Svg {
    let colour = match answer.advantage {
        advantage if advantage >= 0.05 => "var(--right)",
        advantage if advantage <= -0.05 => "var(--wrong)",
        _ => "var(--soft)",
    };
    svg!(g class = "answer-earned";
        svg!(text x = RIGHT_OF, y = y, text-anchor = "end", fill = "var(--ink)"; format!("{} of {of}", answer.right)),
        svg!(text x = ADVANTAGE, y = y, text-anchor = "end", fill = colour, font-weight = "600"; signed(answer.advantage)),
    )
}

fn aria_label(group: &Group) -> String {
    let of = group.goal.len() - 1;
    let rights = || group.answers.iter().map(|answer| answer.right);
    let (Some(least), Some(most)) = (rights().min(), rights().max()) else { return format!("{} group: no answers.", group.name) };
    format!(
        "{} group, drawn at step {}: {} answers to one question, best first, with {least} to {most} of {of} cells right.",
        group.name,
        group.step,
        group.answers.len()
    )
}
