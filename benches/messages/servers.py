"""What is measured. Each answers OPTIONS at 127.0.0.1, over each transport at its port."""
import pathlib
import process
from certificates import Authority
from process import BENCHES, Server

PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 8088, "wss": 8443}
LISTENS = [("udp" if transport == "udp" else "tcp", "127.0.0.1", port) for transport, port in PORTS.items()]

LIAISON = """
[node]
state_directory = "{state}"

[limits]
connections_per_peer = 4096

[networks.peers]
listeners = [
    {{ transport = "udp", address = "127.0.0.1:5060" }},
    {{ transport = "tcp", address = "127.0.0.1:5060" }},
    {{ transport = "tls", address = "127.0.0.1:5061", tls = {{ certificates = [{certificate}] }} }},
    {{ transport = "ws", address = "127.0.0.1:8088" }},
    {{ transport = "wss", address = "127.0.0.1:8443", tls = {{ certificates = [{certificate}] }} }},
]

# Whoever is nobody's gets no answer after a while.
[trunks.load]
network = "peers"
targets = ["sip:127.0.0.1:5070"]
from = ["127.0.0.1"]

[profiles.default]
media = "bypass"
"""

TLS = """
[server:default]
method = TLSv1.2+
verify_certificate = no
private_key = {own.key}
certificate = {own.chain}
"""


class Credentials:
    """The certificate that both show, with a key on the curve P-256, and the file of its issuer."""

    def __init__(self, directory):
        authority = Authority(directory, "root")
        self.root, self.own = authority.root, authority.issue("own", ["IP:127.0.0.1"])


def liaison(credentials):
    def commands(directory):
        own = credentials.own
        certificate = f'{{ chain = "{own.chain}", key = "{own.key}" }}'
        return [process.liaison(directory, LIAISON.format(state=directory, certificate=certificate), LISTENS)]

    return Server("liaison", commands)


def kamailio(credentials, children):
    def commands(directory):
        path = pathlib.Path(directory, "tls.cfg")
        path.write_text(TLS.format(own=credentials.own))
        return [process.kamailio(directory, BENCHES / "peers" / "kamailio-options.cfg", children, LISTENS,
                                 [f'TLS_CONFIG="{path}"'], ["-N", str(children)])]

    return Server(f"kamailio, {children} children", commands)
