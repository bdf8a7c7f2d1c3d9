#!/usr/bin/python3
"""sips.py CHECK - SIPp over TLS, and SIPS: which calls go over TLS, on which connections, and what they say of it."""
import here, re, socket, ssl, tempfile, threading
import messages
from certificates import Authority
from liaison import run
from nsd import NameServer
from secure_liaison import Secure
from sipp import UAC, UAS, Sipp
from syns import Syns
from tls_relay import Inward, Outward

DOCUMENT = """
[node]
state_directory = "{state}"

[dns]
servers = ["10.0.0.9:53"]

[networks.outside]
listeners = [
    {{ transport = "tls", address = "10.0.0.2:5061", tls = {{
        certificates = [{{ chain = "{own.chain}", key = "{own.key}" }}], clients = "required", roots = "{root}" }} }},
    {{ transport = "udp", address = "10.0.0.2:5060" }},
]
media = {{ address = "10.0.0.2", ports = "30000-39999" }}

[networks.inside]
listeners = [
    {{ transport = "udp", address = "10.0.0.3:5060" }}, {{ transport = "tcp", address = "10.0.0.3:5060" }},
    {{ transport = "tls", address = "10.0.0.3:5061", tls = {{
        certificates = [{{ chain = "{own.chain}", key = "{own.key}" }}], clients = "optional", roots = "{root}" }} }},
]
media = {{ address = "10.0.0.3", ports = "30000-39999" }}
tls = {{ roots = "{root}"{shown} }}

[trunks.carrier]
network = "outside"
targets = ["sip:10.0.0.1:5061;transport=tls"]
identities = ["carrier.example"]

[trunks.tester]
network = "outside"
targets = ["sip:10.0.0.1:5060"]
from = ["10.0.0.1"]

[trunks.pbx]
network = "inside"
targets = ["{target}"]

[[routes]]
name = "inbound"
networks = ["outside"]
to = ["pbx"]

[admin]
listen = "127.0.0.1:8080"
"""
CALLING, CALLED, RELAY = ("10.0.0.1", 5070), ("10.0.0.4", 5061), "10.0.0.1:5070"
TLS = "sip:10.0.0.4:5061;transport=tls"


class Relayed(Secure):
    """Takes calls over TLS, and takes them to `target`; a relay on each side for SIPp. mutual: with a certificate to show there."""
    def __init__(self, target, mutual=True):
        self.authority = Authority(tempfile.mkdtemp(prefix="certificates."), "root")
        own = self.authority.issue("own", ["URI:sip:10.0.0.2", "URI:sip:10.0.0.3", "IP:10.0.0.2", "IP:10.0.0.3"])
        self.carrier = self.authority.issue("carrier", ["URI:sip:carrier.example", "URI:sip:10.0.0.1"])
        self.pbx = self.authority.issue("pbx", ["URI:sip:10.0.0.4", "IP:10.0.0.4"])
        shown = f', certificate = {{ chain = "{own.chain}", key = "{own.key}" }}' if mutual else ""
        clear = [("udp", ip, 5060) for ip in ("10.0.0.2", "10.0.0.3")]
        super().__init__(DOCUMENT, own, self.authority.root, clear=clear, shown=shown, target=target)

    def outward(self):
        return Outward(CALLING, "10.0.0.2:5061", self.carrier, self.root)

    def inward(self, clients=True):
        return Inward(CALLED, UAS, self.pbx, self.root, clients)


def over_tls(scheme, host):
    """What a scenario says over TLS."""
    return [("SIP/2.0/[transport]", "SIP/2.0/TLS"), (f"@[local_ip]:[local_port];transport=[transport]>", f"@{host}:5061{'' if scheme == 'sips' else ';transport=tls'}>"),
            ("Contact: <sip:", f"Contact: <{scheme}:")]


def calling(scheme):
    via = ("[local_ip]:[local_port];branch=[branch];rport", "10.0.0.1:5061;branch=[branch];rport;alias")
    edits = [*over_tls(scheme, "10.0.0.1"), via]
    return [*edits, ("INVITE sip:", "INVITE sips:"), ("To: <sip:", "To: <sips:")] if scheme == "sips" else edits


def called(scheme):
    return over_tls(scheme, "10.0.0.4")[1:]


def calls():
    """A hundred calls with either side hanging up, over one connection on each side, whoever opened it: both sides ask for that by
    `alias`, and have certificates (RFC 5923)."""
    for uas, uac in (("uas", "uac"), ("uas_hangs_up", "uac_hears_bye")):
        with Relayed(TLS) as sbc, sbc.outward(), sbc.inward(), Syns(5061) as syns, \
             Sipp(uas, UAS, transport="tcp", calls=100, edits=called("sip")) as bob, \
             Sipp(uac, UAC, RELAY, transport="tcp", calls=100, rate=50, edits=calling("sip")) as alice:
            alice.wait()
            bob.wait()
            sbc.idle()
            assert syns.begun() == {("10.0.0.1", "10.0.0.2"): 1, ("10.0.0.3", "10.0.0.4"): 1}, syns.begun()
            assert len(sbc.records(100)) == 100


def secure():
    """A SIPS call goes on over TLS, as SIPS, with a SIPS Contact; its Via asks for requests on that connection (`alias`, RFC 5923 §5)
    where we have a certificate to show, and not where the peer could not know us."""
    for mutual, marks in ((True, ";rport;alias"), (False, ";rport")):
        with Relayed(TLS, mutual) as sbc, sbc.outward(), sbc.inward(clients=mutual), \
             Sipp("uas", UAS, transport="tcp", edits=called("sips")) as bob, \
             Sipp("uac", UAC, RELAY, transport="tcp", edits=calling("sips")) as alice:
            alice.wait()
            bob.wait()
            sbc.idle()
            invited, = messages.requests(bob.messages(), "INVITE", sent=False)
            assert invited.start.startswith("INVITE sips:+49301234561@10.0.0.4:5061"), invited
            assert invited.one("Contact") == "<sips:10.0.0.3:5061>", invited
            for method in ("INVITE", "ACK", "BYE"):
                request, = messages.requests(bob.messages(), method, sent=False)
                via = re.sub(r"branch=[^;]+", "branch", request.one("Via").partition(";oc")[0])
                assert via == "SIP/2.0/TLS 10.0.0.3:5061;branch" + marks, request
            ok = next(m for m in alice.messages() if not m.sent and m.status == 200 and m.method == "INVITE")
            assert ok.one("Contact") == "<sips:10.0.0.2:5061>", ok


def refused():
    """A SIPS call to a trunk that is not reached over TLS is refused, and nothing of it is seen there (RFC 5630 §5.3)."""
    for target in ("sip:10.0.0.4:5060", "sip:10.0.0.4:5060;transport=tcp"):
        with Relayed(target) as sbc, sbc.outward(), Sipp("uas", UAS, transport="tcp" if "tcp" in target else "udp") as bob, \
             Sipp("uac_refused", UAC, RELAY, transport="tcp", edits=calling("sips")) as alice:
            alice.wait()
            sbc.idle()
            final = next(m for m in alice.messages() if not m.sent and m.status and m.status >= 200)
            assert final.status == 480 and final.one("Warning").endswith(' "SIPS Not Allowed"') and final.one("Warning").startswith("380 "), final
            assert not bob.messages(), bob.report()


class Peer(threading.Thread):
    """A peer with OpenSSL that has a certificate for `a.example` only: it has opened a connection to us with `alias`, and takes
    others. `heard`: what came on its own connection; `others`: what came on those that we opened, TLS errors told by their names."""
    AT = ("10.0.0.4", 5061)

    def __init__(self, sbc):
        super().__init__(daemon=True)
        self.heard, self.others, self.new = [], [], threading.Condition()
        named = sbc.authority.issue("a", ["URI:sip:a.example"])
        self.server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.server.load_cert_chain(*named)
        client = ssl.create_default_context(cafile=sbc.root)
        client.check_hostname = False
        client.load_cert_chain(*named)
        self.listener = socket.create_server(self.AT)
        self.own = client.wrap_socket(socket.create_connection(("10.0.0.3", 5061), source_address=("10.0.0.4", 0)))
        self.own.sendall(b"OPTIONS sip:10.0.0.3:5061;transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS 10.0.0.4:5061;branch=z9hG4bKa;alias\r\n"
                         b"Max-Forwards: 70\r\nFrom: <sip:a@a.example>;tag=a\r\nTo: <sip:10.0.0.3>\r\nCall-ID: a@a.example\r\n"
                         b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
        threading.Thread(target=self.read, daemon=True).start()
        self.start()

    def told(self, where, what):
        with self.new:
            where.append(what)
            self.new.notify_all()

    def read(self):
        """Answers each INVITE on its own connection with 486."""
        text = ""
        while data := self.own.recv(65536):
            text += data.decode()
            while "\r\n\r\n" in text:
                head, _, rest = text.partition("\r\n\r\n")
                length = int(re.search(r"^Content-Length: *(\d+)", head, re.M)[1])
                if len(rest) < length:
                    break
                text = rest[length:]
                if head.startswith("INVITE "):
                    kept = [line + (";tag=b" if line.startswith("To:") else "") + "\r\n" for line in head.split("\r\n")
                            if re.match(r"(Via|From|To|Call-ID|CSeq):", line)]
                    self.own.sendall("".join(["SIP/2.0 486 Busy Here\r\n", *kept, "Content-Length: 0\r\n\r\n"]).encode())
                self.told(self.heard, head)

    def run(self):
        while True:
            plain, _ = self.listener.accept()
            try:
                with self.server.wrap_socket(plain, server_side=True) as connection:
                    self.told(self.others, connection.recv(65536) or b"closed")
            except ssl.SSLError as error:
                self.told(self.others, error.reason)

    def wait(self, where, count):
        with self.new:
            assert self.new.wait_for(lambda: len(where) >= count, 10), (self.heard, self.others)


def domains(name):
    """A connection that a peer has opened with `alias` takes requests for the domain that its certificate proves, and for no other at
    the same address: for that we open one, and find that it is not proved there either (RFC 5923 §8.2, RFC 5922 §7.3)."""
    proved = name == "a"
    with NameServer(f"{name} 60 IN A {Peer.AT[0]}"), Syns(5061) as syns, Relayed(f"sip:{name}.example:5061;transport=tls") as sbc:
        peer = Peer(sbc)
        peer.wait(peer.heard, 1)
        assert peer.heard[0].startswith("SIP/2.0 "), peer.heard
        for _ in range(2):
            with Sipp("uac_refused", UAC, "10.0.0.2:5060") as alice:
                alice.wait()
            final = next(m for m in alice.messages() if not m.sent and m.status and m.status >= 200)
            assert (final.status == 486) == proved, final
        sbc.idle()
        invites = [head for head in peer.heard if head.startswith("INVITE ")]
        begun = syns.begun()
        assert begun["10.0.0.4", "10.0.0.3"] == 1, begun
        if proved:
            assert len(invites) == 2 and begun.get(("10.0.0.3", "10.0.0.4")) is None, (invites, begun)
        else:
            peer.wait(peer.others, 1)
            assert not invites and begun["10.0.0.3", "10.0.0.4"] >= 1, (invites, begun)
            assert not any("INVITE" in str(other) for other in peer.others), peer.others


run(calls, secure, refused, domains)
