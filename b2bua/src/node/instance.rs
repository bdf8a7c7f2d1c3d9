//! Our name as a user agent instance, the same for as long as the state directory lives (RFC 5626 §4.1).

use config::{Config, Register};
use sip::driver::ids::RandomIds;
use sip::ids::Ids;
use std::fs::{File, create_dir_all, read_to_string};
use std::io::{self, Write};
use std::path::Path;

/// The name, kept or made up now, if a trunk of the configuration needs one; the error has the setting that does.
pub(super) fn of(config: &Config) -> Result<Option<Box<str>>, (String, String)> {
    let needs =
        config.trunks.iter().find_map(|(name, trunk)| Some((name, demander(trunk.register.as_ref()?)?)));
    let Some((name, setting)) = needs else { return Ok(None) };
    let path = config.node.state_directory.join("instance");
    kept(&path).map(Some).map_err(|error| {
        (format!("trunks.{name}.register.{setting}"), format!("{}: {error}", path.display()))
    })
}

/// The setting of a registration by which it needs a name, and has none of its own.
fn demander(register: &Register) -> Option<&'static str> {
    match &register.outbound {
        Some(outbound) => outbound.instance.is_none().then_some("outbound.instance"),
        None => register.gruu.then_some("gruu"),
    }
}

/// What is in the file, which is made if it is not there.
fn kept(path: &Path) -> io::Result<Box<str>> {
    let text = match read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path)?,
        read => read?,
    };
    let urn = text.trim();
    match config::InstanceId::read(urn) {
        Some(instance) => Ok(instance.as_str().into()),
        None => Err(io::Error::new(io::ErrorKind::InvalidData, "holds no UUID as a URN")),
    }
}

/// Makes a name up and keeps it. If another process is faster, its name is the one.
fn make(path: &Path) -> io::Result<String> {
    let mut ids = RandomIds::new().map_err(io::Error::other)?;
    let urn = random(&mut ids);
    if let Some(folder) = path.parent() {
        create_dir_all(folder)?;
    }
    // Whole or not there: what is linked has been written.
    let draft = path.with_extension(format!("{:x}", ids.next_u64()));
    let mut file = File::create_new(&draft)?;
    file.write_all(format!("{urn}\n").as_bytes()).and_then(|()| file.sync_all())?;
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read_to_string(path),
        linked => linked.map(|()| urn),
    }
}

/// A random UUID (RFC 9562 §5.4) as a URN.
fn random(ids: &mut dyn Ids) -> String {
    let bits = u128::from(ids.next_u64()) << 64 | u128::from(ids.next_u64());
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("urn:uuid:{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &Path, outbound: &str) -> Config {
        let text = format!(
            "[node]\nstate_directory = {folder:?}\n[networks.a]\n\
             listeners = [{{ transport = \"udp\", address = \"127.0.0.1:5060\" }}]\n\
             media = {{ address = \"127.0.0.1\", ports = \"20000-20999\" }}\n\
             [trunks.t]\nnetwork = \"a\"\ntargets = [\"sip:192.0.2.1\"]\nregister = {{ address = \"a@b\"{outbound} }}\n"
        );
        Config::parse("instance.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
    }

    // conforms: RFC5626-4.1-1,2,3
    #[test]
    fn rfc5626_4_1_an_instance_has_one_name_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        assert_eq!(of(&config(&state, "")), Ok(None));
        let given = ", outbound = { instance = \"urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6\" }";
        assert_eq!(of(&config(&state, given)), Ok(None));
        assert!(!state.exists(), "nobody needs it");
        let wanted = config(&state, ", outbound = {}");
        let first = of(&wanted).unwrap().unwrap();
        assert_eq!(of(&wanted), Ok(Some(first.clone())), "after a restart, and in whatever network");
        assert_eq!(
            of(&config(&state, ", gruu = true")),
            Ok(Some(first.clone())),
            "for GRUUs (RFC 5627 §4.1)"
        );
        assert_eq!(first.len(), 45);
        assert!(first.starts_with("urn:uuid:") && first.chars().nth(23) == Some('4'), "{first}");
        assert_eq!(std::fs::read_dir(&state).unwrap().count(), 1);
        let elsewhere = of(&config(&folder.path().join("other"), ", outbound = {}")).unwrap().unwrap();
        assert_ne!(first, elsewhere);
        std::fs::write(state.join("instance"), "nonsense").unwrap();
        let (setting, why) = of(&wanted).unwrap_err();
        assert_eq!(setting, "trunks.t.register.outbound.instance");
        let (setting, _) = of(&config(&state, ", gruu = true")).unwrap_err();
        assert_eq!(setting, "trunks.t.register.gruu");
        assert!(why.ends_with("state/instance: holds no UUID as a URN"), "{why}");
    }
}
