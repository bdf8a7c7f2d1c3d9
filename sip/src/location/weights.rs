//! The order of SRV records (RFC 2782, "Usage rules").

use super::records::Srv;
use crate::ids::{self, Ids};

/// Orders records: lower priorities first, among equals by chance in proportion to the weights.
pub(crate) fn order(records: &[Srv], limit: usize, chance: &mut dyn Ids) -> Vec<Srv> {
    let mut left = records.to_vec();
    // RFC 2782: records of weight 0 stand at the beginning of their priority, to have a small chance.
    left.sort_by_key(|record| (record.priority, record.weight));
    left.truncate(limit);
    let mut ordered = Vec::with_capacity(left.len());
    while let Some(priority) = left.first().map(|first| first.priority) {
        let level = left.iter().take_while(|record| record.priority == priority);
        let at = pick(level.map(|record| record.weight), chance);
        // Removed and not swapped: those of weight 0 stay in front.
        ordered.push(left.remove(at));
    }
    ordered
}

/// The place of the first weight whose running sum is at least a number between 0 and the sum of all.
fn pick(weights: impl Iterator<Item = u16> + Clone, chance: &mut dyn Ids) -> usize {
    // At most `limit` records of 16 bits each: no overflow.
    let sum: u32 = weights.clone().map(u32::from).fold(0, u32::saturating_add);
    let drawn = ids::below(chance, sum.saturating_add(1));
    let mut running = 0u32;
    let reached = |weight| {
        running = running.saturating_add(u32::from(weight));
        running >= drawn
    };
    weights.map(reached).position(|reached| reached).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::tests::Seeded;

    fn srv(priority: u16, weight: u16, target: &str) -> Srv {
        Srv { priority, weight, port: 5060, target: target.into() }
    }

    fn first_of(records: &[Srv], rounds: usize) -> std::collections::BTreeMap<String, usize> {
        let mut chance = Seeded(7);
        let mut firsts = std::collections::BTreeMap::new();
        for _ in 0..rounds {
            let first = order(records, 64, &mut chance).remove(0).target.to_string();
            *firsts.entry(first).or_default() += 1;
        }
        firsts
    }

    #[test]
    fn rfc2782_weights_are_shares_within_one_priority() {
        let records = [srv(1, 60, "a"), srv(1, 30, "b"), srv(1, 10, "c"), srv(2, 65_535, "d")];
        let firsts = first_of(&records, 100_000);
        for (name, share) in [("a", 60_000usize), ("b", 30_000), ("c", 10_000)] {
            // Five standard deviations of a binomial distribution are below 800 here.
            assert!(firsts[name].abs_diff(share) < 1_500, "{firsts:?}");
        }
        assert!(!firsts.contains_key("d"));
    }

    #[test]
    fn rfc2782_weight_0_has_a_small_chance_beside_others_and_all_of_them_alone() {
        let firsts = first_of(&[srv(0, 0, "a"), srv(0, 99, "b")], 100_000);
        assert!(firsts["a"].abs_diff(1_000) < 200, "one in the sum plus one: {firsts:?}");
        let firsts = first_of(&[srv(0, 0, "a"), srv(0, 0, "b")], 1_000);
        assert_eq!(firsts.values().sum::<usize>(), 1_000);
    }

    #[test]
    fn every_record_is_there_once_and_priorities_ascend() {
        let records: Vec<Srv> = (0..40).map(|n| srv(n % 4, n * 7 % 11, &n.to_string())).collect();
        let mut ordered = order(&records, 64, &mut Seeded(3));
        assert!(ordered.is_sorted_by_key(|record| record.priority));
        ordered.sort_by_key(|record| record.target.parse::<u16>().unwrap());
        assert_eq!(ordered, records);
    }

    #[test]
    fn beyond_the_limit_the_last_priorities_are_left_out() {
        let records: Vec<Srv> = (0..40).rev().map(|n| srv(n, 1, &n.to_string())).collect();
        let ordered = order(&records, 3, &mut Seeded(3));
        assert_eq!(ordered.iter().map(|r| r.priority).collect::<Vec<_>>(), [0, 1, 2]);
        assert!(order(&[], 3, &mut Seeded(3)).is_empty());
    }
}
