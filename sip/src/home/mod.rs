//! Which shard a message is for: found from its head alone, and the same wherever the message comes in.

mod notes;
mod seal;

pub use seal::{NodeNo, ShardNo};

use crate::ids::{Branch, Ids, Tag};
use crate::stun::{self, TransactionId};
use bytestring::ByteString;
use notes::Notes;
use seal::Seal;
use sip_types::header::{Event, NameAddr, TypedHeader};
use sip_types::{Head, HeaderName, Method, Uri, param_of};
use std::sync::Arc;

/// The shards of a node, and how identifiers and messages find theirs. All shards share one; nodes that are to know
/// each other's identifiers would share the key.
pub struct Homes {
    seal: Seal,
    node: NodeNo,
    shards: u8,
    hasher: ahash::RandomState,
    /// `None` for a shard that is alone.
    notes: Option<Notes>,
}

impl Homes {
    /// The most shards that a node can have.
    pub const MOST: u8 = 64;

    /// `shards`: how many there are, brought into 1 to [`MOST`](Self::MOST). `key`: random; what it sealed is not known any
    /// more under another. `hasher`: seeded at random, so that no peer can aim at one shard.
    pub fn new(key: &[u8; 16], node: NodeNo, shards: u8, hasher: ahash::RandomState) -> Self {
        let notes = (shards > 1).then(Notes::new);
        Self { seal: Seal::new(key), node, shards: shards.clamp(1, Self::MOST), hasher, notes }
    }

    /// All shards.
    pub fn shards(&self) -> impl Iterator<Item = ShardNo> + use<> {
        (0..self.shards).map(ShardNo)
    }

    /// The home of a message:
    ///
    /// - of a response, the shard in the branch of its topmost Via;
    /// - of a request with our tag in To, the shard in that, so that a dialog's requests and the ACK of a failure come to
    ///   who made the tag;
    /// - of an INVITE with Replaces or Join, and of a REFER or SUBSCRIBE with Target-Dialog, the shard in our tag of the dialog
    ///   that it names. The CANCEL of such an INVITE names none: where that has gone is noted meanwhile;
    /// - of REGISTER and PUBLISH outside a dialog a hash of the address-of-record in To, of SUBSCRIBE of that in the
    ///   Request-URI, which names what it subscribes to (RFC 6665 §3.1.2): so they meet;
    /// - of all else a hash of the Call-ID, so that an INVITE, its repetitions by other ways (RFC 3261 §8.2.2.2) and its
    ///   CANCEL meet. Identifiers that no shard here has minted are no identifiers of ours;
    /// - of an answer of STUN, the shard in its transaction's name.
    ///
    /// `None` for what has no Call-ID: no shard knows better what to do with it.
    pub fn of(&self, message: &[u8]) -> Option<ShardNo> {
        if stun::is_stun(message) {
            return TransactionId::of(message).and_then(|id| self.opened(id.bits()));
        }
        let head = Head::of(message)?;
        match head.start_line().split(|b| *b == b' ').next().unwrap_or_default() {
            version if version.starts_with(b"SIP/") => self.of_response(head),
            method => self.of_request(method, head),
        }
    }

    /// The home of what a SUBSCRIBE with that start line subscribes to.
    fn of_resource(&self, start_line: &[u8]) -> Option<ShardNo> {
        let uri = start_line.split(|b| *b == b' ').nth(1).and_then(text)?;
        self.of_user(&uri.parse().ok()?)
    }

    fn of_response(&self, head: Head<'_>) -> Option<ShardNo> {
        let mut topmost = true;
        for (name, value) in head {
            match name {
                HeaderName::Via if std::mem::take(&mut topmost) => {
                    let branch = param_of(value, "branch").and_then(text).and_then(Branch::parse);
                    if let Some(shard) = branch.and_then(|branch| self.opened(branch.bits())) {
                        return Some(shard);
                    }
                }
                HeaderName::CallId => return Some(self.hashed(value)),
                _ => {}
            }
        }
        None
    }

    fn of_request(&self, method: &[u8], head: Head<'_>) -> Option<ShardNo> {
        let is = |one: Method| one.as_str().as_bytes() == method;
        let (by_record, by_resource) = (is(Method::Register) || is(Method::Publish), is(Method::Subscribe));
        let (is_invite, is_cancel) = (is(Method::Invite), is(Method::Cancel));
        // What may name a dialog does it in any line.
        let names = is_invite || by_resource || is(Method::Refer);
        let start_line = head.start_line();
        let (mut to, mut call_id, mut number, mut via, mut named) = (None, None, None, None, None);
        let mut of_registration = false;
        for (name, value) in head {
            match name {
                HeaderName::To if to.is_none() => {
                    let tag = param_of(value, "tag");
                    if let Some(shard) = tag.and_then(|tag| self.of_tag(tag)) {
                        return Some(shard);
                    }
                    if tag.is_none() && by_record {
                        return self.of_record(value);
                    }
                    to = Some(tag);
                }
                HeaderName::CallId if call_id.is_none() => call_id = Some(value),
                HeaderName::Via if (is_invite || is_cancel) && via.is_none() => via = Some(value),
                HeaderName::CSeq if is_invite || is_cancel => number = number.or(sequence(value)),
                HeaderName::Replaces | HeaderName::Join if is_invite => {
                    named = named.or_else(|| self.of_dialog(value, ["to-tag", "from-tag"]));
                }
                HeaderName::TargetDialog if names && !is_invite => {
                    named = named.or_else(|| self.of_dialog(value, ["local-tag", "remote-tag"]));
                }
                HeaderName::Event if by_resource => of_registration |= is_registration(value),
                _ => continue,
            }
            let enough =
                to.is_some() && call_id.is_some() && (!is_cancel || (number.is_some() && via.is_some()));
            if enough && !names {
                break;
            }
        }
        if by_resource
            && to.is_some_and(|tag| tag.is_none())
            && named.is_none_or(|_| of_registration)
            && let Some(home) = self.of_resource(start_line)
        {
            return Some(home);
        }
        let call_id = call_id?;
        let home = self.hashed(call_id);
        // By their number the INVITEs of one Call-ID are told apart, and by their branch those of others, who may know the rest: a
        // CANCEL has that of its INVITE (RFC 3261 §9.1).
        let hash =
            |number| self.hasher.hash_one((call_id, number, via.and_then(|via| param_of(via, "branch"))));
        let notes = self.notes.as_ref().zip(number);
        match named {
            Some(named) => {
                if let Some((notes, number)) = notes.filter(|_| is_invite && named != home) {
                    notes.note(hash(number), named);
                }
                Some(named)
            }
            None if is_cancel => {
                Some(notes.and_then(|(notes, number)| notes.find(hash(number))).unwrap_or(home))
            }
            None => Some(home),
        }
    }

    /// The shard that is home to a dialog that a header field names: one of its tags is ours.
    fn of_dialog(&self, value: &[u8], tags: [&str; 2]) -> Option<ShardNo> {
        tags.into_iter().find_map(|name| self.of_tag(param_of(value, name)?))
    }

    /// The shard that has made a tag, if one has.
    pub fn of_tag(&self, tag: &[u8]) -> Option<ShardNo> {
        text(tag).and_then(Tag::parse).and_then(|tag| self.opened(tag.bits()))
    }

    /// The shard of an address-of-record: user and host, whatever else the URI says (RFC 3261 §10.3 step 5).
    fn of_record(&self, to: &[u8]) -> Option<ShardNo> {
        let to = NameAddr::parse(&ByteString::from(text(to)?)).ok()?;
        self.of_user(to.uri())
    }

    /// The shard that is home to an address-of-record; `None` for a URI without a host.
    pub fn of_user(&self, address: &Uri) -> Option<ShardNo> {
        let host = address.host()?.to_string().to_ascii_lowercase();
        let user = address.user_decoded();
        Some(self.place(self.hasher.hash_one((user.as_deref(), host))))
    }

    fn hashed(&self, call_id: &[u8]) -> ShardNo {
        self.place(self.hasher.hash_one(call_id))
    }

    /// An even share of the hashes for each shard.
    fn place(&self, hash: u64) -> ShardNo {
        let place = (u128::from(hash) * u128::from(self.shards)) >> u64::BITS;
        ShardNo(u8::try_from(place).unwrap_or(0))
    }

    fn opened(&self, identifier: u64) -> Option<ShardNo> {
        let (node, shard) = self.seal.open(identifier);
        (node == self.node && shard.0 < self.shards).then_some(shard)
    }
}

/// The number of a CSeq.
fn sequence(value: &[u8]) -> Option<u32> {
    text(value)?.split_ascii_whitespace().next()?.parse().ok()
}

/// Whether an Event is that of registrations, which are at home with what they are of, whatever dialog is named.
fn is_registration(value: &[u8]) -> bool {
    text(value).and_then(|value| Event::parse(&value.into()).ok()).is_some_and(|event| event.is("reg"))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// A source of identifiers that carry the shard which mints them.
pub struct HomeIds<I> {
    chance: I,
    homes: Arc<Homes>,
    shard: ShardNo,
}

impl<I: Ids> HomeIds<I> {
    /// Identifiers of that shard, from this source of chance.
    pub fn new(chance: I, homes: Arc<Homes>, shard: ShardNo) -> Self {
        Self { chance, homes, shard }
    }
}

impl<I: Ids> Ids for HomeIds<I> {
    fn next_u64(&mut self) -> u64 {
        self.chance.next_u64()
    }

    fn key(&mut self) -> [u64; 2] {
        self.chance.key()
    }

    fn identifier(&self, chance: u64) -> u64 {
        self.homes.seal.close(self.homes.node, self.shard, chance)
    }

    fn elsewhere(&self, identifier: u64) -> Option<ShardNo> {
        self.homes.opened(identifier).filter(|home| *home != self.shard)
    }
}

#[cfg(test)]
mod tests;
