//! Paragraphs, lists, tables and headings of the third level, written as HTML.

use super::error::{Fault, LessonError};
use super::inline::inline;

/// Lines with their numbers.
pub type Numbered<'a> = [(usize, &'a str)];

/// What a line begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Paragraph,
    Heading,
    Bullet,
    Number,
    Row,
}

/// Lines without live blocks, as HTML.
///
/// # Errors
/// The first line that is not part of a lesson's Markdown.
pub fn prose(lines: &Numbered<'_>) -> Result<String, LessonError> {
    let mut html = String::new();
    for group in lines.split(|(_, line)| line.trim().is_empty()).filter(|group| !group.is_empty()) {
        let mut rest = group;
        while let Some((_, first)) = rest.first() {
            let kind = kind(first);
            // A line behind an item belongs to it; a heading is one line.
            let ends = |line: &str| match kind {
                Kind::Heading => true,
                Kind::Row => self::kind(line) != Kind::Row,
                Kind::Paragraph => self::kind(line) != Kind::Paragraph,
                Kind::Bullet | Kind::Number => !matches!(self::kind(line), Kind::Paragraph) && self::kind(line) != kind,
            };
            let length = rest.iter().skip(1).position(|(_, line)| ends(line)).map_or(rest.len(), |at| at + 1);
            let (own, after) = rest.split_at(length);
            write(kind, own, &mut html)?;
            rest = after;
        }
    }
    Ok(html)
}

fn kind(line: &str) -> Kind {
    if line.starts_with("### ") {
        Kind::Heading
    } else if line.starts_with("- ") {
        Kind::Bullet
    } else if numbered(line).is_some() {
        Kind::Number
    } else if line.starts_with('|') {
        Kind::Row
    } else {
        Kind::Paragraph
    }
}

/// The words behind “1. ”.
fn numbered(line: &str) -> Option<&str> {
    let (number, words) = line.split_once(". ")?;
    (number.len() <= 2 && number.parse::<u8>().is_ok()).then_some(words)
}

fn write(kind: Kind, lines: &Numbered<'_>, html: &mut String) -> Result<(), LessonError> {
    match kind {
        Kind::Paragraph => html.push_str(&format!("<p>{}</p>", joined(lines)?)),
        Kind::Heading => {
            html.push_str(&format!("<h4>{}</h4>", joined(&lines.iter().map(|&(at, line)| (at, &line[4..])).collect::<Vec<_>>())?))
        }
        Kind::Bullet => list("ul", lines, |line| line.strip_prefix("- "), html)?,
        Kind::Number => list("ol", lines, numbered, html)?,
        Kind::Row => table(lines, html)?,
    }
    Ok(())
}

/// Lines as one, as HTML.
///
/// # Errors
/// A line that begins something lessons do not have, or whose marks are not closed.
pub fn joined(lines: &Numbered<'_>) -> Result<String, LessonError> {
    let line = lines.first().map_or(0, |(at, _)| *at);
    for &(line, text) in lines {
        let nested = text.starts_with([' ', '\t']) && matches!(self::kind(text.trim_start()), Kind::Bullet | Kind::Number);
        if nested || text.starts_with(['>', '<', '#', '!']) || text.starts_with("---") {
            return Err(LessonError { line, fault: Fault::Unsupported });
        }
    }
    let text = lines.iter().map(|(_, line)| line.trim()).collect::<Vec<_>>().join(" ");
    inline(&text).map_err(|fault| LessonError { line, fault })
}

fn list(tag: &str, lines: &Numbered<'_>, words: fn(&str) -> Option<&str>, html: &mut String) -> Result<(), LessonError> {
    html.push_str(&format!("<{tag}>"));
    let mut rest = lines;
    while let Some(&(at, first)) = rest.first() {
        let length = rest.iter().skip(1).position(|(_, line)| words(line).is_some()).map_or(rest.len(), |at| at + 1);
        let (own, after) = rest.split_at(length);
        let mut item = vec![(at, words(first).unwrap_or(first))];
        item.extend_from_slice(&own[1..]);
        html.push_str(&format!("<li>{}</li>", joined(&item)?));
        rest = after;
    }
    html.push_str(&format!("</{tag}>"));
    Ok(())
}

fn table(lines: &Numbered<'_>, html: &mut String) -> Result<(), LessonError> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_start_matches('|');
        inner.strip_suffix('|').unwrap_or(inner).split('|').map(|cell| cell.trim().to_string()).collect()
    };
    let columns = lines.first().map_or(0, |(_, line)| cells(line).len());
    let ruled = |line: &str| cells(line).iter().filter(|cell| !cell.is_empty() && cell.chars().all(|c| c == '-' || c == ':')).count();
    match lines.get(1) {
        Some((_, line)) if ruled(line) == columns && cells(line).len() == columns => {}
        second => {
            let line = second.or(lines.first()).map_or(0, |(at, _)| *at);
            return Err(LessonError { line, fault: Fault::NoRule(columns) });
        }
    }
    html.push_str("<div class=\"table-scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>");
    for (row, &(line, text)) in lines.iter().enumerate().filter(|(row, _)| *row != 1) {
        let cells = cells(text);
        if cells.len() != columns {
            return Err(LessonError { line, fault: Fault::Cells(columns) });
        }
        html.push_str(if row == 0 { "<thead><tr>" } else { "<tr>" });
        for (column, cell) in cells.iter().enumerate() {
            let inner = inline(cell).map_err(|fault| LessonError { line, fault })?;
            // A head without words would be read as one by those who listen.
            html.push_str(&match (row, column) {
                (0, _) if cell.is_empty() => "<td></td>".into(),
                (0, _) => format!("<th scope=\"col\">{inner}</th>"),
                (_, 0) => format!("<th scope=\"row\">{inner}</th>"),
                (_, _) => format!("<td>{inner}</td>"),
            });
        }
        html.push_str(if row == 0 { "</tr></thead><tbody>" } else { "</tr>" });
    }
    html.push_str("</tbody></table></div>");
    Ok(())
}
