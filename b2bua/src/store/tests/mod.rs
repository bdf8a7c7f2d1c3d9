//! The tests that every backend passes, and the thread before it.

mod backends;
mod damage;
mod queue;
