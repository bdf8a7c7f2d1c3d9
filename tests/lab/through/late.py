#!/usr/bin/python3
"""late.py rolled_over - a called side that forks, with SDES: one branch has early media in which our sequence numbers begin anew, and then a
telephone (linphonec) answers, which knows nothing of that. It hears what is said to it all the same: by another key of ours. baresip 1.0
takes no other key in a re-INVITE."""
import here, base64, os, re, socket, struct, threading, time
import liaison
from attacks import tone
from linphone import Linphone
from liaison import Liaison, run, until
from messages import Message
from recording import heard, of_file
from ua import Ua

liaison.DOCUMENT = liaison.DOCUMENT.replace("[trunks.b]\n", '[trunks.b]\nprofile = "secret"\n')
SECRET = '[profiles.secret]\nsrtp = { mode = "required", suites = ["AES_CM_128_HMAC_SHA1_80"], keys_in_clear = true }\n'
EARLY, MINE = ("10.0.0.4", 29000), ("10.0.0.1", 28000)
HEARD = 500     # Hz; a packet has whole periods of it


def description(at, more=""):
    proto = "RTP/SAVP" if more else "RTP/AVP"
    return f"v=0\r\no=- 1 1 IN IP4 {at[0]}\r\ns=-\r\nc=IN IP4 {at[0]}\r\nt=0 0\r\nm=audio {at[1]} {proto} 8\r\n{more}"


class Fork:
    """Sends the INVITE that comes to 10.0.0.4 on to 10.0.0.5 when it is told so; before that it answers for another branch, which is in
    early media."""
    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("10.0.0.4", 5060))
        self.socket.settimeout(0.1)
        self.media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.media.bind(EARLY)
        self.media.settimeout(10)
        self.invite, self.asker, self.ended = None, None, False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended:
            try:
                raw, source = self.socket.recvfrom(65535)
            except TimeoutError:
                continue
            message = Message(False, raw)
            if source[0] == "10.0.0.5" and message.status and message.status > 100:
                # The first Via is this one's.
                head, _, rest = raw.partition(b"\r\nVia: SIP/2.0/UDP 10.0.0.4")
                self.socket.sendto(head + b"\r\n" + rest.partition(b"\r\n")[2], self.asker)
            elif message.status is None and message.method == "INVITE" and self.invite is None:
                self.invite, self.asker = raw, source
                self._ring(message)

    def _ring(self, invite):
        key = base64.b64encode(os.urandom(30)).decode()
        body = description(EARLY, f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n")
        lines = ["SIP/2.0 183 Session Progress", *(f"Via: {via}" for via in invite.all("via")), f"From: {invite.one('from')}",
                 f"To: {invite.one('to')};tag=first", f"Call-ID: {invite.one('call-id')}", f"CSeq: {invite.one('cseq')}",
                 "Contact: <sip:first@10.0.0.4:5060>", "Content-Type: application/sdp", f"Content-Length: {len(body)}", "", body]
        self.socket.sendto("\r\n".join(lines).encode(), self.asker)

    def go_on(self):
        """The other branch is called."""
        line, _, rest = self.invite.partition(b"\r\n")
        self.socket.sendto(line + b"\r\nVia: SIP/2.0/UDP 10.0.0.4:5060;branch=z9hG4bKfork\r\n" + rest, ("10.0.0.5", 5060))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join(5)
        self.socket.close(), self.media.close()


class Mouth(threading.Thread):
    """Says a tone, from a number on that is soon followed by 0."""
    def __init__(self):
        super().__init__(daemon=True)
        self.socket, self.to, self.ended = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), None, False
        self.socket.bind(MINE)

    def run(self):
        number, begun = 65500, time.monotonic()
        while not self.ended:
            header = struct.pack(">BBHII", 0x80, 8, number & 0xFFFF, 160 * number & 0xFFFFFFFF, 0x0A11CE)
            self.socket.sendto(tone(header, HEARD), self.to)
            number += 1
            time.sleep(max(0, begun + 0.02 * (number - 65500) - time.monotonic()))


def port_of(message):
    return int(re.search(rb"m=audio (\d+)", message.body)[1])


def rolled_over():
    mouth = Mouth()
    with Liaison(tables=SECRET, profile='srtp = { mode = "off" }') as sbc, Fork() as fork, Ua(MINE[0], 5060, "alice") as alice, \
         Linphone("late", "10.0.0.5", domain="10.0.0.3", proxy="10.0.0.3:5060", transport="udp", password="x", root="", encryption="srtp") as late:
        kept = late.files(440)
        late.say("autoanswer enable")
        late.wait("[Aa]uto.?answer")
        alice.send(alice.request("INVITE", "sip:late@10.0.0.2", description(MINE), Content_Type="application/sdp",
                                 Contact="<sip:alice@10.0.0.1:5060>"))
        early = alice.expect("183")
        mouth.to = ("10.0.0.2", port_of(early))
        mouth.start()
        # The sequence numbers of the other branch's are not secret.
        numbers = []
        while not numbers or 60 > numbers[-1] or numbers[-1] > 60000:
            numbers.append(struct.unpack_from(">H", fork.media.recv(2000), 2)[0])
        assert numbers[0] > 65000, numbers
        fork.go_on()
        final = alice.expect("200", 20)
        mouth.to = ("10.0.0.2", port_of(final))
        alice.send(alice.request("ACK", "", dialog=final).replace(b"CSeq: %d ACK" % alice.number, b"CSeq: 1 ACK"))
        late.wait("Media streams established")
        # What it records is written as it goes on.
        until("what it hears", lambda: os.path.getsize(kept) > 5 * 8000 * 2, 20)
        alice.ask(alice.request("BYE", "", dialog=final), "200")
        sbc.idle()
        late.wait(r"ended \(No error\)")
        tones = heard(*of_file(kept))
        assert any(of == HEARD and seconds > 2 for of, seconds in tones), tones
        told = re.findall(r"^a=crypto:1 \S+ inline:(\S+)", late.trace(), re.M)
        assert len(set(told)) >= 3, f"its own key, and two of ours: {told}"
        mouth.ended = True


run(rolled_over)
