//! What all streams of a party may send together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sdp::Description;

use super::{Bucket, HEADERS, LEAST, stated};

/// A token bucket of several streams, which one thread asks: a call takes all of its ports from one.
#[derive(Debug)]
pub struct Together {
    /// In octets a second.
    rate: u32,
    level: AtomicU64,
    at_millis: AtomicU64,
}

impl PartialEq for Together {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Together {}

impl Together {
    /// By the `b=` of our description as a whole (RFC 8866 §5.8: of the session as a whole; CT of a conference counts as that), with what a
    /// section gets beside it; the one before where it says the same.
    pub(crate) fn of(ours: &Description, before: Option<&Arc<Self>>) -> Option<Arc<Self>> {
        let most = stated(ours.session(), &[("TIAS", 1), ("AS", 1_000), ("CT", 1_000)])?;
        let most = u32::try_from(most.saturating_add(most / 2) / 8).unwrap_or(u32::MAX).max(LEAST / 8);
        let same = before.filter(|before| before.rate == most);
        Some(same.cloned().unwrap_or_else(|| {
            let Bucket { rate, level, at_millis } = Bucket::new(most);
            Arc::new(Self { rate, level: level.into(), at_millis: at_millis.into() })
        }))
    }

    /// As [`Bucket::take`].
    pub(crate) fn take(&self, octets: usize, now_millis: u64) -> bool {
        let [level, at_millis] = [&self.level, &self.at_millis].map(|value| value.load(Ordering::Relaxed));
        let mut bucket = Bucket { rate: self.rate, level, at_millis };
        let taken = bucket.take(octets, now_millis);
        self.level.store(bucket.level, Ordering::Relaxed);
        self.at_millis.store(bucket.at_millis, Ordering::Relaxed);
        taken
    }

    /// What the stream does not send after all.
    pub(crate) fn put_back(&self, octets: usize) {
        let octets = (octets as u64).saturating_add(HEADERS as u64).saturating_mul(1_000);
        self.level.store(self.level.load(Ordering::Relaxed).saturating_add(octets), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &str) -> Option<Arc<Together>> {
        let text = format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n{lines}t=0 0\r\nm=audio 4 RTP/AVP 0\r\nb=AS:1\r\n"
        );
        Together::of(&Description::reread(text.into()), None)
    }

    #[test]
    fn rfc8866_5_8_the_greatest_of_the_session_counts() {
        let rate = |lines| of(lines).map(|of| of.rate);
        assert_eq!(rate(""), None);
        assert_eq!(rate("b=X-YZ:4000\r\n"), None);
        assert_eq!(rate("b=CT:1000\r\n"), Some(187_500));
        assert_eq!(rate("b=AS:1000\r\nb=TIAS:2000000\r\nb=CT:10\r\n"), Some(375_000));
        // Nobody is held to less than that.
        assert_eq!(rate("b=AS:1\r\n"), Some(25_000));
    }

    #[test]
    fn streams_have_it_together_and_what_the_same_description_says_goes_on() {
        let first = of("b=AS:400\r\n").unwrap();
        let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nb=AS:400\r\nt=0 0\r\n";
        let again = Together::of(&Description::reread(text.into()), Some(&first)).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        let passed = |now| std::iter::from_fn(|| first.take(952, now).then_some(())).count();
        // 600 kbit/s for 5 s.
        assert_eq!((passed(0), passed(0), passed(1_000)), (375, 0, 75));
        first.put_back(952);
        assert_eq!(passed(1_000), 1);
    }
}
