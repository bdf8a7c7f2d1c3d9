//! Rows in one file (redb).

use super::{Backend, Row, StoreError, Table, Write};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableError};
use std::path::Path;

/// Pages of the file that are held in memory, in bytes: rows are read once, at the start.
const CACHE: usize = 16 * 1024 * 1024;

/// One file.
pub struct Embedded {
    database: Database,
}

fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

impl Embedded {
    /// Opens the file, or makes it with mode 0600. After a crash that takes no longer than else (quick repair).
    ///
    /// # Errors
    /// It cannot be opened: another process has it, or it is no store.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| failed(e.into()))?;
        }
        private(path).map_err(|e| failed(e.into()))?;
        let database =
            Database::builder().set_cache_size(CACHE).create(path).map_err(|e| failed(e.into()))?;
        Ok(Self { database })
    }

    fn write(&mut self, writes: &[Write]) -> Result<(), redb::Error> {
        let mut transaction = self.database.begin_write()?;
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

    fn read(&self, table: Table) -> Result<Vec<Row>, redb::Error> {
        let transaction = self.database.begin_read()?;
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
}

/// Makes the file for its owner alone, if there is none.
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

impl Backend for Embedded {
    fn rows(&self, table: Table) -> Result<Vec<Row>, StoreError> {
        self.read(table).map_err(|e| StoreError::Read(e.into()))
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        self.write(writes).map_err(|e| StoreError::Write(e.into()))
    }
}
