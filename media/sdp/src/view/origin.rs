//! `o=` (RFC 8866 §5.2).

/// `o=<username> <sess-id> <sess-version> <nettype> <addrtype> <unicast-address>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The user on the originating host, `-` for none. Not always a word: some peers put spaces into it.
    pub username: &'a [u8],
    /// The session identifier, digits.
    pub session_id: &'a str,
    /// The version of this description, digits.
    pub version: &'a str,
    /// The type of network, `IN` for the Internet.
    pub net_type: &'a str,
    /// The type of address, `IP4` or `IP6`.
    pub addr_type: &'a str,
    /// The address of the host that made the session.
    pub address: &'a str,
}

impl<'a> Origin<'a> {
    /// Reads the value of an `o=` line, from its end.
    #[must_use]
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let mut fields = value.trim_ascii_end().rsplitn(6, |byte| *byte == b' ');
        let mut word =
            || fields.next().filter(|word| !word.is_empty()).and_then(|word| std::str::from_utf8(word).ok());
        let (address, addr_type, net_type, version, session_id) =
            (word()?, word()?, word()?, word()?, word()?);
        let username = fields.next()?;
        Some(Self { username, session_id, version, net_type, addr_type, address })
    }
}
