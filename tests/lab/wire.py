"""Hears every packet of IPv4, or of IPv6, once, in a thread of its own. Standard library only; needs CAP_NET_RAW, which lo-run gives.

    class Mine(Wire):
        def take(self, packet): ...
"""
import socket, struct, threading, time

OUTGOING = 4        # PACKET_OUTGOING of packet(7): on lo each packet is seen leaving, too
SO_TIMESTAMPNS = 35


def ends(packet):
    """Source and destination (address and port) of a packet over UDP or TCP."""
    source, destination = struct.unpack_from("!HH", packet, (packet[0] & 15) * 4)
    return (socket.inet_ntoa(packet[12:16]), source), (socket.inet_ntoa(packet[16:20]), destination)


class Wire:
    """Packets come as soon as this is made: what `take` needs is there before. came: when the system saw the newest, by the clock of
    time.monotonic()."""
    PROTOCOL = 0x0800   # IPv4; 0x86dd is IPv6

    def __init__(self):
        self.ended, self.came, self.shift = False, 0.0, time.monotonic() - time.time()
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(self.PROTOCOL))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.settimeout(0.2)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended:
            try:
                packet, more, _, address = self.socket.recvmsg(65536, 64)
            except TimeoutError:
                continue
            stamps = [struct.unpack("qq", data) for level, kind, data in more if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS)]
            self.came = stamps[0][0] + stamps[0][1] / 1e9 + self.shift if stamps else time.monotonic()
            if address[2] != OUTGOING:
                self.take(packet)

    def close(self):
        self.ended = True
        self.thread.join(5)
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
