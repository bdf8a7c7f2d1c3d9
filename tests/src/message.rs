//! Messages as a hand-played phone writes and reads them.

/// A message under construction.
#[derive(Clone, Debug)]
pub struct Msg {
    start: String,
    fields: Vec<(String, String)>,
    body: String,
}

impl Msg {
    /// A request outside a dialog, from the phone at that address.
    pub fn request(method: &str, uri: &str, from: &str, seq: u32) -> Self {
        let fields = [
            ("Via", format!("SIP/2.0/UDP {from};branch=z9hG4bK-{seq}-{}", method.to_lowercase())),
            ("Max-Forwards", "70".into()),
            ("From", format!("<sip:phone@{from}>;tag=phone-{seq}")),
            ("To", format!("<{uri}>")),
            ("Call-ID", format!("call-{seq}@{from}")),
            ("CSeq", format!("{seq} {method}")),
            ("Contact", format!("<sip:phone@{from}>")),
        ];
        Self {
            start: format!("{method} {uri} SIP/2.0"),
            fields: fields.into_iter().map(|(n, v)| (n.into(), v)).collect(),
            body: String::new(),
        }
    }

    /// A request in the dialog that `theirs`, which the phone at `from` received, stands in: a response to a request
    /// of its own, or a request of the other side.
    pub fn inside(method: &str, from: &str, seq: u32, theirs: &str) -> Self {
        let request = !theirs.starts_with("SIP/2.0");
        let (ours, far) = if request { ("To", "From") } else { ("From", "To") };
        let target = find(theirs, "Contact").map(|contact| uri_in(&contact));
        let target = target.unwrap_or_else(|| uri_in(&field(theirs, far)));
        Self::request(method, &target, from, seq)
            .set("From", &field(theirs, ours))
            .set("To", &field(theirs, far))
            .set("Call-ID", &field(theirs, "Call-ID"))
    }

    /// The ACK or CANCEL of a request of the phone's own, in its transaction.
    pub fn of_invite(method: &str, invite: &Self) -> Self {
        let mut of = invite.clone();
        of.start = of.start.replacen("INVITE", method, 1);
        of.body.clear();
        let seq = of.get("CSeq").replace("INVITE", method);
        of.fields
            .retain(|(n, _)| ["Via", "Max-Forwards", "From", "To", "Call-ID", "CSeq"].contains(&n.as_str()));
        of.set("CSeq", &seq)
    }

    /// The response to `request`, which gets that tag in To if it has none.
    pub fn response(request: &str, status: u16, tag: &str) -> Self {
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

    /// Another Request-URI.
    pub fn uri(mut self, uri: &str) -> Self {
        let method = self.start.split(' ').next().unwrap();
        self.start = format!("{method} {uri} SIP/2.0");
        self
    }

    /// Another reason phrase.
    pub fn phrase(mut self, phrase: &str) -> Self {
        self.start = self.start.replace("Whatever", phrase);
        self
    }

    /// Adds a field at the end.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Gives a field another value.
    pub fn set(self, name: &str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    /// Takes a field out.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(n, _)| n != name);
        self
    }

    /// The Contact of the phone at that address.
    pub fn contact(self, address: &str) -> Self {
        self.set("Contact", &format!("<sip:phone@{address}>"))
    }

    /// Another branch.
    pub fn branch(self, branch: &str) -> Self {
        let via = self.get("Via");
        let (sent_by, _) = via.split_once(";branch=").unwrap();
        let via = format!("{sent_by};branch=z9hG4bK-{branch}");
        let mut this = self.without("Via");
        this.fields.insert(0, ("Via".into(), via));
        this
    }

    /// Adds a body of that type.
    pub fn body(mut self, kind: &str, body: &str) -> Self {
        self.body = body.into();
        self.set("Content-Type", kind)
    }

    /// Adds a session description.
    pub fn sdp(self, text: &str) -> Self {
        self.body("application/sdp", text)
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> String {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap()
    }

    /// The message on the wire.
    pub fn text(&self) -> String {
        let mut out = format!("{}\r\n", self.start);
        for (name, value) in &self.fields {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        out + &format!("Content-Length: {}\r\n\r\n{}", self.body.len(), self.body)
    }
}

/// A session description with one audio stream.
pub fn audio(address: &str, port: u16) -> String {
    let ip = address.split(':').next().unwrap();
    format!(
        "v=0\r\no=phone {port} 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    )
}

/// All header fields of a message, in order.
pub fn fields(text: &str) -> Vec<(String, String)> {
    let head = text.split("\r\n\r\n").next().unwrap();
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// The first field of that name; it must be there.
pub fn field(text: &str, name: &str) -> String {
    find(text, name).unwrap_or_else(|| panic!("no {name} in\n{text}"))
}

/// The first field of that name.
pub fn find(text: &str, name: &str) -> Option<String> {
    fields(text).into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
}

/// The body.
pub fn body(text: &str) -> &str {
    text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// The start line without the version: method or status, and the rest.
pub fn start(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("SIP/2.0 ").unwrap_or(line)
}

/// The tag of From or To.
pub fn tag(text: &str, name: &str) -> String {
    field(text, name).split(";tag=").nth(1).unwrap_or_default().to_owned()
}

/// The number of the CSeq.
pub fn seq(text: &str) -> u32 {
    field(text, "CSeq").split(' ').next().unwrap().parse().unwrap()
}

/// The URI in angle brackets.
pub fn uri_in(value: &str) -> String {
    let inner = value.split('<').nth(1).and_then(|rest| rest.split('>').next());
    inner.unwrap_or(value).to_owned()
}

/// The branch of the topmost Via.
pub fn branch(text: &str) -> String {
    let via = field(text, "Via");
    via.split("branch=").nth(1).and_then(|rest| rest.split(';').next()).unwrap().to_owned()
}

/// The first line of that kind in a description, without the `x=`.
pub fn line(sdp: &str, kind: char) -> String {
    let start = format!("{kind}=");
    sdp.lines()
        .find_map(|line| line.strip_prefix(&start))
        .unwrap_or_else(|| panic!("no {kind}= in\n{sdp}"))
        .to_owned()
}
