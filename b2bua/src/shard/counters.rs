//! What a shard counts.

use super::quality::Qualities;

/// What has happened since the shard began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Calls that were routed.
    pub calls: u64,
    /// Calls that were answered.
    pub answered: u64,
    /// Calls that are over.
    pub ended: u64,
    /// Legs that were offered no codec to be transcoded because as many streams were as may be.
    pub transcoding_limited: u64,
    /// INVITEs that no route was found for, or that a route refuses.
    pub unroutable: u64,
    /// INVITEs whose Max-Breadth leaves no branch (440).
    pub breadthless: u64,
    /// INVITEs with an offer that do not accept an answer (406).
    pub unacceptable: u64,
    /// INVITEs from addresses that no trunk knows.
    pub strangers: u64,
    /// Calls that were ended because the connection of a party was lost.
    pub flows_of_calls_lost: u64,
    /// Requests within calls that came from elsewhere than their peer was known to be, and were its own.
    pub strays_admitted: u64,
    /// Those that were challenged, or failed a challenge.
    pub strays_challenged: u64,
    /// Those that were refused.
    pub strays_refused: u64,
    /// INVITEs that were challenged, or failed a challenge.
    pub challenged: u64,
    /// Right answers to a challenge of ours whose nonce was too old, or forgotten by its limit.
    pub stale_nonces: u64,
    /// OPTIONS for somebody behind us that were carried on.
    pub options_carried: u64,
    /// MESSAGEs outside a dialog that were carried on.
    pub messages_carried: u64,
    /// PUBLISHes that were carried on.
    pub publishes_carried: u64,
    /// SUBSCRIBEs outside a dialog that were carried on.
    pub subscribes_carried: u64,
    /// NOTIFYs without a subscription that were carried on.
    pub notifies_unsolicited: u64,
    /// Requests outside a dialog of unknown methods that were carried on.
    pub others_carried: u64,
    /// REGISTERs that were served.
    pub registers: u64,
    /// REGISTERs that were challenged, or failed a challenge.
    pub registers_challenged: u64,
    /// REGISTERs that were refused.
    pub registers_refused: u64,
    /// REGISTERs whose bindings could not be kept.
    pub registers_not_kept: u64,
    /// 200s to REGISTERs with credentials for a TURN server.
    pub turn_credentials: u64,
    /// Bindings whose time was over.
    pub bindings_expired: u64,
    /// SUBSCRIBEs that were accepted, refreshes and ends included.
    pub subscribes: u64,
    /// SUBSCRIBEs that were challenged, or failed a challenge.
    pub subscribes_challenged: u64,
    /// SUBSCRIBEs that were refused.
    pub subscribes_refused: u64,
    /// SUBSCRIBEs refused because there were as many subscriptions as may be.
    pub subscribes_over_limit: u64,
    /// NOTIFYs that were sent.
    pub notifies: u64,
    /// NOTIFYs that failed.
    pub notifies_failed: u64,
    /// Those with dialog information that crossed before every shard had said what it knows of the dialogs in it.
    pub notifies_unnamed: u64,
    /// Addresses-of-record whose bindings ended because the connection that they were reached on was over.
    pub flows_lost: u64,
    /// Flows of datagrams that ICMP said to be lost, and that were asked whether they are.
    pub flows_questioned: u64,
    /// OPTIONS that keep the way to user agents behind a NAT open.
    pub keepalives: u64,
    /// Those that nobody answered.
    pub keepalives_unanswered: u64,
    /// Those that there was no room for.
    pub keepalives_skipped: u64,
    /// INVITEs that claim to be from a user who may not call from that address.
    pub impostors: u64,
    /// Calls to users who are not known, and to users without a device.
    pub unregistered: u64,
    /// Wrong passwords in answer to our challenges.
    pub guesses: u64,
    /// Answers that were not looked at because their user had just guessed wrong.
    pub guesses_slowed: u64,
    /// Answers that were not looked at because their user had guessed wrong too often.
    pub guesses_refused: u64,
    /// Sources and flows that are not heard from a moment on, each time.
    pub quarantined: u64,
    /// Messages that were not heard.
    pub messages_unheard: u64,
    /// Connections that were not taken for that.
    pub connections_unheard: u64,
    /// Refusals that were not sent, or not again.
    pub refusals_withheld: u64,
    /// Tokens that were not accepted.
    pub tokens_refused: u64,
    /// INVITEs refused because the node drains.
    pub draining: u64,
    /// INVITEs refused because there were as many calls as may be.
    pub overloaded: u64,
    /// Legs refused because their trunk had as many calls as it may.
    pub trunk_full: u64,
    /// Messages whose Contact told a peer outside a private address.
    pub contacts_private: u64,
    /// Messages whose session description did.
    pub descriptions_private: u64,
    /// Session descriptions that could not be taken.
    pub descriptions_refused: u64,
    /// Calls that were placed from here.
    pub placed: u64,
    /// Orders of calls that were refused.
    pub placed_refused: u64,
    /// Placed calls whose first party was not to be had.
    pub placed_first_failed: u64,
    /// Placed calls whose other party was not.
    pub placed_then_failed: u64,
    /// Placed calls whose parties have both answered.
    pub placed_answered: u64,
    /// Times that a leg was left without what the other one describes, as it would not have it.
    pub legs_apart: u64,
    /// Times that our part in a call became another one, or one between others.
    pub roles_changed: u64,
    /// Early dialogs that their caller did not know any more.
    pub early_dialogs_lost: u64,
    /// Those that it has ended by BYE.
    pub early_dialogs_left: u64,
    /// Keys that were sent by INFO (DTMF).
    pub keys_told: u64,
    /// Those of them that the peer did not take.
    pub keys_refused: u64,
    /// Keys that were not sent by INFO, as too many waited, or there was nobody to send them to.
    pub keys_untold: u64,
    /// REFERs that were accepted.
    pub transfers: u64,
    /// Those whose target took the transferor's place.
    pub transfers_done: u64,
    /// Those that came to nothing.
    pub transfers_failed: u64,
    /// REFERs that were refused.
    pub transfers_refused: u64,
    /// Those of them that were refused because their call had been transferred as often as may be.
    pub transfers_over_limit: u64,
    /// Legs that refused the re-INVITE which told them of their new partner.
    pub transfers_unsettled: u64,
    /// REFERs that crossed to the other leg.
    pub refers_carried: u64,
    /// INVITEs with Replaces that were taken up.
    pub takeovers: u64,
    /// INVITEs with Replaces that were refused.
    pub takeovers_refused: u64,
    /// Legs that rang for too long.
    pub rung_out: u64,
    /// Legs given up because another one of their call was answered.
    pub answered_elsewhere: u64,
    /// Calls that lasted too long.
    pub too_long: u64,
    /// Calls ended because their media fell silent.
    pub media_silent: u64,
    /// Calls ended because a peer sent more media than was negotiated.
    pub media_excessive: u64,
    /// Calls that were ended as there was no room to transcode a stream of theirs.
    pub media_uncoded: u64,
    /// How good media was.
    pub quality: Qualities,
    /// Challenges for a realm that we have no credentials for, or from a wrong place.
    pub secrets_refused: u64,
    /// REGISTERs that we sent for trunks, without their repetitions after a challenge.
    pub trunk_registers: u64,
    /// Those that were granted.
    pub trunk_registers_granted: u64,
    /// Those that failed, so that the next attempt has to wait.
    pub trunk_registers_failed: u64,
    /// Calls that no target was left for, as a trunk was not registered.
    pub trunks_unregistered: u64,
    /// Probes of targets that there was no room for.
    pub probes_skipped: u64,
}

/// What a shard holds at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Calls.
    pub calls: usize,
    /// Deadlines of calls, given-up ones included until their time.
    pub call_timers: usize,
    /// Trunks that we register with.
    pub trunks_registering: usize,
    /// Those of them whose last attempt was granted.
    pub trunks_registered: usize,
    /// Flows of trunks that we register with by outbound.
    pub trunk_flows: usize,
    /// Those of them that stand.
    pub trunk_flows_up: usize,
    /// Addresses-of-record with bindings.
    pub registered: usize,
    /// Bindings.
    pub bindings: usize,
    /// Requests outside a dialog that wait for somebody behind us.
    pub outside: usize,
    /// REGISTERs that wait, for the store or for one another.
    pub registers_waiting: usize,
    /// Subscriptions to what is registered.
    pub subscriptions: usize,
    /// Subscriptions that are carried from one side to the other.
    pub subscriptions_carried: usize,
    /// Call detail records that wait to be written.
    pub records: usize,
    /// Pairs of media ports that calls have borrowed.
    pub media_pairs: usize,
    /// What the endpoint holds.
    pub sip: sip::Gauges,
}
