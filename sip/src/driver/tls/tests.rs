//! A zoo of certificates, in both roles, over handshakes in memory.

use super::testing::{Authority, Issued, Names};
use super::*;
use rcgen::ExtendedKeyUsagePurpose as Purpose;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, ServerConnection};
use sha2::{Digest, Sha256};

const HERE: Names<'_> = Names { dns: &["pbx.example.com"], uri: &[], common_name: None };

/// Handshakes, and who each side takes the other for; or why one of them does not.
fn shake(
    server: ServerSettings,
    client: ClientSettings,
    domain: &str,
) -> Result<(Peer, Peer, ServerConnection), rustls::Error> {
    let domain = Domain::new(domain);
    let client = client.build().unwrap();
    let name = ServerName::try_from(domain.as_str().to_owned()).unwrap();
    let mut ours = ClientConnection::new(client.config.clone(), name).unwrap();
    let server = server.build().unwrap();
    let mut theirs = ServerConnection::new(server.config.clone()).unwrap();
    let mut moved = true;
    while moved {
        moved = false;
        let mut wire = Vec::new();
        while ours.wants_write() {
            ours.write_tls(&mut wire).unwrap();
        }
        moved |= !wire.is_empty();
        theirs.read_tls(&mut wire.as_slice()).unwrap();
        theirs.process_new_packets()?;
        let mut wire = Vec::new();
        while theirs.wants_write() {
            theirs.write_tls(&mut wire).unwrap();
        }
        moved |= !wire.is_empty();
        ours.read_tls(&mut wire.as_slice()).unwrap();
        ours.process_new_packets()?;
    }
    assert!(!ours.is_handshaking() && !theirs.is_handshaking());
    Ok((Peer::opened(&ours, &client, &domain), Peer::accepted(&theirs, &server), theirs))
}

fn names(peer: &Peer) -> Vec<String> {
    peer.identities.iter().map(ToString::to_string).collect()
}

/// How a client that looks for `pbx.example.com` takes a server's certificate.
fn as_server(trust: Trust, issued: &Issued) -> Result<Vec<String>, String> {
    let client = ClientSettings { trust, ..ClientSettings::default() };
    shake(issued.serving(Clients::Unasked), client, "PBX.example.com.")
        .map(|(server, ..)| names(&server))
        .map_err(|error| error.to_string())
}

/// How a server takes a client's certificate.
fn as_client(trust: Trust, issued: &Issued) -> Result<Vec<String>, String> {
    let authority = Authority::new("server's");
    let own = authority.issue(HERE);
    let client = ClientSettings {
        trust: authority.trust(),
        credentials: Some(issued.credentials()),
        ..ClientSettings::default()
    };
    shake(own.serving(Clients::Required(trust)), client, "pbx.example.com")
        .map(|(_, client, _)| names(&client))
        .map_err(|error| error.to_string())
}

fn refused(got: Result<Vec<String>, String>, with: &str) {
    let why = got.unwrap_err();
    assert!(why.contains(with), "{why} instead of {with}");
}

// conforms: RFC5922-7.2-4,5,6 RFC5922-7.3-1,2
#[test]
fn rfc5922_7_3_a_server_must_prove_the_domain_that_is_looked_for() {
    let root = Authority::new("root");
    let shows = |names: Names<'_>| as_server(root.trust(), &root.issue(names));
    let uri = &["sip:pbx.example.com"];
    assert_eq!(shows(HERE), Ok(vec!["DNS:pbx.example.com".to_owned()]));
    assert_eq!(
        shows(Names { dns: &["other.example"], uri, common_name: None }).unwrap(),
        ["URI:pbx.example.com"]
    );
    assert_eq!(
        shows(Names { common_name: Some("pbx.example.com"), ..Names::default() }).unwrap(),
        ["CN:pbx.example.com"]
    );
    let strangers = [
        ("wrong name", Names::dns(&["pbx.example.org"])),
        ("wildcard", Names::dns(&["*.example.com"])),
        ("parent", Names::dns(&["example.com"])),
        ("child", Names::dns(&["a.pbx.example.com"])),
        ("URI of another beside the DNS name", Names { uri: &["sip:example.org"], ..HERE }),
        (
            "common name beside another DNS name",
            Names { dns: &["x.example"], uri: &[], common_name: Some("pbx.example.com") },
        ),
        ("URI of a user", Names { dns: &[], uri: &["sip:a@pbx.example.com"], common_name: None }),
        ("nobody", Names::default()),
    ];
    for (what, names) in strangers {
        let why = shows(names).expect_err(what);
        assert!(why.contains("NotValidForName"), "{what}: {why}");
    }
}

// conforms: RFC5922-7.4-2 RFC5923-9.2-1
#[test]
fn rfc5922_7_4_a_clients_identities_are_those_of_its_certificate() {
    let root = Authority::new("root");
    let shows = |names: Names<'_>| as_client(root.trust(), &root.issue(names)).unwrap();
    assert_eq!(shows(HERE), ["DNS:pbx.example.com"]);
    assert_eq!(shows(Names { uri: &["sip:example.org"], ..HERE }), ["URI:example.org"]);
    assert_eq!(shows(Names { common_name: Some("cn.example"), ..Names::default() }), ["CN:cn.example"]);
    assert_eq!(shows(Names::dns(&["*.example.com"])), ["DNS:*.example.com"]);
    let peer = Peer {
        identities: identity::of(&root.issue(Names::dns(&["*.example.com"])).certificate),
        ..Peer::default()
    };
    assert!(!peer.is(&Domain::new("a.example.com")), "a wildcard is nobody but itself");
    assert!(shows(Names::default()).is_empty());
}

// conforms: RFC3261-26.3.1-2 RFC5922-7.1-1
#[test]
fn what_is_out_of_date_revoked_or_issued_by_a_stranger_proves_nothing_in_either_role() {
    let (root, stranger) = (Authority::new("root"), Authority::new("stranger"));
    for role in [as_server, as_client] {
        refused(role(root.trust(), &root.issue_expired(HERE)), "Expired");
        refused(role(root.trust(), &stranger.issue(HERE)), "UnknownIssuer");
        let issued = root.issue(HERE);
        refused(role(root.trust_but(&[issued.serial], true), &issued), "Revoked");
        assert!(role(root.trust_but(&[issued.serial + 1000], true), &issued).is_ok());
        refused(role(root.trust_but(&[], false), &issued), "ExpiredRevocationList");
        refused(role(Trust::default(), &issued), "UnknownIssuer");
    }
}

// conforms: RFC5922-7.1-2 RFC5924-4-1 RFC5924-5-1,2,3
#[test]
fn rfc5924_5_the_purposes_of_a_certificate_are_kept() {
    let root = Authority::new("root");
    let sip = Purpose::Other(vec![1, 3, 6, 1, 5, 5, 7, 3, 20]);
    for role in [as_server, as_client] {
        assert!(role(root.trust(), &root.issue_for(HERE, std::slice::from_ref(&sip))).is_ok());
        assert!(role(root.trust(), &root.issue_for(HERE, &[Purpose::Any])).is_ok());
        assert!(
            role(root.trust(), &root.issue_for(HERE, &[Purpose::ServerAuth, Purpose::ClientAuth])).is_ok()
        );
        refused(role(root.trust(), &root.issue_for(HERE, &[Purpose::EmailProtection])), "InvalidPurpose");
    }
    refused(as_client(root.trust(), &root.issue_for(HERE, &[Purpose::ServerAuth])), "InvalidPurpose");
    refused(as_server(root.trust(), &root.issue_for(HERE, &[Purpose::ClientAuth])), "InvalidPurpose");
}

// conforms: RFC5924-5-4
#[test]
fn rfc5924_5_where_sip_is_insisted_on_a_purpose_of_tls_alone_is_none() {
    let root = Authority::new("root");
    let sip = Purpose::Other(vec![1, 3, 6, 1, 5, 5, 7, 3, 20]);
    let insisting = || {
        let mut trust = root.trust();
        trust.insist_on_sip_purpose(true);
        trust
    };
    for role in [as_server, as_client] {
        for good in [&[sip.clone()][..], &[Purpose::ServerAuth, sip.clone()], &[Purpose::Any], &[]] {
            assert!(role(insisting(), &root.issue_for(HERE, good)).is_ok(), "{good:?}");
        }
        for bad in [&[Purpose::ServerAuth, Purpose::ClientAuth][..], &[Purpose::EmailProtection]] {
            refused(role(insisting(), &root.issue_for(HERE, bad)), "InvalidPurpose");
        }
    }
}

// conforms: RFC3261-26.3.1-1 RFC5922-7.4-1
#[test]
fn a_client_without_a_certificate_is_nobody_or_turned_away() {
    let root = Authority::new("root");
    let own = root.issue(HERE);
    let client = || ClientSettings { trust: root.trust(), ..ClientSettings::default() };
    let (_, seen, _) =
        shake(own.serving(Clients::Optional(root.trust())), client(), "pbx.example.com").unwrap();
    assert!(seen.identities.is_empty());
    let refusal =
        shake(own.serving(Clients::Required(root.trust())), client(), "pbx.example.com").unwrap_err();
    assert_eq!(refusal, rustls::Error::NoCertificatesPresented);
}

#[test]
fn a_pinned_certificate_is_believed_for_its_domain_whatever_else_it_says() {
    let nobody = Authority::new("nobody");
    let issued = nobody.issue_expired(Names::dns(&["other.example"]));
    let spki = webpki::EndEntityCert::try_from(&issued.certificate).unwrap().subject_public_key_info();
    let prints = [Sha256::digest(&issued.certificate), Sha256::digest(&spki)];
    for print in prints.map(|digest| Fingerprint(digest.into())) {
        let client = ClientSettings {
            pins: [(Domain::new("pbx.example.com"), vec![Fingerprint([0; 32]), print])].into(),
            ..ClientSettings::default()
        };
        let (server, ..) = shake(issued.serving(Clients::Unasked), client, "pbx.example.com").unwrap();
        assert_eq!(names(&server), ["pin:pbx.example.com"], "what it says of itself is not proved");
    }
    let client = ClientSettings {
        trust: nobody.trust(),
        pins: [(Domain::new("pbx.example.com"), vec![Fingerprint([0; 32])])].into(),
        ..ClientSettings::default()
    };
    let refusal = shake(nobody.issue(HERE).serving(Clients::Unasked), client, "pbx.example.com").unwrap_err();
    assert!(
        refusal.to_string().contains("ApplicationVerificationFailure"),
        "{refusal}: the authority does not count"
    );
}

#[test]
fn a_client_with_a_pinned_certificate_stands_for_its_domain_and_nobody_else_does() {
    let (root, nobody) = (Authority::new("root"), Authority::new("nobody"));
    let own = root.issue(HERE);
    let known = nobody.issue_expired(Names::dns(&["other.example"]));
    let shows = |issued: &Issued, pins: Pins| {
        let client = ClientSettings {
            trust: root.trust(),
            credentials: Some(issued.credentials()),
            ..ClientSettings::default()
        };
        let server = ServerSettings { pins, ..own.serving(Clients::Required(root.trust())) };
        shake(server, client, "pbx.example.com")
            .map(|(_, client, _)| names(&client))
            .map_err(|e| e.to_string())
    };
    let domain = || Domain::new("pbx.example.com");
    for print in Fingerprint::both_of(&known.certificate) {
        let pins = Pins::from([(domain(), vec![Fingerprint([0; 32]), print.unwrap()])]);
        let by_pin = shows(&known, pins.clone());
        assert_eq!(by_pin.unwrap(), ["pin:pbx.example.com"], "what it says of itself is not proved");
        // The authority is believed for others, and not for whom the pin stands for.
        assert_eq!(
            shows(&root.issue(Names::dns(&["a.example", "pbx.example.com"])), pins.clone()).unwrap(),
            ["DNS:a.example"]
        );
        refused(shows(&nobody.issue(HERE), pins), "UnknownIssuer");
    }
    refused(shows(&known, Pins::new()), "Expired");
}

#[test]
fn rfc6066_3_the_certificate_is_that_of_the_name_asked_for_else_the_first() {
    let root = Authority::new("root");
    let (a, b) =
        (root.issue(Names::dns(&["a.example"])), root.issue(Names { uri: &["sip:b.example"], ..HERE }));
    let serving = || ServerSettings {
        credentials: vec![a.credentials(), b.credentials()],
        clients: Clients::Unasked,
        pins: Pins::new(),
    };
    let client = || ClientSettings { trust: root.trust(), ..ClientSettings::default() };
    for domain in ["a.example", "b.example"] {
        let (server, ..) = shake(serving(), client(), domain).unwrap();
        assert!(server.is(&Domain::new(domain)));
    }
    let why = shake(serving(), client(), "c.example").unwrap_err().to_string();
    assert!(why.contains("NotValidForName"), "{why}");
    let address = root.issue(Names { uri: &["sip:192.0.2.1"], ..Names::default() });
    assert!(
        shake(address.serving(Clients::Unasked), client(), "192.0.2.1").is_ok(),
        "an address asks for no name"
    );
}

#[test]
fn keys_and_certificates_that_cannot_be_used_are_told_apart() {
    let root = Authority::new("root");
    let (a, b) = (root.issue(HERE), root.issue(HERE));
    let read = |chain: &str, key: &str| Credentials::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
    assert!(matches!(read(&a.chain, &b.key), TlsError::Key(_)));
    assert!(matches!(read("", &a.key), TlsError::NoCertificate));
    assert!(matches!(read(&a.chain, ""), TlsError::NoKey(_)));
    assert!(matches!(read("-----BEGIN CERTIFICATE-----\n!\n", &a.key), TlsError::Pem(_)));
    assert!(matches!(Trust::default().revoke(b"what"), Err(TlsError::List(_))));
    assert!(matches!(Trust::default().add_pem(a.key.as_bytes()), Err(TlsError::NoCertificate)));
    let none = ServerSettings { credentials: Vec::new(), clients: Clients::Unasked, pins: Pins::new() };
    assert!(matches!(none.build(), Err(TlsError::NoCertificate)));
}
