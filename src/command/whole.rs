//! Files that are written atomically.

use super::error::CommandError;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that is written beside its place and renamed at the end, so that what was there stays until the new one is whole.
pub struct Whole {
    path: PathBuf,
    beside: PathBuf,
    file: File,
}

impl Whole {
    /// Opens the file beside the place: a folder that cannot be written is told before anything is computed.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(path: &Path) -> Result<Self, CommandError> {
        let mut beside = path.as_os_str().to_os_string();
        beside.push(".partial");
        let beside = PathBuf::from(beside);
        let file = File::create(&beside).map_err(|why| CommandError::Unwritable { path: path.into(), why })?;
        Ok(Self { path: path.into(), beside, file })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the bytes and puts the file in its place.
    ///
    /// # Errors
    /// If it cannot be written, for example because the disk is full: then nothing of it is left.
    pub fn write(mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes).and_then(|()| self.file.sync_all())?;
        std::fs::rename(&self.beside, &self.path)
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        // After it was renamed there is nothing here.
        drop(std::fs::remove_file(&self.beside));
    }
}

/// Writes a file.
///
/// # Errors
/// If it cannot be written; the one from before is still there then.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    Whole::create(path)?.write(bytes).map_err(|why| CommandError::Unwritable { path: path.into(), why })
}

/// Creates a folder with those above it, and tries whether a file can be written in it.
///
/// # Errors
/// If not.
pub fn folder(path: &Path) -> Result<(), CommandError> {
    std::fs::create_dir_all(path).map_err(|why| CommandError::NoFolder { path: path.into(), why })?;
    drop(Whole::create(&path.join("tried"))?);
    Ok(())
}

/// As [`folder`], in a folder that must be there.
///
/// # Errors
/// As [`folder`].
pub fn beside(path: &Path) -> Result<(), CommandError> {
    if path.is_dir() || path.parent().is_some_and(|above| above.as_os_str().is_empty() || above.is_dir()) {
        return folder(path);
    }
    Err(CommandError::NoFolder { path: path.into(), why: io::ErrorKind::NotFound.into() })
}
