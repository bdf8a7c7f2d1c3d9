//! The file of records: whole lines only, whatever fails, and the file that the path names, whoever moves it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// What lines are appended to.
pub(super) trait Medium: Write {
    /// How long it is.
    fn length(&self) -> io::Result<u64>;
    /// Cuts what is beyond that length.
    fn cut(&mut self, length: u64) -> io::Result<()>;
    /// Returns when what was written outlives a crash of the machine.
    fn sync(&mut self) -> io::Result<()>;
}

impl Medium for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    /// A pipe or a terminal has nothing to cut or to sync.
    fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.metadata()?.is_file() { self.set_len(length) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.metadata()?.is_file() { self.sync_data() } else { Ok(()) }
    }
}

/// Appends all or nothing. `torn` is the length to cut to where an earlier failure could not be undone.
pub(super) fn append_whole(medium: &mut impl Medium, lines: &[u8], torn: &mut Option<u64>) -> io::Result<()> {
    if let Some(good) = *torn {
        medium.cut(good)?;
        *torn = None;
    }
    let good = medium.length()?;
    let written = medium.write_all(lines).and_then(|()| medium.sync());
    if written.is_err() {
        *torn = medium.cut(good).err().map(|_| good);
    }
    written
}

/// The open file.
pub(super) struct RecordFile {
    path: PathBuf,
    file: File,
    torn: Option<u64>,
}

impl RecordFile {
    /// Opens the file, made when absent, and ends a line that a crash has torn.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self { path: path.to_owned(), file: open(path)?, torn: None })
    }

    /// Appends lines, all or none, to the file that the path names now: it may have been renamed or removed.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.follow()?;
        append_whole(&mut self.file, lines, &mut self.torn)
    }

    fn follow(&mut self) -> io::Result<()> {
        let ours = self.file.metadata()?;
        if std::fs::metadata(&self.path).is_ok_and(|m| (m.dev(), m.ino()) == (ours.dev(), ours.ino())) {
            return Ok(());
        }
        match Self::open(&self.path) {
            Ok(anew) => *self = anew,
            // Renamed, it is still a place where they are found.
            Err(error) if ours.nlink() > 0 => {
                tracing::error!(path = %self.path.display(), %error, "cannot open the file of records anew");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
    if file.metadata()?.is_file() && file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk that takes so many bytes more.
    struct Disk {
        held: Vec<u8>,
        room: usize,
        cuts: bool,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.held.extend(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Medium for Disk {
        fn length(&self) -> io::Result<u64> {
            Ok(self.held.len() as u64)
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            if !self.cuts {
                return Err(io::ErrorKind::Other.into());
            }
            self.held.truncate(usize::try_from(length).unwrap());
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_does_not_fit_leaves_no_half_line() {
        let (mut disk, mut torn) = (Disk { held: Vec::new(), room: 12, cuts: true }, None);
        append_whole(&mut disk, b"{\"a\":1}\n", &mut torn).unwrap();
        append_whole(&mut disk, b"{\"b\":2}\n", &mut torn).unwrap_err();
        assert_eq!((disk.held.as_slice(), torn), (&b"{\"a\":1}\n"[..], None));
    }

    #[test]
    fn a_half_line_that_could_not_be_cut_is_cut_before_the_next() {
        let (mut disk, mut torn) = (Disk { held: Vec::new(), room: 4, cuts: false }, None);
        append_whole(&mut disk, b"{\"a\":1}\n", &mut torn).unwrap_err();
        disk.room = 100;
        append_whole(&mut disk, b"{\"b\":2}\n", &mut torn).unwrap_err();
        disk.cuts = true;
        append_whole(&mut disk, b"{\"c\":3}\n", &mut torn).unwrap();
        assert_eq!(disk.held, b"{\"c\":3}\n");
    }

    #[test]
    fn a_torn_last_line_swallows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cdr.jsonl");
        std::fs::write(&path, "{\"whole\":1}\n{\"tor").unwrap();
        RecordFile::open(&path).unwrap().append(b"{\"next\":1}\n").unwrap();
        RecordFile::open(&path).unwrap().append(b"{\"last\":1}\n").unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "{\"whole\":1}\n{\"tor\n{\"next\":1}\n{\"last\":1}\n");
    }

    #[test]
    fn a_file_that_was_renamed_or_removed_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let (path, old) = (folder.path().join("cdr.jsonl"), folder.path().join("cdr.jsonl.1"));
        let mut file = RecordFile::open(&path).unwrap();
        file.append(b"1\n").unwrap();
        std::fs::rename(&path, &old).unwrap();
        file.append(b"2\n").unwrap();
        file.append(b"3\n").unwrap();
        let read = |path| std::fs::read_to_string(path).unwrap();
        assert_eq!((read(&old), read(&path)), ("1\n".to_owned(), "2\n3\n".to_owned()));
        std::fs::remove_file(&path).unwrap();
        file.append(b"4\n").unwrap();
        assert_eq!(read(&path), "4\n");
    }
}
