#!/usr/bin/python3
"""loops.py CHECK - nodes that are routed at each other, and one that is routed at itself: what goes round ends with its hops, and
nothing of it is left. Each request between the nodes is counted on the wire."""
import here, os, tempfile
import messages
from liaison import Liaison, run, until
from processes import Daemon
from sipp import UAC, Sipp
from wire import Wire, ends

DOCUMENT = """
[node]
state_directory = "{state}"

[networks.ring]
listeners = [{{ transport = "udp", address = "{ip}:5060" }}]

[trunks.caller]
network = "ring"
from = ["10.0.0.1"]

[trunks.next]
network = "ring"
targets = ["sip:{following}:5060"]
from = ["{before}"]

[trunks.other]
network = "ring"
targets = ["sip:{following}:5060"]

[[routes]]
name = "on"
to = ["next", "other"]

# Even so nothing is tried after what has gone round. Media flows past, for as many calls at once want more ports than are dealt out ahead.
[profiles.default]
media = "bypass"
failover = [408, 440, 482, 483, 500, 503]

[admin]
listen = "{admin}"
"""
HOPS = 70


class Node(Liaison):
    """Liaison at an address, which sends all that it is asked for to the next one, by one of two trunks."""
    def __init__(self, ip, before, following, admin):
        self.dir = tempfile.mkdtemp(prefix="liaison.")
        self.state, self.path, self.log = self.dir + "/state", self.dir + "/liaison.toml", self.dir + "/log"
        self.ip, self.port, self.admin = ip, admin, f"http://127.0.0.1:{admin}"
        with open(self.path, "w") as file:
            file.write(DOCUMENT.format(state=self.state, ip=ip, before=before, following=following, admin=f"127.0.0.1:{admin}"))
        self.start()

    def start(self):
        sockets = [("udp", self.ip, 5060), ("tcp", "127.0.0.1", self.port)]
        self.daemon = Daemon([os.environ["LIAISON_BIN"], "run", "--config", self.path], sockets, log=self.log)


class Round(Wire):
    """The datagrams from node to node, as messages."""
    def __init__(self, nodes):
        self.nodes, self.seen = nodes, []
        super().__init__()

    def take(self, packet):
        if packet[9] != 17:
            return
        (source, _), (destination, port) = ends(packet)
        if source in self.nodes and destination in self.nodes and port == 5060:
            self.seen.append(messages.Message(False, packet[(packet[0] & 15) * 4 + 8:]))

    def requests(self, method):
        """Each once, in order; and how many datagrams they were."""
        sent = [m for m in list(self.seen) if m.start.startswith(method + " ")]
        return list({m.all("via")[0]: m for m in sent}.values()), len(sent)


def final(sipp, method):
    """The final responses that a SIPp has had to that method."""
    return [m for m in sipp.messages() if not m.sent and m.status and m.status >= 200 and m.method == method]


def goes_round(wire, method, hops):
    """That many requests were sent from node to node, each with one hop less than the one before, hardly any of them twice."""
    different, all_sent = wire.requests(method)
    left = [int(m.one("max-forwards")) for m in different]
    assert left == list(range(hops - 1, -1, -1)), left
    assert all_sent < 2 * hops, f"{all_sent} datagrams for {hops} requests"
    for name in ("call-id", "from"):
        told = [m.one("call-id") if name == "call-id" else m.tag("from") for m in different]
        assert len(set(told)) == hops, f"each leg has its own {name}"
    return different


def ring(nodes):
    """A call, OPTIONS, and MESSAGE, each as a caller sends them to the first of these nodes."""
    at = f"{nodes[0].ip}:5060"
    with Round([node.ip for node in nodes]) as wire:
        with Sipp("uac_refused", UAC, at) as calling:
            calling.wait()
        refused, = final(calling, "INVITE")
        assert refused.status == 483, refused
        # Of what breadth it has each node keeps a share for the other way; there is always one left (RFC 5393 §5.3.3).
        breadths = [int(invite.one("max-breadth")) for invite in goes_round(wire, "INVITE", HOPS)]
        assert breadths[0] <= 60 and breadths[-1] == 1 and breadths == sorted(breadths, reverse=True), breadths
        # Of the two ways there, the second is not tried for what went round on the first.
        assert sum(node.metrics()["liaison_calls_total"] for node in nodes) == HOPS
        records = [record for node in nodes for record in node.records(HOPS // len(nodes))]
        assert len(records) == HOPS and all(record["legs"][0]["status"] == 483 for record in records), records

        # Who calls without hops gives as many as a user agent would (RFC 3261 §8.1.1.6), and what breadth it has stays.
        wire.seen.clear()
        edits = [("Max-Forwards: 70\nFrom: \"Alice", "Max-Breadth: 1\nFrom: \"Alice")]
        with Sipp("uac_refused", UAC, at, edits=edits) as calling:
            calling.wait()
        assert final(calling, "INVITE")[0].status == 483, calling.report()
        for invite in goes_round(wire, "INVITE", HOPS + 1):
            assert invite.one("max-breadth") == "1", invite

        # RFC 5393 §5.3.3.
        wire.seen.clear()
        with Sipp("uac_refused", UAC, at, edits=[("Contact:", "Max-Breadth: 0\nContact:"), ('response="400"', 'response="440"')]) as calling:
            calling.wait()
        assert final(calling, "INVITE")[0].status == 440, calling.report()
        assert not wire.requests("INVITE")[0]

        # RFC 3261 §11: where OPTIONS may go no further, who has it answers.
        with Sipp("uac_asks", UAC, at, edits=[("Max-Forwards: 8", "Max-Forwards: 70")]) as asking:
            asking.wait()
        assert [m.status for m in final(asking, "OPTIONS")] == [200, 200], asking.report()
        goes_round(wire, "OPTIONS", HOPS)

        # MESSAGE goes the same way, with no hop more.
        with Sipp("uac_asks", UAC, at, edits=[("OPTIONS", "MESSAGE"), ('response="200"', 'response="483"')]) as asking:
            asking.wait()
        assert [m.status for m in final(asking, "MESSAGE")] == [483, 483], asking.report()
        went = [int(m.one("max-forwards")) for m in wire.requests("MESSAGE")[0]]
        assert went == [*range(HOPS - 1, -1, -1), *range(7, -1, -1)], went
        for node in nodes:
            node.idle(5)
            # RFC 3261 §17: the transactions of failed INVITEs over UDP stay for more than 32 s.
            until(lambda: f"nothing left, but {node.gauges()}", lambda: not any(node.gauges().values()), 45, every=0.5)


def two():
    with Node("10.0.0.2", "10.0.0.3", "10.0.0.3", 8080) as first, Node("10.0.0.3", "10.0.0.2", "10.0.0.2", 8081) as second:
        ring([first, second])


def one():
    with Node("10.0.0.2", "10.0.0.2", "10.0.0.2", 8080) as only:
        ring([only])


run(two, one)
