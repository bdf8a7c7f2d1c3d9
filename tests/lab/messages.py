"""SIP messages as SIPp saw them, and what a test asks of them. Standard library only."""
import hashlib, re

COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type"}
RECORD = re.compile(rb"^(UDP|TCP|TLS) message (sent|received) [(\[](\d+)(?: bytes\)|\] bytes) ?:\r?\n\r?\n", re.M)


class Message:
    """One message. sent: by the SIPp that traced it."""
    def __init__(self, sent, raw):
        self.sent, self.raw = sent, raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        self.start, *lines = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").decode("utf-8", "replace").split("\r\n")
        self.fields = []
        for line in lines:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.fields.append((COMPACT.get(name, name), value.strip()))

    def all(self, name):
        """Every value of that header field, in order."""
        return [value for field, value in self.fields if field == name.lower()]

    def one(self, name):
        """The only value of that header field; None when it is absent."""
        values = self.all(name)
        assert len(values) < 2, f"{name} more than once in:\n{self}"
        return values[0] if values else None

    @property
    def method(self):
        """Of the request, or of the request that this response answers."""
        return self.one("cseq").split()[1]

    @property
    def status(self):
        """The status code; None for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/") else None

    @property
    def cseq(self):
        return int(self.one("cseq").split()[0])

    def tag(self, name):
        """The tag of From or To, or None."""
        found = re.search(r";\s*tag\s*=\s*([^;,\s]+)", self.one(name).rpartition(">")[2])
        return found and found[1]

    def __str__(self):
        return self.raw.decode("utf-8", "backslashreplace")


def read(path):
    """The messages of a SIPp trace (-trace_msg), in order, byte for byte."""
    with open(path, "rb") as file:
        data = file.read()
    found, at = [], 0
    while record := RECORD.search(data, at):
        at = record.end() + int(record[3])
        found.append(Message(record[2] == b"sent", data[record.end():at]))
    return found


def requests(messages, method, sent):
    """The different requests of that method that were sent (or received): retransmissions count once."""
    seen = {}
    for m in messages:
        if m.status is None and m.method == method and m.sent == sent:
            seen.setdefault((m.all("via")[0], m.cseq), m)
    return list(seen.values())


def parameters(value):
    """The parameters of a Digest challenge or of Digest credentials."""
    scheme, _, rest = value.partition(" ")
    assert scheme.lower() == "digest", value
    return {k.lower(): quoted or plain for k, quoted, plain in re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^",\s]+))', rest)}


def digest_fault(request, challenge, user, password, use=1):
    """What is wrong with the credentials that answer this challenge (RFC 7616 §3.4), in the use-th request with its
    nonce; None when nothing is."""
    asked, header = parameters(challenge[1]), {"www-authenticate": "authorization",
                                               "proxy-authenticate": "proxy-authorization"}[challenge[0]]
    mine = [p for p in map(parameters, request.all(header)) if p.get("realm") == asked["realm"]]
    if len(mine) != 1:
        return f"{len(mine)} credentials in {header} for realm {asked['realm']}"
    got = mine[0]
    algorithm = asked.get("algorithm", "MD5")
    function = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]
    digest = lambda *parts: function(":".join(parts).encode()).hexdigest()
    if got.get("nonce") != asked["nonce"] or got.get("username") != user or got.get("opaque") != asked.get("opaque"):
        return f"nonce, username or opaque: {got}"
    if got.get("algorithm", "MD5") != algorithm:
        return f"algorithm {got.get('algorithm')}, not {algorithm}"
    first, second = digest(user, asked["realm"], password), digest(request.start.split()[0], got.get("uri", ""))
    if "qop" in asked:
        if got.get("qop") != "auth" or got.get("nc") != f"{use:08x}" or not got.get("cnonce"):
            return f"qop, nc or cnonce: {got}"
        expected = digest(first, got["nonce"], got["nc"], got["cnonce"], "auth", second)
    else:
        expected = digest(first, got["nonce"], second)
    if got.get("response") != expected:
        return f"response {got.get('response')}, not {expected}"
    if got["uri"] != request.start.split()[1]:
        return f"uri {got['uri']} is not the Request-URI of {request.start}"
    return None


def challenge_fault(messages, method, user, password):
    """Judges the side that was challenged, from the trace of the side that challenges: each request after a challenge
    has CSeq + 1, the same Call-ID and tags, another branch, and credentials for each challenge so far.
    None when all is well, and at least one challenge was answered."""
    tried, challenges, fault = requests(messages, method, sent=False), [], None
    refused = [m for m in messages if m.sent and m.status in (401, 407) and m.method == method]
    for number, response in enumerate({m.cseq: m for m in refused}.values()):
        challenges += [(number, (name, value)) for name, value in response.fields if name in ("www-authenticate", "proxy-authenticate")]
        if len(tried) < number + 2:
            return f"no {method} after challenge {number + 1}"
        before, after = tried[number], tried[number + 1]
        if after.cseq != before.cseq + 1:
            return f"CSeq {after.cseq} after {before.cseq}"
        if any(after.one(name) != before.one(name) for name in ("call-id", "from", "to")):
            return "Call-ID, From or To changed"
        if after.all("via")[0] == before.all("via")[0]:
            return "the branch did not change"
        for made, challenge in challenges:
            fault = fault or digest_fault(after, challenge, user, password, number - made + 1)
    return fault if refused else f"no {method} was challenged"


def canaries(messages, of, also=()):
    """Words canary-* of one side ("a" or "b"), and the words `also`, in what was received on the other: pairs of
    the word and the start line of its message."""
    # Where SDP or a token forbids a hyphen the canary has none.
    words = [rf"canary[\w-]*-{of}\b", rf"canary[a-z]+{of}(?=\d|\s|\b)\w*", *(rf"(?<![\w.]){re.escape(word)}(?![\w.])" for word in also)]
    pattern = re.compile("|".join(words).encode())
    return [(word.decode(), m.start) for m in messages if not m.sent for word in pattern.findall(m.raw)]
