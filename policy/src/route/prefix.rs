use std::collections::BTreeMap;

use bytestring::ByteString;

/// Values by prefix, found from the longest prefix of a text to the shortest.
///
/// Prefixes lie sorted, each linked to the longest other one that begins it. Of the prefixes of a text the longest is
/// the last sorted one that is not greater than the text, or one that begins it: all between the two begin with it.
#[derive(Debug)]
pub(crate) struct PrefixTable<T> {
    growing: BTreeMap<ByteString, T>,
    rows: Vec<Row<T>>,
}

#[derive(Debug)]
struct Row<T> {
    prefix: ByteString,
    shorter: Option<usize>,
    value: T,
}

impl<T> Default for PrefixTable<T> {
    fn default() -> Self {
        Self { growing: BTreeMap::new(), rows: Vec::new() }
    }
}

impl<T: Default> PrefixTable<T> {
    pub(crate) fn entry(&mut self, prefix: &ByteString) -> &mut T {
        self.growing.entry(prefix.clone()).or_default()
    }

    /// Makes what was entered findable.
    pub(crate) fn finish(&mut self) {
        self.rows.clear();
        let mut open: Vec<(ByteString, usize)> = Vec::new();
        for (index, (prefix, value)) in std::mem::take(&mut self.growing).into_iter().enumerate() {
            while open.last().is_some_and(|(outer, _)| !prefix.starts_with(&**outer)) {
                open.pop();
            }
            let shorter = open.last().map(|(_, outer)| *outer);
            open.push((prefix.clone(), index));
            self.rows.push(Row { prefix, shorter, value });
        }
    }

    /// The values whose prefix begins `text`, longest first.
    pub(crate) fn matches<'t>(&'t self, text: &'t str) -> impl Iterator<Item = &'t T> {
        let last = self.rows.partition_point(|row| *row.prefix <= *text).checked_sub(1);
        std::iter::successors(last.and_then(|at| self.rows.get(at)), |row| {
            row.shorter.and_then(|shorter| self.rows.get(shorter))
        })
        .filter(|row| text.starts_with(&*row.prefix))
        .map(|row| &row.value)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_longest_prefix_first_equals_a_naive_scan(
            prefixes in vec("[+01]{1,6}", 0..40),
            text in "[+01]{0,8}",
        ) {
            let mut table: PrefixTable<String> = PrefixTable::default();
            prefixes.iter().for_each(|prefix| table.entry(&prefix.as_str().into()).clone_from(prefix));
            table.finish();
            let mut naive: Vec<&String> = prefixes.iter().filter(|prefix| text.starts_with(*prefix)).collect();
            naive.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
            naive.dedup();
            prop_assert_eq!(table.matches(&text).collect::<Vec<_>>(), naive);
        }
    }
}
