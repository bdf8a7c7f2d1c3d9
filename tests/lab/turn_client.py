"""A TURN client (RFC 8656) of the test's own, which may misbehave. Standard library only.

    client = Client(("10.0.0.2", 3478), "10.0.0.1", username, password)
    code, attributes = client.ask(ALLOCATE, (REQUESTED_TRANSPORT, b"\\x11\\0\\0\\0"))
"""
import base64, hashlib, hmac, os, socket, struct, time

BINDING, ALLOCATE, REFRESH, SEND, DATA_INDICATION, CREATE_PERMISSION, CHANNEL_BIND = 1, 3, 4, 0x16, 0x17, 8, 9
USERNAME, INTEGRITY, ERROR_CODE, CHANNEL_NUMBER, LIFETIME, PEER, DATA = 6, 8, 9, 0xC, 0xD, 0x12, 0x13
REALM, NONCE, RELAYED, TRANSPORT, MAPPED = 0x14, 0x15, 0x16, 0x19, 0x20
UDP = TRANSPORT, b"\x11\0\0\0"
COOKIE = 0x2112A442


def credentials(secret, user, seconds=3600):
    """As an application makes them that has the secret (draft-uberti-behave-turn-rest-00)."""
    username = f"{int(time.time()) + seconds}:{user}"
    return username, base64.b64encode(hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()).decode()


def attribute(kind, value):
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def masked(ip, port):
    return struct.pack(">HHI", 1, port ^ COOKIE >> 16, struct.unpack(">I", socket.inet_aton(ip))[0] ^ COOKIE)


def unmasked(value):
    _, port, ip = struct.unpack(">HHI", value)
    return socket.inet_ntoa(struct.pack(">I", ip ^ COOKIE)), port ^ COOKIE >> 16


def attributes(message):
    found, at = {}, 20
    while at < len(message):
        kind, length = struct.unpack_from(">HH", message, at)
        found.setdefault(kind, message[at + 4:at + 4 + length])
        at += 4 + length + -length % 4
    return found


class Client:
    """stream: a connected socket, plain or over TLS, instead of UDP."""
    def __init__(self, server, ip, username, password, realm="lab.example", stream=None):
        self.server, self.username, self.password, self.realm = server, username, password, realm
        self.stream, self.nonce, self.buffer = stream, None, b""
        self.socket = stream or socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if not stream:
            self.socket.bind((ip, 0))
        self.socket.settimeout(3)

    def give(self, message):
        self.stream.sendall(message) if self.stream else self.socket.sendto(message, self.server)

    def message(self):
        """The next one that comes."""
        if not self.stream:
            return self.socket.recv(65536)
        while True:
            if len(self.buffer) >= 4:
                length, = struct.unpack_from(">H", self.buffer, 2)
                whole = 20 + length if self.buffer[0] < 4 else 4 + length + -length % 4
                if len(self.buffer) >= whole:
                    message, self.buffer = self.buffer[:whole], self.buffer[whole:]
                    return message
            more = self.socket.recv(65536)
            assert more, "the server has closed the connection"
            self.buffer += more

    def request(self, kind, *given):
        """The bytes of a request, and its transaction."""
        body, transaction = b"".join(attribute(*one) for one in given), os.urandom(12)
        if self.nonce:
            body += attribute(USERNAME, self.username.encode()) + attribute(REALM, self.realm.encode()) + attribute(NONCE, self.nonce)
        head = lambda more: struct.pack(">HHI", kind, len(body) + more, COOKIE) + transaction
        if self.nonce:
            key = hashlib.md5(f"{self.username}:{self.realm}:{self.password}".encode()).digest()
            body += attribute(INTEGRITY, hmac.new(key, head(24) + body, hashlib.sha1).digest())
        return head(0) + body, transaction

    def once(self, kind, *given):
        """Asks; the code of the error, or 0, and the attributes of the answer."""
        request, transaction = self.request(kind, *given)
        self.give(request)
        while True:
            answer = self.message()
            if answer[8:20] == transaction:
                found = attributes(answer)
                return (found[ERROR_CODE][2] * 100 + found[ERROR_CODE][3] if ERROR_CODE in found else 0), found

    def ask(self, kind, *given):
        """As once, with the nonce that the server wants."""
        if self.nonce is None:
            code, found = self.once(kind, *given)
            assert code == 401, code
            self.nonce = found[NONCE]
        return self.once(kind, *given)

    def allocate(self, *more):
        """The relayed address."""
        code, found = self.ask(ALLOCATE, UDP, *more)
        assert code == 0, code
        return unmasked(found[RELAYED])

    def permit(self, ip, port=0):
        return self.ask(CREATE_PERMISSION, (PEER, masked(ip, port)))[0]

    def bind(self, number, ip, port):
        return self.ask(CHANNEL_BIND, (CHANNEL_NUMBER, struct.pack(">HH", number, 0)), (PEER, masked(ip, port)))[0]

    def send(self, ip, port, data):
        body = attribute(PEER, masked(ip, port)) + attribute(DATA, data)
        self.give(struct.pack(">HHI", SEND, len(body), COOKIE) + os.urandom(12) + body)

    def silent(self, seconds=0.5):
        """Whether nothing comes for so long."""
        self.socket.settimeout(seconds)
        try:
            return not self.message()
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(3)
