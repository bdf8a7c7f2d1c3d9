"""Calls in rtpengine, by its control protocol (bencode over UDP)."""
import base64, os, re, socket

SUITE = "AES_CM_128_HMAC_SHA1_80"


def encode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        return encode(value.encode())
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(map(encode, value)) + b"e"
    return b"d" + b"".join(encode(key) + encode(value[key]) for key in sorted(value)) + b"e"


def decode(text, at=0):
    """A value and where it ends."""
    kind = text[at:at + 1]
    if kind == b"i":
        end = text.index(b"e", at)
        return int(text[at + 1:end]), end + 1
    if kind in b"ld":
        values, at = [], at + 1
        while text[at:at + 1] != b"e":
            value, at = decode(text, at)
            values.append(value)
        return (values if kind == b"l" else dict(zip(values[::2], values[1::2]))), at + 1
    colon = text.index(b":", at)
    length = int(text[at:colon])
    return text[colon + 1:colon + 1 + length].decode("latin1"), colon + 1 + length


class Control:
    def __init__(self, port=2223):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(5)

    def ask(self, **words):
        cookie = os.urandom(6).hex().encode()
        self.socket.send(cookie + b" " + encode({name.replace("_", "-"): value for name, value in words.items()}))
        answer = self.socket.recv(65535)
        answer, _ = decode(answer[answer.index(b" ") + 1:])
        if answer.get("result") != "ok":
            raise RuntimeError(f"rtpengine: {answer}")
        return answer


def key():
    """A master key and salt for SDES, in base64."""
    return base64.b64encode(os.urandom(30)).decode()


def description(port, secret=None, tag=1):
    """A party's description; `secret` is the key of what it sends."""
    proto = "RTP/SAVP" if secret else "RTP/AVP"
    crypto = f"a=crypto:{tag} {SUITE} inline:{secret}\r\n" if secret else ""
    return (f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} {proto} 8 101\r\n"
            f"a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n{crypto}")


def port_of(text):
    return int(re.search(r"m=audio (\d+)", text)[1])


def crypto_of(text):
    """(tag, key) of the suite that we speak; (1, None) where there is none."""
    found = re.search(rf"a=crypto:(\d+) {SUITE} inline:([A-Za-z0-9+/=]+)", text)
    return (int(found[1]), found[2]) if found else (1, None)


def calls(count, mode, first):
    """Sets calls up and gives their lines for blast. `first`: the first ports of A and of B."""
    control, lines = Control(), []
    for number in range(count):
        la, lb = first[0] + 2 * number, first[1] + 2 * number
        of_a = key() if mode == "sdes-sdes" else None
        common = {"replace": ["origin", "session-connection"], "ICE": "remove", "call_id": f"bench{number}", "from_tag": "a"}
        towards_b = {"transport_protocol": "RTP/SAVP", "DTLS": "off"} if mode != "plain" else {}
        offer = control.ask(command="offer", sdp=description(la, of_a), **common, **towards_b)["sdp"]
        tag, from_relay = crypto_of(offer)
        of_b = key() if from_relay else None
        answer = control.ask(command="answer", sdp=description(lb, of_b, tag), to_tag="b", **common)["sdp"]
        keys = [of_b or "-", from_relay or "-", of_a or "-", crypto_of(answer)[1] or "-"]
        lines.append(" ".join(map(str, [la, port_of(answer), lb, port_of(offer), *keys])))
    return lines
