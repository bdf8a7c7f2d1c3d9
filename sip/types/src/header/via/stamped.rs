//! The topmost Via of a response.

use std::{
    fmt::{self, Write},
    net::IpAddr,
};

use super::Via;
use crate::{text::trim, uri::Dotted};

/// A Via as it stands in a response; see [`Via::stamped`].
#[derive(Clone, Copy)]
pub struct Stamped<'a> {
    pub(super) via: &'a Via,
    pub(super) received: Option<IpAddr>,
    pub(super) rport: Option<u16>,
    pub(super) keep: Option<u64>,
    pub(super) overload: Option<&'a dyn fmt::Display>,
}

impl fmt::Debug for Stamped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stamped({self})")
    }
}

impl fmt::Display for Stamped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl Stamped<'_> {
    /// Writes it. Every response has one, and through a [`fmt::Formatter`] each part costs a call more.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn write(&self, f: &mut impl Write) -> fmt::Result {
        let Self { via, mut received, mut rport, keep, overload } = *self;
        f.write_str(trim(via.text.get(..via.layout.params.start()).unwrap_or_default()))?;
        let params = via.params().filter(|(name, _)| overload.is_none() || !is_overload(name));
        for (name, value) in params {
            f.write_char(';')?;
            f.write_str(name)?;
            if received.is_some() && name.eq_ignore_ascii_case("received") {
                write_address(f, received.take())?;
            } else if rport.is_some() && name.eq_ignore_ascii_case("rport") {
                write_port(f, rport.take())?;
            } else if let Some(value) = value {
                f.write_char('=')?;
                f.write_str(value)?;
            } else if let Some(seconds) = keep.filter(|_| name.eq_ignore_ascii_case("keep")) {
                write_number(f, seconds)?;
            }
        }
        if received.is_some() {
            f.write_str(";received")?;
            write_address(f, received)?;
        }
        if rport.is_some() {
            f.write_str(";rport")?;
            write_port(f, rport)?;
        }
        overload.map_or(Ok(()), |overload| write!(f, "{overload}"))
    }
}

/// Whether a parameter is one of overload control (RFC 7339 §4).
fn is_overload(name: &str) -> bool {
    ["oc", "oc-algo", "oc-validity", "oc-seq"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn write_address(f: &mut impl Write, address: Option<IpAddr>) -> fmt::Result {
    match address {
        Some(IpAddr::V4(address)) => {
            f.write_char('=')?;
            Dotted(address).write(f)
        }
        Some(IpAddr::V6(address)) => write!(f, "={address}"),
        None => Ok(()),
    }
}

fn write_port(f: &mut impl Write, port: Option<u16>) -> fmt::Result {
    port.map_or(Ok(()), |port| write_number(f, port.into()))
}

fn write_number(f: &mut impl Write, number: u64) -> fmt::Result {
    f.write_char('=')?;
    f.write_str(itoa::Buffer::new().format(number))
}
