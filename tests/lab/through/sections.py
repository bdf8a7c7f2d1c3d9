#!/usr/bin/python3
"""sections.py CHECK - media of every kind in one offer: each section has its way through, none is lost, and the answer lines up."""
import here
import re, socket, ssl
from certificates import openssl
from liaison import Liaison, run, until
from messages import Message
from ua import Ua

OUTSIDE, INSIDE = ("10.0.0.2", 5060), ("10.0.0.3", 5060)

# Each section: its m= line without the port, what it says, and how it travels.
SECTIONS = [
    ("audio {} RTP/AVP 8", ["label:1"], "udp"),
    ("image {} udptl t38", ["T38FaxVersion:0"], "udp"),
    ("audio {} RTP/AVP 98", ["rtpmap:98 t38/8000"], "udp"),
    ("message {} TCP/MSRP *", ["accept-types:text/plain", "path:msrp://{ip}:{port}/{user};tcp"], "msrp"),
    ("application {} TCP/TLS/BFCP *", ["floorctrl:c-s", "setup:{setup}", "connection:new", "fingerprint:{print}"], "tls"),
    ("application {} UDP/BFCP *", ["floorctrl:c-s"], "udp"),
    ("application {} UDP/DTLS/SCTP webrtc-datachannel", ["setup:{setup}", "tls-id:abc3de65cddef001be82", "fingerprint:{print}", "sctp-port:5000"], "udp"),
    ("video {} RTP/AVP 31", ["content:slides"], "udp"),
    ("hologram {} UDP/FOO x", ["depth:3"], "udp"),
]


class Peer(Ua):
    """A user agent with a socket for each section; `active` makes the connections. It answers an INVITE with all of them."""
    def __init__(self, ip, server, active, certificate):
        super().__init__(ip, 5060, "active" if active else "passive")
        self.server, self.active, self.certificate, self.offered = server, active, certificate, None
        self.sockets, self.version = [], 0
        for _, _, way in SECTIONS:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if way == "udp" else socket.SOCK_STREAM)
            made.settimeout(10)
            # Of TCP the active side has the port that it names in its path alone.
            made.bind((ip, 9 if way == "udp" and SECTIONS[len(self.sockets)][0].startswith("hologram") else 0))
            if way != "udp" and not active:
                made.listen()
            self.sockets.append(made)
        pem = ssl.PEM_cert_to_DER_cert(open(certificate[0]).read())
        import hashlib
        digest = hashlib.sha256(pem).hexdigest().upper()
        self.print = "sha-256 " + ":".join(digest[at:at + 2] for at in range(0, len(digest), 2))

    def describe(self, version=1, zero=()):
        lines = ["v=0", f"o=- 1 {version} IN IP4 {self.ip}", "s=-", f"c=IN IP4 {self.ip}", "t=0 0"]
        for number, ((line, attributes, way), made) in enumerate(zip(SECTIONS, self.sockets)):
            port = made.getsockname()[1]
            says = dict(ip=self.ip, port=port, user=self.user, print=self.print, setup="active" if self.active else "passive")
            stated = 0 if number in zero else 9 if way == "tls" and self.active else port
            lines.append("m=" + line.format(stated))
            lines += ["a=" + attribute.format(**says) for attribute in attributes]
        return "\r\n".join(lines) + "\r\n"

    def _hear(self, deadline):
        self.socket.settimeout(0.2)
        try:
            raw, source = self.socket.recvfrom(65535)
        except TimeoutError:
            return False
        message = Message(False, raw)
        if message.status is None and message.start.split()[0] in ("INVITE", "BYE"):
            body = b""
            if message.start.startswith("INVITE"):
                rejected = [number for number, (line, _) in enumerate(sections(message.body)) if line.split()[1] == "0"]
                self.version += 1
                self.offered, body = message, self.describe(self.version, rejected).encode()
            copied = [line for line in raw.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
                      if line.split(":")[0].lower() in ("via", "from", "to", "call-id", "cseq")]
            copied = [line + ";tag=b" if line.lower().startswith("to:") and "tag=" not in line else line for line in copied]
            more = [f"Contact: <sip:{self.user}@{self.ip}:5060>", "Content-Type: application/sdp"] if body else []
            self.socket.sendto("\r\n".join(["SIP/2.0 200 OK", *copied, *more, f"Content-Length: {len(body)}", "", ""]).encode() + body, source)
        self.heard.append(message)
        return True


def sections(body):
    """Of each section of a description: its m= line, its lines."""
    first, *rest = re.split(r"^m=", body.decode(), flags=re.M)
    return [(lines[0], lines[1:]) for lines in (part.strip().split("\r\n") for part in rest)]


def aligned(body, by, host):
    """The description says of each section what `by` says, with an address of ours."""
    told = sections(body)
    assert len(told) == len(SECTIONS), body.decode()
    assert by.ip not in body.decode(), body.decode()
    for (line, attributes, way), (stated, lines) in zip(SECTIONS, told):
        media, port, rest = stated.split(" ", 2)
        assert f"{media} {{}} {rest}" == line, (stated, line)
        assert port == "9" if way == "tls" and by.active else 30000 <= int(port) < 40000, stated
        for attribute in attributes:
            if not attribute.startswith("path"):
                assert "a=" + attribute.format(print=by.print, setup="active" if by.active else "passive") in lines, (attribute, lines)
    path = next(line for line in told[3][1] if line.startswith("a=path:"))
    assert path == f"a=path:msrp://{host}:{told[3][0].split()[1]}/{by.user};tcp", path
    return [int(stated.split()[1]) for stated, _ in told]


def datagrams(near, far, to_near, to_far, hosts, without=()):
    """Something goes each way in each section over UDP, the made-up one among them."""
    for number, (line, _, way) in enumerate(SECTIONS):
        if way != "udp" or number in without:
            continue
        for sender, receiver, port, host in ((near, far, to_near[number], hosts[0]), (far, near, to_far[number], hosts[1])):
            # As RTP, where it is, of the payload type that was said: another one goes no further.
            kind = re.search(r"RTP/AVP (\d+)", line)
            said = bytes([0x80, int(kind[1]) if kind else 8]) + f"{line} from {sender.user}".encode()
            sender.sockets[number].sendto(said, (host, port))
            heard, source = receiver.sockets[number].recvfrom(2000)
            assert heard == said, (line, heard)


def connections(active, passive, ports, hosts):
    """MSRP with the paths of each leg, and TLS from one end to the other."""
    def joined(number):
        made = socket.create_connection((hosts[0], ports[0][number]), 10, source_address=(active.ip, 0))
        taken, _ = passive.sockets[number].accept()
        taken.settimeout(10)
        return made, taken
    made, taken = joined(3)
    own = lambda peer: f"msrp://{peer.ip}:{peer.sockets[3].getsockname()[1]}/{peer.user};tcp"
    ours = lambda host, port, peer: f"msrp://{host}:{port}/{peer.user};tcp"
    message = "MSRP d93k SEND\r\nTo-Path: {}\r\nFrom-Path: {}\r\nMessage-ID: 1\r\nByte-Range: 1-2/2\r\nContent-Type: text/plain\r\n\r\nhi\r\n-------d93k$\r\n"
    shown = {active: ours(hosts[1], ports[1][3], active), passive: ours(hosts[0], ports[0][3], passive)}
    for sender, receiver, out, into in ((active, passive, made, taken), (passive, active, taken, made)):
        out.sendall(message.format(shown[receiver], own(sender)).encode())
        wanted = message.format(own(receiver), shown[sender]).encode()
        heard = b""
        while len(heard) < len(wanted):
            heard += into.recv(len(wanted) - len(heard))
        assert heard == wanted, heard
    made.close()
    assert taken.recv(1) == b"", "the end goes through as well"
    made, taken = joined(4)
    import threading
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*passive.certificate)
    server = {}
    def serve():
        server["tls"] = context.wrap_socket(taken, server_side=True)
        server["tls"].sendall(server["tls"].recv(100).upper())
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    tls = client.wrap_socket(made)
    tls.sendall(b"floor")
    assert tls.recv(100) == b"FLOOR"
    certificate = ssl.DER_cert_to_PEM_cert(tls.getpeercert(True))
    assert certificate.strip() == open(passive.certificate[0]).read().strip(), "another certificate"
    thread.join(10)


def issue(folder, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{folder}/{name}.key",
            "-out", f"{folder}/{name}.pem", "-subj", f"/CN={name}", "-days", "2")
    return f"{folder}/{name}.pem", f"{folder}/{name}.key"


def call(caller, callee, uri, dialog=None, body=None):
    callee.offered = None
    offer = caller.request("INVITE", uri, body or caller.describe(), dialog, Contact=f"<sip:{caller.user}@{caller.ip}:5060>", Content_Type="application/sdp")
    caller.send(offer)
    until(lambda: "an INVITE", lambda: callee._hear(0) and callee.offered, 10)
    answer = caller.expect("200")
    ack = caller.request("ACK", uri, dialog=answer).decode()
    caller.send(re.sub(r"CSeq: \d+", f"CSeq: {answer.cseq}", ack).encode())
    return callee.offered, answer


def everything(caller):
    """An offer with audio, T.38 of both kinds, MSRP, BFCP of both kinds, a data channel, slides and a made-up section, answered whole."""
    with Liaison() as sbc:
        near = Peer("10.0.0.1", OUTSIDE, caller == "outside", issue(sbc.dir, "near"))
        far = Peer("10.0.0.4", INSIDE, caller == "inside", issue(sbc.dir, "far"))
        calling, called = (near, far) if caller == "outside" else (far, near)
        hosts = ("10.0.0.2", "10.0.0.3") if caller == "outside" else ("10.0.0.3", "10.0.0.2")
        offer, answer = call(calling, called, f"sip:bob@{hosts[0]}")
        to_far, to_near = aligned(offer.body, calling, hosts[1]), aligned(answer.body, called, hosts[0])
        datagrams(calling, called, to_near, to_far, hosts)
        connections(calling, called, (to_near, to_far), hosts)
        call_, = sbc.established(1)
        for leg in sbc.get(f"/v1/calls/{call_['id']}")["legs"]:
            assert all(stream["anchored"] for stream in leg["streams"]), leg
            assert all(stream["received"]["packets"] and stream["sent"]["packets"] for stream in leg["streams"]), leg
        assert sbc.metrics().get('liaison_media_tcp_connections_total{outcome="failed"}') == 0, sbc.metrics()
        # Some go, the first among them, and come again: their places stay.
        for version, zero in ((2, (0, 3, 8)), (3, ())):
            offer, again = call(calling, called, f"sip:bob@{hosts[0]}", answer, calling.describe(version, zero))
            for body in (offer.body, again.body):
                ports = [int(line.split()[1]) for line, _ in sections(body)]
                assert [number for number, port in enumerate(ports) if port == 0] == list(zero), body.decode()
            to_far, to_near = ([int(line.split()[1]) for line, _ in sections(body)] for body in (offer.body, again.body))
            datagrams(calling, called, to_near, to_far, hosts, zero)
        calling.ask(calling.request("BYE", "", dialog=answer), "200")
        called.expect("BYE")
        sbc.idle()


run(everything)
