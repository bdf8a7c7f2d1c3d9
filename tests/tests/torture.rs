//! The torture messages of RFC 4475 and RFC 5118 against the tables of `tests/data`, each row twice: at a plain user
//! agent that carries nothing, and at the whole B2BUA with its default profile. And mutated messages, many.
#![forbid(unsafe_code)]

#[path = "torture/agent.rs"]
mod agent;
#[path = "torture/bench.rs"]
mod bench;
#[path = "torture/facts.rs"]
mod facts;
#[path = "torture/mutate.rs"]
mod mutate;
#[path = "torture/mutation.rs"]
mod mutation;
#[path = "torture/plain.rs"]
mod plain;
#[path = "torture/registrar.rs"]
mod registrar;
#[path = "torture/requests.rs"]
mod requests;
#[path = "torture/responses.rs"]
mod responses;
#[path = "torture/subject.rs"]
mod subject;
#[path = "torture/table.rs"]
mod table;

use bench::Bench;
use sip::Listener;
use subject::Subject;
use table::{Case, Outcome};

/// One test for each row and variant, and one that no row is forgotten.
macro_rules! rows {
    ($($test:ident $name:literal,)*) => {
        const ROWS: &[&str] = &[$($name),*];

        mod strict {
            $(#[test]
            fn $test() {
                let case = crate::table::row($name);
                crate::judge(&case, crate::subject::strict(), &case.strict);
            })*
        }

        mod default {
            $(#[test]
            fn $test() {
                let case = crate::table::row($name);
                crate::judge(&case, crate::subject::whole(case.wire, 1), &case.default);
            })*
        }
    };
}

rows! {
    wsinv "wsinv",
    intmeth "intmeth",
    esc01 "esc01",
    escnull "escnull",
    esc02 "esc02",
    lwsdisp "lwsdisp",
    longreq "longreq",
    dblreq "dblreq",
    semiuri "semiuri",
    transports "transports",
    mpart01 "mpart01",
    unreason "unreason",
    unreason_stray "unreason-stray",
    noreason "noreason",
    noreason_stray "noreason-stray",
    badinv01 "badinv01",
    clerr "clerr",
    clerr_tcp "clerr-tcp",
    ncl "ncl",
    ncl_tcp "ncl-tcp",
    scalar02 "scalar02",
    scalarlg "scalarlg",
    scalarlg_stray "scalarlg-stray",
    quotbal "quotbal",
    ltgtruri "ltgtruri",
    lwsruri "lwsruri",
    lwsstart "lwsstart",
    trws "trws",
    escruri "escruri",
    baddate "baddate",
    regbadct "regbadct",
    badaspec "badaspec",
    baddn "baddn",
    badvers "badvers",
    mismatch01 "mismatch01",
    mismatch02 "mismatch02",
    bigcode "bigcode",
    bigcode_stray "bigcode-stray",
    badbranch "badbranch",
    insuf "insuf",
    unkscm "unkscm",
    novelsc "novelsc",
    unksm2 "unksm2",
    bext01 "bext01",
    invut "invut",
    regaut01 "regaut01",
    multi01 "multi01",
    mcl01 "mcl01",
    mcl01_tcp "mcl01-tcp",
    bcast "bcast",
    bcast_stray "bcast-stray",
    zeromf "zeromf",
    cparam01 "cparam01",
    cparam02 "cparam02",
    regescrt "regescrt",
    sdp01 "sdp01",
    inv2543 "inv2543",
    ipv6_good "ipv6-good",
    ipv6_bad "ipv6-bad",
    port_ambiguous "port-ambiguous",
    port_unambiguous "port-unambiguous",
    via_received_delim "via-received-delim",
    via_received_nodelim "via-received-nodelim",
    ipv6_in_sdp "ipv6-in-sdp",
    mult_ip_in_header "mult-ip-in-header",
    mult_ip_in_sdp "mult-ip-in-sdp",
    ipv4_mapped "ipv4-mapped",
    abnf_3_colons "abnf-3-colons",
    abnf_2_colons "abnf-2-colons",
}

#[test]
fn every_row_of_the_tables_and_every_message_has_its_tests() {
    let names: Vec<String> = table::all().into_iter().map(|case| case.name).collect();
    assert_eq!(names, ROWS);
    let files = |folder: &str| std::fs::read_dir(table::folder().join(folder)).unwrap().count();
    assert_eq!((files("rfc4475"), files("rfc5118")), (49, 12));
    let text: String = ["torture.toml", "torture_ipv6.toml"]
        .iter()
        .map(|table| std::fs::read_to_string(table::folder().join(table)).unwrap())
        .collect();
    for folder in ["rfc4475", "rfc5118"] {
        for file in std::fs::read_dir(table::folder().join(folder)).unwrap() {
            let file = format!("\"{folder}/{}\"", file.unwrap().file_name().to_string_lossy());
            assert!(text.contains(&file), "{file} has no row");
        }
    }
}

/// Runs a row: the facts of the parser, the outcome, what is left afterwards, and a normal call.
fn judge(case: &Case, subject: (Subject, Vec<Listener>), permitted: &[Outcome]) {
    let mut bench = Bench::new(subject);
    let mut run = || -> Result<String, String> {
        facts::check(case)?;
        let what = match case.is_request {
            true => requests::run(case, &mut bench, permitted)?,
            false => responses::run(case, &mut bench, permitted)?,
        };
        bench.settle()?;
        bench.normal_call()?;
        bench.settle()?;
        Ok(what)
    };
    match run() {
        Ok(what) => println!("{}: {what}", case.name),
        Err(why) => panic!("{}: {why}", case.name),
    }
}
