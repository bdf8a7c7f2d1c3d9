#!/usr/bin/python3
"""zoo.py CHECK - certificates of every kind, shown to Liaison by OpenSSL as its client and as its server (RFC 5922 §7)."""
import here, re, shutil, socket, ssl, tempfile, threading
from certificates import Authority, Issuer
from liaison import run, until
from nsd import NameServer
from secure_liaison import Secure

DOCUMENT = """
[node]
state_directory = "{state}"

[dns]
servers = ["10.0.0.9:53"]

[networks.outside]
domain = "sbc.example"
listeners = [{{ transport = "tls", address = "10.0.0.2:5061", tls = {{
    certificates = [{{ chain = "{own.chain}", key = "{own.key}" }}], clients = "required", roots = "{root}", revoked = ["{list}"] }} }}]
media = {{ address = "10.0.0.2", ports = "30000-39999" }}
tls = {{ roots = "{root}", revoked = ["{list}"], certificate = {{ chain = "{own.chain}", key = "{own.key}" }} }}

{trunks}

[log]
level = "debug"

[admin]
listen = "127.0.0.1:8080"
"""
TRUNK = """
[trunks.{name}]
network = "outside"
targets = ["sip:{name}.example:{port};transport=tls"]
identities = ["{name}.example"]
probe = "5s"
"""
OPTIONS = ("OPTIONS sip:sbc.example SIP/2.0\r\nVia: SIP/2.0/TLS 10.0.0.8:5061;branch=z9hG4bK-{name}\r\nMax-Forwards: 70\r\n"
           "From: <sip:{name}.example>;tag=1\r\nTo: <sip:sbc.example>\r\nCall-ID: {name}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")

# What each is, how it is called in the log where it is believed, or why it is not: as a client, and as the server of its name.
# A client names itself, so whom the certificate stands for decides what it may; nothing but its own name serves a server.
ANIMALS = {
    "dns": (dict(names=["DNS:dns.example"]), "DNS:dns.example", "DNS:dns.example"),
    "uri": (dict(names=["URI:sip:uri.example"]), "URI:uri.example", "URI:uri.example"),
    "common": (dict(common_name="common.example"), "CN:common.example", "CN:common.example"),
    "other": (dict(names=["DNS:elsewhere.example"]), "DNS:elsewhere.example", "NotValidForName"),
    "hidden": (dict(common_name="hidden.example", names=["DNS:elsewhere.example"]), "DNS:elsewhere.example", "NotValidForName"),
    "wild": (dict(names=["DNS:*.example"]), r"DNS:\*.example", "NotValidForName"),
    "user": (dict(names=["URI:sip:a@user.example"]), r"identities=\[\]", "NotValidForName"),
    "expired": (dict(names=["DNS:expired.example"], days=(-3, -1)), "Expired", "Expired"),
    "early": (dict(names=["DNS:early.example"], days=(1, 3)), "NotValidYet", "NotValidYet"),
    "revoked": (dict(names=["DNS:revoked.example"], revoked=True), "Revoked", "Revoked"),
    "stranger": (dict(names=["DNS:stranger.example"], stranger=True), "UnknownIssuer", "UnknownIssuer"),
}
# Who is a trunk, and so gets 200 to its OPTIONS.
KNOWN = ("dns", "uri", "common")
REFUSED = ("expired", "early", "revoked", "stranger")


class Zoo:
    def __init__(self):
        folder = tempfile.mkdtemp(prefix="certificates.")
        self.issuer = root = Issuer(folder, "root")
        self.stranger = stranger = Issuer(folder, "strange")
        self.own, self.root = root.issue("own", ["DNS:sbc.example"]), root.root
        self.issued = {}
        for name, (what, _, _) in ANIMALS.items():
            what = dict(what)
            issuer = stranger if what.pop("stranger", False) else root
            self.issued[name] = issuer.certify(name, **what)
        self.list = root.revocations()

    def context(self, purpose, name):
        context = ssl.SSLContext(purpose)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(*self.issued[name])
        return context


class Keeper(Secure):
    """Liaison with a trunk for each name, at the port given for it."""
    def __init__(self, zoo, ports):
        trunks = "".join(TRUNK.format(name=name, port=port) for name, port in ports.items())
        super().__init__(DOCUMENT, zoo.own, zoo.root, ("10.0.0.2",), list=zoo.list, trunks=trunks)

    def failed(self):
        return self.metrics()['liaison_connections_failed_total{cause="handshake"}']

    def reload(self):
        """The files are read again, and what they say is in force."""
        status, _, body = self.curl("/v1/config/reload", "-X", "POST")
        assert status == 200, body
        # The shard answers its questions in the order in which it was given its orders.
        self.get("/v1/overload")

    def said(self, *words):
        """The lines of the log with all of these."""
        return [line for line in self.logged().splitlines() if all(re.search(word, line) for word in words)]


def records():
    return "\n".join(f"{name} 60 IN A 10.0.0.7" for name in ANIMALS)


def clients():
    """Who cannot be believed gets no byte of SIP; who stands for no trunk 403, whatever it calls itself; both are told in the log."""
    zoo = Zoo()
    # Nobody listens there: the probes fail, and are none of this.
    with NameServer(records()), Keeper(zoo, dict.fromkeys(ANIMALS, 5099)) as sbc:
        for name, (_, told, _) in ANIMALS.items():
            heard, port, before = b"", None, sbc.failed()
            try:
                with socket.create_connection(("10.0.0.2", 5061), 10, ("10.0.0.8", 0)) as stream:
                    port = stream.getsockname()[1]
                    with zoo.context(ssl.PROTOCOL_TLS_CLIENT, name).wrap_socket(stream, server_hostname="sbc.example") as secure:
                        secure.sendall(OPTIONS.format(name=name).encode())
                        while b"\r\n\r\n" not in heard and (part := secure.recv(65536)):
                            heard += part
            except (ssl.SSLError, ConnectionError) as error:
                assert name in REFUSED, f"{name}: {error}\n{sbc.logged()}"
            if name in REFUSED:
                assert heard == b"", f"{name}: {heard}"
                until(f"{name} is counted", lambda: sbc.failed() == before + 1, 10)
            else:
                status = int(heard.split()[1])
                assert status == (200 if name in KNOWN else 403), f"{name}: {heard}\n{sbc.logged()}"
                assert sbc.failed() == before, name
            lines = sbc.said(f"10.0.0.8:{port}", "TLS")
            assert len(lines) == 1 and re.search(told, lines[0]), f"{name}: {lines}"


def servers():
    """The host of the URI must be proved (§7.3): else no byte of SIP is sent, and it is told in the log."""
    zoo = Zoo()
    listening = {name: socket.create_server(("10.0.0.7", 0)) for name in ANIMALS}
    heard = {name: b"" for name in ANIMALS}

    def serve(name):
        while True:
            stream, _ = listening[name].accept()
            try:
                with zoo.context(ssl.PROTOCOL_TLS_SERVER, name).wrap_socket(stream, server_side=True) as secure:
                    while part := secure.recv(65536):
                        heard[name] += part
            except OSError:
                pass

    for name in ANIMALS:
        threading.Thread(target=serve, args=(name,), daemon=True).start()
    ports = {name: server.getsockname()[1] for name, server in listening.items()}
    with NameServer(records()), Keeper(zoo, ports) as sbc:
        for name, (_, _, told) in ANIMALS.items():
            lines = until(f"{name} in the log", lambda: sbc.said(f"10.0.0.7:{ports[name]}", "TLS"), 20)
            assert re.search(told, lines[0]), f"{name}: {lines}"
            if name in KNOWN:
                until(f"the probe of {name}", lambda: heard[name].startswith(b"OPTIONS sip:" + name.encode()), 10)
                assert f'{name}.example' in lines[0], lines
        unproved = [name for name in ANIMALS if name not in KNOWN]
        assert not any(heard[name] for name in unproved), heard
        assert sbc.failed() >= len(unproved)


def reloaded():
    """A list and a root are exchanged by a reload: new connections go by the new ones, those that are open are served as before."""
    zoo = Zoo()

    def connect(name):
        stream = socket.create_connection(("10.0.0.2", 5061), 10, ("10.0.0.8", 0))
        return zoo.context(ssl.PROTOCOL_TLS_CLIENT, name).wrap_socket(stream, server_hostname="sbc.example")

    def asks(secure, name, number):
        """The status that it gets on that connection; None where that is ended."""
        try:
            secure.sendall(OPTIONS.format(name=name).replace(f"Call-ID: {name}", f"Call-ID: {name}-{number}").replace(f"z9hG4bK-{name}", f"z9hG4bK-{name}-{number}").encode())
            heard = b""
            while b"\r\n\r\n" not in heard and (part := secure.recv(65536)):
                heard += part
        except (ssl.SSLError, ConnectionError):
            return None
        return int(heard.split()[1]) if heard else None

    with NameServer(records()), Keeper(zoo, dict.fromkeys(ANIMALS, 5099)) as sbc, connect("dns") as before:
        assert asks(before, "dns", 1) == 200
        zoo.issuer.revoke(zoo.issued["dns"].chain)
        zoo.issuer.revocations()
        sbc.reload()
        with connect("dns") as revoked, connect("uri") as good:
            assert (asks(revoked, "dns", 2), asks(good, "uri", 3)) == (None, 200), sbc.logged()
            assert sbc.said("TLS", "Revoked")
            # The other authority, for this one; a list of it is for none that it issued.
            shutil.copy(zoo.stranger.root, zoo.root)
            shutil.copy(zoo.stranger.revocations(), zoo.list)
            sbc.reload()
            with connect("stranger") as known, connect("uri") as unknown:
                assert (asks(known, "stranger", 4), asks(unknown, "uri", 5)) == (200, None), sbc.logged()
            assert (asks(before, "dns", 6), asks(good, "uri", 7)) == (200, 200), sbc.logged()


run(clients, servers, reloaded)
