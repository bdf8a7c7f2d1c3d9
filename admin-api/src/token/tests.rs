use std::thread;

use super::*;

fn write(path: &Path, content: &str, mode: u32) {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file.set_permissions(fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn the_first_start_makes_a_token_of_mode_0600_and_the_next_reads_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("state/liaison/token");
    let first = Token::load_or_create(&path).unwrap();
    assert!(first.created);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.len(), 65, "64 digits and a line feed");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o7777, 0o700);

    let second = Token::load_or_create(&path).unwrap();
    assert!(!second.created);
    for loaded in [first, second] {
        assert!(loaded.token.matches(text.trim_end()));
        assert!(!loaded.token.matches(&text), "the line feed is no part of it");
        assert!(!loaded.token.matches(""));
    }
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft stays behind");
}

#[test]
fn two_tokens_are_never_the_same() {
    assert_ne!(*random_text().unwrap(), *random_text().unwrap());
}

#[test]
fn starts_at_once_agree_on_one_token() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("token");
    let loaded: Vec<Loaded> = thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(|| Token::load_or_create(&path).unwrap())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let text = fs::read_to_string(&path).unwrap();
    assert!(loaded.iter().all(|one| one.token.matches(text.trim_end())));
    assert_eq!(loaded.iter().filter(|one| one.created).count(), 1);
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let home = tempfile::tempdir().unwrap();
    for mode in [0o640, 0o604, 0o620, 0o666] {
        let path = home.path().join(format!("{mode:o}"));
        write(&path, &"a".repeat(64), mode);
        let error = Token::load_or_create(&path).unwrap_err();
        assert!(matches!(&error, TokenError::Exposed { mode: found, .. } if *found == mode), "{error}");
    }
    let text = Token::load_or_create(&home.path().join("640")).unwrap_err().to_string();
    assert!(text.contains("640 has mode 0640") && text.contains("chmod 600"), "{text}");
}

#[test]
fn a_file_of_anything_else_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let contents =
        ["", "a", &"A".repeat(64), &"a".repeat(65), &format!("{}\n\n", "a".repeat(64)), &"é".repeat(32)];
    for (number, content) in contents.into_iter().enumerate() {
        let path = home.path().join(number.to_string());
        write(&path, content, 0o600);
        let error = Token::load_or_create(&path).unwrap_err();
        assert!(matches!(error, TokenError::Malformed { .. }), "{content:?}: {error}");
    }
    let error = Token::load_or_create(home.path()).unwrap_err();
    assert!(matches!(error, TokenError::NotAFile { .. }), "{error}");
}

#[test]
fn a_place_that_cannot_be_written_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    write(&file, "", 0o600);
    let error = Token::load_or_create(&file.join("token")).unwrap_err();
    assert!(matches!(error, TokenError::Read { .. }), "{error}");
    let error = Token::load_or_create(Path::new("/proc/liaison/token")).unwrap_err();
    assert!(matches!(error, TokenError::Create { .. }), "{error}");
}

#[test]
fn debug_output_does_not_show_the_token() {
    assert_eq!(format!("{:?}", Token::from_text("secret")), "Token");
}
