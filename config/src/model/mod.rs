//! The document: every setting, declared once.

mod auth;
mod config;
mod digest;
mod guard;
mod limits;
mod location;
mod media;
mod network;
mod node;
mod outbound;
mod overload;
mod police;
mod profile;
mod quality;
mod register;
mod registrar;
mod route;
mod session_timer;
mod srtp;
mod timers;
mod tls;
mod traversal;
mod trunk;
mod turn;

pub use auth::{Bearer, CardCredentials, Challenge, Credentials, Guessing, OperatorKey, User};
pub use config::Config;
pub use digest::{Algorithm, Digest, Qop};
pub use guard::Guard;
pub use limits::Limits;
pub use location::{Dns, Location};
pub use media::{Bundle, Dtmf, Ice, MediaMode, RtpSources, TcpMedia, Transcoded};
pub use network::{Latch, Listener, Nat, Network, NetworkMedia, Strangers, Transport};
pub use node::{Admin, Cdr, Log, LogFormat, LogLevel, Media, Node, Signalling};
pub use outbound::Outbound;
pub use overload::{Heed, Overload, OverloadAlgorithm, OverloadControl};
pub use police::{Excess, ForeignSources, PayloadTypes, Police};
pub use profile::{
    Carry, Causes, Diversions, EarlyDialogs, EarlyMedia, Messages, OfferedCodec, Offers, PickUp, Profile,
    Redirects, ReferPolicy, ReferTo, RequestsFrom, SessionIds, UnsolicitedNotify,
};
pub use quality::Quality;
pub use register::{Called, Register, Unregistered};
pub use registrar::{Account, CredentialsFor, PathOf, Registrar, RequireOutbound, Ring};
pub use route::{Number, Reject, Route, Target, TargetDomain, TargetUri};
pub use session_timer::{Refresher, SessionTimer, TimerMode};
pub use srtp::{DtlsVersion, Keying, Srtp, SrtpMode, SrtpSuite};
pub use timers::Timers;
pub use tls::{Certificate, ClientCertificates, ListenerTls, NetworkTls, Pin, WebSocket};
pub use traversal::{Traversal, TraversalServer};
pub use trunk::Trunk;
pub(crate) use trunk::target_transport;
pub use turn::{NetworkTurn, TurnListener, TurnTransport};
