//! Several early dialogs.

use super::*;

fn forked() -> Call {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, AUDIO).unwrap();
    call.answer(B, A, ANSWER).unwrap();
    call.media.fork_party(B, B2).unwrap();
    call.media.fork_party(A, A2).unwrap();
    call
}

#[test]
fn each_early_dialog_towards_the_caller_has_ports_and_an_origin_of_its_own() {
    let mut call = forked();
    let first = call.media.view(A).unwrap().streams[0].local;
    let answer = call.answer(B2, A2, &ANSWER.replace("3456", "4444")).unwrap();
    let second = call.media.view(A2).unwrap().streams[0].local;
    assert_ne!(first, second);
    assert!(shown(&answer).contains(&format!("m=audio {} ", second.unwrap().port())));
    assert_eq!(call.ports.lent(), 3);
}

#[test]
fn early_dialogs_of_the_called_side_share_the_ports_that_were_offered() {
    let mut call = forked();
    call.answer(B2, A2, &ANSWER.replace("3456", "4444")).unwrap();
    let (b, b2) = (call.media.view(B).unwrap(), call.media.view(B2).unwrap());
    assert_eq!(b.streams[0].local, b2.streams[0].local);
    assert_ne!(b.streams[0].remote, b2.streams[0].remote);
    let remotes: std::collections::BTreeSet<_> = call
        .commands
        .iter()
        .filter_map(|command| match command {
            Command::Set { context, settings, .. }
                if settings.remote.ip() == IpAddr::from([198, 51, 100, 99]) =>
            {
                Some((context.remote, settings.remote.port()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(remotes, [(0, 3_456), (1, 4_444)].into());
}

#[test]
fn the_losers_are_removed_and_the_winner_keeps_its_ports() {
    let mut call = forked();
    call.answer(B2, A2, &ANSWER.replace("3456", "4444")).unwrap();
    call.media.remove_party(A);
    call.media.remove_party(B);
    assert_eq!(call.released(), 1, "A's own pair; B's is shared with the winner");
    assert!(
        call.commands
            .iter()
            .any(|command| matches!(command, Command::Clear { context } if context.remote == 0))
    );
    assert_eq!(call.media.view(B2).unwrap().streams[0].remote.unwrap().port(), 4_444);
    call.media.close();
    assert_eq!(call.released(), 3);
    assert_eq!(call.ports.lent(), 0);
}

#[test]
fn a_forked_dialog_goes_on_with_the_origin_and_version_of_the_offer() {
    let mut call = forked();
    let offer = call.media.parties.iter().find(|party| party.id == B).unwrap().sent.clone().unwrap();
    call.answer(B2, A2, ANSWER).unwrap();
    let again = call.offer(A2, B2, AUDIO).unwrap();
    assert_eq!(again, offer);
}

#[test]
fn a_stream_that_one_fork_rejects_another_may_accept() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, &format!("{AUDIO}m=video 5000 RTP/AVP 99\n")).unwrap();
    call.answer(B, A, &format!("{ANSWER}m=video 0 RTP/AVP 99\n")).unwrap();
    call.media.fork_party(B, B2).unwrap();
    call.media.fork_party(A, A2).unwrap();
    call.answer(B2, A2, &format!("{ANSWER}m=video 6000 RTP/AVP 99\n")).unwrap();
    assert_eq!(call.media.view(B2).unwrap().streams[1].carriage, crate::Carriage::Relayed);
}

#[test]
fn more_forks_than_ports_can_tell_apart_are_refused() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, AUDIO).unwrap();
    for fork in 1..u32::from(crate::MAX_CONTEXTS) {
        call.media.fork_party(B, PartyId(100 + fork)).unwrap();
    }
    assert_eq!(call.media.fork_party(B, PartyId(99)), Err(Refusal::TooManyDialogs));
    call.media.remove_party(PartyId(101));
    assert_eq!(call.media.fork_party(B, PartyId(99)), Ok(()));
    call.media.close();
    assert_eq!(call.released(), 1);
}

#[test]
fn a_confirmed_dialog_forks_no_more() {
    let mut call = Call::established();
    call.media.confirm(B);
    assert_eq!(call.media.fork_party(B, B2), Err(Refusal::Misuse(crate::Misuse::NoOffer)));
}

#[test]
fn another_target_is_tried_with_the_same_offer_of_the_caller() {
    let mut call = Call::new(Mode::Anchored);
    call.offer(A, B, AUDIO).unwrap();
    call.answer(B, A, ANSWER).unwrap();
    call.media.remove_party(B);
    call.media.add_party(B2, &call.networks[1].clone());
    call.media.fork_party(A, A2).unwrap();
    call.media.compose_offer(B2, A2, &mut call.ports).unwrap();
    call.answer(B2, A2, ANSWER).unwrap();
    call.media.remove_party(A);
    call.drain();
    assert_eq!(call.ports.lent(), 2);
}
