#!/usr/bin/python3
"""gruus.py CHECK - a trunk that registers with Kamailio, and goes by the GRUUs that it gives (RFC 5627)."""
import here, os, re, signal
from kamailio_registrar import ADDRESS, AT, PASSWORD, USER, Registrar
from liaison import INSIDE, Liaison, run, until
from sipp import UAC, UAS, Sipp
from trunks import TABLES, field, registration

CARRIER = "10.0.0.6:5060"
# The R-URI of SIPp's calling side.
CALLED = "INVITE sip:+4930123456[call_number]@[remote_ip]:[remote_port];user=phone SIP/2.0"


def document(transport):
    return TABLES.format(user=USER, address=ADDRESS, at=AT[transport])


def within(check):
    """Runs a check with Kamailio, and Liaison registered there over UDP."""
    os.environ["TRUNK_PASSWORD"] = PASSWORD
    settings = {"profile": 'digest = { algorithms = ["SHA-256", "MD5"] }'}
    with Registrar("udp") as carrier, Liaison(tables=document("udp"), **settings) as sbc:
        try:
            until(lambda: f"registered, but {registration(sbc)}", lambda: registration(sbc)["state"] == "registered", 15)
            check(carrier, sbc)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{carrier.logged()[-8000:]}") from None


def given(sbc):
    """The public and the temporary GRUU, which Kamailio has made."""
    with open(sbc.state + "/instance") as file:
        instance = file.read().strip()
    shown = registration(sbc)
    public, temporary = shown["public_gruu"], shown["temporary_gruu"]
    assert public == f"sip:{ADDRESS};gr={instance}", shown
    assert re.fullmatch(r"sip:[^@]+@carrier\.example;gr", temporary) and "4930123456" not in temporary, shown
    return public, temporary


def only(values):
    """What all of them are."""
    (value,) = set(values)
    return value


def contacts(sipp, **wanted):
    """The Contact of what a SIPp has heard."""
    heard = [m for m in sipp.messages() if not m.sent and all(getattr(m, name) == value for name, value in wanted.items())]
    assert heard, sipp.report()
    return [m.one("Contact") for m in heard]


def names(carrier, sbc):
    public, temporary = given(sbc)
    # A call of ours: our Contact is the GRUU, and its BYE comes to that.
    with Sipp("uas_hangs_up", UAC, pause=500) as called, Sipp("uac_hears_bye", UAS, INSIDE) as calling:
        calling.wait()
        called.wait()
    assert only(contacts(called, method="INVITE", status=None)) == f"<{public}>", called.report()
    assert f"BYE {public}" in carrier.heard("within"), carrier.heard("within")
    # Who wants to stay unknown goes by the other one.
    private = [("Max-Forwards: 70\nFrom: \"Alice", "Max-Forwards: 70\nPrivacy: id\nFrom: \"Alice")]
    with Sipp("uas_hangs_up", UAC, pause=500) as called, Sipp("uac_hears_bye", UAS, INSIDE, edits=private) as calling:
        calling.wait()
        called.wait()
    hidden = re.fullmatch("<(.*)>", only(contacts(called, method="INVITE", status=None)))[1]
    assert re.fullmatch(r"sip:[^@]+@carrier\.example;gr", hidden) and "4930123456" not in hidden, called.report()
    assert f"BYE {hidden}" in carrier.heard("within"), carrier.heard("within")
    # A call to us: each response that makes the dialog has the GRUU, and what follows is sent to that.
    with Sipp("uas", UAS) as called, Sipp("uac", UAC, CARRIER) as calling:
        calling.wait()
        called.wait()
    for status in (180, 200):
        heard = [m for m in calling.messages() if not m.sent and m.status == status and m.method == "INVITE"]
        assert heard and all(m.one("Contact") == f"<{public}>" and "gruu" in m.all("Supported") for m in heard), calling.report()
    for method in ("ACK", "BYE"):
        assert [line for line in carrier.heard("within") if line == f"{method} {public}"], carrier.heard("within")
    # Kamailio leads all of them to our contact.
    assert {line.split()[1] for line in carrier.heard("led")} == {"sip:carrier@10.0.0.2:5060"}, carrier.heard("led")
    # Calls to each of them are calls to us.
    for gruu in (public, temporary, hidden):
        with Sipp("uas", UAS) as called, Sipp("uac", UAC, CARRIER, edits=[(CALLED, f"INVITE {gruu} SIP/2.0")]) as calling:
            calling.wait()
            called.wait()
    assert [leg["trunk"] for leg in sbc.records(6)[-1]["legs"]] == ["carrier", "b"]


def moves(carrier, sbc):
    """Within a call we register by another transport, and the contact of before runs out: who hangs up finds us by the GRUU."""
    public, _ = given(sbc)
    with Sipp("uas_hangs_up", UAC, pause=30_000) as called, Sipp("uac_hears_bye", UAS, INSIDE) as calling:
        sbc.established(1)
        sbc.write(tables=document("tcp"))
        sbc.signal(signal.SIGHUP)
        moved = "<sip:carrier@10.0.0.2:5060;transport=tcp>"
        until("registered from elsewhere", lambda: field(carrier.registers()[-1], "Contact").startswith(moved), 10)
        calling.wait(60)
        called.wait(60)
    (bye,) = [m for m in called.messages() if m.sent and m.method == "BYE" and m.status is None][:1]
    assert bye.start == f"BYE {public} SIP/2.0", bye
    assert carrier.heard("led")[-1] == "BYE sip:carrier@10.0.0.2:5060;transport=tcp", carrier.heard("led")
    assert given(sbc)[0] == public
    sbc.idle()
    # And a new call by the name of before does too.
    with Sipp("uas", UAS) as called, Sipp("uac", UAC, CARRIER, edits=[(CALLED, f"INVITE {public} SIP/2.0")]) as calling:
        calling.wait()
        called.wait()


def kamailio(what):
    within({"names": names, "moves": moves}[what])


if __name__ == "__main__":
    run(kamailio)
