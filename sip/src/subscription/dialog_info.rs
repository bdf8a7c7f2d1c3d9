//! Dialog information (RFC 4235 §4): documents whose dialogs get other names, every other byte kept.

use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::borrow::Cow;
use std::ops::Range;

/// The media type of such documents.
pub const CONTENT_TYPE: (&str, &str) = ("application", "dialog-info+xml");

/// What a document calls a dialog: as whom it tells of has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names<'d> {
    /// The Call-ID.
    pub call_id: Cow<'d, str>,
    /// The tag of whom the document tells of; the peer has none yet where the other one is missing.
    pub local_tag: Option<Cow<'d, str>>,
    /// The tag of its peer.
    pub remote_tag: Option<Cow<'d, str>>,
}

/// Other names for a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// The Call-ID.
    pub call_id: Box<str>,
    /// The tag of whom the document tells of.
    pub local_tag: Box<str>,
    /// The tag of its peer.
    pub remote_tag: Box<str>,
    /// Where whom the document tells of is reached.
    pub local_target: Box<str>,
    /// Where its peer is.
    pub remote_target: Box<str>,
}

/// A document with other names for the dialogs that `find` knows some for, those that were replaced included (RFC 4235
/// §4.1.4); `None` if that changes nothing, as of a document that is none.
pub fn rename(document: &str, find: impl FnMut(&Names<'_>) -> Option<Renamed>) -> Option<String> {
    let mut scan = Scan { document, find, edits: Vec::new(), current: None, side: None };
    scan.read()?;
    if scan.edits.is_empty() {
        return None;
    }
    let (mut text, mut done) = (String::with_capacity(document.len() + 128), 0);
    for (place, value) in scan.edits {
        text.push_str(document.get(done..place.start)?);
        text.push_str(&escape(&*value));
        done = place.end;
    }
    text.push_str(document.get(done..)?);
    Some(text)
}

#[derive(Clone, Copy)]
enum Party {
    Local,
    Remote,
}

/// The value of an attribute, and where it stands.
type Found<'t> = (Range<usize>, Cow<'t, str>);

struct Scan<'d, F> {
    document: &'d str,
    find: F,
    /// What stands where instead, in order.
    edits: Vec<(Range<usize>, Box<str>)>,
    /// The other names of the dialog that is being read.
    current: Option<Renamed>,
    side: Option<Party>,
}

impl<F: FnMut(&Names<'_>) -> Option<Renamed>> Scan<'_, F> {
    /// Reads all of it; `None` if it is no such document.
    fn read(&mut self) -> Option<()> {
        let mut reader = Reader::from_str(self.document);
        let mut depth = 0_usize;
        loop {
            match reader.read_event().ok()? {
                Event::Start(tag) => {
                    self.begin(depth, &tag)?;
                    depth += 1;
                }
                Event::Empty(tag) => self.begin(depth, &tag)?,
                Event::End(_) => depth = depth.checked_sub(1)?,
                Event::Eof => return (depth == 0).then_some(()),
                _ => {}
            }
        }
    }

    fn begin(&mut self, depth: usize, tag: &BytesStart<'_>) -> Option<()> {
        match (depth, tag.local_name().as_ref()) {
            (0, "dialog-info") => {}
            (0, _) => return None,
            (1, "dialog") => {
                self.current = self.names(tag)?;
                self.side = None;
            }
            (1, _) => (self.current, self.side) = (None, None),
            (2, "local") => self.side = Some(Party::Local),
            (2, "remote") => self.side = Some(Party::Remote),
            (2, "replaces") => {
                self.names(tag)?;
                self.side = None;
            }
            (2, _) => self.side = None,
            (3, "target") => {
                let (Some(current), Some(side)) = (&self.current, self.side) else { return Some(()) };
                let target = match side {
                    Party::Local => current.local_target.clone(),
                    Party::Remote => current.remote_target.clone(),
                };
                if let Some((place, _)) = self.attribute(tag, "uri")? {
                    self.edits.push((place, target));
                }
            }
            _ => {}
        }
        Some(())
    }

    /// Gives the dialog of an element its other names, if it has some.
    fn names(&mut self, tag: &BytesStart<'_>) -> Option<Option<Renamed>> {
        let fields = ["call-id", "local-tag", "remote-tag"];
        let [call_id, local, remote] = fields.map(|name| self.attribute(tag, name));
        let (call_id, local, remote) = (call_id?, local?, remote?);
        let Some((_, id)) = &call_id else { return Some(None) };
        let text = |found: &Option<Found<'_>>| found.as_ref().map(|(_, value)| Cow::Owned(value.to_string()));
        let names = Names { call_id: Cow::Borrowed(id), local_tag: text(&local), remote_tag: text(&remote) };
        let Some(renamed) = (self.find)(&names) else { return Some(None) };
        let values = [&renamed.call_id, &renamed.local_tag, &renamed.remote_tag];
        let found = [call_id, local, remote].into_iter().zip(values);
        let mut edits: Vec<_> = found.filter_map(|(found, value)| Some((found?.0, value.clone()))).collect();
        edits.sort_by_key(|(place, _)| place.start);
        self.edits.append(&mut edits);
        Some(Some(renamed))
    }

    /// Where the value of an attribute stands in the document, and what it says; `None` outside if the tag is malformed.
    fn attribute<'t>(&self, tag: &'t BytesStart<'_>, name: &str) -> Option<Option<Found<'t>>> {
        for attribute in tag.attributes() {
            let attribute = attribute.ok()?;
            if attribute.key.as_ref() != name {
                continue;
            }
            // A value is a part of the document, as it stands there.
            let start = attribute.value.as_ptr().addr().checked_sub(self.document.as_ptr().addr())?;
            let place = start..start + attribute.value.len();
            if self.document.get(place.clone()) != Some(&*attribute.value) {
                return None;
            }
            return Some(Some((place, attribute.normalized_value(XmlVersion::Implicit1_0).ok()?)));
        }
        Some(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "<?xml version='1.0'?>\r\n<!-- dialog -->\r\n<d:dialog-info xmlns:d=\"urn:ietf:params:xml:ns:dialog-info\"\r\n \
        version=\"7\" state='full' entity=\"sip:bob@example.com\">\n\
        <d:dialog remote-tag='ours' id=\"1\" call-id=\"a&amp;b&quot;c\" local-tag=\"bob\"\n direction=\"recipient\"><d:state>confirmed</d:state>\
        <d:replaces call-id=\"old\" local-tag=\"x\" remote-tag=\"y\"/>\
        <d:local><d:identity>sip:bob@example.com</d:identity><d:target uri=\"sip:bob@10.1.0.2\"><d:param pname=\"x\" pval=\"y\"/></d:target></d:local>\
        <d:remote><d:target uri=\"sip:10.1.0.1:5060\"/></d:remote></d:dialog>\
        <d:dialog id=\"2\" call-id=\"other\" local-tag=\"bob2\" remote-tag=\"z\"><d:remote><d:target uri=\"sip:z\"/></d:remote></d:dialog>\
        <x:more xmlns:x=\"urn:x\" call-id=\"a&amp;b&quot;c\">\u{3c0} &lt;</x:more></d:dialog-info>\r\n";

    fn renamed() -> Renamed {
        Renamed {
            call_id: "<new>".into(),
            local_tag: "lt".into(),
            remote_tag: "rt".into(),
            local_target: "sip:10.0.0.1:5060".into(),
            remote_target: "sip:alice@10.0.0.2;a=\"&\"".into(),
        }
    }

    #[test]
    fn rfc4235_4_1_a_known_dialog_has_other_names_and_all_else_is_as_it_was() {
        let mut asked = Vec::new();
        let text = rename(DOCUMENT, |names| {
            let tags = [&names.local_tag, &names.remote_tag].map(|tag| tag.as_deref().unwrap().to_owned());
            asked.push((names.call_id.to_string(), tags));
            (names.call_id == "a&b\"c").then(renamed)
        });
        let expected = DOCUMENT
            .replacen("remote-tag='ours'", "remote-tag='rt'", 1)
            .replacen("call-id=\"a&amp;b&quot;c\"", "call-id=\"&lt;new&gt;\"", 1)
            .replacen("local-tag=\"bob\"", "local-tag=\"lt\"", 1)
            .replacen("uri=\"sip:bob@10.1.0.2\"", "uri=\"sip:10.0.0.1:5060\"", 1)
            .replacen("uri=\"sip:10.1.0.1:5060\"", "uri=\"sip:alice@10.0.0.2;a=&quot;&amp;&quot;\"", 1);
        assert_eq!(text.unwrap(), expected);
        let names =
            |id: &str, local: &str, remote: &str| (id.to_owned(), [local.to_owned(), remote.to_owned()]);
        assert_eq!(
            asked,
            [names("a&b\"c", "bob", "ours"), names("old", "x", "y"), names("other", "bob2", "z")]
        );
    }

    #[test]
    fn what_is_no_dialog_of_ours_or_no_such_document_is_left_alone() {
        assert_eq!(rename(DOCUMENT, |_| None), None);
        for document in [
            "",
            "<presence/>",
            "<dialog-info><dialog call-id=\"a\"></dialog-info>",
            "<dialog-info><dialog call-id=\"a\" call-id=\"b\"/></dialog-info>",
            "<dialog-info><dialog call-id=\"a&nope;\" local-tag=\"b\"/></dialog-info>",
            "<dialog-info><dialog call-id=\"a\"/>",
            "<dialog-info><dialog call-id=a/></dialog-info>",
            "<dialog-info><dialog id=\"1\"/></dialog-info>",
        ] {
            assert_eq!(rename(document, |_| Some(renamed())), None, "{document}");
        }
    }
}
