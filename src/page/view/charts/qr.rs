//! A QR code as path data. It knows no colours: a scanner needs black on white in every colour scheme.

use qrcodegen::{QrCode, QrCodeEcc};

/// The light border that scanners need, in modules.
const QUIET: i32 = 4;

/// A QR code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Width and height with the light border, in modules.
    pub side: i32,
    /// The dark modules.
    pub path: String,
}

/// Draws a text; `None` if it is too long for a QR code (2953 bytes). The error correction is L, or better where that takes no more room.
pub fn draw(text: &str) -> Option<Drawn> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let dark = (x..code.size()).take_while(|&at| code.get_module(at, y)).count() as i32;
            if dark > 0 {
                path.push_str(&format!("M{} {}h{dark}v1h-{dark}z", x + QUIET, y + QUIET));
            }
            x += dark.max(1);
        }
    }
    Some(Drawn { side: code.size() + 2 * QUIET, path })
}
