//! Draws the page from [`super::state`]. To change anything, it calls [`super::commands`].
//!
//! [`parts`]: the page's cards and banners. [`charts`]: pure functions from plain data to SVG. [`attribution`]: shares turned into cells and
//! sentences. [`words`], [`glossary`], [`engine_badge`]: texts.

mod attribution;
mod charts;
mod engine_badge;
mod glossary;
pub mod parts;
mod words;
