//! `liaison demo`, as a user runs it.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::{Command, Output};

/// The program: `LIAISON_BIN`, or what cargo built beside the folder of this test.
fn liaison() -> PathBuf {
    if let Some(path) = std::env::var_os("LIAISON_BIN") {
        return path.into();
    }
    // target/debug/deps/demo-… stands beside target/debug/liaison.
    let this = std::env::current_exe().unwrap();
    let built = this.ancestors().nth(2).unwrap().join("liaison");
    assert!(built.exists(), "{} is not built: `cargo build -p b2bua`, or set LIAISON_BIN", built.display());
    built
}

fn demo(arguments: &[&str]) -> Output {
    Command::new(liaison()).arg("demo").args(arguments).output().unwrap()
}

/// The word after the first place where `text` has `before`.
fn word_after<'a>(text: &'a str, before: &str) -> &'a str {
    let at = text.find(before).unwrap_or_else(|| panic!("no {before:?} in\n{text}"));
    text[at + before.len()..].split_whitespace().next().unwrap()
}

#[test]
fn a_call_crosses_and_both_hear_each_other() {
    let output = demo(&["--seconds", "2"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));

    for progress in ["starting", "ringing", "answered", "  1 s ", "  2 s ", "hung up"] {
        assert!(text.contains(progress), "no {progress:?} in\n{text}");
    }
    for fact in ["440 Hz, 440 Hz (", "620 Hz, 620 Hz (", "\"packets\": ", "curl -H", "route: inbound"] {
        assert!(text.contains(fact), "no {fact:?} in\n{text}");
    }
    assert!(!text.contains("failed"), "{text}");
    assert!(!text.contains('\x1b'), "no colours where nobody sees them");
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");

    // The ladder names the Call-ID of each leg, and they are two.
    let first = word_after(&text, "Call-ID ");
    let second = word_after(&text[text.find(first).unwrap()..], "Call-ID ");
    assert_eq!((first.len(), second.len()), (26, 26));
    assert_ne!(first, second);

    // Each leg has the whole call.
    for message in ["─ INVITE +SDP ", "<─ 180 Ringing ", "<─ 200 OK +SDP ", "─ ACK ", "─ BYE ", "<─ 200 OK ─"]
    {
        assert_eq!(text.matches(message).count(), 2, "{message:?} once on each leg in\n{text}");
    }

    // Nothing stays behind.
    let token = PathBuf::from(word_after(&text, "token in "));
    assert!(token.ends_with("admin.token"));
    assert!(!token.parent().unwrap().exists(), "{}", token.display());
}

#[test]
fn demonstrations_run_side_by_side() {
    let runs: Vec<_> = (0..6).map(|_| std::thread::spawn(|| demo(&["--seconds", "1"]))).collect();
    for run in runs {
        let output = run.join().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn a_talk_longer_than_a_minute_is_refused() {
    for seconds in ["0", "61", "x"] {
        assert_eq!(demo(&["--seconds", seconds]).status.code(), Some(2));
    }
}
