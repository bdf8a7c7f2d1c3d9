//! Composing challenges and credentials.

use std::fmt;

use super::{Challenge, Credentials};
use crate::{SyntaxError, text::quote};

/// Composes `scheme name="value", name=value, …` for [`Challenge`] and [`Credentials`].
#[derive(Clone)]
pub struct AuthBuilder(String);

impl AuthBuilder {
    /// The scheme alone.
    #[must_use]
    pub fn new(scheme: &str) -> Self {
        Self(scheme.to_owned())
    }

    /// Adds `name="value"`, escaped.
    #[must_use]
    pub fn quoted(self, name: &str, value: &str) -> Self {
        self.add(name, &quote(value))
    }

    /// Adds `name=value`; `value` must be a token.
    #[must_use]
    pub fn token(self, name: &str, value: &str) -> Self {
        self.add(name, value)
    }

    fn add(mut self, name: &str, value: &str) -> Self {
        self.0.push_str(if self.0.contains('=') { ", " } else { " " });
        self.0.push_str(name);
        self.0.push('=');
        self.0.push_str(value);
        self
    }

    /// The challenge.
    ///
    /// # Errors
    /// A scheme, name or token given was none.
    pub fn challenge(self) -> Result<Challenge, SyntaxError> {
        Challenge::parse(&self.0.into())
    }

    /// The credentials.
    ///
    /// # Errors
    /// A scheme, name or token given was none.
    pub fn credentials(self) -> Result<Credentials, SyntaxError> {
        Credentials::parse(&self.0.into())
    }
}

impl fmt::Debug for AuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthBuilder(..)")
    }
}
