#!/usr/bin/python3
"""transfer.py CHECK - telephones that transfer one another through Liaison, which does what their REFER asks for."""
import here, liaison, re, socket
from baresip_ua import Baresip
from ear import Ear
from linphone import Linphone
from liaison import Liaison, run, until

# Carol is behind Bob's side, and reached from both.
CAROL = '[[routes]]\nname = "carol"\ncalled = ["carol"]\nto = ["c"]\n\n'
liaison.DOCUMENT = liaison.DOCUMENT.replace("[[routes]]", CAROL + "[[routes]]", 1)


def sipfrags(phone):
    """The status lines that a phone was told in NOTIFY, in order."""
    found = re.findall(r"NOTIFY sip:.*?message/sipfrag.*?\r?\n\r?\n(SIP/2\.0 [^\r\n]*\r?\n)", phone.trace(), re.S)
    return "\n".join(found) + "\n"


def told(phone, last):
    """That a phone was told that it is tried, and of that end."""
    until(lambda: f"the end {last} in {sipfrags(phone)}", lambda: last in sipfrags(phone), 10)
    assert sipfrags(phone).startswith("SIP/2.0 100 Trying"), sipfrags(phone)
    assert re.search(r"^Subscription-State: terminated;reason=noresource", phone.trace(), re.M), phone.trace()


def blind(by):
    """One of two who talk transfers the other one to Carol: they hear each other, and who transferred is released."""
    with Liaison() as sbc, \
         Baresip("alice", "10.0.0.1", tone=440) as alice, \
         Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto") as bob, \
         Baresip("carol", "10.0.0.5", tone=1500, account="answermode=auto") as carol, \
         Ear(alice.rtp_ports) as at_alice, Ear(bob.rtp_ports) as at_bob, Ear(carol.rtp_ports) as at_carol:
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
        at_alice.listen(1000), at_bob.listen(440)
        who, other, ear, tone, address = {
            "caller": (alice, bob, at_bob, 1000, "10.0.0.2"),
            "called": (bob, alice, at_alice, 440, "10.0.0.3"),
        }[by]
        who.command("transfer", f"sip:carol@{address}")
        carol.wait("CALL_ESTABLISHED")
        ear.listen(1500), at_carol.listen(tone)
        told(who, "SIP/2.0 200 OK")
        who.wait("CALL_CLOSED")
        call, = sbc.established(1)
        legs = sbc.get(f"/v1/calls/{call['id']}")["legs"]
        assert [leg["state"] for leg in legs].count("confirmed") == 2, legs
        ear.listen(1500), at_carol.listen(tone)
        other.command("hangup")
        carol.wait("CALL_CLOSED")
        sbc.idle()
        record, = sbc.records(1)
        transfer, = record["transfers"]
        assert transfer["status"] == 200 and transfer["to"].startswith("sip:carol@"), record


class Desk:
    """A telephone of two lines that is played by hand, as no telephone of the lab joins two calls: it sends no media."""
    def __init__(self, ip, sbc):
        self.ip, self.sbc, self.seq = ip, (sbc, 5060), 100
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((ip, 5060))
        self.socket.settimeout(10)
        self.sdp = (f"v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 28000 RTP/AVP 8\r\n"
                    "a=rtpmap:8 PCMA/8000\r\n")
        self.heard, self.answered = [], set()

    def send(self, start, fields, body="", kind="application/sdp"):
        lines = [start, *(f"{name}: {value}" for name, value in fields)]
        lines += [f"Content-Type: {kind}"] if body else []
        text = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])
        self.socket.sendto(text.encode(), self.sbc)

    def expect(self, what):
        """The next message whose start line begins so; NOTIFY and BYE are answered meanwhile, and kept once."""
        while True:
            for n, text in enumerate(self.heard):
                if text.startswith(what):
                    return self.heard.pop(n)
            text = self.socket.recv(65535).decode()
            if text.startswith(("NOTIFY ", "BYE ")):
                self.answer(text, "200 OK")
                again = self.of(text, "Via") in self.answered
                self.answered.add(self.of(text, "Via"))
                if again:
                    continue
            self.heard.append(text)

    @staticmethod
    def of(text, name):
        return re.search(rf"^{name}: *(.*?)\r$", text, re.M | re.I)[1]

    def answer(self, request, status, body="", tag=""):
        fields = [("Via", via) for via in re.findall(r"^Via: *(.*?)\r$", request, re.M | re.I)]
        fields += [(name, self.of(request, name)) for name in ("From", "Call-ID", "CSeq")]
        fields += [("To", self.of(request, "To") + tag), ("Contact", f"<sip:desk@{self.ip}>")]
        self.send(f"SIP/2.0 {status}", fields, body)

    def request(self, method, uri, local, remote, call_id, more=(), body="", seq=None):
        self.seq += 1
        self.send(f"{method} {uri} SIP/2.0", [
            ("Via", f"SIP/2.0/UDP {self.ip}:5060;branch=z9hG4bKdesk{self.seq}"), ("Max-Forwards", "70"), ("From", local), ("To", remote),
            ("Call-ID", call_id), ("CSeq", f"{seq or self.seq} {method}"), ("Contact", f"<sip:desk@{self.ip}>"), *more], body)

    def called_by(self, phone):
        """That phone calls us: the INVITE that we answered."""
        phone.command("dial", "sip:bob@10.0.0.2")
        invited = self.expect("INVITE ")
        self.answer(invited, "200 OK", self.sdp, ";tag=first")
        self.expect("ACK "), phone.wait("CALL_ESTABLISHED")
        return invited

    def refer(self, invited, to):
        """Refers to somebody in that dialog, which is accepted."""
        target = re.search(r"<(.*?)>", self.of(invited, "Contact"))[1]
        self.request("REFER", target, self.of(invited, "To") + ";tag=first", self.of(invited, "From"), self.of(invited, "Call-ID"),
                     [("Refer-To", f"<{to}>")])
        assert self.of(self.expect("SIP/2.0 200"), "CSeq").endswith("REFER")

    def call(self, uri, call_id="second@desk", more=()):
        """Calls somebody: our 200 in that dialog."""
        local = f"<sip:desk@{self.ip}>;tag=second"
        self.request("INVITE", uri, local, f"<{uri}>", call_id, more, body=self.sdp)
        while not (ok := self.expect("SIP/2.0 ")).startswith("SIP/2.0 200"):
            assert ok.startswith("SIP/2.0 1"), ok
        target = re.search(r"<(.*?)>", self.of(ok, "Contact"))[1]
        self.request("ACK", target, local, self.of(ok, "To"), call_id, seq=self.seq)
        return ok

    def hang_up(self, ok):
        """In the dialog of a 200 that we got."""
        target = re.search(r"<(.*?)>", self.of(ok, "Contact"))[1]
        self.request("BYE", target, self.of(ok, "From"), self.of(ok, "To"), self.of(ok, "Call-ID"))
        assert self.of(self.expect("SIP/2.0 200"), "CSeq").endswith("BYE")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def refused():
    """Where Carol does not take it, the two who talked go on. (baresip hangs up by itself then.)"""
    with Liaison() as sbc, Desk("10.0.0.4", "10.0.0.3") as desk, Baresip("alice", "10.0.0.1", tone=440) as alice, \
         Baresip("carol", "10.0.0.5", tone=1500) as carol:
        invited = desk.called_by(alice)
        desk.refer(invited, "sip:carol@10.0.0.3")
        carol.wait("CALL_INCOMING")
        carol.command("hangup")
        # What came while the first NOTIFY had no answer is told by the next one, the last of it.
        first, last = desk.expect("NOTIFY "), desk.expect("NOTIFY ")
        assert first.rstrip().endswith("SIP/2.0 100 Trying") and last.rpartition("SIP/2.0 ")[2].startswith("486"), (first, last)
        assert desk.of(last, "Subscription-State") == "terminated;reason=noresource", last
        sbc.established(1)
        alice.command("hangup")
        assert desk.of(desk.expect("BYE "), "Call-ID") == desk.of(invited, "Call-ID")
        sbc.idle()
        record, = sbc.records(1)
        assert [transfer["status"] for transfer in record["transfers"]] == [486], record


def carried():
    """With `carry` it is Alice's telephone that gets a REFER and calls Carol, who talks with it in a call of its own."""
    with Liaison(profile='refer = "carry"') as sbc, \
         Baresip("alice", "10.0.0.1", tone=440) as alice, \
         Baresip("bob", "10.0.0.4", tone=1000, account="answermode=auto") as bob, \
         Baresip("carol", "10.0.0.5", tone=1500, account="answermode=auto") as carol, \
         Ear(alice.rtp_ports) as at_alice, Ear(carol.rtp_ports) as at_carol:
        alice.command("dial", "sip:bob@10.0.0.2")
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_ESTABLISHED")
        at_alice.listen(1000)
        bob.command("transfer", "sip:carol@10.0.0.3")
        carol.wait("CALL_ESTABLISHED")
        at_alice.listen(1500), at_carol.listen(440)
        told(bob, "SIP/2.0 200 OK")
        # Our address there, and a dialog of that leg's own.
        refer = re.search(r"^REFER sip:alice.*?\r?\n\r?\n", alice.trace(), re.M | re.S)[0]
        assert re.search(r"^Refer-To: *<?sip:carol@10\.0\.0\.2:5060", refer, re.M), refer
        bob.wait("CALL_CLOSED")
        sbc.established(1)
        alice.command("hangup")
        carol.wait("CALL_CLOSED")
        sbc.idle()


def attended():
    """Who talks with Alice asks Carol, and joins the two: nobody is called for it, and they hear each other."""
    with Liaison() as sbc, Desk("10.0.0.4", "10.0.0.3") as desk, \
         Baresip("alice", "10.0.0.1", tone=440) as alice, \
         Baresip("carol", "10.0.0.5", tone=1500, account="answermode=auto") as carol, \
         Ear(alice.rtp_ports) as at_alice, Ear(carol.rtp_ports) as at_carol:
        invited = desk.called_by(alice)
        ok = desk.call("sip:carol@10.0.0.3")
        carol.wait("CALL_ESTABLISHED")
        sbc.established(2)
        tags = [re.search(r"tag=([^;\s]+)", desk.of(ok, name))[1] for name in ("To", "From")]
        replaces = f"second%40desk%3Bto-tag%3D{tags[0]}%3Bfrom-tag%3D{tags[1]}"
        desk.refer(invited, f"sip:carol@10.0.0.3?Replaces={replaces}")
        at_alice.listen(1500), at_carol.listen(440)
        notified = [desk.expect("NOTIFY "), desk.expect("NOTIFY ")]
        assert notified[0].rstrip().endswith("SIP/2.0 100 Trying") and notified[1].rstrip().endswith("SIP/2.0 200 OK"), notified
        assert desk.of(notified[1], "Subscription-State") == "terminated;reason=noresource", notified[1]
        # Both of its dialogs are over: the consultation at once, the other one as it does not hang up itself.
        ended = {desk.of(desk.expect("BYE "), "Call-ID") for _ in range(2)}
        assert ended == {"second@desk", desk.of(invited, "Call-ID")}, ended
        sbc.established(1)
        alice.command("hangup")
        carol.wait("CALL_CLOSED")
        sbc.idle()
        assert len(sbc.records(2)) == 2


def apart():
    """The same where the two calls have their homes on different shards: linphonec, whom the desk has asked, is called in place of
    the dialog that it has, and hangs that up."""
    with Liaison(shards=2) as sbc, Desk("10.0.0.4", "10.0.0.3") as desk, \
         Baresip("alice", "10.0.0.1", tone=440) as alice, Ear(alice.rtp_ports) as at_alice, \
         Linphone("carol", "10.0.0.5", domain="10.0.0.3", proxy="10.0.0.3:5060", transport="udp", password="x", root="") as carol:
        carol.say("soundcard use files"), carol.wait("wav files")
        carol.say("autoanswer enable"), carol.wait("[Aa]uto.?answer")
        invited = desk.called_by(alice)
        for n in range(20):
            ok = desk.call("sip:carol@10.0.0.3", f"second{n}@desk")
            shards = {call["id"].split("-")[0] for call in sbc.established(2)}
            if len(shards) == 2:
                break
            desk.hang_up(ok)
            sbc.established(1)
        assert len(shards) == 2, shards
        tags = [re.search(r"tag=([^;\s]+)", desk.of(ok, name))[1] for name in ("To", "From")]
        desk.refer(invited, f"sip:carol@10.0.0.3?Replaces=second{n}%40desk%3Bto-tag%3D{tags[0]}%3Bfrom-tag%3D{tags[1]}")
        notified = [desk.expect("NOTIFY ")]
        while not notified[-1].rstrip().endswith("SIP/2.0 200 OK"):
            notified.append(desk.expect("NOTIFY "))
        ended = {desk.of(desk.expect("BYE "), "Call-ID") for _ in range(2)}
        assert ended == {f"second{n}@desk", desk.of(invited, "Call-ID")}, ended
        sbc.established(1)
        alice.command("hangup")
        sbc.idle()


def picked_up():
    """While Bob's telephone rings, another one of his side answers in its place: Alice talks with that, and Bob's is cancelled."""
    with Liaison(shards=2, profile='pick_up = "network"') as sbc, Desk("10.0.0.5", "10.0.0.3") as bill, \
         Baresip("alice", "10.0.0.1", tone=440) as alice, Baresip("bob", "10.0.0.4", tone=1000) as bob:
        alice.command("dial", "sip:bob@10.0.0.2")
        bob.wait("CALL_INCOMING")
        until("Bob's telephone says that it rings", lambda: re.search(r"^SIP/2\.0 180", bob.trace(), re.M), 5)
        invite = re.search(r"^INVITE sip:bob.*?\r?\n\r?\n", bob.trace(), re.M | re.S)[0]
        ringing = re.search(r"^SIP/2\.0 180.*?\r?\n\r?\n", bob.trace(), re.M | re.S)[0]
        value = lambda text, name: re.search(rf"^{name}: *(.*?)\r?$", text, re.M | re.I)[1]
        ours, theirs = (re.search(r"tag=([^;\s]+)", value(ringing, name))[1] for name in ("From", "To"))
        target = re.search(r"<(.*?)>", value(invite, "Contact"))[1]
        replaces = f"{value(invite, 'Call-ID')};to-tag={ours};from-tag={theirs};early-only"
        ok = bill.call(target, "pickup@desk", [("Replaces", replaces), ("Require", "replaces")])
        assert "m=audio" in ok and "RTP/AVP" in ok, ok
        alice.wait("CALL_ESTABLISHED"), bob.wait("CALL_CLOSED")
        assert re.search(r"^CANCEL .*?^Reason: *SIP;cause=200", bob.trace(), re.M | re.S), bob.trace()
        call, = sbc.established(1)
        alice.command("hangup")
        assert bill.of(bill.expect("BYE "), "Call-ID") == "pickup@desk"
        sbc.idle()


run(blind, refused, carried, attended, apart, picked_up)
