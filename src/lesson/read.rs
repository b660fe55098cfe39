//! Reads the file of a lesson.

use super::block::{Block, Live, block};
use super::error::{Fault, LessonError};
use super::prose::prose;
use super::tree::{Head, Lesson, Section};

/// Reads the first two lines of a lesson.
///
/// # Errors
/// The line that is missing.
pub fn head(text: &str) -> Result<Head, LessonError> {
    let mut lines = text.lines();
    let title = lines.next().and_then(|line| line.strip_prefix("# ")).map(str::trim).filter(|title| !title.is_empty());
    let title = title.ok_or(LessonError { line: 1, fault: Fault::NoTitle })?;
    let second = lines.next().unwrap_or_default().trim();
    let parts = second.strip_prefix('*').and_then(|rest| rest.strip_suffix('*')).and_then(|inner| inner.split_once(" minutes · "));
    let read = parts.and_then(|(minutes, question)| Some((minutes.parse().ok()?, question)));
    let (minutes, question) = read.ok_or(LessonError { line: 2, fault: Fault::NoMinutes })?;
    Ok(Head { title: title.into(), minutes, question: question.into() })
}

/// Reads a lesson.
///
/// # Errors
/// The first fault, with its line.
pub fn read(text: &str) -> Result<Lesson, LessonError> {
    let head = head(text)?;
    let lines: Vec<(usize, &str)> = text.lines().enumerate().map(|(at, line)| (at + 1, line)).skip(2).collect();
    let mut sections = vec![Section::default()];
    let mut rest = &lines[..];
    while let Some(&(line, first)) = rest.first() {
        if let Some(title) = first.strip_prefix("## ") {
            sections.push(Section { title: title.trim().into(), blocks: Vec::new() });
            rest = &rest[1..];
        } else if let Some(info) = first.strip_prefix("```") {
            let end = rest.iter().skip(1).position(|(_, line)| line.trim() == "```");
            let end = end.ok_or(LessonError { line, fault: Fault::OpenBlock })? + 1;
            let earlier: Vec<&Live> = sections.iter().flat_map(Section::live).collect();
            let read = block(line, info, &rest[1..end], &earlier)?;
            push(&mut sections, read);
            rest = &rest[end + 1..];
        } else {
            let length = rest.iter().position(|(_, line)| line.starts_with("## ") || line.starts_with("```")).unwrap_or(rest.len());
            let (own, after) = rest.split_at(length);
            if let Some((line, _)) = own.iter().find(|(_, line)| line.starts_with('#') && !line.starts_with("### ")) {
                return Err(LessonError { line: *line, fault: Fault::Heading });
            }
            let html = prose(own)?;
            if !html.is_empty() {
                push(&mut sections, Block::Prose(html));
            }
            rest = after;
        }
    }
    Ok(Lesson { head, sections })
}

fn push(sections: &mut [Section], block: Block) {
    if let Some(section) = sections.last_mut() {
        section.blocks.push(block);
    }
}
