//! Messages between threads: an array of one JSON text and, where a message has them, bytes.

use js_sys::{Array, Float32Array, Uint8Array};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Worker};

/// A message as it arrives.
pub struct Incoming<T> {
    pub message: T,
    pub bytes: Option<Uint8Array>,
}

/// Reads a message.
///
/// # Errors
/// When it is none of ours: a page and a worker of different builds.
pub fn read<T: DeserializeOwned>(event: &MessageEvent) -> Result<Incoming<T>, String> {
    let parts: Array = event.data().dyn_into().map_err(|_| "A message is not an array.".to_string())?;
    let json = parts.get(0).as_string().ok_or("A message has no text.")?;
    let message = serde_json::from_str(&json)
        .map_err(|error| format!("A message cannot be read ({error}): reload the page, its parts are of different versions."))?;
    Ok(Incoming { message, bytes: parts.get(1).dyn_into().ok() })
}

/// Posts from this worker to whoever started it; the bytes are moved, not copied.
pub fn post<T: Serialize>(message: &T, bytes: Option<&[u8]>) {
    let (parts, transfer) = pack(message, bytes);
    if let Err(error) = super::scope().post_message_with_transfer(&parts, &transfer) {
        web_sys::console::error_1(&error);
    }
}

/// Posts to a worker that this one started.
///
/// # Errors
/// The browser's reason.
pub fn send<T: Serialize>(worker: &Worker, message: &T, bytes: Option<&[u8]>) -> Result<(), String> {
    let (parts, transfer) = pack(message, bytes);
    worker.post_message_with_transfer(&parts, &transfer).map_err(|error| format!("A helper worker cannot be reached: {error:?}"))
}

fn pack<T: Serialize>(message: &T, bytes: Option<&[u8]>) -> (Array, Array) {
    let text = serde_json::to_string(message).unwrap_or_default();
    let parts = Array::of1(&JsValue::from_str(&text));
    let transfer = Array::new();
    if let Some(bytes) = bytes {
        let bytes = Uint8Array::from(bytes);
        transfer.push(&bytes.buffer());
        parts.push(&bytes);
    }
    (parts, transfer)
}

/// As [`post`], with arrays of numbers one after the other as the bytes.
pub fn post_numbers<T: Serialize>(message: &T, arrays: &[&[f32]]) {
    let (parts, transfer) = pack(message, None);
    attach(&parts, &transfer, arrays);
    if let Err(error) = super::scope().post_message_with_transfer(&parts, &transfer) {
        web_sys::console::error_1(&error);
    }
}

/// As [`send`], with numbers as the bytes.
///
/// # Errors
/// The browser's reason.
pub fn send_numbers<T: Serialize>(worker: &Worker, message: &T, numbers: &[f32]) -> Result<(), String> {
    let (parts, transfer) = pack(message, None);
    attach(&parts, &transfer, &[numbers]);
    worker.post_message_with_transfer(&parts, &transfer).map_err(|error| format!("A helper worker cannot be reached: {error:?}"))
}

/// Copies numbers once, from this program's memory into a buffer that is then moved.
fn attach(parts: &Array, transfer: &Array, arrays: &[&[f32]]) {
    let count: usize = arrays.iter().map(|array| array.len()).sum();
    let numbers = Float32Array::new_with_length(count as u32);
    let mut start = 0;
    for array in arrays {
        numbers.subarray(start, start + array.len() as u32).copy_from(array);
        start += array.len() as u32;
    }
    transfer.push(&numbers.buffer());
    parts.push(&Uint8Array::new(&numbers.buffer()));
}

/// The numbers in a message's bytes, into an array that is kept from message to message.
pub fn read_numbers(bytes: &Uint8Array, into: &mut Vec<f32>) {
    let numbers = Float32Array::new_with_byte_offset_and_length(&bytes.buffer(), bytes.byte_offset(), bytes.byte_length() / 4);
    into.resize(numbers.length() as usize, 0.0);
    numbers.copy_to(into);
}
