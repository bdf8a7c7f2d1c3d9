//! What a profile says of media.

use crate::declare::choice;

choice! {
    /// How media flows.
    pub enum MediaMode {
        /// Through our relay.
        Anchored = "anchored",
        /// Directly between the sides.
        Bypass = "bypass",
    }
}

choice! {
    /// In which form a leg has DTMF.
    pub enum Dtmf {
        /// As the other leg has it: events are offered and answered as the other side does, INFO crosses, tones are part of the audio.
        /// Opposite a leg with a form of its own: events, and where the peer has none, tones and INFO.
        Auto = "auto",
        /// Events in RTP (RFC 4733), which we offer where the other side does not. A peer that refuses them is given tones, and its
        /// tones are heard.
        Rfc4733 = "rfc4733",
        /// INFO with `application/dtmf-relay`; `application/dtmf` is taken, too. Events are neither offered nor answered.
        Info = "info",
        /// Tones in the audio, where that is G.711. Events are neither offered nor answered.
        Inband = "inband",
    }
}

choice! {
    /// What the sources of the other side are called.
    pub enum RtpSources {
        /// As they call themselves: RTCP is what it was, but for what DTMF changes.
        Carry = "carry",
        /// By names of ours, which nobody can trace: their numbers and timestamps begin elsewhere too, where payloads have none of them,
        /// and of whom they are nothing else is said. RTCP says the same of them on both sides.
        Hide = "hide",
    }
}

choice! {
    /// A codec that we transcode.
    pub enum Transcoded {
        /// G.711, µ-law.
        Pcmu = "PCMU",
        /// G.711, A-law.
        Pcma = "PCMA",
        /// G.722 at 64 kbit/s.
        G722 = "G722",
        /// Opus (RFC 7587), one channel.
        Opus = "opus",
        /// Linear samples of 16 bits (RFC 3551 §4.5.11), 8,000 of them a second.
        L16Narrow = "L16/8000",
        /// The same with 16,000.
        L16Wide = "L16/16000",
        /// The same with 48,000.
        L16Full = "L16/48000",
    }
}

choice! {
    /// What is done about ICE.
    pub enum Ice {
        /// Nothing: a peer that offers it is answered as if it had not.
        Off = "off",
        /// A peer that offers it is answered with it.
        Accept = "accept",
        /// It is offered to the peer too. One that knows nothing of it answers without, and its media is taken as if it had not been offered.
        Offer = "offer",
    }
}

choice! {
    /// What is done about bundling.
    pub enum Bundle {
        /// Nothing: each section that a peer bundles is answered with a port of its own, and with port 0 where it has none.
        Off = "off",
        /// A bundle that the peer offers is taken, and one is offered to a browser, which is a peer on WebSockets.
        Accept = "accept",
        /// It is offered to every peer, sections with ports of their own. One that knows nothing of it answers without.
        Offer = "offer",
    }
}

choice! {
    /// What becomes of media over TCP, SCTP and DCCP, and over other networks than the Internet.
    pub enum TcpMedia {
        /// Connections over TCP are taken on a port of ours and made from here, as the two sides agree on (RFC 4145), and what comes by that of
        /// one leg goes by that of the other. TLS goes through (RFC 8122). Messages of MSRP get paths of ours (RFC 4975); with TLS both peers
        /// have to do without paths (RFC 6714). What is not over TCP is offered and answered with port 0.
        Relay = "relay",
        /// It is offered and answered with port 0; an offer of nothing else is refused with 488 and Warning 302.
        Refuse = "refuse",
        /// Its lines cross as they are: each side sees the addresses of the other one.
        Around = "around",
    }
}
