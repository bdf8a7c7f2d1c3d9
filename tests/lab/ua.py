"""A SIP user agent that a test plays by hand, over UDP: it sends what it is told, answers what it is asked, and keeps every byte.

    with Ua("10.0.0.1", 5070) as watcher:
        ok = watcher.ask(watcher.request("SUBSCRIBE", "sip:bob@10.0.0.2", Event="presence"))
        notify = watcher.expect("NOTIFY")            # which it has answered with 200

Standard library only. It sends once: nothing is lost here.
"""
import re, socket, time
from messages import Message


class Ua:
    def __init__(self, ip, port, user="watcher"):
        self.ip, self.port, self.user, self.number, self.heard, self.read = ip, port, user, 0, [], 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((ip, port))
        self.server = ("10.0.0.2", 5060)

    def request(self, method, uri, body="", dialog=None, **fields):
        """The bytes of a request; dialog: a response to a request of its own, in whose dialog it stands."""
        self.number += 1
        me, seq = f"{self.ip}:{self.port}", self.number
        if dialog:
            uri = re.search(r"<([^>]*)>", dialog.one("contact"))[1]
        lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP {me};branch=z9hG4bK-{self.user}-{seq};rport", "Max-Forwards: 70",
                 f"From: {dialog.one('from') if dialog else f'<sip:{self.user}@{self.ip}>;tag={self.user}-{seq}'}",
                 f"To: {dialog.one('to') if dialog else f'<{uri}>'}",
                 f"Call-ID: {dialog.one('call-id') if dialog else f'{self.user}-{seq}@{self.ip}'}", f"CSeq: {seq} {method}"]
        if method == "SUBSCRIBE":
            lines.append(f"Contact: <sip:{self.user}@{me}>")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        body = body.encode()
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body

    def send(self, raw):
        self.socket.sendto(raw, self.server)

    def _hear(self, deadline):
        self.socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            raw, source = self.socket.recvfrom(65535)
        except TimeoutError:
            return False
        message = Message(False, raw)
        if message.status is None:
            copied = [line for line in raw.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
                      if line.split(":")[0].lower() in ("via", "from", "to", "call-id", "cseq")]
            self.socket.sendto("\r\n".join(["SIP/2.0 200 OK", *copied, "Content-Length: 0", "", ""]).encode(), source)
        self.heard.append(message)
        return True

    def expect(self, what, timeout=10):
        """The next message that begins so, after those waited for before: a method, or a status."""
        deadline = time.monotonic() + timeout
        while True:
            for number in range(self.read, len(self.heard)):
                message = self.heard[number]
                if message.start.removeprefix("SIP/2.0 ").startswith(what):
                    self.heard.pop(number)
                    return message
            assert time.monotonic() < deadline, f"{self.user}: no {what} within {timeout} s, but {[str(m) for m in self.heard]}"
            self._hear(deadline)

    def ask(self, raw, what="", timeout=10):
        """Sends a request; its final response, which must begin so."""
        self.send(raw)
        cseq = Message(True, raw).one("cseq")
        deadline = time.monotonic() + timeout
        while True:
            for message in self.heard:
                if message.status and message.status >= 200 and message.one("cseq") == cseq:
                    self.heard.remove(message)
                    assert str(message.status).startswith(what), f"not {what}, but {message}"
                    return message
            assert time.monotonic() < deadline, f"{self.user}: no response to {cseq}, but {[str(m) for m in self.heard]}"
            self._hear(deadline)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
