"""Two users of the network outside, who register with a password, and baresip as one of them over UDP."""
from baresip_ua import Baresip

TABLES = """
[networks.outside.registrar]
domains = ["example.com"]
challenge = { realm = "example.com", users = [
    { username = "carol", password = { env = "PHONE_PASSWORD" } }, { username = "dave", password = { env = "PHONE_PASSWORD" } },
] }
accounts = [{ address = "carol@example.com", users = ["carol"] }, { address = "dave@example.com", users = ["dave"] }]

[[routes]]
name = "users"
called = ["@example.com"]
to = [{ domain = "example.com" }]
"""
PASSWORD = "down-the-rabbit-hole"


def phone(user, ip, tone, more=""):
    account = f"regint=600;auth_user={user};auth_pass={PASSWORD};outbound=\"sip:10.0.0.2:5060;transport=udp\";{more}"
    return Baresip(user, ip, domain="example.com", account=account, tone=tone)
