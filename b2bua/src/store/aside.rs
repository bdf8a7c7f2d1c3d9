//! Damaged files, put aside for whoever wants to know what was in them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Damaged files that stay; beyond, the oldest is removed.
const MOST: usize = 3;

/// Renames a file to `<name>.damaged-<unix time>`, and tells how.
pub(super) fn put_aside(path: &Path) -> io::Result<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "this is part of the shell: a name for people")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("store");
    let prefix = format!("{name}.damaged-");
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut number = now;
    let aside = loop {
        let aside = folder.join(format!("{prefix}{number}"));
        if !aside.try_exists()? {
            break aside;
        }
        number += 1;
    };
    std::fs::rename(path, &aside)?;
    forget_the_oldest(folder, &prefix);
    Ok(aside)
}

/// Removes those beyond what stays. One that cannot be removed is only in the way of nobody.
fn forget_the_oldest(folder: &Path, prefix: &str) {
    let number = |path: &Path| path.file_name()?.to_str()?.strip_prefix(prefix)?.parse::<u64>().ok();
    let paths = std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut all: Vec<_> = paths.filter_map(|path| Some((number(&path)?, path))).collect();
    all.sort();
    for (_, oldest) in all.iter().take(all.len().saturating_sub(MOST)) {
        if let Err(error) = std::fs::remove_file(oldest) {
            tracing::warn!(file = %oldest.display(), %error, "an old damaged file cannot be removed");
        }
    }
}
