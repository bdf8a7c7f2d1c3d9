//! The messages that the parsers are given.

use std::{fs, path::Path};

use bytes::Bytes;

/// One message.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The name of its file without the ending.
    pub name: String,
    /// As it stands on the wire; shared memory, as a socket's read buffer is.
    pub bytes: Bytes,
}

/// The INVITE that the mark counts for.
#[must_use]
pub fn invite() -> Sample {
    sample(&data().join("invite.sip"))
}

/// What a call, a registration and a trunk's ping are made of besides an INVITE.
#[must_use]
pub fn ordinary() -> Vec<Sample> {
    ["ringing", "ok-sdp", "ack", "bye", "register", "options"]
        .map(|name| sample(&data().join(name).with_extension("sip")))
        .into()
}

/// The 49 torture messages of RFC 4475, sorted by name.
///
/// # Panics
/// They are not in the repository.
#[must_use]
pub fn torture() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/rfc4475");
    let mut samples: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| sample(&entry.expect("a folder that can be listed").path()))
        .collect();
    samples.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(samples.len(), 49, "RFC 4475 has 49 messages");
    samples
}

fn data() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/data"))
}

fn sample(path: &Path) -> Sample {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Sample { name, bytes: bytes.into() }
}
