#!/usr/bin/python3
"""makers_timer.py timers - linphonec has a session timer (RFC 4028), baresip has none, and each leg is for itself: in one of two calls the
telephone refreshes its session with us, in the other we refresh it, at half of 90 s. It lasts as long as that."""
import here, time
from house import House, linphone, phone
from liaison import run, until
from messages import Message
from wire import Wire, ends

# This baresip gives up at a first challenge that it does not know, though a second follows (RFC 8760 §2.4).
PROFILE = 'digest = { algorithms = ["MD5"] }'
TIMER = "session_expires_enabled=1\nsession_expires_value=90\nsession_expires_min_value=90\nsession_expires_refresher_value="
UDP = 17


class Sip(Wire):
    """Every message of SIP between us and an address, as it was on the wire: when, whether we sent it, and what it is."""
    def __init__(self):
        self.heard = []
        super().__init__()

    def take(self, packet):
        if packet[9] != UDP:
            return
        source, destination = ends(packet)
        text = packet[(packet[0] & 15) * 4 + 8:]
        ours = {ip for ip, _ in (source, destination)} & {"10.0.0.2"}
        if ours and 5060 in (source[1], destination[1]) and text.strip():
            sent = source[0] == "10.0.0.2"
            self.heard.append((time.monotonic(), (destination if sent else source)[0], sent, Message(sent, text)))

    def of(self, ip, method):
        """Those of a method with that address, responses too, without repetitions."""
        seen, found = set(), []
        for at, peer, sent, message in list(self.heard):
            if peer == ip and message.method == method and (key := (sent, message.raw)) not in seen:
                seen.add(key)
                found.append((at, sent, message))
        return found


def refreshes(wire, ip):
    """Requests on that leg after the INVITE that the call began with."""
    asked = [(at, sent, message) for method in ("INVITE", "UPDATE") for at, sent, message in wire.of(ip, method) if not message.status]
    return [(at, sent, message) for at, sent, message in asked if message.tag("to")]


def answer(wire, ip, request):
    """The 200 to it."""
    found = [m for _, _, m in wire.of(ip, request.method) if m.status == 200 and m.cseq == request.cseq]
    return found[0] if found else None


def timers():
    with Sip() as wire, House(users=("carol", "frank", "dave", "erin"), profile=PROFILE) as sbc, \
         phone(sbc, "carol", "10.0.0.6", "udp", "answermode=auto") as carol, \
         phone(sbc, "frank", "10.0.0.5", "udp", "answermode=auto") as frank, \
         linphone(sbc, "dave", "10.0.0.7", "udp", sip=TIMER + "2") as dave, \
         linphone(sbc, "erin", "10.0.0.8", "udp", sip=TIMER + "1", rtp=7178) as erin:
        for one in (carol, frank):
            one.wait("REGISTER_OK")
        until(lambda: f"all registered, but {sbc.registered()}", lambda: len(sbc.registered()) == 4, 20)
        began = time.monotonic()
        for telephone, called in ((dave, "carol"), (erin, "frank")):
            telephone.say("soundcard use files")
            telephone.wait("wav files")
            telephone.say(f"call sip:{called}@example.com")
            telephone.wait("Media streams established")
        sbc.established(2)
        for ip, refresher in (("10.0.0.7", "uac"), ("10.0.0.8", "uas")):
            invite = [m for _, sent, m in wire.of(ip, "INVITE") if not sent and not m.status][-1]
            assert invite.one("session-expires") == f"90;refresher={refresher}" and invite.one("min-se") == "90", str(invite)
            ok = answer(wire, ip, invite)
            assert ok.one("session-expires") == f"90;refresher={refresher}", str(ok)
            assert ok.one("require") == "timer", str(ok)
        for ip in ("10.0.0.5", "10.0.0.6"):
            offered = [m for _, sent, m in wire.of(ip, "INVITE") if sent and not m.status and not m.tag("to")]
            assert offered and all(m.one("session-expires") == "1800" for m in offered), [str(m) for m in offered]
            assert answer(wire, ip, offered[-1]).one("session-expires") is None, "baresip knows no timer"
        for ip, by_us in (("10.0.0.7", False), ("10.0.0.8", True)):
            met = lambda: [one for one in refreshes(wire, ip) if answer(wire, ip, one[2])]
            until(lambda: f"a refresh with {ip}, but {[str(m) for _, _, m in refreshes(wire, ip)]}", met, 55 - (time.monotonic() - began))
            (at, sent, request), = met()[:1]
            assert sent == by_us, str(request)
            assert 44 < at - began < 52, at - began
            assert request.one("session-expires") == "90;refresher=uac" and "timer" in request.one("supported"), str(request)
            ok = answer(wire, ip, request)
            assert ok.one("session-expires") == "90;refresher=uac", str(ok)
            # The telephone leaves that out, though RFC 4028 §9 has it.
            assert by_us or ok.one("require") == "timer", str(ok)
        assert not refreshes(wire, "10.0.0.5") and not refreshes(wire, "10.0.0.6"), "a refresh stays on its leg"
        sbc.established(2)
        for telephone, called in ((dave, carol), (erin, frank)):
            telephone.say("terminate")
            called.wait("CALL_CLOSED")
        sbc.idle()


run(timers)
