//! The way to the lab and to the program.

use std::fs::OpenOptions;
use std::io::Write as _;
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

/// How often in a row a check has to hold that did not hold once.
const IN_A_ROW: u32 = 3;

/// Runs one check of a script of `lab/through` on a private network, and fails with all that it printed. It is killed,
/// with every process that it started, after so many seconds.
///
/// Peers that we didn't write keep real time, and a machine that stands still for a moment makes them fail: a check that fails is run
/// [`IN_A_ROW`] times more and has failed unless all of those hold, which a fault of ours that shows every second time survives once in
/// eight. What the failure printed is written to the file that `LIAISON_UNSTEADY` names, where there is one, which `tests/run` shows.
pub fn check(script: &str, arguments: &[&str], seconds: u32) {
    let Err(first) = attempt(script, arguments, seconds) else { return };
    for again in 1..=IN_A_ROW {
        if let Err(next) = attempt(script, arguments, seconds) {
            panic!("{first}\n\nand in repetition {again}:\n{next}");
        }
    }
    println!("held {IN_A_ROW} times after this:\n{first}");
    if let Some(path) = std::env::var_os("LIAISON_UNSTEADY") {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        // In one piece, for tests run side by side.
        file.write_all(format!("==> held {IN_A_ROW} times after it failed once: {first}\n\n").as_bytes())
            .unwrap();
    }
}

/// One run of it, or what it printed.
fn attempt(script: &str, arguments: &[&str], seconds: u32) -> Result<(), String> {
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
    if run.status.success() && out.contains(&format!("ok    {}", arguments.join(" "))) {
        println!("{out}");
        return Ok(());
    }
    Err(format!("{script} {arguments:?}: {}\n{out}\n{err}", run.status))
}
