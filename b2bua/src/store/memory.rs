//! Rows that end with the process: for simulations, and for nodes that are told to keep nothing.

use super::{Backend, Row, StoreError, Table, Write};
use std::collections::BTreeMap;

/// A key or a value.
type Bytes = Box<[u8]>;

/// Rows in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    rows: BTreeMap<(Table, Bytes), Bytes>,
}

impl Backend for Memory {
    fn rows(&mut self, table: Table) -> Result<Vec<Row>, StoreError> {
        let of_table = self.rows.iter().filter(|((of, _), _)| *of == table);
        Ok(of_table.map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        for write in writes {
            let key = (write.table, write.key.clone());
            match &write.value {
                Some(value) => self.rows.insert(key, value.clone()),
                None => self.rows.remove(&key),
            };
        }
        Ok(())
    }
}
