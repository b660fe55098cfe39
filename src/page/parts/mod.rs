//! The parts of the page, each drawn from [`super::state::Page`] and changing it only through [`super::actions`].

pub mod app;
pub mod banners;
pub mod check;
pub mod controls;
pub mod depth_table;
pub mod figure;
pub mod figures;
pub mod foot;
pub mod group;
pub mod models;
pub mod opening;
pub mod panel;
pub mod picture;
pub mod presets;
pub mod reads;
pub mod reward;
pub mod runs;
pub mod settings;
pub mod start;
pub mod sweep;
pub mod term;
pub mod thinking;
pub mod top_bar;
pub mod writing;
