//! Registration information: what the reg event package tells (RFC 3680 §5, RFC 5628).

use super::server::{Aor, Binding, ContactEvent, GruuKeys, Instance, gruus};
use crate::ids::Ids;
use crate::time::Now;
use sip_types::Params;
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

/// The type of the documents.
pub const CONTENT_TYPE: &str = "application/reginfo+xml";

/// One address-of-record as a document shows it.
#[derive(Clone, Copy)]
pub struct Registration<'a> {
    /// The address-of-record.
    pub aor: &'a Aor,
    /// Its name in the documents of one subscription: it stays the same.
    pub id: &'a str,
    /// The contacts to show, and what last happened to each.
    pub contacts: &'a [(Arc<Binding>, ContactEvent)],
    /// Its instances, for GRUUs.
    pub instances: &'a [Instance],
    /// Whether anything is bound to it.
    pub bound: bool,
}

/// Whether a document has all contacts or those that changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All.
    Full,
    /// Those that changed.
    Partial,
}

/// Which GRUUs a document shows (RFC 5628 §5).
#[derive(Clone, Copy)]
pub enum Names<'a> {
    /// None.
    Nothing,
    /// The public ones, as for subscribers who may not register the address-of-record.
    Public(&'a GruuKeys),
    /// The temporary ones too, as for those who may.
    All(&'a GruuKeys),
}

impl<'a> Names<'a> {
    fn keys(self) -> Option<&'a GruuKeys> {
        match self {
            Self::Nothing => None,
            Self::Public(keys) | Self::All(keys) => Some(keys),
        }
    }
}

/// Writes a document. `version` counts the documents of one subscription from 0.
#[must_use]
pub fn document(
    now: Now,
    version: u32,
    scope: Scope,
    registrations: &[Registration<'_>],
    names: Names<'_>,
    ids: &mut dyn Ids,
) -> String {
    let state = match scope {
        Scope::Full => "full",
        Scope::Partial => "partial",
    };
    let gruu = if names.keys().is_some() { " xmlns:gr=\"urn:ietf:params:xml:ns:gruuinfo\"" } else { "" };
    let mut out = format!(
        "<?xml version=\"1.0\"?>\n<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\"{gruu} version=\"{version}\" \
         state=\"{state}\">\n"
    );
    for registration in registrations {
        write_registration(&mut out, now, registration, names, ids);
    }
    out.push_str("</reginfo>\n");
    out
}

fn write_registration(
    out: &mut String,
    now: Now,
    registration: &Registration<'_>,
    names: Names<'_>,
    ids: &mut dyn Ids,
) {
    let ended = registration.contacts.iter().any(|(_, event)| !event.is_active());
    let state = match (registration.bound, ended) {
        (true, _) => "active",
        (false, true) => "terminated",
        (false, false) => "init",
    };
    let (aor, id) = (escape(registration.aor.as_str()), escape(registration.id));
    let _ = writeln!(out, "  <registration aor=\"sip:{aor}\" id=\"{id}\" state=\"{state}\">");
    for (binding, event) in registration.contacts {
        let gruus =
            names.keys().and_then(|keys| gruus(registration.aor, binding, registration.instances, keys, ids));
        write_contact(out, now, binding, *event);
        if let Some(gruus) = gruus.filter(|_| event.is_active()) {
            let _ = writeln!(out, "      <gr:pub-gruu uri=\"{}\"/>", escape(&gruus.public));
            if let Names::All(_) = names {
                let (uri, first) = (escape(&gruus.temporary), gruus.first_cseq);
                let _ = writeln!(out, "      <gr:temp-gruu uri=\"{uri}\" first-cseq=\"{first}\"/>");
            }
        }
        out.push_str("    </contact>\n");
    }
    out.push_str("  </registration>\n");
}

/// A contact up to the elements of other namespaces.
fn write_contact(out: &mut String, now: Now, binding: &Binding, event: ContactEvent) {
    let state = if event.is_active() { "active" } else { "terminated" };
    let lasted = now.wall.0.saturating_sub(binding.since.0) / 1000;
    let _ = write!(
        out,
        "    <contact id=\"{:016x}\" state=\"{state}\" event=\"{}\" duration-registered=\"{lasted}\"",
        binding.id.0,
        event.as_str()
    );
    if event.is_active() {
        let _ = write!(out, " expires=\"{}\"", binding.left(now.wall));
    }
    let call_id = escape(&binding.call_id);
    let _ = writeln!(
        out,
        " q=\"{}.{:03}\" callid=\"{call_id}\" cseq=\"{}\">",
        binding.q / 1000,
        binding.q % 1000,
        binding.cseq
    );
    let _ = writeln!(out, "      <uri>{}</uri>", escape(binding.uri.as_str()));
    for (name, value) in Params::of_checked(&binding.params) {
        if !name.eq_ignore_ascii_case("q") {
            let (name, value) = (escape(name), escape(value.unwrap_or_default()));
            let _ = writeln!(out, "      <unknown-param name=\"{name}\">{value}</unknown-param>");
        }
    }
}

/// Text as it stands in an element or between double quotes. What XML 1.0 has no place for is left out.
fn escape(text: &str) -> Cow<'_, str> {
    let special = |c: char| matches!(c, '<' | '>' | '&' | '"') || is_banned(c);
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            c if is_banned(c) => {}
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// What no XML 1.0 document may have (XML 1.0 §2.2).
fn is_banned(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests;
