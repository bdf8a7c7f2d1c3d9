#!/usr/bin/python3
"""overload.py CHECK - overload control (RFC 7339, RFC 7415) with SIPp on either side, on the bytes."""
import here
import messages, re, time
from liaison import OUTSIDE, Liaison, run, until
from sipp import UAC, UAS, Sipp

LOSS, BOTH = ';oc;oc-algo="loss"', ';oc;oc-algo="loss,rate"'


def responses(sipp):
    """What it has received in answer to INVITEs."""
    return [m for m in sipp.messages() if m.status and not m.sent and m.method == "INVITE"]


def call(at, overload=""):
    """The final response to one call."""
    with Sipp("uac_offers", at, OUTSIDE, keys={"overload": overload}) as calling:
        calling.wait()
    return responses(calling)[-1], calling


def server(transport):
    """The called side asks for nothing, then for no calls at all, then for all again."""
    say = lambda value, validity, seq: {"overload": f';oc={value};oc-algo="loss";oc-validity={validity};oc-seq={seq}'}
    # Over TCP rate is offered too.
    profile = 'overload = { heed = "loss-and-rate" }' if transport == "tcp" else ""
    offer = LOSS if transport == "udp" else BOTH
    with Liaison(transport=transport, profile=profile) as sbc:
        with Sipp("uas_overloaded", UAS, transport=transport, keys=say(0, 0, "1282321615.781")) as called:
            assert call((UAC[0], 5070))[0].status == 486
            called.wait()
            [invite] = messages.requests(called.messages(), "INVITE", sent=False)
            assert invite.all("via")[0].endswith(offer), invite
        known = sbc.get("/v1/overload")["servers"]
        assert [(s["network"], s["address"], s["restriction"]) for s in known] == [("inside", "%s:%d" % UAS, None)], known
        with Sipp("uas_overloaded", UAS, transport=transport, keys=say(100, 4000, "1282321615.782")) as called:
            assert call((UAC[0], 5071))[0].status == 486
            called.wait()
            told = time.monotonic()
        with Sipp("uas_overloaded", UAS, transport=transport, keys=say(0, 0, "1282321892.439")) as called:
            [known] = sbc.get("/v1/overload")["servers"]
            assert known["restriction"]["algorithm"] == "loss" and known["restriction"]["value"] == 100, known
            assert known["sequence"] == "1282321615.78200", known
            assert sbc.metrics()['liaison_overload_servers{state="restricted"}'] == 1
            refused, _ = call((UAC[0], 5072))
            assert refused.status == 503 and refused.one("retry-after") is None, refused
            assert refused.one("warning") == '399 liaison "Next Hop Overloaded"', refused
            assert time.monotonic() - told < 3.5, "too slow to tell"
            assert not called.messages(), called.report()
            record = sbc.records(3)[-1]
            assert any(leg.get("cause") == "next hop overloaded" for leg in record["legs"]), record
            until("the restriction is over", lambda: not sbc.get("/v1/overload")["servers"][0]["restriction"], 6)
            assert call((UAC[0], 5073))[0].status == 486
            called.wait()
        [known] = sbc.get("/v1/overload")["servers"]
        assert known["restriction"] is None and known["sequence"] == "1282321892.43900", known
        assert (known["requests_sent"], known["requests_withheld"]) == (2, 1), known
        metrics = sbc.metrics()
        assert metrics['liaison_overload_requests_total{outcome="withheld"}'] == 1, metrics
        assert metrics['liaison_overload_feedback_total{kind="malformed"}'] == 0, metrics
        for text in ("a peer asks for fewer requests", ):
            assert text in sbc.logged(), sbc.logged()


def client():
    """The calling side hears of our load in every response, if it wants to."""
    vias = lambda sipp: [m.all("via")[0] for m in responses(sipp)]
    tell = re.compile(r';oc=0;oc-algo="loss";oc-validity=(\d+);oc-seq=\d{10}\.\d{5}$')
    with Liaison() as sbc, Sipp("uas_busy", UAS, calls=100000) as called:
        response, calling = call((UAC[0], 5070), BOTH)
        assert response.status == 486
        told = [tell.search(via) for via in vias(calling)]
        assert len(told) >= 2 and all(m and m[1] == "0" for m in told), calling.report()
        assert not any("oc" in via.partition("branch")[2].partition(";")[2] for via in vias(call((UAC[0], 5071))[1]))
        assert sbc.get("/v1/overload")["shards"][0]["overloaded"] is False


run(server, client)
