use std::collections::BTreeMap;
use std::time::Duration;

use sip_types::StatusCode;

use crate::declare::{Reader, choice, table};
use crate::error::Found;
use crate::model::{
    Bundle, Digest, Dtmf, Ice, MediaMode, Number, OverloadControl, Police, Quality, RtpSources, SessionTimer,
    Srtp, TcpMedia, TimerMode, Timers, Transcoded,
};
use crate::text::{Cause, MediaType, Pattern, Token};

table! {
    /// A bundle of policy for legs: of the trunk's profile where the trunk is known, for legs that we dial always, for
    /// those that come in once the INVITE has been taken. Until then the network's counts: the timers of the transactions
    /// that peers begin, and what is refused before a call is made.
    pub struct Profile {
        /// How media flows. It goes around us only where the profiles of both legs say so. That is fixed when a call begins, whoever
        /// picks it up or is transferred to later.
        pinned media: MediaMode = "anchored";
        /// What becomes of streams over connections, such as MSRP and BFCP over TCP, where media is anchored. They go around us only where the
        /// profiles of both legs say so, and are there at all where neither refuses them.
        pinned tcp_media: TcpMedia = "relay";
        /// How streams of RTP are protected.
        pinned srtp: Srtp = {};
        /// In which form the peer of the leg has DTMF. Where that is not the other leg's, keys are translated from one into the other, where
        /// media is anchored and its keys end with us: they cross in no other form then. Info Packages (RFC 6086) are none of this.
        pinned dtmf: Dtmf = "auto";
        /// What the peer of the leg sees the sources of the other side called, where media is anchored and its keys end with us: SSRC and
        /// CNAME (RFC 3550 §5.1, §6.5.1), in packets, RTCP and descriptions.
        pinned rtp_sources: RtpSources = "carry";
        /// From which quality of a stream on that is noted.
        pinned quality: Quality = {};
        /// What becomes of media that is not what was negotiated.
        pinned police: Police = {};
        /// Codecs that the peer of the leg may be offered beside those of the other side, behind them and in this order, where media is anchored
        /// and its keys end with us. Where it takes none that the other side has, audio is transcoded. Those that the peer describes itself
        /// need not be here. No more streams are than `limits.transcoded_streams`.
        pinned transcode: Vec<Transcoded> = [], in 0..=8, such as ["opus", "PCMA"];
        /// What is done about ICE (RFC 8445) where media is anchored. Our part is that of a lite agent: the peer finds out which way
        /// media goes, so that it may be behind any NAT, and its media needs no `latch`. Each leg's ICE ends with us.
        pinned ice: Ice = "accept";
        /// What is done about bundling (RFC 9143), several media sections on one port, where media is anchored. Each leg has it or not: a
        /// bundle of one leg is taken apart for the other, and put together for one that has it.
        pinned bundle: Bundle = "accept";
        /// How long a leg that we dial may ring before it is cancelled.
        pinned ring_limit: Duration = "180s", in "1s"..="1h";
        /// How long a target of a leg that we dial may be silent before the next one is tried; the last one of a call has
        /// all the time of timer B (RFC 3261 §17.1.1.2). A target that is given up and answers late is cancelled, or
        /// acknowledged and ended.
        pinned target_timeout: Duration = "4s", in "200ms"..="60s";
        /// How long a call may last once answered; the shorter one of both legs counts.
        pinned max_duration: Duration = "12h", in "1s"..="30d";
        /// How long a side that may send can stay without any RTP or RTCP before the call is ended; `"0s"` is for
        /// ever.
        pinned media_inactivity: Duration = "5m", in "0s"..="24h";
        /// How long a call goes on without the connection that the peer of the leg is reached on only, as behind a NAT or of a
        /// WebSocket, for the peer to come back on another; then both legs are ended with the Reason 503.
        pinned reconnect_time: Duration = "30s", in "0s"..="1h";
        /// The least time between provisional responses while a call is pending (RFC 3261 §13.3.1.1).
        pinned provisional_interval: Duration = "60s", in "1s"..="170s";
        /// Whether provisional responses may be reliable (`100rel`, RFC 3262): the leg says so and acknowledges those that come, and
        /// sends them so where its peer asks for that, or where its peer supports it and the other leg's came so. Else a peer that
        /// requires them is refused with 420.
        pinned reliable_responses: bool = true;
        /// Whether an INVITE or re-INVITE that we send has an offer, whatever the other side's has: for a peer that must have one, or that
        /// must make it. Where media goes around us it is as the other side's. Who is called for a party that waits already, by a
        /// transfer or as the second of a placed call, gets an offer always.
        pinned offers: Offers = "carry";
        /// What we offer where the caller has offered nothing: one audio stream with these codecs. Unless `transcode` of the
        /// caller's profile has them, they should be those that every caller has.
        pinned offered_codecs: Vec<OfferedCodec> = ["PCMU", "PCMA", "telephone-event"], in 1..=8;
        /// From where requests within a call are taken for the peer's own, a BYE above all, and CANCELs: those that come from
        /// elsewhere in its network are challenged where the peer can prove who it is, else refused with 403, and end no call.
        pinned requests_from: RequestsFrom = "peer";
        /// What becomes of Session-ID (RFC 7989), the identifiers of the two ends of a session, by which logs, records and the
        /// API find calls beside our own names of them.
        pinned session_id: SessionIds = "carry";
        /// What a caller sees of a called side that forks, or of several targets that ring.
        pinned early_dialogs: EarlyDialogs = "apart";
        /// What media flows between a caller and the peer, where we call that, before it has answered. What P-Early-Media (RFC 5009) says
        /// counts where it comes from a network that is trusted: of each stream, whether the called side is heard, and whether it hears.
        /// A peer in such a network is told that we know of it.
        pinned early_media: EarlyMedia = "open";
        /// Whether 199 (Early Dialog Terminated, RFC 6228) is used: legs that we dial say that they take it, and a caller that takes it is
        /// told of each early dialog that ends while its call goes on.
        pinned early_dialog_terminated: bool = true;
        /// How sessions are timed.
        pinned session_timer: SessionTimer = {};
        /// How a leg that we dial is told what the call has been through: who has diverted it, and where it was tried before.
        pinned diversion: Diversions = "carry";
        /// What a redirection (3xx) of the called side leads to.
        pinned redirects: Redirects = "carry";
        /// What becomes of a REFER in a call (RFC 3515), by which a peer transfers whom it talks with.
        pinned refer: ReferPolicy = "handle";
        /// Whom a REFER of the peer may have called, where `refer` is `"handle"`.
        pinned refer_to: ReferTo = {};
        /// Who may answer in the place of a peer that is called and rings, by an INVITE with Replaces (RFC 3891, RFC 5359 §2.16), where
        /// `refer` is `"handle"`.
        pinned pick_up: PickUp = "own";
        /// Option tags that may stand in Require although we don't know them: they cross, both sides see to them.
        pinned transparent: Vec<Token> = [], in 0..=64, such as ["replaces"];
        /// What crosses from one side to the other.
        pinned carry: Carry = {};
        /// What is asked of messages (MESSAGE, RFC 3428).
        pinned message: Messages = {};
        /// What becomes of a NOTIFY from a peer that has no subscription to be told by, such as a carrier's that counts the
        /// messages waiting for a user (RFC 3842).
        pinned unsolicited_notify: UnsolicitedNotify = "refuse";
        /// How digest authentication is done.
        pinned digest: Digest = {};
        /// What the status of a failed leg becomes on the other side, by status; it comes before the built-in rules:
        /// 401, 407 and 494 become 403, 503 and 422 become 500, 408 of other requests than INVITE becomes 504, all else stays.
        pinned failures: BTreeMap<StatusCode, StatusCode> = {}, in 0..=300, such as { "480" = 486 };
        /// What ISDN causes (ITU-T Q.850) have to do with failures.
        pinned causes: Causes = {};
        /// The statuses after which the next target is tried, as when a target does not answer at all: those that speak
        /// of the way, not of the called party. Those of a loop (440, 482, 483) never lead to the next target: each round
        /// would try what is left again; nor does 422, which is about the session timer.
        pinned failover: Vec<StatusCode> = [408, 430, 500, 502, 503, 504], in 0..=300;
        /// Overload control between neighbours.
        pinned overload: OverloadControl = {};
        /// The timers of SIP.
        pinned timers: Timers = {};
    }
    check check_profile;
}

table! {
    /// ISDN causes in Reason (RFC 3326, RFC 6432) and statuses, for legs to and from gateways (RFC 3398). A cause that is there
    /// crosses whatever this says, with its location (RFC 8606).
    pub struct Causes {
        /// Whether a failure, BYE or CANCEL that the peer of the leg gets has a cause, where none is there: by the status, or
        /// by that which its Reason names; else 16.
        pinned add: bool = false;
        /// Whether the cause of a failure that comes from the peer of the leg decides its status, before `failures` does.
        pinned heed: bool = false;
        /// The causes of statuses, where they are not those of RFC 3398 §8.2.6.1.
        pinned causes: BTreeMap<StatusCode, Cause> = {}, in 0..=300, such as { "480" = 19 };
        /// The statuses of causes, where they are not those of RFC 3398 §7.2.4.1.
        pinned statuses: BTreeMap<Cause, StatusCode> = {}, in 0..=127, such as { "42" = 503 };
    }
}

table! {
    /// Whom a REFER may have called. Who is talked with in another call here, which Replaces names, is free of this.
    pub struct ReferTo {
        /// Patterns of whom it may name, as `called` of a route has them; others get 603. With none it is whoever the routes of its
        /// network lead to.
        pinned called: Vec<Pattern> = [], in 0..=1024, such as ["+49*", "112"];
        /// How the number that it names is rewritten, before the routes of its network are asked.
        pinned number: Option<Number>;
    }
}

choice! {
    /// Who may pick a call up.
    pub enum PickUp {
        /// The peer itself, from another device of the same user or trunk, and whom a peer of the call has referred to it.
        Own = "own",
        /// Whoever is known in its network too, as a user of the registrar or as a trunk: the other telephones of a group.
        Network = "network",
    }
}

choice! {
    /// Whether INVITEs of ours have an offer.
    pub enum Offers {
        /// As the other side's do: one without an offer is sent without one.
        Carry = "carry",
        /// Always. To one without an offer we answer with what the peer of the leg has answered; what the other side says to that is
        /// offered to the peer by re-INVITE, where it is not what that has taken already.
        Make = "make",
        /// Never: the peer offers in its response and is answered in the ACK, or in the PRACK of a reliable provisional response.
        Ask = "ask",
    }
}

choice! {
    /// A codec of an offer of our own.
    pub enum OfferedCodec {
        /// G.711, µ-law: payload type 0.
        Pcmu = "PCMU",
        /// G.711, A-law: payload type 8.
        Pcma = "PCMA",
        /// G.722: payload type 9.
        G722 = "G722",
        /// G.729: payload type 18.
        G729 = "G729",
        /// GSM full rate: payload type 3.
        Gsm = "GSM",
        /// Opus (RFC 7587): payload type 96.
        Opus = "opus",
        /// DTMF (RFC 4733): payload type 101.
        TelephoneEvent = "telephone-event",
        /// Comfort noise (RFC 3389): payload type 13.
        ComfortNoise = "CN",
    }
}

choice! {
    /// From where requests within a call are taken.
    pub enum RequestsFrom {
        /// From the peer: the address of its INVITE, or those that ours was sent to; that which its Contact leads to; what its
        /// trunk is known by; the flow that a user's device is registered on. Who is reached on its connection only is heard on that,
        /// who is reached over TLS over TLS, and a trunk with `identities` where it has proved one.
        Peer = "peer",
        /// From the very flow of the call: its connection, or the same address and port; and as before from where a certificate
        /// proves the trunk, or a user is registered.
        Flow = "flow",
        /// From everywhere in the network: right Call-ID and tags are enough.
        Network = "network",
    }
}

choice! {
    /// What becomes of Session-ID.
    pub enum SessionIds {
        /// Where one of the ends has an identifier, our messages have it, those that we send by ourselves as well.
        Carry = "carry",
        /// A peer of the leg that has none gets one from us, for as long as its dialog lasts.
        Make = "make",
        /// None is sent to the peer of the leg, and none is taken from it.
        Remove = "remove",
    }
}

choice! {
    /// How a leg is told what a call has been through.
    pub enum Diversions {
        /// History-Info and Diversion cross as they are; nothing is added.
        Carry = "carry",
        /// By History-Info (RFC 7044), into which Diversion is turned (RFC 7544), with an entry for whom we call, and for each whom
        /// we have called before it and what came of that. A caller that knows of histories is told it in responses.
        HistoryInfo = "history-info",
        /// By Diversion (RFC 5806), into which the diversions of History-Info are turned (RFC 7544), with an entry for a
        /// redirection that we have followed.
        Diversion = "diversion",
    }
}

choice! {
    /// What a caller sees of several early dialogs of the called side.
    pub enum EarlyDialogs {
        /// Each as one of its own, with its own tag and media.
        Apart = "apart",
        /// All as one, for callers that do not understand several: it hears the first that describes its media. Where another one
        /// answers that describes it differently, the caller is offered that by re-INVITE.
        One = "one",
    }
}

choice! {
    /// What media flows before the answer.
    pub enum EarlyMedia {
        /// All.
        Open = "open",
        /// What P-Early-Media authorizes; all, as long as it has said nothing.
        Heed = "heed",
        /// What P-Early-Media authorizes; none, as long as it has said nothing.
        Require = "require",
    }
}

choice! {
    /// What becomes of a redirection.
    pub enum Redirects {
        /// The other side gets it, with its Contact.
        Carry = "carry",
        /// We call where it points to, without credentials.
        Follow = "follow",
    }
}

choice! {
    /// What becomes of a REFER.
    pub enum ReferPolicy {
        /// We do what it asks for: whom it points to is called by the routes of the network that it comes from, and takes the
        /// place of who has sent it. The other side needs to know nothing of it, nor be able to reach the target. Where it
        /// points to somebody whom its sender talks with in another call here, the two calls become one. Where that is a call of another
        /// shard, the target is called in place of its dialog with us, and needs to know Replaces (RFC 3891).
        Handle = "handle",
        /// It crosses: the other side gets a REFER of its own, with our addresses and the dialogs that Replaces names as they are there,
        /// and what it tells of it comes back. Who is transferred calls the target by itself.
        Carry = "carry",
        /// It is answered 405, and REFER is not in our Allow.
        Refuse = "refuse",
    }
}

table! {
    /// What crosses from one side to the other, beside what we understand ourselves.
    pub struct Carry {
        /// Whether methods that we don't know cross, within a dialog, and outside to whom a call would reach; else they are
        /// answered 405.
        pinned unknown_methods: bool = true;
        /// Whether bodies other than session descriptions cross; else they are answered 415.
        pinned unknown_bodies: bool = true;
        /// Whether header fields that we don't know cross.
        pinned unknown_header_fields: bool = true;
        /// Whether what the sides prove to each other crosses, by Digest only (AKA included): a challenge for a realm that we have no
        /// credentials for goes on with its status, and what is answered to it as it is. Both profiles of a call must say so. An
        /// INVITE and a request outside a call that proves something so keeps the Request-URI that the proof covers, wherever it
        /// goes; within a dialog each leg has a Request-URI of its own: who checks must take another digest-uri (RFC 8760 §2.6).
        /// A BYE of ours that is challenged in such a call cannot be answered, and the call's record says so.
        pinned credentials: bool = false;
        /// Methods that never cross. MESSAGE, PUBLISH and SUBSCRIBE outside a dialog go to whom a call would reach unless they are
        /// among these, in the profile of either side.
        pinned forbid_methods: Vec<Token> = [], in 0..=256, such as ["MESSAGE"];
        /// Media types of bodies that never cross.
        pinned forbid_bodies: Vec<MediaType> = [], in 0..=256, such as ["application/isup", "image/*"];
        /// Header fields that never cross, beside those of the built-in table.
        pinned forbid_header_fields: Vec<Token> = [], in 0..=256, such as ["X-Internal"];
    }
}

table! {
    /// What is asked of messages (MESSAGE, RFC 3428), in a dialog and outside. Both profiles are asked, of how a message comes
    /// and of how it goes.
    pub struct Messages {
        /// Whether they must come and go over TLS. One that does not is refused with 403 and Warning 399.
        pinned require_secure: bool = false;
        /// Whether their body must be protected end to end, signed or encrypted by S/MIME (RFC 3428 §11.3). One that is not is
        /// refused in the same way.
        pinned require_end_to_end: bool = false;
    }
}

choice! {
    /// What becomes of a NOTIFY without a subscription.
    pub enum UnsolicitedNotify {
        /// It is answered 481 (RFC 6665 §4.1.3).
        Refuse = "refuse",
        /// It goes to whom a call would reach, to all devices of a user, where the profiles of both sides say so.
        Carry = "carry",
    }
}

fn check_profile(profile: &Profile, reader: &mut Reader<'_>) {
    if profile.session_timer.mode == TimerMode::Off {
        return;
    }
    for (index, tag) in profile.transparent.iter().enumerate() {
        if tag.to_string().eq_ignore_ascii_case("timer") {
            let expected = "an option tag that is not ours: each leg has its own session timer, unless its mode is \"off\"";
            reader.conflict(
                &reader.element("transparent", index),
                Found::Text(format!("\"{tag}\"")),
                expected,
            );
        }
    }
}
