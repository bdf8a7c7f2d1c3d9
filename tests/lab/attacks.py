"""What somebody may send to a media port who has heard the packets of whoever it is for, and knows no secret. Standard library only.

    for kind, datagram in attacks(stolen, ("ours", "theirs")):
        ...                                                   # kind: "media", "stun", "keepalive" or "dtls", as a relay tells them apart (RFC 7983)
"""
import hashlib, hmac, math, os, socket, struct, zlib
from recording import alaw_of

# Where they are sent from: at a port that no telephone has.
MALLORY = ("10.0.0.9", 4444)
# The most that fits into a datagram.
LARGEST = 65_507
COOKIE = 0x2112A442


def attribute(kind, value):
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def stun(kind, attributes=b"", more=0):
    return struct.pack(">HHI", kind, len(attributes) + more, COOKIE) + os.urandom(12) + attributes


def check(user, password):
    """A connectivity check that nominates, with the highest priority there is (RFC 8445 §7.1)."""
    attributes = attribute(6, user.encode()) + attribute(0x24, b"\xff" * 4) + attribute(0x25, b"") + attribute(0x802A, os.urandom(8))
    head = lambda more: struct.pack(">HHI", 1, len(attributes) + more, COOKIE) + transaction
    transaction = os.urandom(12)
    attributes += attribute(8, hmac.new(password.encode(), head(24) + attributes, hashlib.sha1).digest())
    return printed(head(8) + attributes)


def printed(whole):
    """With the FINGERPRINT that its length counts already (RFC 8489 §14.7)."""
    return whole + attribute(0x8028, struct.pack(">I", zlib.crc32(whole) ^ 0x5354554E))


def record(kind, content, epoch=0, number=0):
    """A record of DTLS (RFC 6347 §4.1)."""
    return struct.pack(">BHHHIH", kind, 0xFEFD, epoch, number >> 32, number & 0xFFFFFFFF, len(content)) + content


def hello():
    """A ClientHello of DTLS 1.2 that would do, if it came from the peer."""
    extension = lambda kind, value: struct.pack(">HH", kind, len(value)) + value
    extensions = b"".join([extension(10, b"\x00\x04\x00\x1d\x00\x17"), extension(11, b"\x01\x00"), extension(13, b"\x00\x04\x04\x03\x04\x01"),
                           extension(14, b"\x00\x04\x00\x01\x00\x07\x00"), extension(23, b"")])
    suites = b"\xc0\x2b\xc0\x2f\xc0\x0a\xc0\x14"
    body = b"\xfe\xfd" + os.urandom(32) + b"\x00\x00" + struct.pack(">H", len(suites)) + suites + b"\x01\x00" + \
        struct.pack(">H", len(extensions)) + extensions
    length = len(body).to_bytes(3, "big")
    return record(22, b"\x01" + length + b"\x00\x00" + b"\x00\x00\x00" + length + body)


def alert(level, what, epoch=0):
    return record(21, bytes([level, what]), epoch)


def tone(header, frequency=700):
    """RTP with that header that would be well heard."""
    return header + bytes(alaw_of(12000 * math.sin(2 * math.pi * frequency * at / 8000)) for at in range(160))


def rtp(packet, ahead=0, ssrc=None, payload_type=None):
    """The header of a stolen packet, moved on."""
    first, kind, number, time, source = struct.unpack_from(">BBHII", packet)
    kind = kind if payload_type is None else payload_type
    return struct.pack(">BBHII", first, kind, (number + ahead) & 0xFFFF, time + 160 * ahead & 0xFFFFFFFF, source if ssrc is None else ssrc)


def sender_report(ssrc):
    return struct.pack(">BBHIIIIII", 0x80, 200, 6, ssrc, 0xE0000000, 0, 1, 4_000_000_000, 4_000_000_000)


def goodbye(ssrc):
    return struct.pack(">BBHI", 0x81, 203, 1, ssrc)


def attacks(stolen, ufrags):
    """Everything, with packets of RTP that were there, and the username fragments of whom it is for and of whom it is from."""
    source, = struct.unpack_from(">I", stolen[0], 8)
    for ahead, packet in enumerate(stolen[:12]):
        yield "media", packet                                                         # again
        yield "media", tone(rtp(packet, 50 + ahead)) + bytes(10)                      # the next of that source
        yield "media", tone(rtp(packet, 50 + ahead, ssrc=source ^ 0x5555))            # another source
    for payload_type in (0, 13, 96, 101, 127):
        yield "media", tone(rtp(stolen[0], 70, payload_type=payload_type))
    yield "media", b""
    for octet in range(0, 256, 4):
        yield "dtls" if 20 <= octet <= 63 else "media", bytes([octet])
    for rtcp in (sender_report(source), goodbye(source), sender_report(source) + goodbye(source), sender_report(source)[:9],
                 struct.pack(">BBH", 0x9F, 205, 0xFFFF) + bytes(16), sender_report(source) + bytes(14), goodbye(source) + bytes(14)):
        yield "media", rtcp
    yield "media", rtp(stolen[0], 80) + os.urandom(LARGEST - 12)
    yield "media", sender_report(source) + bytes(LARGEST - 28)
    yield "media", b"\xff" * LARGEST
    yield "dtls", record(22, os.urandom(30)) + os.urandom(LARGEST - 43)
    yield "media", bytes(LARGEST)                                                     # no cookie: no STUN
    yield "stun", stun(1, os.urandom(LARGEST - 23)[:65484])
    ours, theirs = ufrags
    user = attribute(6, f"{ours}:{theirs}".encode())
    yield "stun", check(f"{ours}:{theirs}", "a guess of 24 characters")
    yield "stun", check("nobody:else", "a guess of 24 characters")
    yield "stun", stun(1, user + attribute(0x24, b"\xff" * 4) + attribute(0x25, b""))  # without integrity
    yield "stun", stun(1, user)
    yield "stun", stun(1)
    yield "media", stun(1, b"", 200)                                                  # cut off: no STUN
    yield "stun", stun(0x101, attribute(0x20, struct.pack(">BBHI", 0, 1, 4444 ^ COOKIE >> 16, COOKIE)))
    yield "stun", stun(0x11)
    yield "keepalive", printed(stun(0x11, b"", 8))
    yield "dtls", hello()
    yield "dtls", hello()[:40]
    for level, what, epoch in ((1, 0, 0), (2, 40, 0), (2, 80, 0), (1, 0, 1), (2, 20, 1)):
        yield "dtls", alert(level, what, epoch)
    yield "dtls", record(23, os.urandom(60), 1, 9)
    yield "dtls", record(20, b"\x01")


def forge(source, destination, datagram):
    """Sends it as if it came from there (address and port)."""
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + len(datagram), 0, 0, 64, 17, 0, socket.inet_aton(source[0]), socket.inet_aton(destination[0]))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.sendto(head + struct.pack(">HHHH", source[1], destination[1], 8 + len(datagram), 0) + datagram, (destination[0], 0))
