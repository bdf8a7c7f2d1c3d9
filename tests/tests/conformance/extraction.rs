//! The script that made the inventory, on a text of our own.

use super::root;
use std::process::Command;

/// Pages break in sentences, lists have marks, words are quoted, and a demand is one sentence.
const TEXT: &str = "\
Network Working Group                                        A. Nobody
Request for Comments: 1                                   October 2026


1. Words

   The key words \"MUST\", \"MUST NOT\" and \"REQUIRED\" are those of RFC 2119.

2. Rules

   A server MUST answer, e.g. with a
   200.  It is NOT REQUIRED to smile.  A client MUST wait for the well-
   known answer, and the answer that spans two pages MUST be

Nobody                      Standards Track                     [Page 1]
\u{c}
RFC 1                        A Text of Rules                  October 2026


   read whole.  Then:

   1. It SHALL go.
   2. It SHOULD rest, and
      sleep.

      rule = \"MUST\" / \"SHALL\"

2.1. More Rules

   o  The \"x\" parameter is
      REQUIRED.

Appendix A. Last

   It MUST NOT stay.

Author's Address

   Nobody, who MUST NOT be found.
";

#[test]
fn each_sentence_that_demands_is_found_once_with_its_section() {
    let folder = std::env::temp_dir().join(format!("liaison-extract-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("rfc1.txt"), TEXT).unwrap();
    let script = root().join("tests/conformance/extract.py");
    let run = Command::new(script).args([&folder, &folder]).arg("1").output().unwrap();
    let found = std::fs::read_to_string(folder.join("rfc1.tsv"));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    insta::assert_snapshot!(found.unwrap().replace('\t', " | "), @r#"
    RFC1-2-1 | 2 | A server MUST answer, e.g. with a 200.
    RFC1-2-2 | 2 | A client MUST wait for the well-known answer, and the answer that spans two pages MUST be read whole.
    RFC1-2-3 | 2 | It SHALL go.
    RFC1-2.1-1 | 2.1 | The "x" parameter is REQUIRED.
    RFC1-A-1 | A | It MUST NOT stay.
    "#);
}
