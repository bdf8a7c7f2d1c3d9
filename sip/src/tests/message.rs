//! Messages as a peer writes them.

/// A session description that nobody reads here.
pub(super) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 198.51.100.9\r\ns=-\r\nt=0 0\r\n";

/// A message under construction.
#[derive(Clone, Debug)]
pub(super) struct Msg {
    start: String,
    fields: Vec<(String, String)>,
    body: String,
}

impl Msg {
    /// A request of the peer at 198.51.100.9, outside a dialog.
    pub(super) fn request(method: &str, seq: u32) -> Self {
        let fields = [
            (
                "Via",
                format!("SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKpeer{seq}{}", method.to_lowercase()),
            ),
            ("Max-Forwards", "70".into()),
            ("From", "<sip:bob@example.com>;tag=bob1".into()),
            ("To", "<sip:alice@example.net>".into()),
            ("Call-ID", "peer-call".into()),
            ("CSeq", format!("{seq} {method}")),
            ("Contact", "<sip:bob@198.51.100.9:5060>".into()),
        ];
        Self {
            start: format!("{method} sip:alice@192.0.2.1 SIP/2.0"),
            fields: fields.into_iter().map(|(n, v)| (n.into(), v)).collect(),
            body: String::new(),
        }
    }

    /// A request of the peer in the dialog that `ours`, a message of ours, stands in: it is sent the other way.
    pub(super) fn inside(method: &str, seq: u32, ours: &str) -> Self {
        let request = !ours.starts_with("SIP/2.0");
        let (from, to) = if request { ("To", "From") } else { ("From", "To") };
        Self::request(method, seq)
            .set("From", &field(ours, from))
            .set("To", &field(ours, to))
            .set("Call-ID", &field(ours, "Call-ID"))
    }

    /// The response of the peer to `request`, which gets that tag in To if it has none.
    pub(super) fn response(request: &str, status: u16, tag: &str) -> Self {
        let mut fields: Vec<(String, String)> = fields(request)
            .into_iter()
            .filter(|(n, _)| ["Via", "From", "To", "Call-ID", "CSeq"].contains(&n.as_str()))
            .collect();
        for (name, value) in &mut fields {
            if name == "To" && !value.contains(";tag=") && !tag.is_empty() {
                value.push_str(&format!(";tag={tag}"));
            }
        }
        Self { start: format!("SIP/2.0 {status} Whatever"), fields, body: String::new() }
    }

    /// Adds a field at the end.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Puts a field at the beginning.
    pub(super) fn first(mut self, name: &str, value: &str) -> Self {
        self.fields.insert(0, (name.into(), value.into()));
        self
    }

    /// Gives a field another value.
    pub(super) fn set(self, name: &str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    /// Takes a field out.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(n, _)| n != name);
        self
    }

    /// Replaces a part of the start line.
    pub(super) fn start(mut self, from: &str, to: &str) -> Self {
        self.start = self.start.replace(from, to);
        self
    }

    /// The Contact of the peer at that host and port.
    pub(super) fn contact(self, host: &str) -> Self {
        self.set("Contact", &format!("<sip:bob@{host}>"))
    }

    /// Adds a session description.
    pub(super) fn sdp(mut self) -> Self {
        self.body = SDP.into();
        self.with("Content-Type", "application/sdp")
    }

    /// Gives it that body.
    pub(super) fn body(mut self, body: &str) -> Self {
        self.body = body.into();
        self
    }

    /// The message on the wire.
    pub(super) fn text(&self) -> String {
        let mut out = format!("{}\r\n", self.start);
        for (name, value) in &self.fields {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.fields.iter().all(|(n, _)| n != "Content-Length") {
            out.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        out + "\r\n" + &self.body
    }
}

/// All header fields of a message, in order.
pub(super) fn fields(text: &str) -> Vec<(String, String)> {
    let head = text.split("\r\n\r\n").next().unwrap();
    head.lines()
        .skip(1)
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.trim().to_owned(), value.trim().to_owned())
        })
        .collect()
}

/// The first field of that name; it must be there.
pub(super) fn field(text: &str, name: &str) -> String {
    find(text, name).unwrap_or_else(|| panic!("no {name} in\n{text}"))
}

/// The first field of that name.
pub(super) fn find(text: &str, name: &str) -> Option<String> {
    fields(text).into_iter().find(|(n, _)| n == name).map(|(_, v)| v)
}

/// The start line.
pub(super) fn start(text: &str) -> &str {
    text.lines().next().unwrap()
}

/// The tag of From or To.
pub(super) fn tag(text: &str, name: &str) -> String {
    field(text, name).split(";tag=").nth(1).unwrap().to_owned()
}
