//! What is derived from the declarations for people and tools.

mod example;
mod reference;
mod schema;

pub use example::example;
pub use reference::reference;
pub use schema::schema;

/// Doc lines as one text.
fn prose(doc: &[&str]) -> String {
    doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}
