"""Liaison over TLS, between the two sides of the lab or where a document of the test's own has it.

    with Secure(DOCUMENT, cast.own, cast.root.root, target="sip:10.0.0.7:5061;transport=tls") as sbc:
        ...

Standard library only.
"""
from liaison import Liaison


class Secure(Liaison):
    """document: has {own.chain} and {own.key}, our certificate; {root}, the file of the authority that we believe; {state}; and what
    `settings` say. addresses: where it listens for TLS, on port 5061; clear: further sockets (transport, address, port)."""
    def __init__(self, document, own, root, addresses=("10.0.0.2", "10.0.0.3"), clear=(), **settings):
        self.root = root
        self.begin(document, [("tcp", ip, 5061) for ip in addresses] + list(clear), own=own, root=root, **settings)

    def connections(self):
        """How many were accepted, and opened."""
        metrics = self.metrics()
        return [int(metrics[f'liaison_connections_total{{role="{role}"}}']) for role in ("accepted", "opened")]
