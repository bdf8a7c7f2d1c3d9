use std::path::PathBuf;

use crate::declare::{Reader, choice, table};
use crate::error::Found;
use crate::text::{Fingerprint, Origin, PeerHost, UrlPath};

table! {
    /// How a listener takes connections over TLS (1.2 and 1.3).
    pub struct ListenerTls {
        /// What we show: the certificate for the name that is asked for (RFC 6066 §3), else the first.
        live certificates: Vec<Certificate>, in 1..=64;
        /// Whether clients show a certificate.
        live clients: ClientCertificates = "unasked";
        /// The file of the root certificates that clients' are believed by, in PEM. Default: those of the system.
        live roots: Option<PathBuf>, such as "/etc/liaison/tls/peers.pem";
        /// Files of revoked certificates (RFC 5280 §5), in PEM or DER. One that is out of date lets nobody in whose
        /// issuer it is of.
        live revoked: Vec<PathBuf> = [], in 0..=64;
        /// Whether a certificate that states purposes is believed only if SIP is one of them (RFC 5924 §5: `id-kp-sipDomain`, or any).
        /// Public authorities state TLS alone.
        live sip_purpose: bool = false;
        /// Clients whose certificates are known, whoever has issued them: each stands for the domain of its pin and no other,
        /// and nobody else stands for that. Trunks are known by these domains (`identities`).
        live pins: Vec<Pin> = [], in 0..=1_024;
    }
    check check_listener_tls;
}

fn check_listener_tls(tls: &ListenerTls, reader: &mut Reader<'_>) {
    if !tls.pins.is_empty() && tls.clients == ClientCertificates::Unasked {
        let found = Found::Text("\"unasked\"".to_owned());
        reader.conflict("clients", found, "\"optional\" or \"required\", as there are `pins`");
    }
}

table! {
    /// A certificate of ours.
    pub struct Certificate {
        /// The file of the certificate, followed by those of its issuers, in PEM.
        live chain: PathBuf, such as "/etc/liaison/tls/sbc.pem";
        /// The file of its private key, in PEM. Nobody but its owner and group may read it.
        live key: PathBuf, such as "/etc/liaison/tls/sbc.key";
    }
}

table! {
    /// How a network makes connections over TLS. A server must prove the host of the URI that it is called by
    /// (RFC 5922 §7.3), whatever its address.
    pub struct NetworkTls {
        /// The file of the root certificates that servers' are believed by, in PEM. Default: those of the system.
        live roots: Option<PathBuf>, such as "/etc/liaison/tls/carriers.pem";
        /// Files of revoked certificates (RFC 5280 §5), in PEM or DER. One that is out of date lets nobody be called
        /// whose issuer it is of.
        live revoked: Vec<PathBuf> = [], in 0..=64;
        /// Whether a certificate that states purposes is believed only if SIP is one of them (RFC 5924 §5: `id-kp-sipDomain`, or any).
        /// Public authorities state TLS alone.
        live sip_purpose: bool = false;
        /// What we show a server that asks. With it servers may send us requests on connections that we opened
        /// (RFC 5923).
        live certificate: Option<Certificate>;
        /// Servers whose certificates are known: nothing else of these counts.
        live pins: Vec<Pin> = [], in 0..=1_024;
        /// Whether our Contact says `transport=tls`, unless it is a SIPS URI. RFC 5630 §5.1.1 wants that gone, but many
        /// peers find no way back without it.
        pinned transport_parameter: bool = true;
    }
}

table! {
    /// A peer whose certificate is known.
    pub struct Pin {
        /// Of a server: the host of the URIs that it is called by. Of a client: the domain that it stands for.
        live host: PeerHost, such as "pbx.example.com";
        /// The SHA-256 of its certificate, or of the public key in it (SubjectPublicKeyInfo); one is enough.
        live fingerprints: Vec<Fingerprint>, in 1..=16, such as ["sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"];
    }
}

choice! {
    /// Whether clients show a certificate.
    pub enum ClientCertificates {
        /// They are not asked.
        Unasked = "unasked",
        /// They are asked. One who shows none is let in without being known.
        Optional = "optional",
        /// One who shows none is turned away.
        Required = "required",
    }
}

table! {
    /// Who may open a WebSocket (RFC 7118).
    pub struct WebSocket {
        /// The path that is asked for.
        live path: UrlPath = "/", such as "/sip";
        /// The origins of the web pages that may (RFC 6454), or `"*"` for any. Clients that are no browsers have none,
        /// and may.
        live origins: Vec<Origin> = [], in 0..=256, such as ["https://phone.example.com"];
    }
}
