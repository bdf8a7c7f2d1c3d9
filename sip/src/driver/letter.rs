//! What one core tells another that is beside it.

use std::any::Any;
use std::fmt;

/// A message between cores; the driver carries it and does not read it.
pub struct Letter(Box<dyn Any + Send>);

impl Letter {
    /// Of what it says.
    pub fn new(says: impl Any + Send) -> Self {
        Self(Box::new(says))
    }

    /// What it says; `None` for one that says something else.
    #[must_use]
    pub fn open<T: Any>(self) -> Option<T> {
        self.0.downcast().ok().map(|says| *says)
    }
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter")
    }
}
