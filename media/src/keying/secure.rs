//! What a peer is told, with keys of ours.

use sdp::Description;
use zeroize::Zeroizing;

use super::{OwnHandshake, crypto};
use crate::dtls::Fingerprint;
use crate::negotiate::Text;
use crate::srtp::MasterKey;

/// What of our keys a section says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Own {
    /// Keys, each with its tag.
    pub(crate) keys: Box<[(u32, MasterKey)]>,
    pub(crate) handshake: Option<OwnHandshake>,
}

/// What a section of ours says of its protection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Secured {
    /// Its transport protocol, where it is another one than without keys.
    pub(crate) proto: Option<Box<str>>,
    pub(crate) own: Own,
    /// Another section says so, whose transport it has.
    pub(crate) beside: bool,
}

/// Puts that into a description; `fingerprint` is that of our certificate.
pub(crate) fn secure(text: Text, sections: &[Secured], fingerprint: Option<&Fingerprint>) -> Text {
    if sections.iter().all(|section| section == &Secured::default()) {
        return text;
    }
    let mut description = Description::reread(text.bytes.into());
    let mut added: Vec<(usize, Zeroizing<String>)> = Vec::new();
    let mut lines: Vec<(usize, String)> = Vec::new();
    for (media, section) in description.media().zip(sections) {
        let line = media.line();
        if let Some(proto) = &section.proto {
            let count = line.port_count.map(|count| format!("/{count}")).unwrap_or_default();
            let text = format!("{} {}{count} {proto} {}", line.media, line.port, line.formats);
            lines.push((media.section().start(), text));
        }
        if section.beside {
            continue;
        }
        let end = media.section().end();
        added.extend(section.own.keys.iter().map(|(tag, key)| (end, crypto::compose(*tag, key))));
        let Some((OwnHandshake { setup, tls_id }, fingerprint)) =
            section.own.handshake.as_ref().zip(fingerprint)
        else {
            continue;
        };
        let tls_id = tls_id.as_ref().map(|id| format!("tls-id:{id}"));
        let lines =
            [Some(format!("fingerprint:{fingerprint}")), Some(format!("setup:{}", setup.name())), tls_id];
        added.extend(lines.into_iter().flatten().map(|line| (end, line.into())));
    }
    for (at, line) in lines {
        description.replace(at, b'm', line.as_bytes());
    }
    // From the end, so that the places before it stay what they are.
    for (at, line) in added.iter().rev() {
        description.insert(*at, b'a', line.as_bytes());
    }
    let mut bytes = Vec::with_capacity(1_024);
    description.write(&mut bytes);
    Text { bytes, version: text.version }
}
