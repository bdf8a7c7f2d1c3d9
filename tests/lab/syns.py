"""Counts the TCP connections that are begun to a port, on the wire.

    with Syns(5061) as syns:
        ...
        assert syns.begun() == {("10.0.0.2", "10.0.0.6"): 1}
"""
import collections, socket
from wire import Wire, ends

SYN, ACK = 0x02, 0x10


def syn_of(packet):
    """Source and destination (address and port) of an IPv4 packet that begins a connection, or None."""
    length = (packet[0] & 15) * 4
    if packet[9] != socket.IPPROTO_TCP or len(packet) < length + 14 or packet[length + 13] & (SYN | ACK) != SYN:
        return None
    return ends(packet)


class Syns(Wire):
    def __init__(self, port):
        self.port, self.seen = port, set()
        super().__init__()

    def take(self, packet):
        syn = syn_of(packet)
        if syn and syn[1][1] == self.port:
            self.seen.add(syn)          # One that is sent again is the same.

    def begun(self):
        """How many there were by now from each address to each."""
        return dict(collections.Counter((source[0], destination[0]) for source, destination in self.seen))
