#!/usr/bin/python3
"""baresip_pair.py - two phones call each other, hear each other, hold and resume, with nothing in between.

Run it as   lo-run ./baresip_pair.py   ; shows that the phones of the lab work.
"""
from baresip_ua import Baresip
from ear import Ear

for transport in ("udp", "tcp"):
    with Baresip("alice", "10.0.0.1", tone=440, transport=transport) as alice, \
         Baresip("bob", "10.0.0.4", tone=1000, transport=transport, account="answermode=auto") as bob, \
         Ear(alice.rtp_ports) as at_alice, Ear(bob.rtp_ports) as at_bob:
        alice.command("dial", bob.uri)
        alice.wait("CALL_ESTABLISHED")
        bob.wait("CALL_ESTABLISHED")
        before = alice.listen(1000), bob.listen(440), at_alice.listen(1000), at_bob.listen(440)
        alice.command("hold")
        at_alice.quiet()
        alice.command("resume")
        after = at_alice.listen(1000), at_bob.listen(440)
        alice.command("hangup")
        bob.wait("CALL_CLOSED")
        print("ok    %s: alice hears %.0f Hz, bob %.0f Hz; on the wire %.0f and %.0f; after hold and resume %.0f and %.0f"
              % (transport, *before, *after))
