//! Chance from the operating system.

use crate::ids::Ids;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng, TryRng};

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes")]
pub struct NoEntropy(#[source] rand::rngs::SysError);

/// A ChaCha generator seeded once by the operating system: identifiers that no peer can foretell, at no
/// system call each.
#[derive(Debug)]
pub struct RandomIds(StdRng);

impl RandomIds {
    /// A generator with a seed of its own.
    pub fn new() -> Result<Self, NoEntropy> {
        StdRng::try_from_rng(&mut SysRng).map(Self).map_err(NoEntropy)
    }
}

impl Ids for RandomIds {
    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
}

/// A hasher seeded by the operating system, so that no peer can aim at collisions.
pub fn hasher() -> Result<ahash::RandomState, NoEntropy> {
    let seed = || SysRng.try_next_u64().map_err(NoEntropy);
    Ok(ahash::RandomState::with_seeds(seed()?, seed()?, seed()?, seed()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    // conforms: RFC3261-8.1.1.4-2 RFC3261-8.1.1.7-4,5 RFC3261-19.3-1
    #[test]
    fn no_identifier_comes_twice() {
        use crate::ids::{Branch, Tag, call_id};
        let mut ids = RandomIds::new().unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..10_000 {
            let branch = Branch::new(&mut ids).to_string();
            assert!(branch.starts_with("z9hG4bK"));
            for one in [branch, Tag::new(&mut ids).to_string(), call_id(&mut ids).into()] {
                assert!(seen.insert(one));
            }
        }
    }

    #[test]
    fn two_generators_and_two_hashers_differ() {
        let (mut one, mut other) = (RandomIds::new().unwrap(), RandomIds::new().unwrap());
        assert_ne!((one.next_u64(), one.next_u64()), (other.next_u64(), other.next_u64()));
        assert_ne!(hasher().unwrap().hash_one(1), hasher().unwrap().hash_one(1));
    }
}
