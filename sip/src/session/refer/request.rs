//! What a REFER asks for.

use super::NO_SUBSCRIPTION_REQUIRED;
use crate::received::Received;
use crate::session::{Reply, refusal};
use bytestring::ByteString;
use sip_types::header::{ReferSub, ReferTo, Replaces, Require, TypedHeader};
use sip_types::{Headers, Scheme, StatusCode};

/// A REFER that can be acted upon.
#[derive(Clone, Debug)]
pub struct Refer {
    /// Whom it points to.
    pub to: ReferTo,
    /// The dialog that the INVITE which it asks for is to replace (RFC 3891, RFC 5589 §7), as its receiver sees the tags.
    pub replaces: Option<Replaces>,
    /// Whether its sender wants no subscription (RFC 4488 §4, RFC 7614 §5).
    pub silent: bool,
}

/// Whether a request requires an extension.
fn requires(headers: &Headers, option: &str) -> bool {
    headers.list::<Require>().is_ok_and(|tags| tags.iter().any(|tag| tag.is(option)))
}

impl Refer {
    /// Reads it.
    ///
    /// # Errors
    /// The response that refuses it: 400 without exactly one Refer-To (RFC 3515 §2.4.2) or with a Replaces in it that
    /// is none, or several (RFC 3891 §3); 603 for a URI that nobody can be called by, or that asks for another method than
    /// INVITE, as 416 and 404 would be taken for the end of the dialog (RFC 5057 §5.1).
    pub fn read(request: &Received) -> Result<Self, Box<Reply>> {
        let headers = request.headers();
        let bad = |reason| Box::new(refusal(StatusCode::BAD_REQUEST, reason));
        let to = headers.sole::<ReferTo>().ok().flatten();
        let to = to.ok_or_else(|| bad("Exactly One Refer-To Needed"))?;
        let uri = to.uri();
        let calls = uri.param("method").flatten().is_none_or(|method| method == "INVITE");
        if uri.scheme() == Scheme::Other || !calls {
            return Err(Box::new(Reply::new(StatusCode::DECLINE)));
        }
        let mut named = uri.header("Replaces");
        let replaces = named.next().map(|text| Replaces::parse(&ByteString::from(text.into_owned())));
        let replaces = replaces.transpose().map_err(|_| bad("Malformed Replaces in Refer-To"))?;
        if named.next().is_some() {
            return Err(bad("Several Replaces in Refer-To"));
        }
        drop(named);
        let silent = headers.get::<ReferSub>().ok().flatten().is_some_and(|asked| asked.is_false())
            || requires(headers, NO_SUBSCRIPTION_REQUIRED);
        Ok(Self { to, replaces, silent })
    }
}
