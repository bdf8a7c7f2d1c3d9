#!/usr/bin/python3
"""crowd.py calls - 2,000 idle connections, 500 bytewise ones, 500 with half a TLS handshake and 100 that ask and never read: calls on
the very same listeners go on as if there were none, memory is bounded, and the slow ones are ended in time."""
import here, resource, socket, tempfile, threading, time
from certificates import Authority
from liaison import OUTSIDE, Liaison, run, until
from sipp import UAC, UAS, Sipp

IDLE, SLOW, MUTE = 2000, 500, 100
ALL = IDLE + 2 * SLOW + MUTE
# What a connection may cost the node at rest, its TLS handshake included; and what may wait for one that reads nothing (limits.connection_queue).
BYTES, QUEUE = 40_000, 262_144
# Over UDP, and over TCP.
CALLS, RATE = 100, 10
TABLES = """
[limits]
connections_per_peer = 4096

# The crowd is one address of nobody's, and all that it asks is refused.
[guard]
enabled = false
"""


def options(n, call_id="crowd"):
    return (f"OPTIONS sip:10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.8:5060;branch=z9hG4bK-crowd-{n}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:crowd@10.0.0.8>;tag={n}\r\nTo: <sip:10.0.0.2>\r\nCall-ID: {call_id}-{n}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")


def connect(port, ip="10.0.0.2"):
    return socket.create_connection((ip, port), 10, source_address=("10.0.0.8", 0))


def idle(n):
    one = connect(5060)
    one.sendall(options(n).encode())
    assert one.recv(65536).startswith(b"SIP/2.0 "), n
    return one


def trickle(crowd, stop):
    """Each connection gets one byte of a message every second."""
    sent = 0
    while not stop.wait(1):
        for one in list(crowd):
            try:
                one.send(options(0).encode()[sent:sent + 1])
            except OSError:
                crowd.remove(one)
        sent += 1


def mute():
    """One with little room for what it never reads."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    # Small segments, or the system at the other end takes megabytes on for us.
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    one.bind(("10.0.0.8", 0))
    one.connect(("10.0.0.2", 5060))
    one.setblocking(False)
    return one


def stuff(crowd):
    """Sends requests with long responses on each, until for a second nobody takes a byte more."""
    left, n, taken = {one: b"" for one in crowd}, 0, time.monotonic()
    while time.monotonic() - taken < 1:
        for one in crowd:
            if len(left[one]) < 40_000:
                n += 8
                left[one] += b"".join(options(n + k, "x" * 8000).encode() for k in range(8))
            try:
                left[one] = left[one][one.send(left[one]):]
                taken = time.monotonic()
            except BlockingIOError:
                pass
        time.sleep(0.05)


def memory(sbc):
    with open(f"/proc/{sbc.daemon.process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def calls():
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, max(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    own = Authority(tempfile.mkdtemp(), "root").issue("sbc", ["IP:10.0.0.2"])
    listener = (f', {{ transport = "tls", address = "10.0.0.2:5061", tls = {{ certificates = '
                f'[{{ chain = "{own.chain}", key = "{own.key}" }}] }} }}')
    with Liaison(tables=TABLES, outer=listener) as sbc:
        before = memory(sbc)
        crowd = [idle(n) for n in range(IDLE)]
        slow, half = [connect(5060) for _ in range(SLOW)], [connect(5061) for _ in range(SLOW)]
        for one in half:
            # The head of a ClientHello of 512 bytes, and no more of it.
            one.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        deaf = [mute() for _ in range(MUTE)]
        until(sbc.metrics, lambda: sbc.metrics()["liaison_connections"] >= ALL, 10)
        stop = threading.Event()
        trickler = threading.Thread(target=trickle, args=(slow, stop), daemon=True)
        trickler.start()
        stuff(deaf)
        assert sbc.metrics()["liaison_connections"] >= IDLE + MUTE, "none of those that read nothing is gone yet"
        stuffed = memory(sbc) - before
        with Sipp("uas", UAS, calls=2 * CALLS) as called, Sipp("uac", UAC, OUTSIDE, calls=CALLS, rate=RATE) as datagrams, \
             Sipp("uac", (UAC[0], 5070), OUTSIDE, calls=CALLS, rate=RATE, transport="tcp") as stream:
            for calling in (datagrams, stream):
                counters = calling.wait()
                assert int(counters["SuccessfulCall(C)"]) == CALLS and int(counters["Retransmissions(C)"]) == 0, counters
            called.wait()
        grown = max(stuffed, memory(sbc) - before)
        assert grown < ALL * BYTES + MUTE * QUEUE, f"{grown} bytes for {ALL} connections"
        # message_time is 32 s, handshake_timeout and stall_time are 10 s.
        until(sbc.metrics, lambda: sbc.metrics()["liaison_connections"] == IDLE, 45, every=0.5)
        stop.set()
        trickler.join()
        failed = {cause: sbc.metrics()[f'liaison_connections_failed_total{{cause="{cause}"}}']
                  for cause in ("dawdling", "handshake_time", "stalled", "limit")}
        assert failed == {"dawdling": SLOW, "handshake_time": SLOW, "stalled": MUTE, "limit": 0}, failed
        crowd[0].sendall(options("last").encode())
        assert crowd[0].recv(65536).startswith(b"SIP/2.0 ")
        print(f"{stuffed} bytes with {MUTE} that read nothing, {grown / ALL:.0f} a connection")


run(calls)
