//! What is each leg's own, and what crosses: the INVITE that Alice sent beside the one that Bob got.

use super::config::UNKNOWN_FIELD;
use super::ladder::clip;
use super::phone::{Entry, audio_address};
use super::screen::Ink;
use sip_types::header::{CallId, From, To, Via};
use sip_types::{HeaderName, Headers, Message, Method, StatusCode};
use std::fmt::Write as _;

/// Characters of a value.
const VALUE: usize = 40;

/// One fact on both legs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    /// What it is.
    pub(super) name: &'static str,
    /// On the leg between Alice and Liaison, and on the one between Liaison and Bob.
    pub(super) legs: [String; 2],
    /// Whether it should be the same on both.
    pub(super) crosses: bool,
}

impl Fact {
    /// Whether it is as it should be: there on both legs, and the same or not.
    pub(super) fn holds(&self) -> bool {
        let [a, b] = &self.legs;
        !a.is_empty() && !b.is_empty() && (a == b) == self.crosses
    }
}

/// The facts, from what both telephones have seen.
pub(super) fn facts(alice: &[Entry], bob: &[Entry]) -> Vec<Fact> {
    let invites = [invite(alice), invite(bob)];
    let answers = [answer(alice), answer(bob)];
    let of =
        |read: &dyn Fn(&Message) -> Option<String>| invites.map(|m| m.and_then(read).unwrap_or_default());
    let own = |name, legs| Fact { name, legs, crosses: false };
    let crosses = |name, legs| Fact { name, legs, crosses: true };
    let field =
        |name: HeaderName| of(&move |m| m.headers().first(name).and_then(|f| f.text().ok()).map(without_tag));
    let to_tags = answers.map(|m| {
        m.and_then(|m| m.headers().require::<To>().ok()?.tag().map(str::to_owned)).unwrap_or_default()
    });
    vec![
        own("Call-ID", of(&|m| Some(m.headers().require::<CallId>().ok()?.as_str().to_owned()))),
        own("From tag", of(&|m| m.headers().require::<From>().ok()?.tag().map(str::to_owned))),
        own("To tag", to_tags),
        own("Via", of(&|m| via(m.headers()))),
        own("Contact", field(HeaderName::Contact)),
        own("User-Agent", field(HeaderName::UserAgent)),
        own("SDP o=", of(&|m| origin(m.body()))),
        own("audio at", of(&|m| audio_address(m.body()).map(|address| address.to_string()))),
        crosses("From", field(HeaderName::From)),
        crosses("To", field(HeaderName::To)),
        crosses(
            UNKNOWN_FIELD,
            of(&|m| Some(m.headers().named(UNKNOWN_FIELD).next()?.unfolded().into_owned())),
        ),
    ]
}

/// The facts as text.
pub(super) fn render(facts: &[Fact], ink: Ink) -> String {
    let mut out = String::new();
    let mut part = |title: &str, crosses: bool| {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{title:<14}{:<VALUE$}     Liaison <-> Bob", "Alice <-> Liaison");
        for fact in facts.iter().filter(|fact| fact.crosses == crosses) {
            let [a, b] = fact.legs.each_ref().map(|value| clip(value, VALUE));
            let mark = match (fact.holds(), crosses) {
                (true, true) => ink.good("="),
                (true, false) => ink.good("≠"),
                (false, _) => ink.bad("!"),
            };
            let _ = writeln!(out, "  {:<12}{a:<VALUE$}  {mark}  {b}", fact.name);
        }
    };
    part("Its own", false);
    part("Crosses", true);
    out
}

fn invite(entries: &[Entry]) -> Option<&Message> {
    entries
        .iter()
        .map(|entry| &entry.message)
        .find(|message| matches!(message, Message::Request(request) if *request.method() == Method::Invite))
}

fn answer(entries: &[Entry]) -> Option<&Message> {
    entries
        .iter()
        .map(|entry| &entry.message)
        .find(|message| matches!(message, Message::Response(response) if response.status() == StatusCode::OK))
}

fn via(headers: &Headers) -> Option<String> {
    let via = headers.first_of::<Via>().ok()??;
    Some(format!("{} {}", via.sent_by(), via.branch()?))
}

fn origin(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    text.lines().find_map(|line| line.strip_prefix("o=")).map(str::to_owned)
}

fn without_tag(value: &str) -> String {
    value.split(";tag=").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_holds_when_it_is_there_and_as_it_should_be() {
        let fact = |a: &str, b: &str, crosses| Fact { name: "x", legs: [a.into(), b.into()], crosses };
        assert!(fact("1", "2", false).holds());
        assert!(fact("1", "1", true).holds());
        for broken in [fact("1", "1", false), fact("1", "2", true), fact("", "2", false), fact("", "", true)]
        {
            assert!(!broken.holds(), "{broken:?}");
        }
    }

    #[test]
    fn both_parts_are_shown_with_their_marks() {
        let facts = [
            Fact { name: "Call-ID", legs: ["one".into(), "two".into()], crosses: false },
            Fact { name: "From", legs: ["<sip:a@b>".into(), "<sip:c@d>".into()], crosses: true },
        ];
        insta::assert_snapshot!(render(&facts, Ink::Plain), @r#"
        Its own       Alice <-> Liaison                            Liaison <-> Bob
          Call-ID     one                                       ≠  two
        Crosses       Alice <-> Liaison                            Liaison <-> Bob
          From        <sip:a@b>                                 !  <sip:c@d>
        "#);
    }
}
