//! The registrar's bindings, without I/O (RFC 3261 §10.3, RFC 3327, RFC 5626 §6, RFC 5627 §5).
//!
//! A REGISTER goes through three steps, so that its 200 can wait until the bindings are kept:
//! [`Demand::read`] says what it asks, [`Registrar::plan`] what would become of the address-of-record, and
//! [`Registrar::commit`] makes that so. Between the last two nobody sees a difference. The owner keeps the
//! order of REGISTERs for one address-of-record: it plans one only once the one before is committed or dropped. What ends
//! meanwhile stays ended.

mod aor;
mod binding;
mod change;
mod demand;
mod directory;
mod gruu;
mod plan;
mod reply;
mod table;
mod terms;

pub use aor::Aor;
pub use binding::{Binding, BindingId};
pub use change::{Change, ContactEvent};
pub use demand::{Contacts, Demand, Wish};
pub use directory::{Directory, Instance, Record, Resolved, Target};
pub use gruu::{GruuKeys, Gruus, InstanceNo, gruus};
pub use plan::{Plan, Refusal};
pub use reply::fields;
pub use table::Registrar;
pub use terms::{Limits, Terms};

#[cfg(test)]
mod tests;
