#!/usr/bin/python3
"""relayed.py call udp|tcp|tls - a browser that has all of its media relayed by our TURN server calls a telephone that knows nothing but
RTP/AVP, and is called by it.

relayed.py registered - its credentials come with its registration, and new ones with each refresh."""
import here, json, os, re
from browser_ua import Browser
from ear import Ear
from house import PAGE, PASSWORD, PORTS, House, phone
from liaison import MEDIA, run, until

RELAYED = range(50000, 51000)
TURN = f"""
[networks.house.turn]
realm = "example.com"
secret = {{ env = "TURN_SECRET" }}
ports = "{RELAYED[0]}-{RELAYED[-1]}"
listeners = [
  {{ transport = "udp", address = "10.0.0.2:3478" }},
  {{ transport = "tcp", address = "10.0.0.2:3478" }},
  {{ transport = "tls", address = "10.0.0.2:5349", tls = {{ certificates = [CERTIFICATE] }} }},
]
"""


def connection(sbc, transport):
    """What a browser is told to relay everything by: that one of the URIs which the admin API hands out with credentials."""
    status, _, body = sbc.curl("/v1/turn/credentials", "-H", "Content-Type: application/json", "-d", '{"user":"web"}')
    assert status == 200, f"{status} {body}"
    made = json.loads(body)
    start = {"udp": "turn:", "tcp": "turn:", "tls": "turns:"}[transport]
    uri, = [uri for uri in made["uris"] if uri.startswith(start) and uri.endswith({"udp": "=udp"}.get(transport, "=tcp"))]
    server = {"urls": [uri], "username": made["username"], "credential": made["password"]}
    return {"iceServers": [server], "iceTransportPolicy": "relay"}


def allocations(sbc):
    return sbc.get("/v1/turn/allocations?user=web")["allocations"]


def crossed(sbc, transport):
    """That the browser's media goes by an allocation of its own, and by no other way: as Liaison counts it on both sides."""
    call, = sbc.established(1)
    streams = [stream for leg in sbc.get(f"/v1/calls/{call['id']}")["legs"] for stream in leg["streams"]]
    ours, = [stream for stream in streams if stream["keying"] == "dtls"]
    assert ours["srtp"] and [stream["protocol"] for stream in streams if stream is not ours] == ["RTP/AVP"], streams
    its = lambda: [one for one in allocations(sbc) if one["relayed_address"] == ours["remote_address"]]
    carried = lambda: all(one[way]["packets"] > 50 for one in its() for way in ("to_peers", "to_client"))
    until(lambda: f"no packets, but {its()}", carried, 10)
    one, = its()
    assert one["transport"] == transport, one
    assert one["permissions"] == ["10.0.0.2"], one
    return one


def candidates(messages):
    """The candidates that it has told: each with its type."""
    return re.findall(r"^a=candidate:\S+ \d \S+ \d+ (\S+) (\d+) typ (\S+)", "\n".join(messages), re.M)


def call(transport):
    os.environ["TURN_SECRET"] = "a secret of the lab alone"
    with House(profile='digest = { algorithms = ["MD5"] }', tables=TURN) as sbc, \
         phone(sbc, "carol", "10.0.0.6", "udp", "answermode=auto", tone=1000) as carol, \
         Browser("web", server=f"wss://10.0.0.2:{PORTS['wss']}", page=PAGE, key_hash=sbc.key_hash(), password=PASSWORD, tone=440,
                 connection=connection(sbc, transport)) as web, Ear(carol.rtp_ports) as at_carol:
        carol.wait("REGISTER_OK"), web.wait("registered")
        for caller in ("web", "carol"):
            if caller == "web":
                web.do("call", "sip:carol@example.com")
            else:
                carol.command("dial", "sip:web@example.com")
            web.wait("confirmed"), carol.wait("CALL_ESTABLISHED", 20)
            web.listen(1000), carol.listen(440), at_carol.listen(440)
            first = crossed(sbc, transport)
            web.do("hold")
            web.wait("held")
            web.quiet()
            web.do("resume")
            web.wait("resumed")
            web.listen(1000), at_carol.listen(440)
            later = crossed(sbc, transport)
            assert all(later[way]["packets"] > first[way]["packets"] for way in ("to_peers", "to_client")), (first, later)
            # Carol hears it from a media port of ours, and never from the relayed address.
            assert at_carol.got_from and all(ip == "10.0.0.2" and port in MEDIA for ip, port in at_carol.got_from), at_carol.got_from
            assert not re.search(rf"\b{first['relayed_address'].rpartition(':')[2]}\b", carol.trace()), carol.trace()
            if caller == "web":
                web.do("hangup")
            else:
                carol.command("hangup")
            carol.wait("CALL_CLOSED"), web.wait("ended")
            sbc.idle()
            until(lambda: f"no allocation left, but {allocations(sbc)}", lambda: not allocations(sbc), 10)
        told = candidates(web.messages("sent"))
        assert told and all(ip == "10.0.0.2" and int(port) in RELAYED and kind == "relay" for ip, port, kind in told), told
        metrics = sbc.metrics()
        assert metrics["liaison_turn_allocations"] == 0, metrics


def registered():
    os.environ["TURN_SECRET"] = "a secret of the lab alone"
    registrar = "".join(f'{name} = "30s"\n' for name in ("min_expires", "expires", "nat_expires", "max_expires"))
    with House(profile='digest = { algorithms = ["MD5"] }', tables=TURN, registrar=registrar + 'turn_credentials = "protected"') as sbc, \
         phone(sbc, "carol", "10.0.0.6", "udp", "answermode=auto", tone=1000) as carol, \
         Browser("web", server=f"wss://10.0.0.2:{PORTS['wss']}", page=PAGE, key_hash=sbc.key_hash(), password=PASSWORD, tone=440,
                 relayed="turns:") as web:
        carol.wait("REGISTER_OK")
        told = [web.wait("credentials")[1]]
        web.wait("registered")
        web.do("call", "sip:carol@example.com")
        web.wait("confirmed"), carol.wait("CALL_ESTABLISHED", 20)
        web.listen(1000), carol.listen(440)
        crossed(sbc, "tls")
        # The call stays while the credentials that it was made with end, and the next one is made with those of the newest refresh.
        told += [web.wait("credentials", 60)[1] for _ in range(2)]
        web.listen(1000), carol.listen(440)
        web.do("hangup")
        carol.wait("CALL_CLOSED"), web.wait("ended")
        sbc.idle()
        until(lambda: f"no allocation left, but {allocations(sbc)}", lambda: not allocations(sbc), 10)
        told.append(web.wait("credentials", 60)[1])
        carol.command("dial", "sip:web@example.com")
        web.wait("confirmed")
        web.listen(1000), carol.listen(440)
        crossed(sbc, "tls")
        carol.command("hangup")
        web.wait("ended")
        assert all(name.endswith(":web") for name in told) and sorted(set(told)) == told, told
        assert sbc.metrics()["liaison_registers_turn_credentials_total"] >= len(told), told
        # Carol's telephone has said nothing of such a body, and is not over TLS.
        assert "application/json" not in carol.trace(), carol.trace()


run(call, registered)
