//! A node: the whole process, assembled from a configuration.

mod cards;
mod instance;
mod kept;
mod loader;
mod security;
mod shards;
mod start;
mod traversal;

pub use loader::{LoadError, Loader, SecretFault};
pub use start::{Node, StartError};
pub use traversal::TraversalError;
