//! One process for one state directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// Why a state directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum LockError {
    /// Somebody has it.
    #[error("another process uses the state directory {}", .0.display())]
    Taken(PathBuf),
    /// The system refuses.
    #[error("cannot lock {}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// The lock on a state directory; it ends with the process, however that ends.
pub(super) struct StateLock(#[expect(dead_code, reason = "open is what it is for")] File);

impl StateLock {
    /// Takes the lock, without waiting for it.
    pub(super) fn take(state: &Path) -> Result<Self, LockError> {
        let path = state.join("lock");
        let refused = |source| LockError::System { path: path.clone(), source };
        let options = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = options.map_err(refused)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken(state.to_owned())),
            Err(TryLockError::Error(source)) => Err(refused(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_directory_serves_one_at_a_time() {
        let state = tempfile::tempdir().unwrap();
        let first = StateLock::take(state.path()).unwrap_or_else(|error| panic!("{error}"));
        assert!(matches!(StateLock::take(state.path()), Err(LockError::Taken(_))));
        drop(first);
        assert!(StateLock::take(state.path()).is_ok());
    }
}
