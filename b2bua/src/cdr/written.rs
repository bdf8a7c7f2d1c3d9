//! A record as a line of JSON.

use super::json::{Object, push_text};
use super::{LegRecord, Record, RoleRecord, StreamRecord, TransferRecord};

impl Record {
    /// Appends it as one line of JSON.
    pub fn write(&self, line: &mut Vec<u8>) {
        Object::write(line, |record| {
            record.text("call", &self.call);
            record.text("node", &self.node);
            record.text("from", &self.from);
            record.text("to", &self.to);
            record.text("request_uri", &self.request_uri);
            record.text("started", &self.started);
            record.maybe_text("answered", self.answered.as_deref());
            record.text("ended", &self.ended);
            record.seconds("duration_seconds", self.duration_seconds);
            record.text("cause", &self.cause);
            record.maybe_text("released_by", self.released_by);
            record.text("role", self.role);
            if !self.roles.is_empty() {
                record.list("roles", &self.roles, |out, role| role.write(out));
            }
            if self.credentials_carried {
                record.flag("credentials_carried", true);
            }
            if self.placed {
                record.flag("placed", true);
            }
            record.list("legs", &self.legs, |out, leg| leg.write(out));
            if !self.transfers.is_empty() {
                record.list("transfers", &self.transfers, |out, transfer| transfer.write(out));
            }
        });
        line.push(b'\n');
    }
}

impl RoleRecord {
    fn write(&self, out: &mut Vec<u8>) {
        Object::write(out, |role| {
            role.text("at", &self.at);
            role.text("role", self.role);
            role.number("calling", u16::from(self.calling));
            role.number("called", u16::from(self.called));
        });
    }
}

impl LegRecord {
    fn write(&self, out: &mut Vec<u8>) {
        Object::write(out, |leg| {
            leg.text("role", self.role);
            leg.maybe_text("network", self.network.as_deref());
            leg.maybe_text("trunk", self.trunk.as_deref());
            leg.text("sip_call_id", &self.sip_call_id);
            leg.text_if_any("session_id", self.session_id.as_deref());
            leg.text_if_any("target", Some(&*self.target).filter(|target| !target.is_empty()));
            match self.status {
                Some(status) => leg.number("status", status),
                None => leg.null("status"),
            }
            leg.maybe_text("cause", self.cause);
            leg.text_if_any("reason", self.reason.as_deref());
            leg.text_if_any("release", self.release);
            if !self.location.is_empty() {
                leg.list("location", &self.location, |out, step| push_text(out, step));
            }
            leg.text_if_any("dtmf", self.dtmf);
            for (name, count) in [("dtmf_heard", self.dtmf_heard), ("dtmf_said", self.dtmf_said)] {
                if count > 0 {
                    leg.number(name, count);
                }
            }
            leg.list("streams", &self.streams, |out, stream| stream.write(out));
        });
    }
}

impl StreamRecord {
    fn write(&self, out: &mut Vec<u8>) {
        Object::write(out, |stream| {
            stream.text("media", &self.media);
            stream.list("codecs", &self.codecs, |out, codec| push_text(out, codec));
            stream.flag("relayed", self.relayed);
            stream.text_if_any("srtp", self.srtp);
            stream.text_if_any("keying", self.keying);
            stream.number("packets", self.packets);
            stream.number("bytes", self.bytes);
            match self.lost {
                Some(lost) => stream.number("lost", lost),
                None => stream.null("lost"),
            }
            match self.jitter_seconds {
                Some(jitter) => stream.seconds("jitter_seconds", jitter),
                None => stream.null("jitter_seconds"),
            }
            let score = |score: u16| f64::from(score) / 100.0;
            for (name, value) in [
                ("mos", self.mos.map(score)),
                ("sent_mos", self.sent_mos.map(score)),
                ("round_trip_seconds", self.round_trip_seconds),
            ] {
                value.into_iter().for_each(|value| stream.seconds(name, value));
            }
            let any = |count: u64| Some(count).filter(|count| *count > 0);
            for (name, count) in [
                ("sent_lost", self.sent_lost),
                ("poor", any(self.poor.into())),
                ("unnegotiated", any(self.unnegotiated)),
                ("excess", any(self.excess)),
                ("foreign", any(self.foreign)),
            ] {
                count.into_iter().for_each(|count| stream.number(name, count));
            }
            stream.text_if_any("dtls", self.dtls);
            stream.text_if_any("transcoded", self.transcoded);
            if let Some(concealed) = self.concealed {
                stream.number("concealed", concealed);
            }
        });
    }
}

impl TransferRecord {
    fn write(&self, out: &mut Vec<u8>) {
        Object::write(out, |transfer| {
            transfer.number("by", self.by);
            transfer.number("of", self.of);
            transfer.text("to", &self.to);
            match self.target {
                Some(target) => transfer.number("target", target),
                None => transfer.null("target"),
            }
            match self.status {
                Some(status) => transfer.number("status", status),
                None => transfer.null("status"),
            }
        });
    }
}
