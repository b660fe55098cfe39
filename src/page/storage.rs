//! What the page stores in this browser, in IndexedDB: it is still there after the page is closed, and never leaves the machine.
//!
//! A record is a description (a plain structure, as messages are) and, optionally, a file. Both are written in one transaction, so a record is stored whole or not at all,
//! whenever the page is killed. Each folder of a host has its own database.

use crate::wire;
use idb::{Database, Error, ObjectStore, Query, Transaction, TransactionMode, TransactionResult};
use js_sys::Uint8Array;
use leptos::prelude::window;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use wasm_bindgen::{JsCast, JsValue};

/// The stores of the database: descriptions and files, by the record's key.
const DESCRIPTIONS: &str = "descriptions";
const FILES: &str = "files";

/// Why a record is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StorageError {
    #[error(
        "The browser's storage for this page is full. Your data will be lost when you close the page: download what you want to keep, or clear the site's data."
    )]
    Full,
    #[error(
        "This browser does not store files for this page (a private window or an old browser). Your data will be lost when you close the page: download what you want to keep."
    )]
    Unavailable,
}

impl From<Error> for StorageError {
    fn from(error: Error) -> Self {
        if format!("{error:?}").contains("QuotaExceeded") { Self::Full } else { Self::Unavailable }
    }
}

/// The folder of the site on its host. Sites in other folders have their own records.
pub fn folder() -> String {
    let path = window().location().pathname().unwrap_or_default();
    path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.into())
}

/// The database of the site's folder.
async fn database() -> Result<Database, Error> {
    let stores = [DESCRIPTIONS, FILES].map(ObjectStore::builder);
    let builder = stores
        .into_iter()
        .fold(Database::builder(&format!("lookahead {}", folder())).version(1), |builder, store| builder.add_object_store(store));
    builder.build().await
}

/// Does something in one transaction over both stores, and waits until it is on disk.
async fn transact<T>(mode: TransactionMode, act: impl AsyncFnOnce(&Transaction) -> Result<T, Error>) -> Result<T, StorageError> {
    let database = database().await?;
    let transaction = database.transaction(&[DESCRIPTIONS, FILES], mode)?;
    let result = act(&transaction).await?;
    let ended = transaction.await?;
    database.close();
    match ended {
        TransactionResult::Committed => Ok(result),
        // Of what can end a transaction without an error of a request, only a full disk happens here.
        TransactionResult::Aborted => Err(StorageError::Full),
    }
}

fn key(name: &str) -> JsValue {
    JsValue::from_str(name)
}

/// Writes a record completely or not at all.
///
/// # Errors
/// A sentence that says why the record is not stored: an old browser, a private window, or a full disk.
pub async fn write<T: Serialize>(name: &str, description: &T, file: Option<&Uint8Array>) -> Result<(), StorageError> {
    let description = wire::value(description).map_err(|_| StorageError::Unavailable)?;
    let put = async |transaction: &Transaction| {
        transaction.object_store(DESCRIPTIONS)?.put(&description, Some(&key(name)))?.await?;
        if let Some(file) = file {
            transaction.object_store(FILES)?.put(file, Some(&key(name)))?.await?;
        }
        Ok(())
    };
    transact(TransactionMode::ReadWrite, put).await
}

/// Reads a record; `None` if it does not exist or is of another version.
pub async fn read<T: DeserializeOwned>(name: &str) -> Option<(T, Option<Uint8Array>)> {
    let get = async |transaction: &Transaction| {
        let description = transaction.object_store(DESCRIPTIONS)?.get(Query::Key(key(name)))?.await?;
        let file = transaction.object_store(FILES)?.get(Query::Key(key(name)))?.await?;
        Ok((description, file))
    };
    let (description, file) = transact(TransactionMode::ReadOnly, get).await.ok()?;
    Some((serde_wasm_bindgen::from_value(description?).ok()?, file.and_then(|file| file.dyn_into().ok())))
}

/// The names and descriptions of all records whose names begin with `prefix`, but for those of another version.
pub async fn descriptions<T: DeserializeOwned>(prefix: &str) -> Vec<(String, T)> {
    let all = async |transaction: &Transaction| {
        let store = transaction.object_store(DESCRIPTIONS)?;
        Ok((store.get_all_keys(None, None)?.await?, store.get_all(None, None)?.await?))
    };
    let (names, values) = transact(TransactionMode::ReadOnly, all).await.unwrap_or_default();
    let records = names.into_iter().zip(values).filter_map(|(name, value)| Some((name.as_string()?, value)));
    let wanted = records.filter(|(name, _)| name.starts_with(prefix));
    wanted.filter_map(|(name, value)| Some((name, serde_wasm_bindgen::from_value(value).ok()?))).collect()
}

/// Removes all records.
///
/// # Errors
/// If the browser does not let the page write.
pub async fn clear() -> Result<(), StorageError> {
    let clear = async |transaction: &Transaction| {
        transaction.object_store(DESCRIPTIONS)?.clear()?.await?;
        transaction.object_store(FILES)?.clear()?.await
    };
    transact(TransactionMode::ReadWrite, clear).await
}

/// Removes a record, if there is one.
pub async fn remove(name: &str) {
    let delete = async |transaction: &Transaction| {
        transaction.object_store(DESCRIPTIONS)?.delete(Query::Key(key(name)))?.await?;
        transaction.object_store(FILES)?.delete(Query::Key(key(name)))?.await
    };
    // An error here means that nothing is stored.
    let _ = transact(TransactionMode::ReadWrite, delete).await;
}
