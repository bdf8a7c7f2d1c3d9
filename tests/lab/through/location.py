#!/usr/bin/python3
"""location.py CHECK - where calls go: records of a name server, targets that are dead, black holes, a dead name server."""
import here
import messages, signal, socket, threading, time
from certificates import Cast
from kamailio import Kamailio
from liaison import OUTSIDE, Liaison, run, until
from nsd import NameServer
from sipp import UAC, UAS, Sipp

DNS = '[dns]\nservers = ["10.0.0.9:53"]\ntimeout = "500ms"\nattempts = 1'
THIRD, LATE = UAS, ("10.0.0.5", 5060)
LIMIT = 2.0


def ringing(calling):
    """Seconds from the INVITE to the 180, as SIPp has measured."""
    hours, minutes, seconds, micros = map(int, calling.counters()["ResponseTime1(C)"].split(":"))
    return 3600 * hours + 60 * minutes + seconds + micros / 1e6


def call(at=UAC, **more):
    with Sipp("uac", at, OUTSIDE, **more) as calling:
        calling.wait()
    return calling


def shown(found, transport):
    """What the admin API says of how a call was found."""
    assert found["host"] == "example", found
    asked = [(one["record"], one["name"], one["answer"]) for one in found["questions"]]
    assert asked[0] == ("SRV", f"_sip._{transport}.example", "found"), asked
    assert set(asked[1:]) == {("A", f"{host}.example", "found") for host in ("first", "late", "third")}, asked
    records = found["questions"][0]["records"]
    assert sorted(records) == ["1 0 5071 first.example.", "2 0 5060 late.example.", "3 0 5060 third.example."], records
    assert all(one["source"] == "told" and 0 < one["left_seconds"] <= 60 for one in found["questions"]), found
    fared = [(one["transport"], one["address"], one["outcome"], one["trouble"], one["status"]) for one in found["targets"]]
    assert fared == [(transport, "10.0.0.6:5071", "failed", "out_of_reach", None), (transport, "10.0.0.5:5060", "failed", "silent", None),
                     (transport, "10.0.0.4:5060", "answered", None, 200)], fared


def failover(transport):
    """The first target refuses, the second is silent, the third answers; the second wakes up with a 200."""
    # Nobody has the first address's port; over UDP that is an ICMP error.
    zone = f"""
_sip._{transport} 60 IN SRV 1 0 5071 first
_sip._{transport} 60 IN SRV 2 0 5060 late
_sip._{transport} 60 IN SRV 3 0 5060 third
first 60 IN A 10.0.0.6
late 60 IN A {LATE[0]}
third 60 IN A {THIRD[0]}"""
    with NameServer(zone), \
         Liaison(targets=[f"sip:example;transport={transport}"], tables=DNS, profile=f'target_timeout = "{LIMIT:.0f}s"') as sbc, \
         Sipp("uas_late", LATE, transport=transport, pause=5000) as late, \
         Sipp("uas", THIRD, transport=transport) as third, Sipp("uac", UAC, OUTSIDE, pause=6000) as calling:
        one = sbc.get("/v1/calls/" + sbc.established(1)[0]["id"])
        calling.wait()
        took = ringing(calling)
        found, = (leg["location"] for leg in one["legs"] if leg["role"] == "called")
        shown(found, transport)
        third.wait()
        late.wait()
        # ICMP is heard of with the next datagram, that is the first retransmission.
        refusal = {"tcp": 0, "udp": 0.5}[transport]
        assert LIMIT <= took < LIMIT + refusal + 0.5, f"rings after {took:.2f} s"
        told = [m.method for m in messages.requests(late.messages(), "BYE", sent=False)]
        assert told == ["BYE"], late.report()
        sbc.idle()
        targets = {t["address"]: t for t in sbc.get("/v1/targets")["targets"] if t["network"] == "inside"}
        assert targets["10.0.0.6:5071"]["state"] in ("held", "due") and targets["10.0.0.6:5071"]["trouble"] == "out_of_reach", targets
        assert targets["10.0.0.4:5060"]["state"] == "up", targets
        [would] = sbc.get("/v1/trunks/b/targets")["targets"]
        known = {one["address"]: (one["outcome"], one["trouble"]) for one in would["location"]["targets"]}
        assert known["10.0.0.6:5071"] == ("passed_over", "out_of_reach") and known["10.0.0.4:5060"] == ("waiting", None), would
        assert all(one["source"] == "remembered" for one in would["location"]["questions"]), would
        [leg] = [leg for leg in sbc.records(1)[0]["legs"] if leg["role"] == "called"]
        assert leg["location"][-3:] == [f"{transport} 10.0.0.6:5071: out of reach", f"{transport} 10.0.0.5:5060: silent",
                                        f"{transport} 10.0.0.4:5060: answered 200"], leg
        assert sbc.metrics()["liaison_failovers_total"] == 2 and sbc.metrics()["liaison_sip_forks_released_total"] == 1
        print(f"rings after {took:.2f} s")


def preference(transport):
    """The transport that the NAPTR records prefer, though there is another."""
    other = {"udp": "tcp", "tcp": "udp"}[transport]
    letter = {"udp": "U", "tcp": "T"}
    zone = f"""
@ 60 IN NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.example.
@ 60 IN NAPTR 20 10 "s" "SIP+D2{letter[transport]}" "" _sip._{transport}.example.
@ 60 IN NAPTR 30 10 "s" "SIP+D2{letter[other]}" "" _sip._{other}.example.
_sip._{transport} 60 IN SRV 1 0 {THIRD[1]} host
_sip._{other} 60 IN SRV 1 0 {THIRD[1]} host
host 60 IN A {THIRD[0]}"""
    with NameServer(zone), Liaison(targets=["sip:example"], tables=DNS) as sbc, \
         Sipp("uas", THIRD, transport=transport) as called:
        call()
        called.wait()
        via = messages.requests(called.messages(), "INVITE", sent=False)[0].all("via")[0]
        assert via.startswith(f"SIP/2.0/{transport.upper()} "), via
        sbc.idle()


def black_hole(transport):
    """IPv6 comes first and leads nowhere: nobody on the link answers for its address."""
    zone = f"host 60 IN AAAA fd00::99\nhost 60 IN A {THIRD[0]}"
    listeners = '{ transport = "udp", address = "[fd00::3]:5060" }, { transport = "tcp", address = "[fd00::3]:5060" }, '
    with NameServer(zone), \
         Liaison(targets=[f"sip:host.example:5060;transport={transport}"], tables=DNS, listeners=listeners,
                 profile=f'target_timeout = "{LIMIT:.0f}s"') as sbc, \
         Sipp("uas", THIRD, calls=3, transport=transport) as called:
        took = [ringing(call((UAC[0], 5070 + n))) for n in range(3)]
        called.wait()
        sbc.idle()
    if transport == "tcp":
        assert 0.25 <= took[0] < 0.5, took
    else:
        assert took[0] < LIMIT + 0.5, took
    assert max(took[1:]) < 0.2, took
    print(" ".join(f"{one:.3f}" for one in took))


class Mute:
    """Takes connections, and never says a word on them."""
    def __init__(self, ip, port):
        self.socket = socket.create_server((ip, port), family=socket.AF_INET6 if ":" in ip else socket.AF_INET)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def secured(cast, names, **more):
    """Liaison with TLS inside, in both families, and Kamailio in front of the called side, whose certificate stands for these names."""
    own = cast.root.issue("inside", ["URI:sip:10.0.0.3", "URI:sip:[fd00::3]"])
    pbx = cast.root.issue("server", [f"URI:sip:{name}" for name in (*names, "10.0.0.7")])
    pair = f'chain = "{own.chain}", key = "{own.key}"'
    listeners = "".join(f'{{ transport = "tls", address = "{at}:5061", tls = {{ certificates = [{{ {pair} }}] }} }}, '
                        for at in ("[fd00::3]", "10.0.0.3"))
    tls = f'[networks.inside.tls]\nroots = "{cast.root.root}"\ncertificate = {{ {pair} }}'
    return Kamailio(cast.root.root, cast.carrier, pbx, at=["10.0.0.7"]), lambda: Liaison(listeners=listeners, tables=f"{DNS}\n{tls}", **more)


def secure_race(first):
    """The first address of a host that is reached over TLS is a black hole, or takes the connection and no handshake ("mute")."""
    zone = f"pbx 60 IN AAAA {'fd00::5' if first == 'mute' else 'fd00::99'}\npbx 60 IN A 10.0.0.7"
    kamailio, liaison = secured(Cast(), ["pbx.example"], targets=["sip:pbx.example:5061;transport=tls"])
    with NameServer(zone), Mute("fd00::5", 5061), kamailio, liaison() as sbc, Sipp("uas", THIRD, calls=2) as called:
        took = [ringing(call((UAC[0], 5070 + n))) for n in range(2)]
        called.wait()
        vias = [m.all("via") for m in messages.requests(called.messages(), "INVITE", sent=False)]
        assert len(vias) == 2 and all(any(v.startswith("SIP/2.0/TLS 10.0.0.3:5061;") for v in of) for of in vias), vias
        sbc.idle()
    # The head start of the first address (RFC 8305 §5), and two handshakes.
    assert 0.25 <= took[0] < 0.75 and took[1] < 0.2, took
    print(" ".join(f"{one:.3f}" for one in took))


def secure_preference():
    """NAPTR records prefer TLS to UDP, although the URI does not ask for it (RFC 3263 §4.1)."""
    zone = """
@ 60 IN NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp.example.
@ 60 IN NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp.example.
_sips._tcp 60 IN SRV 1 0 5061 host
_sip._udp 60 IN SRV 1 0 5060 host
host 60 IN A 10.0.0.7"""
    kamailio, liaison = secured(Cast(), ["example"], targets=["sip:example"])
    with NameServer(zone), kamailio, liaison() as sbc, Sipp("uas", THIRD) as called:
        call()
        called.wait()
        vias = messages.requests(called.messages(), "INVITE", sent=False)[0].all("via")
        assert [via for via in vias if via.startswith("SIP/2.0/TLS 10.0.0.3:5061;")], vias
        sbc.idle()


def name_server():
    """What is known is used while the name server is dead, also past its time; what is not known fails soon."""
    zone = f"pbx 2 IN A {THIRD[0]}"
    with Liaison(targets=["sip:pbx.example:5060"], tables=DNS) as sbc, Sipp("uas", THIRD, calls=5) as called:
        with NameServer(zone):
            call()
        call()
        begun = time.monotonic()
        until("the record is past its time", lambda: time.monotonic() - begun > 2.5, 5)
        took = ringing(call())
        assert took < 1.0, f"a dead name server costs {took:.2f} s"
        assert ringing(call()) < 0.3, "and that once only"
        sbc.write(targets='["sip:new.example:5060"]')
        sbc.signal(signal.SIGHUP)
        until("version 2", lambda: sbc.get("/v1/config")["version"] == 2, 5)
        with Sipp("uac_refused", UAC, OUTSIDE) as refused:
            refused.wait(20)
        with NameServer(f"{zone}\nnew 60 IN A {THIRD[0]}"):
            call()
        called.wait(20)
        sbc.idle()
        assert sbc.metrics()['liaison_name_queries_total{outcome="failed"}'] >= 2, sbc.metrics()


class Answerer:
    """Answers every request with 200, until it is closed."""
    def __init__(self, at):
        self.socket, self.asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0
        self.socket.bind(at)
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            data, peer = self.socket.recvfrom(65535)
            if not data:
                return
            keep = [line for line in data.split(b"\r\n") if line.split(b":")[0].lower() in (b"via", b"from", b"to", b"call-id", b"cseq")]
            keep = [line + b";tag=1" if line.lower().startswith(b"to:") else line for line in keep]
            self.asked += 1
            self.socket.sendto(b"\r\n".join([b"SIP/2.0 200 OK", *keep, b"Content-Length: 0", b"", b""]), peer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.sendto(b"", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


def probed():
    """OPTIONS find a dead target, and the first call goes to the other at once."""
    with Liaison(targets=["sip:10.0.0.5:5060", f"sip:{THIRD[0]}:5060"], profile=f'target_timeout = "{LIMIT:.0f}s"') as sbc, \
         socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(LATE)
        with open(sbc.path) as file:
            text = file.read()
        sbc.write(text.replace("[trunks.b]", '[trunks.b]\nprobe = "5s"'))
        sbc.signal(signal.SIGHUP)
        def down():
            return [t["address"] for t in sbc.get("/v1/targets")["targets"] if t["state"] != "up"]
        with Answerer(THIRD) as there:
            until(lambda: f"10.0.0.5 is down, but {down()}", lambda: down() == ["10.0.0.5:5060"] and there.asked, 10)
        # The next probe is seconds away.
        with Sipp("uas", THIRD) as called:
            took = ringing(call())
            called.wait()
        assert took < 0.3, took
        sbc.idle()


if __name__ == "__main__":
    run(failover, preference, black_hole, secure_race, secure_preference, name_server, probed)
