//! The folder that a run's files are put into: new, empty, or holding files of the same kind. Never a mix of two runs.

use super::CommandError;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Makes the folder, or refuses one that holds anything but a run whose manifest is `ours`.
pub(super) fn prepare(folder: &Path, ours: impl Fn(&Value) -> bool) -> Result<(), CommandError> {
    let unusable = |error: std::io::Error| CommandError::input(format!("{} cannot be used: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(unusable)?;
    if fs::read_dir(folder).map_err(unusable)?.next().is_none() {
        return Ok(());
    }
    let manifest = fs::read(folder.join("manifest.json")).ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    if manifest.is_some_and(|manifest| ours(&manifest)) {
        return Ok(());
    }
    Err(CommandError::input(format!("{} holds other files; choose a new folder, so that no two runs are mixed", folder.display())))
}
