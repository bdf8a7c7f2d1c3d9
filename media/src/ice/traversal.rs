//! How the NAT that a network's media is behind is crossed.

use std::net::SocketAddr;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::turn::client::Login;
use crate::turn::mint;

/// What a STUN or TURN server is reached by (RFC 7064, RFC 7065).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams, from the media port itself.
    Udp,
    /// A connection for each media port.
    Tcp,
    /// The same under TLS.
    Tls,
}

/// How we prove ourselves to a TURN server.
#[derive(Clone, PartialEq, Eq)]
pub enum Auth {
    /// By a username and a password (RFC 8489 §9.2).
    Login {
        /// The username.
        username: Box<str>,
        /// The password.
        password: Zeroizing<String>,
    },
    /// By credentials that end, made with a secret that the server has, too (draft-uberti-behave-turn-rest-00 §2.2).
    Shared {
        /// For whom.
        user: Box<str>,
        /// The secret.
        secret: Zeroizing<String>,
    },
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Login { .. } => "Login",
            Self::Shared { .. } => "Shared",
        })
    }
}

/// How long credentials that we make last, in seconds.
const CREDENTIALS_LAST: u64 = 86_400;

impl Auth {
    pub(crate) fn login(&self, unix: u64) -> Option<Login> {
        match self {
            Self::Login { username, password } => {
                Some(Login { username: username.clone(), password: password.clone() })
            }
            Self::Shared { user, secret } => {
                let minted = mint(secret, user, unix + CREDENTIALS_LAST)?;
                Some(Login { username: minted.username.into(), password: minted.password })
            }
        }
    }
}

/// A STUN or TURN server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// As the configuration names it.
    pub name: Box<str>,
    /// The host of the URI, which its certificate has to name.
    pub host: Box<str>,
    /// Where it is.
    pub address: SocketAddr,
    /// What it is reached by.
    pub transport: Transport,
    /// For TURN; a server without is only asked where it sees us.
    pub auth: Option<Auth>,
}

/// What a network has for crossing its NAT.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traversal {
    /// The servers: the first of each kind that answers is taken.
    pub servers: Arc<[Server]>,
    /// So many pairs of ports are kept ready for each shard and thread, with their addresses beyond the NAT.
    pub ready: u16,
}
