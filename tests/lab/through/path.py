#!/usr/bin/python3
"""path.py CHECK - a phone registers to Liaison by an edge proxy, Kamailio, and is called by its Path (RFC 3327)."""
import here, os, re
import messages
from baresip_ua import Baresip
from kamailio_path import IP, Edge
from liaison import OUTSIDE, Liaison, run
from sipp import UAC, Sipp

PASSWORD = "down-the-rabbit-hole"
TABLES = """
[networks.outside.registrar]
domains = ["example.com"]
challenge = {{ realm = "example.com", users = [{users}] }}
accounts = [{accounts}]
{more}
[[routes]]
name = "users"
priority = 200
{match}
to = [{{ domain = "example.com" }}]
"""
# The number that the UAC calls becomes a user.
NUMBER = 'networks = ["outside"]\nnumber = { strip = "+4930123456", prefix = "user" }'


def tables(*names, match=NUMBER, more=""):
    """The registrar of these users, each with an address of that name."""
    users = ", ".join(f'{{ username = "{name}", password = {{ env = "PHONE_PASSWORD" }} }}' for name in names)
    accounts = ", ".join(f'{{ address = "{name}@example.com", users = ["{name}"] }}' for name in names)
    return TABLES.format(users=users, accounts=accounts, match=match, more=more)


PHONE, EDGE = ("10.0.0.6", 5060), f"{IP}:5060"
# Nobody is there.
CONTACT = ("[local_ip]:[local_port]>\n      Expires", "192.168.9.9:5060>\n      Expires")
SUPPORTS = ("Expires: 600", "Supported: path\n      Expires: 600")
PATH = "<sip:10.0.0.8;lr;received=sip:10.0.0.6:5060>"


def field(message, name):
    return re.findall(rf"^{name}: (.*?)\r?$", message, re.MULTILINE | re.IGNORECASE)


def register(*edits):
    credentials = ("-au", "user1", "-ap", PASSWORD, "-auth_uri", "example.com")
    with Sipp("uac_registers", PHONE, EDGE, edits=(CONTACT, *edits), extra=credentials) as phone:
        phone.wait(20)
        return phone.messages()[-1]


def behind_edge(check, more=""):
    os.environ["PHONE_PASSWORD"] = PASSWORD
    with Edge() as edge, Liaison(tables=tables("user1", more=more), profile='digest = { algorithms = ["MD5"] }') as sbc:
        try:
            check(edge, sbc)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{edge.logged()[-8000:]}\n{sbc.logged()[-4000:]}") from None


def called(edge, sbc):
    """The call goes to the edge with the Path as its Route, byte for byte, and by that to the phone; so does all that follows."""
    with Sipp("uas", PHONE) as phone, Sipp("uac", UAC, OUTSIDE, pause=500) as caller:
        caller.wait(30)
        phone.wait(30)
        invite, = messages.requests(phone.messages(), "INVITE", sent=False)
        bye, = messages.requests(phone.messages(), "BYE", sent=False)
    given = edge.heard("INVITE")[-1]
    assert given.startswith("INVITE sip:user1@192.168.9.9:5060 SIP/2.0\r\n") and field(given, "Route") == [PATH], given
    assert len(field(given, "Via")) == 1 and "10.0.0.2" in field(given, "Via")[0], given
    assert invite.start == "INVITE sip:user1@192.168.9.9:5060 SIP/2.0" and not invite.all("route"), str(invite)
    assert len(invite.all("via")) == 2 and IP in invite.all("via")[0] and IP in invite.one("record-route"), str(invite)
    assert len(bye.all("via")) == 2, "by its route set, which the edge is in:\n" + str(bye)
    assert any(line.startswith("BYE 10.0.0.2") for line in edge.heard("within")), edge.heard("within")
    sbc.idle()


def kept():
    def check(edge, sbc):
        ok = register(SUPPORTS)
        assert ok.status == 200 and ok.one("path") == PATH, str(ok)
        assert field(edge.heard("answer")[-1], "Path") == [PATH], edge.heard("answer")[-1]
        called(edge, sbc)
        # It is there after a restart.
        sbc.kill()
        sbc.start()
        called(edge, sbc)
    behind_edge(check)


def unasked():
    """The phone does not support Path: it hears of the edge that has added itself, and is not bound."""
    def check(edge, sbc):
        refused = register(('response="200"', 'response="420"'))
        assert refused.status == 420 and refused.one("unsupported") == "path", str(refused)
        assert sbc.get("/v1/registrations")["registrations"] == [], sbc.get("/v1/registrations")
        assert register(SUPPORTS).status == 200
    behind_edge(check)


def anybody():
    """The same phone, where the Path of anybody is kept."""
    def check(edge, sbc):
        ok = register()
        assert ok.status == 200 and not ok.all("path"), str(ok)
        called(edge, sbc)
    behind_edge(check, 'path = "anybody"')


def phones():
    """Two telephones behind the edge that know nothing of Path, as baresip, call each other by Liaison."""
    os.environ["PHONE_PASSWORD"] = PASSWORD
    account = f"regint=600;auth_user={{}};auth_pass={PASSWORD};outbound=\"sip:{EDGE};transport=udp\";{{}}"
    users = tables("carol", "dave", match='called = ["@example.com"]', more='path = "anybody"')
    with Edge() as edge, Liaison(tables=users, profile='digest = { algorithms = ["MD5"] }') as sbc, \
         Baresip("carol", "10.0.0.6", domain="example.com", account=account.format("carol", "")) as carol, \
         Baresip("dave", "10.0.0.7", domain="example.com", account=account.format("dave", "answermode=auto")) as dave:
        for one in (carol, dave):
            one.wait("REGISTER_OK")
        carol.command("dial", "sip:dave@example.com")
        carol.wait("CALL_ESTABLISHED")
        dave.wait("CALL_ESTABLISHED")
        sbc.established(1)
        assert field(edge.heard("INVITE")[-1], "Route") == [PATH.replace("10.0.0.6", "10.0.0.7")]
        carol.command("hangup")
        dave.wait("CALL_CLOSED")
        sbc.idle()


run(kept, unasked, anybody, phones)
