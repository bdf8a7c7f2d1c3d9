//! How often is answered.

/// So many at once, and so many in a second after that.
#[derive(Debug)]
pub(crate) struct Budget {
    most: u32,
    left: u32,
    millis: u64,
}

impl Budget {
    pub(crate) fn new(most: u32) -> Self {
        Self { most, left: most, millis: 0 }
    }

    /// Whether there is one more.
    pub(crate) fn take(&mut self, now_millis: u64) -> bool {
        let gained = now_millis.saturating_sub(self.millis).saturating_mul(self.most.into()) / 1_000;
        if gained > 0 {
            self.left = u32::try_from(u64::from(self.left).saturating_add(gained))
                .unwrap_or(self.most)
                .min(self.most);
            self.millis = now_millis;
        }
        let any = self.left > 0;
        self.left = self.left.saturating_sub(1);
        any
    }
}
