#!/usr/bin/python3
"""families.py CHECK - calls over IPv6, between IPv6 and IPv4, and from one of two prefixes: what each peer saw of us, and what it heard."""
import here, json, os, re, socket, ssl, struct, subprocess, tempfile
import messages
from liaison import Liaison, run, until
from processes import Daemon
from sipp import Sipp
from wire import Wire, ends

DOCUMENT = """
[node]
state_directory = "{state}"

[networks.outside]
listeners = [{outside}]
media = {{ address = "{outside_ip}", ports = "30000-30999" }}

[networks.inside]
listeners = [{inside}]
media = {{ address = "{inside_ip}", ports = "31000-31999" }}

[trunks.a]
network = "outside"
from = ["{caller}"]

[trunks.b]
network = "inside"
targets = ["sip:{callee}:5060;transport={transport}"]
from = ["{callee_ip}"]

[[routes]]
name = "inbound"
networks = ["outside"]
to = ["b"]

[admin]
listen = "127.0.0.1:8080"
"""
PREFIX = {"4": "10.0.0.", "6": "fd00::"}
MEDIA = 16000


def address(family, host):
    return PREFIX[family] + str(host)


def written(ip):
    """An address as a URI writes it (RFC 3261 §25.1, IPv6reference)."""
    return f"[{ip}]" if ":" in ip else ip


def listeners(ip, towards=()):
    """Sockets at an address, for UDP and TCP; towards: where requests leave from there."""
    only = f", towards = {json.dumps(towards)}" if towards else ""
    return ", ".join(f'{{ transport = "{transport}", address = "{written(ip)}:5060"{only} }}' for transport in ("udp", "tcp"))


class Between(Liaison):
    """Liaison with a network for each side. outside, inside: its addresses, and where requests leave from each; caller, callee:
    those of the peers."""
    def __init__(self, outside, inside, caller, callee, transport):
        self.dir = tempfile.mkdtemp(prefix="liaison.")
        self.state, self.path, self.log = self.dir + "/state", self.dir + "/liaison.toml", self.dir + "/log"
        self.addresses = [*outside, *inside]
        sides = [", ".join(listeners(ip, towards) for ip, towards in side.items()) for side in (outside, inside)]
        with open(self.path, "w") as file:
            file.write(DOCUMENT.format(state=self.state, outside=sides[0], outside_ip=next(iter(outside)), inside=sides[1],
                                       inside_ip=next(iter(inside)), caller=caller, callee=written(callee), callee_ip=callee,
                                       transport=transport))
        self.start()

    def start(self):
        sockets = [(transport, ip, 5060) for transport in ("udp", "tcp") for ip in self.addresses]
        self.daemon = Daemon([os.environ["LIAISON_BIN"], "run", "--config", self.path],
                             [*sockets, ("tcp", "127.0.0.1", 8080)], log=self.log)


def media_of(message, ip):
    """The port that a session description names; all its addresses are that one (RFC 4566 §5.2, §5.7)."""
    family = f"IN IP{6 if ':' in ip else 4} {ip}"
    lines = message.body.decode().split("\r\n")
    assert [line[2:] for line in lines if line.startswith("c=")] == [family], message
    origin, = (line for line in lines if line.startswith("o="))
    assert origin.endswith(" " + family), message
    port, = (int(line.split()[1]) for line in lines if line.startswith("m="))
    return ip, port


class Mouth:
    """The media of a peer."""
    def __init__(self, ip):
        self.socket = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.bind((ip, MEDIA))

    def say(self, word, to):
        """One packet of RTP with PCMA; what comes within it is the word."""
        self.socket.sendto(b"\x80\x08" + bytes(10) + word, to)

    def hears(self, word, source):
        data, peer = self.socket.recvfrom(2048)
        assert data[12:] == word and peer[:2] == source, f"{data!r} of {peer}, not {word!r} of {source}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def spoken_to(received, transport, us, them):
    """Whether what a peer got from us names us in its family, and nobody of the other."""
    strange = b"10.0.0." if ":" in us else b"fd00:"
    for message in received:
        # From and To say who the people are, and cross as they are.
        ours = b"\r\n".join(line for line in message.raw.split(b"\r\n") if not line.startswith((b"From:", b"To:")))
        assert strange not in ours, f"the other family in:\n{message}"
        via = message.all("via")[0]
        if message.status is None:
            assert via.startswith(f"SIP/2.0/{transport.upper()} {written(us)}:5060;"), via
        else:
            # RFC 3261 §25.1: via-received has no brackets, unlike sent-by.
            assert via.startswith(f"SIP/2.0/{transport.upper()} {written(them)}:"), via
            assert f";received={them};" in via + ";", via
        for contact in message.all("contact"):
            assert re.match(rf"<sip:([^@>]*@)?{re.escape(written(us))}:5060[;>]", contact), contact


def call(calling, called, first, second):
    """One call between two families, over these transports; each side speaks and is heard."""
    caller, outside, inside, callee = address(calling, 1), address(calling, 2), address(called, 3), address(called, 4)
    # SIPp has bound its own.
    media = [("[media_port]", str(MEDIA))]
    with Between({outside: ()}, {inside: ()}, caller, callee, second) as sbc, Mouth(caller) as alice, Mouth(callee) as bob, \
         Sipp("uas", (callee, 5060), transport=second, edits=media) as uas, \
         Sipp("uac", (caller, 5060), written(outside) + ":5060", transport=first, pause=1500, edits=media) as uac:
        sbc.established(1)
        heard = [m for m in uac.messages() if not m.sent and m.status == 200]
        to_us = media_of(heard[0], outside)
        invite = messages.requests(uas.messages(), "INVITE", sent=False)[0]
        of_us = media_of(invite, inside)
        alice.say(b"from the caller", to_us)
        bob.hears(b"from the caller", of_us)
        bob.say(b"from the called", of_us)
        alice.hears(b"from the called", to_us)
        uac.wait()
        uas.wait()
        sbc.idle()
        assert {m.method for m in uas.messages() if not m.sent} == {"INVITE", "ACK", "BYE"}
        spoken_to([m for m in uas.messages() if not m.sent], second, inside, callee)
        spoken_to([m for m in uac.messages() if not m.sent], first, outside, caller)


class Sources(Wire):
    """Where packets to some port of an address come from."""
    def __init__(self, to):
        self.to, self.seen = to, set()
        super().__init__()

    def take(self, packet):
        source, destination = ends(packet)
        if destination == self.to:
            self.seen.add(source[0])


def prefixes(transport):
    """A network with two prefixes: who is called sees the one that leads to it, in packets, Via and Contact, whichever listener is
    first."""
    first, second = "198.51.100.", "203.0.113."
    for ip in (first + "3", first + "4", second + "3", second + "4"):
        subprocess.run(["ip", "addr", "add", ip + "/24", "dev", "lab0"], check=True)
    caller, outside = address("4", 1), address("4", 2)
    inside = {first + "3": (), second + "3": (second + "0/24",)}
    for prefix in (first, second):
        us, callee = prefix + "3", prefix + "4"
        with Between({outside: ()}, inside, caller, callee, transport) as sbc, Sources((callee, 5060)) as sources, \
             Sipp("uas", (callee, 5060), transport=transport) as uas, Sipp("uac", (caller, 5060), outside + ":5060") as uac:
            uac.wait()
            uas.wait()
            sbc.idle()
        received = [m for m in uas.messages() if not m.sent]
        assert {m.method for m in received} == {"INVITE", "ACK", "BYE"}, received
        for message in received:
            assert message.all("via")[0].startswith(f"SIP/2.0/{transport.upper()} {us}:5060;"), message
            assert all(f"<sip:{us}:5060" in contact for contact in message.all("contact")), message
        assert sources.seen == {us}, sources.seen


def leaks():
    """A peer at a public address is told the private ones of our side, by Contact and by SDP: the log says so once, metrics count."""
    ours, theirs = "10.0.0.3", "198.51.100.4"
    subprocess.run(["ip", "addr", "add", theirs + "/24", "dev", "lab0"], check=True)
    caller, outside = address("4", 1), address("4", 2)
    with Between({outside: ()}, {ours: ()}, caller, theirs, "udp") as sbc:
        for port in (5060, 5070):
            with Sipp("uas", (theirs, 5060)) as uas, Sipp("uac", (caller, port), outside + ":5060") as uac:
                uac.wait()
                uas.wait()
            invite, = messages.requests(uas.messages(), "INVITE", sent=False)
            assert ours in invite.one("contact") and media_of(invite, ours), invite
        told = {place: sbc.metrics()[f'liaison_private_addresses_told_total{{place="{place}"}}'] for place in ("contact", "description")}
        assert all(count >= 2 for count in told.values()), told
        lines = [line for line in sbc.logged().splitlines() if "a peer outside is told a private address" in line]
        assert len(lines) == 2 and all(ours in line and theirs in line and "inside" in line for line in lines), lines


CS3, AF31 = 24 << 2, 26 << 2


class Marks(Wire):
    """The octets with DSCP and ECN of what our addresses send from ports of SIP, or to such, by transport and address."""
    def __init__(self, family, ours):
        self.PROTOCOL, self.ours, self.seen = {"4": 0x0800, "6": 0x86dd}[family], ours, {}
        super().__init__()

    def take(self, packet):
        six = packet[0] >> 4 == 6
        protocol, header = (packet[6], 40) if six else (packet[9], (packet[0] & 15) * 4)
        source = socket.inet_ntop(*((socket.AF_INET6, packet[8:24]) if six else (socket.AF_INET, packet[12:16])))
        ports = struct.unpack_from("!HH", packet, header)
        octet = (packet[0] & 15) << 4 | packet[1] >> 4 if six else packet[1]
        name = {17: "udp", 6: "tcp"}.get(protocol)
        known = [port for port in ports if port in (5060, 5061, 8443)]
        if name and source in self.ours and known:
            self.seen.setdefault((name, source, known[0]), set()).add(octet)


def marks(transport, family):
    """What we send of SIP has the DSCP of its network: on connections that we take, and on those that we make."""
    global DOCUMENT
    for network, dscp in (("outside", "CS3"), ("inside", "AF31")):
        DOCUMENT = DOCUMENT.replace(f"[networks.{network}]\n", f'[networks.{network}]\ndscp = "{dscp}"\n')
    caller, outside, inside, callee = (address(family, host) for host in (1, 2, 3, 4))
    with Between({outside: ()}, {inside: ()}, caller, callee, transport) as sbc, Marks(family, (outside, inside)) as wire, \
         Sipp("uas", (callee, 5060), transport=transport) as uas, \
         Sipp("uac", (caller, 5060), f"{written(outside)}:5060", transport=transport) as uac:
        uac.wait()
        uas.wait()
        sbc.idle()
    seen = {(ip, kind): octets for (kind, ip, _), octets in wire.seen.items()}
    assert seen == {(outside, transport): {CS3}, (inside, transport): {AF31}}, wire.seen


def marks_of_handshakes():
    """The same over TLS and in WebSockets."""
    import house
    house.DOCUMENT = house.DOCUMENT.replace('domain = "sbc.example.com"\n', 'domain = "sbc.example.com"\ndscp = "CS3"\n')
    believes = ssl.create_default_context()
    believes.check_hostname, believes.verify_mode = False, ssl.CERT_NONE
    with house.House(), Marks("4", ("10.0.0.2",)) as wire:
        for port in (5061, 8443):
            with socket.create_connection(("10.0.0.2", port)) as plain, believes.wrap_socket(plain):
                pass
        until(lambda: wire.seen, lambda: len(wire.seen) == 2, 5)
    assert set(map(frozenset, wire.seen.values())) == {frozenset({CS3})}, wire.seen


if __name__ == "__main__":
    run(call, prefixes, leaks, marks, marks_of_handshakes)
