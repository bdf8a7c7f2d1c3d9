"""What is measured: each has its ports towards A at 127.0.0.1, and those towards B at `b`."""
import os
import ng, process, sip
from process import Server

A, B = 2000, 10000  # the first port of the two parties of the first call; relays use 20000 and above
FLOOR = 20000

SECURE = """
[profiles.secure]
srtp = { mode = "required", suites = ["AES_CM_128_HMAC_SHA1_80"], keys_in_clear = true }

[profiles.plain]
srtp = { mode = "off" }
"""
# What A and B speak.
SIDES = {"plain": ("plain", "plain"), "plain-sdes": ("plain", "secure"), "sdes-sdes": ("secure", "secure")}


class Relay(Server):
    """A server that relays. `calls(count, mode, (a, b))` sets calls up and gives their lines for blast."""

    def __init__(self, name, commands, calls, b="127.0.0.1"):
        super().__init__(name, commands)
        self.calls, self.b = calls, b


def liaison(mode):
    """With the keys of SDES on the legs that are secure in that mode, which are told in the clear here."""
    def commands(directory):
        document = process.LIAISON.format(state=directory)
        for trunk, profile in zip(("caller", "callee"), SIDES[mode]):
            document = document.replace(f"[trunks.{trunk}]", f'[trunks.{trunk}]\nprofile = "{profile}"')
        return [process.liaison(directory, document + SECURE, [("udp", "127.0.0.1", 5060)])]
    return Relay("liaison", commands, sip.calls, b="127.0.0.2")


def rtpengine():
    command = ["rtpengine", "--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--interface=127.0.0.1", "--listen-ng=127.0.0.1:2223",
               "--port-min=20000", "--port-max=60000", "--delete-delay=0", "--num-threads=2", "--timeout=600", "--silent-timeout=3600"]
    return Relay("rtpengine", lambda _: [("rtpengine", command, [("udp", "127.0.0.1", 2223)])], ng.calls)


def floor(count):
    def calls(count, _, first):
        return [f"{first[0] + 2 * i} {FLOOR + 2 * i} {first[1] + 2 * i} {FLOOR + 2 * i + 1} - -" for i in range(count)]
    command = [os.environ["FLOOR"], str(count), str(FLOOR)]
    return Relay("floor", lambda _: [("floor", command, [("udp", "127.0.0.1", FLOOR + 2 * count - 1)])], calls)
