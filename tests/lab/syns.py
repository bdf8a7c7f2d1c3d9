"""Counts the TCP connections that are begun to a port, on the wire. Standard library only; needs CAP_NET_RAW, which lo-run gives.

    with Syns(5061) as syns:
        ...
        assert syns.begun() == {("10.0.0.2", "10.0.0.6"): 1}
"""
import collections, socket, struct, threading

OUTGOING = 4        # PACKET_OUTGOING of packet(7): on lo each packet is seen leaving, too
SYN, ACK = 0x02, 0x10


def syn_of(packet):
    """Source and destination (address and port) of an IPv4 packet that begins a connection, or None."""
    ihl = (packet[0] & 15) * 4
    if packet[9] != socket.IPPROTO_TCP or len(packet) < ihl + 14 or packet[ihl + 13] & (SYN | ACK) != SYN:
        return None
    source, destination = struct.unpack_from("!HH", packet, ihl)
    return (socket.inet_ntoa(packet[12:16]), source), (socket.inet_ntoa(packet[16:20]), destination)


class Syns:
    def __init__(self, port):
        self.port, self.seen, self.ended = port, set(), False
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.socket.settimeout(0.2)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended:
            try:
                packet, address = self.socket.recvfrom(65536)
            except TimeoutError:
                continue
            syn = syn_of(packet) if address[2] != OUTGOING else None
            if syn and syn[1][1] == self.port:
                self.seen.add(syn)          # One that is sent again is the same.

    def begun(self):
        """How many there were by now from each address to each."""
        return dict(collections.Counter((source[0], destination[0]) for source, destination in self.seen))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join(5)
        self.socket.close()
