//! The name of this tab. Records of a tab's runs carry it, and a lock of that name tells the other tabs that they are in use.

use crate::locks;
use crate::page::state::Page;
use crate::page::storage::StorageError;
use crate::page::{browser, storage};
use leptos::prelude::*;

/// The name of a tab's lock. Locks belong to the whole host, records to one folder of it.
fn lock(tab: &str) -> String {
    format!("lookahead {} {tab}", storage::folder())
}

/// Takes the lock of a tab. False if another tab holds it. A browser without locks lets every tab have it: a record is whole all the same.
pub async fn take(tab: &str) -> bool {
    locks::take(&lock(tab)).await.unwrap_or(true)
}

/// Of these tabs, those whose lock no page holds.
pub async fn gone(tabs: Vec<String>) -> Vec<String> {
    let held = locks::held().await.unwrap_or_default();
    tabs.into_iter().filter(|tab| !held.contains(&lock(tab))).collect()
}

/// Gives this tab its name: the one from before a reload, or a new one if it has none or is a copy of a tab that is still open. Returns the
/// name from before.
pub async fn claim(page: Page) -> Option<String> {
    let before = Some(browser::tab_name()).filter(|name| !name.is_empty());
    let own = match &before {
        Some(before) if take(before).await => before.clone(),
        Some(_) | None => {
            let name = locks::new_name();
            take(&name).await;
            browser::set_tab_name(&name);
            name
        }
    };
    page.held.update_value(|held| {
        held.run_record.clone_from(&own);
        held.tab = own;
    });
    before
}

/// Reports that the browser does not store data: once, because the next writes fail too.
pub fn tell_refusal(page: Page, error: StorageError) {
    if page.held.try_update_value(|held| !std::mem::replace(&mut held.storage_refused, true)) == Some(true) {
        page.tell(&error.to_string());
    }
}
