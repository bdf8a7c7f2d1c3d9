//! The way to the lab and to the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The program: `LIAISON_BIN`, or what cargo built beside the folder of this test.
pub fn liaison() -> PathBuf {
    if let Some(path) = std::env::var_os("LIAISON_BIN") {
        return path.into();
    }
    // target/debug/deps/peers-… stands beside target/debug/liaison.
    let this = std::env::current_exe().unwrap();
    let built = this.ancestors().nth(2).unwrap().join("liaison");
    assert!(built.exists(), "{} is not built: `cargo build -p b2bua`, or set LIAISON_BIN", built.display());
    built
}

/// Runs one check of a script of `lab/through` on a private network, and fails with all that it printed. It is killed,
/// with every process that it started, after so many seconds.
pub fn check(script: &str, arguments: &[&str], seconds: u32) {
    let lab = root().join("tests/lab");
    let run = Command::new(lab.join("lo-run"))
        .args(["--timeout", &seconds.to_string()])
        .arg(lab.join("through").join(script))
        .args(arguments)
        .env("LIAISON_BIN", liaison())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    // A script that ends well says so: an exit status alone could come from a shell that never began it.
    let done = format!("ok    {}", arguments.join(" "));
    assert!(
        run.status.success() && out.contains(&done),
        "{script} {arguments:?}: {}\n{out}\n{err}",
        run.status
    );
    println!("{out}");
}
