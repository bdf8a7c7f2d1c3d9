//! What outlives the process: rows of bytes in a few tables.
//!
//! One thread owns the [`Backend`]. Whoever writes hands its rows over without waiting and is told when they are
//! kept: all that comes while one commit runs, or within 10 ms, shares the next (group commit). A queue that is full says so at once.

mod aside;
mod condition;
mod embedded;
mod memory;
mod thread;

pub use condition::Condition;
pub use embedded::Embedded;
pub use memory::Memory;
pub use thread::{Done, Full, Handle, Kept, Store};

use std::path::PathBuf;

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Registrations: an address-of-record and its bindings.
    Registrations,
    /// The cards that challenges are answered with, and their sequence numbers.
    Cards,
    /// What the node keeps for itself, such as keys.
    Node,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 3] = [Self::Registrations, Self::Cards, Self::Node];

    /// Its name in the store, which does not change.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Registrations => "registrations",
            Self::Cards => "cards",
            Self::Node => "node",
        }
    }
}

/// One row to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The table.
    pub table: Table,
    /// The row's key.
    pub key: Box<[u8]>,
    /// Its value; `None` removes the row.
    pub value: Option<Box<[u8]>>,
}

/// A row: key and value.
pub type Row = (Box<[u8]>, Box<[u8]>);

/// Why a store does not do what it is asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or made.
    #[error("cannot open the store {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It cannot be read.
    #[error("cannot read the store")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Rows could not be written; none of them is kept.
    #[error("cannot write to the store")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file makes no sense; [`Backend::recover`] puts it aside.
    #[error("the store {path} is damaged: {why}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// An error has closed it, and it has not been opened since.
    #[error("the store is closed since its last error")]
    Closed,
    /// The thread could not be started.
    #[error("a thread could not be started")]
    Thread(#[source] std::io::Error),
}

impl StoreError {
    /// The error with what is behind it, for one line of a log.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        text
    }
}

/// A store was damaged and has begun anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What was wrong.
    pub why: String,
    /// Where the damaged file is now.
    pub aside: PathBuf,
    /// The tables whose rows could not be read any more, and are empty now.
    pub lost: Vec<Table>,
}

/// An engine that keeps rows. All of them pass the same tests.
pub trait Backend: Send {
    /// Every row of a table, in the order of keys.
    ///
    /// # Errors
    /// The engine cannot read.
    fn rows(&mut self, table: Table) -> Result<Vec<Row>, StoreError>;

    /// Writes all rows or none. They are kept when this returns. Of several writes of one key the last counts.
    ///
    /// # Errors
    /// The engine cannot write.
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError>;

    /// Gets ready again after an error, which may have been the last word of the engine until then. Tells of damage that it
    /// has put aside.
    ///
    /// # Errors
    /// What is wrong lasts.
    fn recover(&mut self) -> Result<Option<Damage>, StoreError> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
