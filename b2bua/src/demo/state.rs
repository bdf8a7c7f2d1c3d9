//! The folder that the demonstration leaves nothing in.

use sip::driver::ids::RandomIds;
use sip::ids::Tag;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A new folder, for its owner only. It goes, with all that is in it, when this does.
pub(super) struct StateDirectory(PathBuf);

impl StateDirectory {
    /// Makes one where the system has its temporary files.
    ///
    /// # Errors
    /// The system gives no random bits or no folder.
    pub(super) fn make() -> anyhow::Result<Self> {
        let name = format!("liaison-demo-{}", Tag::new(&mut RandomIds::new()?));
        let path = std::env::temp_dir().join(name);
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Removes it.
    fn remove(&self) -> io::Result<()> {
        std::fs::remove_dir_all(&self.0)
    }
}

impl Drop for StateDirectory {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            tracing::warn!(path = %self.0.display(), %error, "the folder of the demonstration stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays() {
        let state = StateDirectory::make().unwrap();
        let path = state.path().to_owned();
        std::fs::write(path.join("token"), "secret").unwrap();
        drop(state);
        assert!(!path.exists());
    }
}
