//! The messages of one direction, with other paths.

use super::Paths;

/// What may come before a message's body, or its end (RFC 4975 §9): a start line and header fields.
const LONGEST_HEAD: usize = 8_192;
/// The hyphens before the transaction's name at the end of a message (RFC 4975 §7.1).
const HYPHENS: &[u8] = b"-------";
/// RFC 4975 §9: `ident` has 4 to 32 characters.
const LONGEST_NAME: usize = 32;

/// It is no MSRP, or has more before a body than is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// Gives the messages that go to one leg the paths of that leg. It keeps what is not whole: a head, or what may be the end of a body.
#[derive(Debug)]
pub(crate) struct Rewriter {
    paths: Paths,
    pub(super) held: Vec<u8>,
    /// The line that ends the body that is under way, without its flag.
    end: Option<Vec<u8>>,
}

impl Rewriter {
    pub(crate) fn new(paths: Paths) -> Self {
        Self { paths, held: Vec::new(), end: None }
    }

    /// Other paths, from the next message on.
    pub(crate) fn change(&mut self, paths: &Paths) {
        if self.paths != *paths {
            self.paths = paths.clone();
        }
    }

    /// Takes what has come, and adds to `out` what goes on.
    ///
    /// # Errors
    /// [`Broken`]: nothing more can be made of it.
    pub(crate) fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Broken> {
        self.held.extend_from_slice(input);
        loop {
            let done = match self.end.take() {
                Some(end) => self.body(end, out),
                None => self.head(out)?,
            };
            if !done {
                return Ok(());
            }
        }
    }

    /// Passes on what is of a body for certain; true when it has ended.
    fn body(&mut self, end: Vec<u8>, out: &mut Vec<u8>) -> bool {
        let line = |at: &usize| self.held.get(at + end.len()..at + end.len() + 3);
        let found = memchr::memmem::find_iter(&self.held, &end).find(|at| line(at).is_none_or(is_flag));
        let whole = found.filter(|at| line(at).is_some());
        let to = match (whole, found) {
            (Some(at), _) => at + end.len() + 3,
            (None, Some(at)) => at,
            (None, None) => self.held.len().saturating_sub(end.len()),
        };
        out.extend(self.held.drain(..to));
        if whole.is_none() {
            self.end = Some(end);
        }
        whole.is_some()
    }

    /// Writes a head with its paths changed; false while it is not whole.
    fn head(&mut self, out: &mut Vec<u8>) -> Result<bool, Broken> {
        let mut lines = Lines { text: &self.held, at: 0 };
        let Some(start) = lines.next() else { return self.unfinished() };
        let (name, is_request) = start_line(start).ok_or(Broken)?;
        let end = [HYPHENS, name].concat();
        let written = out.len();
        write(out, start);
        loop {
            let Some(line) = lines.next() else {
                out.truncate(written);
                return self.unfinished();
            };
            let is_end = line.strip_prefix(&*end).is_some_and(|flag| matches!(flag, [b'$' | b'#' | b'+']));
            if line.is_empty() || is_end {
                write(out, line);
                // The end of a body is a line of its own.
                self.end = line.is_empty().then(|| [b"\r\n", &*end].concat());
                let read = lines.at;
                self.held.drain(..read);
                return Ok(true);
            }
            match line.split_at_checked(line.iter().position(|byte| *byte == b':').ok_or(Broken)?) {
                Some((field, _)) if field.eq_ignore_ascii_case(b"To-Path") => {
                    // A response goes to the next hop only (RFC 4975 §7.2).
                    let theirs = &*self.paths.theirs;
                    let first = theirs.split_ascii_whitespace().next().unwrap_or_default();
                    write_field(out, "To-Path", if is_request { theirs } else { first });
                }
                Some((field, _)) if field.eq_ignore_ascii_case(b"From-Path") => {
                    write_field(out, "From-Path", &self.paths.ours);
                }
                _ => write(out, line),
            }
        }
    }

    fn unfinished(&self) -> Result<bool, Broken> {
        if self.held.len() > LONGEST_HEAD { Err(Broken) } else { Ok(false) }
    }
}

fn is_flag(rest: &[u8]) -> bool {
    matches!(rest, [b'$' | b'#' | b'+', b'\r', b'\n'])
}

fn write(out: &mut Vec<u8>, line: &[u8]) {
    out.extend_from_slice(line);
    out.extend_from_slice(b"\r\n");
}

fn write_field(out: &mut Vec<u8>, name: &str, value: &str) {
    write(out, format!("{name}: {value}").as_bytes());
}

/// `MSRP <transaction> <method>` or `MSRP <transaction> <status> …`: the transaction, and whether it is a request.
fn start_line(line: &[u8]) -> Option<(&[u8], bool)> {
    let mut words = line.split(|byte| *byte == b' ');
    let is_msrp = words.next() == Some(b"MSRP");
    let name = words.next().filter(|name| is_msrp && !name.is_empty() && name.len() <= LONGEST_NAME)?;
    let what = words.next()?;
    let is_status = what.len() == 3 && what.iter().all(u8::is_ascii_digit);
    Some((name, !is_status))
}

/// The lines that are whole.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.text.get(self.at..)?;
        let length = memchr::memmem::find(rest, b"\r\n")?;
        self.at += length + 2;
        rest.get(..length)
    }
}
