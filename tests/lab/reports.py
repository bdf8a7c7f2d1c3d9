"""What phones and Liaison send one another of RTP and RTCP, on the wire, each with its time: byte for byte, and as tshark reads it.

    with Reports() as wire:
        ...
        wire.sent(phone.rtp_ports), wire.got(phone.rtp_ports)
"""
import socket, struct, subprocess, tempfile, time
from wire import Wire, ends

SR, RR, SDES, BYE, XR = 200, 201, 202, 203, 207


def is_rtcp(packet):
    return 192 <= packet[1] <= 223


def parts(compound):
    """Each packet of a compound one: its type, its count, its octets after the header."""
    found = []
    while compound:
        length = struct.unpack_from("!H", compound, 2)[0] * 4 + 4
        assert compound[0] >> 6 == 2 and length <= len(compound), compound
        found.append((compound[1], compound[0] & 31, compound[4:length]))
        compound = compound[length:]
    return found


def words(octets):
    return [word for word, in struct.iter_unpack("!I", octets[:len(octets) // 4 * 4])]


def names(compound):
    """All items of its source descriptions, by source and type."""
    items = {}
    for kind, count, body in parts(compound):
        at = 0
        for _ in range(count if kind == SDES else 0):
            source, at = struct.unpack_from("!I", body, at)[0], at + 4
            while body[at]:
                items[source, body[at]] = body[at + 2:at + 2 + body[at + 1]]
                at += 2 + body[at + 1]
            at = at // 4 * 4 + 4
    return items


def blocks(compound):
    """Its report blocks: source, fraction lost, cumulative loss, highest number, jitter, last SR, delay."""
    found = []
    for kind, count, body in parts(compound):
        if kind in (SR, RR):
            first = 24 if kind == SR else 4
            for at in range(first, first + 24 * count, 24):
                source, lost, *rest = words(body[at:at + 24])
                found.append((source, lost >> 24, lost & 0xFFFFFF, *rest))
    return found


class Reports(Wire):
    def __init__(self):
        self.packets = []
        super().__init__()

    def take(self, packet):
        length = (packet[0] & 15) * 4
        if packet[9] != socket.IPPROTO_UDP or len(packet) < length + 8 + 8:
            return
        end, = struct.unpack_from("!H", packet, length + 4)
        payload = bytes(packet[length + 8:length + end])
        if payload[0] >> 6 == 2:
            self.packets.append((time.time(), bytes(packet), *ends(packet), payload))

    def sent(self, ports, rtcp=True):
        return [payload for _, _, source, _, payload in list(self.packets) if source[1] in ports and is_rtcp(payload) == rtcp]

    def got(self, ports, rtcp=True):
        return [payload for _, _, _, to, payload in list(self.packets) if to[1] in ports and is_rtcp(payload) == rtcp]

    def opinion(self, ports, *fields):
        """What tshark makes of the RTCP to those ports: a list of the fields of each, and whether one is malformed."""
        with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
            file.write(struct.pack("!IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))     # LINKTYPE_RAW
            chosen = [(at, packet, to) for at, packet, _, to, payload in list(self.packets) if to[1] in ports and is_rtcp(payload)]
            for at, packet, _ in chosen:
                file.write(struct.pack("!IIII", int(at), int(at % 1 * 1e6), len(packet), len(packet)) + packet)
            file.flush()
            as_rtcp = [option for port in {to[1] for _, _, to in chosen} for option in ("-d", f"udp.port=={port},rtcp")]
            wanted = [option for field in ("_ws.malformed", *fields) for option in ("-e", field)]
            told = subprocess.run(["tshark", "-n", "-r", file.name, *as_rtcp, "-T", "fields", *wanted], capture_output=True, text=True)
            assert told.returncode == 0, told.stderr
            rows = [line.split("\t") for line in told.stdout.splitlines()]
            assert len(rows) == len(chosen), (len(rows), len(chosen), told.stderr)
            return [row[1:] for row in rows], any(row[0] for row in rows)
