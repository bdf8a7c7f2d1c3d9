//! Rows in one file (redb).
//!
//! After an error of the disk the engine refuses everything until its file is opened again, and of a file that is damaged
//! it may panic. So each access stands on its own here: an error closes the file, [`recover`](Backend::recover) opens it
//! again, and a file that makes no sense is put aside for an empty one.

use super::aside::put_aside;
use super::{Backend, Damage, Row, StoreError, Table, Write};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Pages of the file that are held in memory, in bytes: rows are read once, at the start.
const CACHE: usize = 16 * 1024 * 1024;

/// One file.
pub struct Embedded {
    path: PathBuf,
    /// `None` between an error and recovery.
    database: Option<Database>,
    /// What the file is known to be damaged by.
    damaged: Option<String>,
}

fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

/// Why the engine did not do something.
enum Fault {
    /// It says so, and the file may be whole.
    Error(redb::Error),
    /// The file makes no sense.
    Damage(String),
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        let makes_no_sense = match &error {
            redb::Error::Corrupted(_) | redb::Error::LockPoisoned(_) | redb::Error::RepairAborted => true,
            redb::Error::Io(error) => {
                matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
            }
            _ => false,
        };
        if makes_no_sense { Self::Damage(error.to_string()) } else { Self::Error(error) }
    }
}

/// Calls the engine, which panics where a page of its file is not what it must be.
fn guarded<T>(act: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(result) => result.map_err(Fault::from),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default();
            Err(Fault::Damage(format!("the engine panicked: {text}")))
        }
    }
}

fn write(database: &Database, writes: &[Write]) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    for table in Table::ALL {
        let mut of_table = writes.iter().filter(|w| w.table == table).peekable();
        if of_table.peek().is_none() {
            continue;
        }
        let mut rows = transaction.open_table(definition(table))?;
        for write in of_table {
            match &write.value {
                Some(value) => rows.insert(&*write.key, &**value)?,
                None => rows.remove(&*write.key)?,
            };
        }
    }
    transaction.commit()?;
    Ok(())
}

fn read(database: &Database, table: Table) -> Result<Vec<Row>, redb::Error> {
    let transaction = database.begin_read()?;
    let rows = match transaction.open_table(definition(table)) {
        Ok(rows) => rows,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut all = Vec::new();
    for row in rows.iter()? {
        let (key, value) = row?;
        all.push((key.value().into(), value.value().into()));
    }
    Ok(all)
}

/// Opens the file, or makes it.
fn connect(path: &Path) -> Result<Database, Fault> {
    guarded(|| Ok(Database::builder().set_cache_size(CACHE).create(path)?))
}

impl Embedded {
    /// Opens the file, or makes it with mode 0600. After a crash that takes no longer than else (quick repair). A file that
    /// is damaged is no error here: reading says so, and [`recover`](Backend::recover) puts it aside.
    ///
    /// # Errors
    /// It cannot be opened: another process has it, or may not be read.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| not_opened(path, e))?;
        }
        private(path).map_err(|e| not_opened(path, e))?;
        let (database, damaged) = match connect(path) {
            Ok(database) => (Some(database), None),
            Err(Fault::Damage(why)) => (None, Some(why)),
            Err(Fault::Error(error)) => return Err(not_opened(path, error)),
        };
        Ok(Self { path: path.to_owned(), database, damaged })
    }

    /// Lets go of the file, whatever the engine makes of that.
    fn close(&mut self) {
        let database = self.database.take();
        if let Err(Fault::Damage(why)) = guarded(|| {
            drop(database);
            Ok(())
        }) {
            tracing::error!(file = %self.path.display(), why, "the store could not be closed well");
            self.damaged.get_or_insert(why);
        }
    }

    /// Notes what has become of an access.
    pub(super) fn damage(&mut self, why: &str) -> StoreError {
        self.damaged = Some(why.to_owned());
        StoreError::Damaged { path: self.path.clone(), why: why.to_owned() }
    }

    /// Puts the file aside for an empty one, which gets what can still be read of the old one.
    fn replace(&mut self, why: String) -> Result<Damage, StoreError> {
        let old = connect(&self.path).ok();
        let saved = Table::ALL.map(|table| (table, old.as_ref().map(|old| guarded(|| read(old, table)))));
        self.database = old;
        self.close();
        let mut writes = Vec::new();
        let mut lost = Vec::new();
        for (table, rows) in saved {
            match rows {
                Some(Ok(rows)) => {
                    writes.extend(rows.into_iter().map(|(key, value)| Write {
                        table,
                        key,
                        value: Some(value),
                    }));
                }
                Some(Err(_)) | None => lost.push(table),
            }
        }
        // The new file is whole before the old one goes: where there is no room for it, all stays as it is.
        let draft = self.path.with_extension("draft");
        let _ = std::fs::remove_file(&draft);
        private(&draft).map_err(|e| not_opened(&draft, e))?;
        let fresh = connect(&draft).and_then(|fresh| guarded(|| write(&fresh, &writes)).map(|()| fresh));
        let fresh = fresh.map_err(|fault| self.fault(fault))?;
        let aside = put_aside(&self.path).map_err(|e| not_opened(&self.path, e))?;
        std::fs::rename(&draft, &self.path).map_err(|e| not_opened(&self.path, e))?;
        (self.database, self.damaged) = (Some(fresh), None);
        Ok(Damage { why, aside, lost })
    }

    fn fault(&self, fault: Fault) -> StoreError {
        match fault {
            Fault::Error(error) => not_opened(&self.path, error),
            Fault::Damage(why) => StoreError::Damaged { path: self.path.clone(), why },
        }
    }
}

fn not_opened(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Open { path: path.to_owned(), source: source.into() }
}

/// Makes the file for its owner alone, if there is none.
fn private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

impl Backend for Embedded {
    fn rows(&mut self, table: Table) -> Result<Vec<Row>, StoreError> {
        if let Some(why) = self.damaged.clone() {
            return Err(self.damage(&why));
        }
        let Some(database) = &self.database else { return Err(StoreError::Closed) };
        match guarded(|| read(database, table)) {
            Ok(rows) => Ok(rows),
            Err(Fault::Error(error)) => Err(StoreError::Read(error.into())),
            Err(Fault::Damage(why)) => Err(self.damage(&why)),
        }
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        let Some(database) = &self.database else { return Err(StoreError::Closed) };
        let error = match guarded(|| write(database, writes)) {
            Ok(()) => return Ok(()),
            Err(Fault::Error(error)) => StoreError::Write(error.into()),
            Err(Fault::Damage(why)) => self.damage(&why),
        };
        self.close();
        Err(error)
    }

    fn recover(&mut self) -> Result<Option<Damage>, StoreError> {
        self.close();
        if let Some(why) = self.damaged.clone() {
            return self.replace(why).map(Some);
        }
        private(&self.path).map_err(|e| not_opened(&self.path, e))?;
        match connect(&self.path) {
            Ok(database) => {
                self.database = Some(database);
                Ok(None)
            }
            Err(Fault::Damage(why)) => self.replace(why).map(Some),
            Err(Fault::Error(error)) => Err(not_opened(&self.path, error)),
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
    }
}
