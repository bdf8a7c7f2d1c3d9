#!/usr/bin/python3
"""outbound.py CHECK [TRANSPORT] - a trunk with two flows to two edge proxies (RFC 5626), Kamailio, one of which fails."""
import here, re, tempfile
from certificates import Authority
from kamailio_edges import ADDRESS, EDGES, Edges
from liaison import INSIDE, Liaison, run, until
from sipp import UAC, UAS, Sipp

TABLES = """
[trunks.carrier]
network = "outside"
# Nobody is there: calls take the flows.
targets = ["sip:10.0.0.9:5060"]

[trunks.carrier.register]
address = "{address}"
expires = "1m"
outbound = {{ proxies = [{proxies}], keepalive = "5s", wait_all_failed = "1s", wait_some_left = "1s", wait_longest = "2s" }}

[[routes]]
name = "by-registration"
networks = ["inside"]
to = ["carrier"]
priority = 200
"""
PARAMETER = {"udp": "", "tcp": ";transport=tcp", "tls": ":5061;transport=tls"}


def field(message, name):
    found = re.search(rf"^{name}: (.*?)\r?$", message, re.MULTILINE | re.IGNORECASE)
    return found and found[1]


def registration(sbc):
    return next(one["registration"] for one in sbc.get("/v1/trunks")["trunks"] if one["name"] == "carrier")


def states(sbc):
    """Of each flow, whether it stands, and whether its keepalives are answered."""
    return [(flow["peer"] is not None, flow["keepalives_answered"]) for flow in registration(sbc)["flows"]]


def stand(sbc, *wanted, timeout=30):
    until(lambda: f"flows {wanted}, but {registration(sbc)}", lambda: tuple(states(sbc)) == wanted, timeout)


def run_with(transport, check, **carrier_settings):
    own, more = None, {}
    if transport == "tls":
        root = Authority(tempfile.mkdtemp(prefix="certificates."), "root")
        ours, own = root.issue("ours", ["URI:sip:10.0.0.2"]), root.issue("theirs", [f"URI:sip:{ip}" for ip in EDGES])
        shown = f'certificates = [{{ chain = "{ours.chain}", key = "{ours.key}" }}]'
        more = {"outer": f', {{ transport = "tls", address = "10.0.0.2:5061", tls = {{ {shown} }} }}',
                "outside": f'tls = {{ roots = "{root.root}" }}'}
    proxies = ", ".join(f'"sip:{ip}{PARAMETER[transport]}"' for ip in EDGES)
    with Edges(own, **carrier_settings) as carrier, \
         Liaison(tables=TABLES.format(address=ADDRESS, proxies=proxies), shards=3, **more) as sbc:
        try:
            check(transport, carrier, sbc)
        except AssertionError as error:
            logs = "\n".join(f"{one.ip}: {one.logged()[-5000:]}" for one in carrier.all)
            raise AssertionError(f"{error}\n{logs}\n{sbc.logged()[-5000:]}") from None


def calls_out(sbc):
    with Sipp("uas", UAC) as called, Sipp("uac", UAS, INSIDE) as calling:
        calling.wait()
        called.wait()


def calls_in():
    """The registrar calls both flows at once: the telephone rings once, and the caller has one call."""
    with Sipp("uas", UAS) as called, Sipp("uac", UAC, "10.0.0.8:5060") as calling:
        calling.wait()
        assert called.wait()["TotalCallCreated"] == "1", called.report()


def two_flows(transport, carrier, sbc):
    first, second = carrier.edges
    stand(sbc, (True, True), (True, True))
    seen = []
    for number, edge in enumerate(carrier.edges, 1):
        register = edge.heard("REGISTER")[0]
        contact = field(register, "Contact")
        port, parameter = (5061 if transport == "tls" else 5060), ("" if transport == "udp" else f";transport={transport}")
        urn = re.fullmatch(rf'<sip:carrier@10\.0\.0\.2:{port}{parameter}>;expires=60;\+sip\.instance="<(urn:uuid:[0-9a-f-]{{36}})>";reg-id={number}', contact)
        assert urn, register
        assert field(register, "Supported") == "path, outbound" and field(register, "Route"), register
        seen.append((urn[1], field(register, "Call-ID")))
    with open(sbc.state + "/instance") as file:
        kept = file.read().strip()
    assert seen[0][0] == seen[1][0] == kept and seen[0][1] != seen[1][1], seen
    calls_in()
    calls_out(sbc)
    invite = first.heard("INVITE")[-1]
    assert ";ob>" in field(invite, "Contact"), invite
    # What follows in its dialog comes by the flow, too, from either side.
    assert any(line.startswith(f"BYE {transport} 10.0.0.2") for line in first.heard("within")), first.heard("within")
    metrics = sbc.metrics()
    assert metrics['liaison_trunk_flows{state="up"}'] == 2, metrics
    assert metrics['liaison_sip_flow_keepalives_total{outcome="answered"}'] >= 2, metrics

    # An edge dies: the other one has the calls, of both directions, and what is left of the first waits for it.
    first.kill()
    # Over UDP, where no ICMP tells: a keepalive is due, and 39.5 s later it is given up (RFC 8489 §6.2.1).
    until("the flow is found to be dead", lambda: states(sbc)[0][0] is False, 90)
    calls_out(sbc)
    assert second.heard("INVITE"), second.logged()
    assert registration(sbc)["state"] == "registered", registration(sbc)
    # A REGISTER that nobody answers is given up after 32 s (timer F).
    until("failures", lambda: registration(sbc)["flows"][0]["failures"] > 0, 60)
    first.start()
    stand(sbc, (True, True), (True, True))
    again = first.heard("REGISTER")[0]
    assert ";reg-id=1" in field(again, "Contact") and kept in field(again, "Contact"), again
    calls_out(sbc)
    assert first.heard("INVITE"), "the first is the first again"
    calls_in()
    assert sbc.metrics()["liaison_sip_flows_failed_total"] >= 1


def without_outbound(transport, carrier, sbc):
    """The registrar knows no outbound: one flow stands, and the other takes over when its edge dies."""
    first, second = carrier.edges
    stand(sbc, (False, None), (False, None))
    until("registered", lambda: registration(sbc)["state"] == "registered", 10)
    assert [flow["state"] for flow in registration(sbc)["flows"]] == ["registered", "waiting"], registration(sbc)
    assert not second.heard("REGISTER"), second.logged()
    calls_in()
    first.kill()
    # The next refresh finds out.
    until(lambda: f"the other, but {registration(sbc)}", lambda: registration(sbc)["flows"][1]["state"] == "registered", 100)
    calls_in()


def outbound(transport):
    run_with(transport, two_flows)


def alone(transport):
    run_with(transport, without_outbound, outbound=False)


def sbc_between():
    """Liaison with its two edges, which SIPp plays."""
    proxies = ", ".join(f'"sip:{ip}"' for ip in EDGES)
    return Liaison(tables=TABLES.format(address=ADDRESS, proxies=proxies))


def flow_failed():
    """430 to a call on one flow: the other is tried, and the caller hears nothing of flows (RFC 5626 section 11.5)."""
    with Sipp("uas_edge", (EDGES[0], 5060), calls=2) as one, Sipp("uas_edge", (EDGES[1], 5060), calls=2) as two, sbc_between() as sbc:
        until(lambda: f"two flows, but {registration(sbc)}", lambda: [up for up, _ in states(sbc)] == [True, True], 15)
        with Sipp("uac_refused", UAS, INSIDE) as caller:
            caller.wait()
        one.wait()
        two.wait()
        (heard,) = {message.start for message in caller.messages() if message.start.startswith("SIP/2.0 4")}
        assert heard.startswith("SIP/2.0 480 "), heard


def lacks_outbound():
    """439: registered without outbound at once, and the other edge is left alone."""
    with Sipp("uas_lacks_outbound", (EDGES[0], 5060)) as edge, sbc_between() as sbc:
        until(lambda: f"registered, but {registration(sbc)}", lambda: registration(sbc)["state"] == "registered", 15)
        edge.wait()
        assert [flow["state"] for flow in registration(sbc)["flows"]] == ["registered", "waiting"], registration(sbc)
        assert states(sbc) == [(False, None), (False, None)], registration(sbc)


def switched(outbound="yes"):
    """A reload switches outbound on and off again, during a call: at no time is a binding left that is no more wanted, with a
    registrar that knows outbound and with one that takes a flow for a binding without."""
    knows, proxies = outbound == "yes", ", ".join(f'"sip:{ip}"' for ip in EDGES)
    flows = TABLES.format(address=ADDRESS, proxies=proxies)
    # Straight to the registrar.
    settings = next(line for line in flows.splitlines() if line.startswith("outbound"))
    plain = flows.replace(settings, 'registrars = ["sip:10.0.0.8"]')

    def reload(sbc, tables):
        sbc.write(tables=tables)
        status, _, body = sbc.curl("/v1/config/reload", "-X", "POST")
        assert status == 200, body

    def bound(carrier):
        return [int(count) for count in carrier.home.heard("bound")]

    with Edges(outbound=knows) as carrier, Liaison(tables=plain, shards=3) as sbc:
        until("a binding", lambda: bound(carrier) == [1], 10)
        calls_in()
        reload(sbc, flows)
        # The removal, then each flow; without outbound one of them.
        made = [1, 0, 1, 2] if knows else [1, 0, 1]
        until(lambda: f"{made}, but {bound(carrier)}: {registration(sbc)}", lambda: bound(carrier) == made, 10)
        wanted = [True, True] if knows else [False, False]
        until(lambda: f"flows, but {registration(sbc)}", lambda: [up for up, _ in states(sbc)] == wanted, 10)
        calls_in()
        with Sipp("uas", UAC) as called, Sipp("uac", UAS, INSIDE, pause=3000) as calling:
            sbc.established(1)
            reload(sbc, plain)
            back = made + ([1, 0, 1] if knows else [0, 1])
            until(lambda: f"{back}, but {bound(carrier)}: {registration(sbc)}", lambda: bound(carrier) == back, 10)
            assert sbc.established(1), "the call goes on"
            calling.wait()
            called.wait()
        until(lambda: f"registered, but {registration(sbc)}", lambda: registration(sbc)["state"] == "registered", 10)
        assert registration(sbc)["flows"] == [], registration(sbc)
        calls_in()
        asked = [(field(one, "Expires"), ";reg-id=" in field(one, "Contact")) for one in carrier.home.heard("REGISTER")]
        assert asked[:2] == [("60", False), ("0", False)] and asked[-1] == ("60", False), asked
        assert {expires for expires, numbered in asked if numbered} == {"60", "0"}, asked


if __name__ == "__main__":
    run(outbound, alone, flow_failed, lacks_outbound, switched)
