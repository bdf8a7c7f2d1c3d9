//! How a setting is declared, once: [`table!`] and [`choice!`] make the Rust type, its reader, and the descriptor
//! from which JSON Schema, reference page, example and diff are derived.

mod choice;
mod reader;
mod shape;
pub(crate) mod table;
mod value;

pub(crate) use choice::choice;
pub(crate) use reader::{Claim, Claimed, Entry, Kind, Node, Reader};
pub(crate) use shape::{Effect, Setting, Shape, Table, Variant};
pub(crate) use table::table;
pub(crate) use value::{Key, Text, Value};
