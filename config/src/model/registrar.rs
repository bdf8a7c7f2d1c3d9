use std::collections::BTreeSet;
use std::time::Duration;

use bytestring::ByteString;

use crate::declare::{Claim, Reader, choice, table};
use crate::error::Found;
use crate::model::Challenge;
use crate::text::{AddressOfRecord, HostPort};

table! {
    /// The registrar of a network: users register here, and calls find them (RFC 3261 §10.3).
    pub struct Registrar {
        /// The domains whose users register here. A domain with a port is another one than without.
        live domains: Vec<HostPort>, in 1..=64, such as ["example.com"];
        /// How users prove who they are when they register, and when they call.
        live challenge: Challenge, such as { realm = "example.com", users = [{ username = "alice", password = { env = "ALICE_PASSWORD" } }] };
        /// The addresses-of-record that can be registered, and called.
        live accounts: Vec<Account>, in 1..=100_000, such as [{ address = "alice@example.com", users = ["alice"] }];
        /// How long a binding lasts that asks for no time of its own.
        live expires: Duration = "1h", in "10s"..="30d";
        /// The least that is granted: a shorter wish below an hour is answered 423 (RFC 3261 §10.3 step 7).
        live min_expires: Duration = "1m", in "1s"..="1h";
        /// The most that is granted.
        live max_expires: Duration = "2h", in "10s"..="30d";
        /// The most that is granted to a user agent behind a NAT (`nat` of the network) without outbound (RFC 5626), so that
        /// its REGISTERs keep its way open.
        live nat_expires: Duration = "1m", in "10s"..="1h";
        /// How often such a user agent that registers over UDP is sent an OPTIONS while its binding lasts longer than that: its
        /// answer keeps the way through the NAT open, which what comes from outside need not do (RFC 4787 REQ-6). Each is
        /// sent after four fifths of that time at the earliest. Absent: none is sent.
        live nat_keepalive: Option<Duration>, in "10s"..="1h", such as "25s";
        /// Bindings of one address-of-record; a REGISTER for more is answered 403.
        live contacts: usize = 10, in 1..=64;
        /// Users who may subscribe to the registrations of every account, by the names that the challenge knows them by;
        /// the users of an account may subscribe to its own (RFC 3680 §4.6).
        live watchers: Vec<ByteString> = [], in 0..=1_024, such as ["presence"];
        /// Subscriptions to the registrations of one address-of-record; one more is answered 503 with Retry-After.
        live subscriptions: usize = 16, in 1..=1_024;
        /// How the devices of a called user ring.
        pinned ring: Ring = "parallel";
        /// How long devices ring before those after them are called instead, if the profile's `ring_limit` does not end it
        /// before. The last ones ring for `ring_limit`.
        pinned ring_turn: Duration = "20s", in "1s"..="10m";
        /// Whether bindings are there again after a restart; a REGISTER is then answered once its bindings are kept, in
        /// `registrations.redb` in the state directory.
        restart keep: bool = true;
        /// Whether devices get GRUUs (RFC 5627), names that lead to one device.
        live gruu: bool = true;
        /// Whose bindings must be flows of an instance (`reg-id` and `+sip.instance`, RFC 5626). A REGISTER of a user
        /// agent that does not support outbound, or with `gruu` no GRUUs, is answered 421 with Require, one
        /// without the two parameters 403.
        live require_outbound: RequireOutbound = "websocket";
        /// Whose bindings may have a Path (RFC 3327), the proxies that calls to them go by.
        live path: PathOf = "supporting";
        /// Whose REGISTER is answered with credentials for the network's TURN server, which end with what it has bound: those of user
        /// agents that ask for `application/json` in Accept. Whoever reads them on the way has them too.
        live turn_credentials: CredentialsFor = "nobody";
    }
    check check_registrar;
}

table! {
    /// An address-of-record.
    pub struct Account {
        /// The address, in one of the registrar's domains.
        live address: AddressOfRecord, such as "alice@example.com";
        /// The users who may register it and call from it, by the names that the challenge knows them by.
        live users: Vec<ByteString>, in 1..=64, such as ["alice"];
        /// How its devices ring, if not as the registrar's `ring` says.
        pinned ring: Option<Ring>, such as "sequence";
    }
}

choice! {
    /// How the devices of a called user ring. A caller may ask for the other way (Request-Disposition, RFC 3841 §9.1).
    pub enum Ring {
        /// All of the highest q at once, then those of the next, and so on (RFC 3261 §16.6): of equal q, those first that
        /// have more of what the caller asks for (Accept-Contact).
        Parallel = "parallel",
        /// One after the other, in that order; of several that are equal, the one first that registered last.
        Sequence = "sequence",
    }
}

choice! {
    /// Whose bindings must be flows of an instance.
    pub enum RequireOutbound {
        /// Nobody's.
        None = "none",
        /// Those of user agents that register over a WebSocket, which have no address of their own (RFC 7118 §5).
        WebSocket = "websocket",
        /// Everybody's.
        All = "all",
    }
}

choice! {
    /// Whose bindings may have a Path.
    pub enum PathOf {
        /// Those of user agents that support it: the binding of another one is answered 420 with Unsupported, so that it learns of
        /// a proxy that has added itself unasked (RFC 3327 §5.3).
        Supporting = "supporting",
        /// Everybody's, as a Path works without their support. They do not learn of it.
        Anybody = "anybody",
    }
}

choice! {
    /// Whose REGISTER is answered with credentials.
    pub enum CredentialsFor {
        /// Nobody's.
        Nobody = "nobody",
        /// Those that come over TLS from the user agent itself, without a proxy in between.
        Protected = "protected",
        /// Everybody's, in the clear, too.
        Anybody = "anybody",
    }
}

fn check_registrar(registrar: &Registrar, reader: &mut Reader<'_>) {
    for (index, domain) in registrar.domains.iter().enumerate() {
        let domain = domain.to_string().to_ascii_lowercase();
        reader.claim(&reader.element("domains", index), Claim::Domain { domain });
    }
    check_times(registrar, reader);
    check_watchers(registrar, reader);
    let domains: BTreeSet<String> =
        registrar.domains.iter().map(|domain| domain.to_string().to_ascii_lowercase()).collect();
    let names: BTreeSet<&ByteString> = registrar.challenge.users.iter().map(|user| &user.username).collect();
    let mut seen = BTreeSet::new();
    for (index, account) in registrar.accounts.iter().enumerate() {
        let path = reader.element("accounts", index);
        let found = || Found::Text(format!("\"{}\"", account.address));
        if !domains.contains(account.address.domain()) {
            reader.conflict(&format!("{path}.address"), found(), "an address in one of `domains`");
        }
        if !seen.insert(&account.address) {
            reader.conflict(&format!("{path}.address"), found(), "each address once");
        }
        if registrar.challenge.bearer.is_some() {
            // Whom tokens name is not known here.
            continue;
        }
        if let Some(unknown) = account.users.iter().find(|name| !names.contains(name)) {
            let found = Found::Text(format!("{:?}", &**unknown));
            reader.conflict(&format!("{path}.users"), found, "names of `challenge.users`");
        }
    }
}

fn check_watchers(registrar: &Registrar, reader: &mut Reader<'_>) {
    let Challenge { users, bearer, .. } = &registrar.challenge;
    let known = |name: &ByteString| bearer.is_some() || users.iter().any(|user| user.username == *name);
    if let Some(unknown) = registrar.watchers.iter().find(|name| !known(name)) {
        let found = Found::Text(format!("{:?}", &**unknown));
        reader.conflict("watchers", found, "names of `challenge.users`");
    }
}

fn check_times(registrar: &Registrar, reader: &mut Reader<'_>) {
    let (least, most) = (registrar.min_expires, registrar.max_expires);
    for (name, time) in [("expires", registrar.expires), ("nat_expires", registrar.nat_expires)] {
        if time < least || time > most {
            let found = Found::Text(format!("{} s", time.as_secs()));
            let expected = format!(
                "a time from min_expires, {} s, to max_expires, {} s",
                least.as_secs(),
                most.as_secs()
            );
            reader.conflict(name, found, expected);
        }
    }
}
