//! What the program says on standard output and standard error.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether standard output refused something. There is one of it in a process, and so of this.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// Writes a line on standard output at once. A reader that has gone away has read enough; any other failure is said once
/// on standard error, and [`verdict`] counts it.
pub(crate) fn say(line: impl Display) {
    let mut out = std::io::stdout().lock();
    let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) else { return };
    if error.kind() != ErrorKind::BrokenPipe && !REFUSED.swap(true, Ordering::Relaxed) {
        complain(format_args!("liaison: cannot write on standard output: {error}"));
    }
}

/// Writes a line on standard error. Where that cannot be written, there is nobody left to tell.
pub(crate) fn complain(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// The exit code of a command that came to `code`: 1 where what it had to say could not be written.
pub(crate) fn verdict(code: ExitCode) -> ExitCode {
    if code == ExitCode::SUCCESS && REFUSED.load(Ordering::Relaxed) { ExitCode::FAILURE } else { code }
}
