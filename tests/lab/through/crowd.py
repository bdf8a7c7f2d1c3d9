#!/usr/bin/python3
"""crowd.py calls - 2,000 idle connections, 500 bytewise ones and 500 with half a TLS handshake: calls go on
as if there were none, memory is bounded, and the slow ones are ended in time."""
import here, resource, socket, tempfile, threading
from certificates import Authority
from liaison import OUTSIDE, Liaison, run, until
from sipp import pair

IDLE, SLOW = 2000, 500
# What a connection may cost the node at rest, its TLS handshake included.
BYTES = 40_000
CALLS, RATE = 200, 20
TABLES = """
[limits]
connections_per_peer = 4096

# The crowd is one address of nobody's, and all that it asks is refused.
[guard]
enabled = false
"""


def options(n):
    return (f"OPTIONS sip:10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.8:5060;branch=z9hG4bK-crowd-{n}\r\nMax-Forwards: 70\r\n"
            f"From: <sip:crowd@10.0.0.8>;tag={n}\r\nTo: <sip:10.0.0.2>\r\nCall-ID: crowd-{n}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")


def connect(port, ip="10.0.0.3"):
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


def memory(sbc):
    with open(f"/proc/{sbc.daemon.process.pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))


def calls():
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, max(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    own = Authority(tempfile.mkdtemp(), "root").issue("sbc", ["IP:10.0.0.3"])
    listener = (f'{{ transport = "tls", address = "10.0.0.3:5061", tls = {{ certificates = '
                f'[{{ chain = "{own.chain}", key = "{own.key}" }}] }} }}, ')
    with Liaison(tables=TABLES, listeners=listener) as sbc:
        before = memory(sbc)
        crowd = [idle(n) for n in range(IDLE)]
        slow, half = [connect(5060) for _ in range(SLOW)], [connect(5061) for _ in range(SLOW)]
        for one in half:
            # The head of a ClientHello of 512 bytes, and no more of it.
            one.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        until(sbc.metrics, lambda: sbc.metrics()["liaison_connections"] >= IDLE + 2 * SLOW, 10)
        stop = threading.Event()
        trickler = threading.Thread(target=trickle, args=(slow, stop), daemon=True)
        trickler.start()
        called, calling = pair("uas", "uac", through=OUTSIDE, calls=CALLS, rate=RATE)
        counters = calling.counters()
        assert int(counters["SuccessfulCall(C)"]) == CALLS and int(counters["Retransmissions(C)"]) == 0, counters
        grown = memory(sbc) - before
        assert grown < (IDLE + 2 * SLOW) * BYTES, f"{grown} bytes for {IDLE + 2 * SLOW} connections"
        # message_time is 32 s, handshake_timeout 10 s.
        until(sbc.metrics, lambda: sbc.metrics()["liaison_connections"] == IDLE, 45, every=0.5)
        stop.set()
        trickler.join()
        failed = {cause: sbc.metrics()[f'liaison_connections_failed_total{{cause="{cause}"}}'] for cause in ("dawdling", "handshake_time", "limit")}
        assert failed == {"dawdling": SLOW, "handshake_time": SLOW, "limit": 0}, failed
        crowd[0].sendall(options("last").encode())
        assert crowd[0].recv(65536).startswith(b"SIP/2.0 ")
        print(f"{grown / (IDLE + 2 * SLOW):.0f} bytes a connection")


run(calls)
