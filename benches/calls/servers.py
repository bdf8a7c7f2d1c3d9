"""What is measured. Each takes calls at 127.0.0.1:5060 and sends them to 127.0.0.1:15080."""
import process
from process import BENCHES, Server

PEERS = BENCHES / "peers"

SIP = ("udp", "127.0.0.1", 5060)

BYPASS = """
[profiles.default]
media = "bypass"
"""
# Twenty thousand calls that stand are more than the default lets in.
MANY = """
[limits]
calls = 40000
sessions = 400000
transactions = 400000
"""


def liaison(bypass, shards=None, many=False):
    def commands(directory):
        signalling = f"\n[signalling]\nshards = {shards}\n" if shards else ""
        document = process.LIAISON.format(state=directory) + signalling + (BYPASS if bypass else "") + (MANY if many else "")
        return [process.liaison(directory, document, [SIP])]

    name = "liaison, bypass" if bypass else "liaison, anchored"
    return Server(f"{name}, {shards} shards" if shards else name, commands)


def kamailio(children, config, directory):
    return process.kamailio(directory, PEERS / config, children, [SIP])


def relay(children):
    return Server(f"kamailio, {children} children", lambda directory: [kamailio(children, "kamailio-relay.cfg", directory)])


def rtpengine(children):
    media = ["rtpengine", "--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--interface=127.0.0.1",
             "--listen-ng=127.0.0.1:2223", "--port-min=20000", "--port-max=60000", "--delete-delay=0", "--num-threads=2",
             "--timeout=600", "--silent-timeout=3600"]
    return Server(f"kamailio, {children} children, + rtpengine", lambda directory: [
        ("rtpengine", media, [("udp", "127.0.0.1", 2223)]),
        kamailio(children, "kamailio-rtpengine.cfg", directory)])
