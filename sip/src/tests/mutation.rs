//! Messages of calls under way, mutated: no panic, and nothing stays.

use super::net::{Faults, Net, Packet, pick};
use crate::Transport;
use crate::ids::Ids;
use crate::session::Parts;
use bytes::Bytes;
use sip_types::Method;

const METHODS: [&str; 7] = ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "FROB"];
const STATUSES: [&str; 12] =
    ["100", "180", "183", "200", "202", "302", "401", "407", "408", "481", "487", "491"];

fn one_of<'a>(chance: &mut dyn Ids, from: &[&'a str]) -> &'a str {
    from[pick(chance, from.len())]
}

/// A message that is well-formed and means something else.
fn twist(chance: &mut dyn Ids, message: &str, other: &str) -> String {
    let method = message.split("CSeq: ").nth(1).and_then(|c| c.split([' ', '\r']).nth(1)).unwrap_or("INVITE");
    let start = message.lines().next().unwrap_or_default();
    match pick(chance, 8) {
        0 => message.replace(method, one_of(chance, &METHODS)),
        1 if start.starts_with("SIP/2.0") => {
            let old = start.split(" ").nth(1).unwrap_or("200");
            message.replacen(old, one_of(chance, &STATUSES), 1)
        }
        2 => message.replace("z9hG4bK", &format!("z9hG4bK{}", pick(chance, 1_000))),
        3 => message.replace("CSeq: ", &format!("CSeq: {}", pick(chance, 30))),
        4 => message.replacen(start, other.lines().next().unwrap_or_default(), 1),
        5 => message.replace(";tag=", &format!(";tag={}", pick(chance, 3))),
        6 => message.replace("Call-ID: ", &format!("Call-ID: {}", pick(chance, 100))),
        _ => {
            let name = one_of(chance, &["Via", "From", "To", "Call-ID", "CSeq", "Contact", "Content-Length"]);
            let line = |text: &str| text.lines().find(|l| l.starts_with(name)).unwrap_or("X: y").to_owned();
            message.replacen(&line(message), &line(other), 1)
        }
    }
}

/// A message with lines and bytes lost, doubled and changed.
fn damage(chance: &mut dyn Ids, message: &[u8], other: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = message.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    let others: Vec<&[u8]> = other.split_inclusive(|b| *b == b'\n').collect();
    let at = pick(chance, lines.len());
    let with = others[pick(chance, others.len())].to_vec();
    let byte = pick(chance, lines[at].len());
    match pick(chance, 8) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(at, with),
        2 => lines[at] = with,
        3 => lines.insert(at, lines[at].clone()),
        4 => lines.swap(at, 0),
        5 => lines[at][byte] ^= 1 << pick(chance, 8),
        6 => lines[at].truncate(byte),
        _ => {
            let [any, ..] = chance.next_u64().to_le_bytes();
            lines[at].insert(byte, any);
        }
    }
    lines.concat()
}

fn mutate(chance: &mut dyn Ids, message: &Bytes, other: &Bytes) -> Bytes {
    match (std::str::from_utf8(message), std::str::from_utf8(other)) {
        (Ok(message), Ok(other)) if pick(chance, 3) > 0 => twist(chance, message, other).into(),
        _ => damage(chance, message, other).into(),
    }
}

/// Asks something of every session; whether it can be done depends on what was fed.
fn intend(net: &mut Net, tick: usize) {
    for at in 0..2 {
        for sid in net.nodes[at].endpoint.sessions.keys().collect::<Vec<_>>() {
            let _ = match tick % 100 {
                49 => net.act(at, |e, now| e.reinvite(now, sid, 70, Parts::default())),
                79 => net.act(at, |e, now| e.request(now, sid, Method::Info, 70, Parts::default())).map(drop),
                97 if at == 0 => net.act(at, |e, now| e.end(now, sid, sip_types::Fields::default())),
                _ => Ok(()),
            };
        }
    }
}

/// Calls with changes and requests; before some of their messages come, mutated ones do. Returns how many, and how
/// many dialogs there were at most.
fn attack(seed: u64, transport: Transport) -> (usize, usize) {
    let mut net = Net::new(2, transport, seed, Faults { jitter: 30, ..Faults::default() });
    let mut seen: Vec<Packet> = Vec::new();
    let (mut fed, mut dialogs) = (0, 0);
    for tick in 0..400 {
        if tick % 20 == 0 {
            let from = tick / 20 % 2;
            net.call(from, 1 - from);
        }
        for _ in 0..net.wire.len().min(4) {
            let nth = pick(&mut net.chance, net.wire.len());
            let packet = net.wire[nth].clone();
            seen.truncate(100);
            seen.insert(0, packet.clone());
            for _ in 0..2 {
                let nth = pick(&mut net.chance, seen.len());
                let bytes = mutate(&mut net.chance, &packet.bytes, &seen[nth].bytes);
                net.act(packet.to, |e, now| e.handle_input(now, packet.flow, bytes));
                fed += 1;
            }
        }
        net.wait(20);
        intend(&mut net, tick);
        dialogs = dialogs.max(net.nodes.iter().map(|n| n.endpoint.gauges().dialogs).sum());
    }
    for _ in 0..6 {
        net.end_all();
        net.wait(70_000);
    }
    net.must_forget(&format!("seed {seed}"));
    (fed, dialogs)
}

#[test]
fn twenty_thousand_mutated_messages_leave_nothing_behind() {
    let mut fed = 0;
    for seed in 0.. {
        let transport = if seed % 4 == 3 { Transport::Tcp } else { Transport::Udp };
        let (messages, dialogs) = attack(seed, transport);
        assert!(dialogs > 4, "seed {seed}: the calls came to nothing");
        fed += messages;
        if fed >= 20_000 {
            return;
        }
    }
}
