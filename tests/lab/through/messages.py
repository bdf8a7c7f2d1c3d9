#!/usr/bin/python3
"""messages.py write TRANSPORT - linphonec writes to baresip and to another linphonec, all registered here."""
import here, re
from house import House, linphone, phone
from liaison import run, until

MD5 = 'digest = { algorithms = ["MD5"] }'
WORDS, BACK = "Mr. Watson, come here", "I want to see you"


def message(trace, text):
    """The MESSAGE with that body, as a phone has printed it (linphonec sends the quotes, too); None before it has come."""
    found = re.search(r"(MESSAGE sip:[^\r\n]* SIP/2\.0\r?\n(?:[^\r\n]+\r?\n)+\r?\n)\"" + re.escape(text), trace)
    return found and found[1]


def write(transport):
    with House(profile=MD5) as sbc, phone(sbc, "carol", "10.0.0.6", transport) as carol, \
         linphone(sbc, "dave", "10.0.0.7", transport) as dave, linphone(sbc, "web", "10.0.0.8", transport) as web:
        until(sbc.registered, lambda: set(sbc.registered()) == {"carol", "dave", "web"}, 15)
        dave.say(f'chat sip:carol@example.com "{WORDS}"')
        until(carol.trace, lambda: message(carol.trace(), WORDS), 10)
        head = message(carol.trace(), WORDS)
        assert head.startswith("MESSAGE sip:carol") and "From: " in head and "sip:dave@example.com" in head, head
        assert "User-Agent: Liaison" in head and "10.0.0.7" not in head, head
        assert not re.search(r"^(Contact|Authorization|Proxy-Authorization):", head, re.M), head
        web.say(f'chat sip:dave@example.com "{BACK}"')
        until(dave.trace, lambda: message(dave.trace(), BACK), 10)
        dave.wait(f"Message received from .*sip:web@example.com.*{BACK}")
        # What linphonec says of whether it was read goes the same way.
        assert sbc.metrics()['liaison_requests_carried_total{method="MESSAGE"}'] >= 2
        until(sbc.metrics, lambda: sbc.metrics()["liaison_requests_waiting"] == 0, 10)


run(write)
