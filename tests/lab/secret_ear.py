"""Listens to the SRTP that arrives at some ports with a key that it was told, by the AES of openssl: AES_CM_128 only, and tags
are not looked at. Standard library only.

    with SecretEar(phone.rtp_ports, "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz") as ear:
        ear.listen(1000)
"""
import base64
from certificates import openssl
from ear import RATE, DECODERS, Ear

TAG = 10                                          # AES_CM_128_HMAC_SHA1_80


def encrypted(key, blocks):
    """AES of blocks one after the other."""
    return openssl("enc", "-aes-128-ecb", "-nopad", "-nosalt", "-K", key.hex(), input=blocks)


def session(master, salt, label, length):
    """A session key (RFC 3711 §4.3.1)."""
    vector = int.from_bytes(salt, "big") ^ label << 48
    blocks = b"".join(((vector << 16) + number).to_bytes(16, "big") for number in range(-(-length // 16)))
    return encrypted(master, blocks)[:length]


class SecretEar(Ear):
    """inline: key and salt as a=crypto has them."""
    def __init__(self, ports, inline):
        told = base64.b64decode(inline)
        master, salt = told[:16], told[16:30]
        self.key, self.salt = session(master, salt, 0, 16), int.from_bytes(session(master, salt, 2, 14), "big")
        self.rolled, self.last = 0, None
        super().__init__(ports)

    def take(self, packet):
        head = (packet[0] & 15) * 4
        destination = int.from_bytes(packet[head + 2:head + 4], "big")
        rtp = packet[head + 8:int.from_bytes(packet[2:4], "big")]
        if packet[9] != 17 or destination not in self.ports or destination % 2 or len(rtp) < 12 + TAG or rtp[0] != 0x80:
            return
        sequence, ssrc = int.from_bytes(rtp[2:4], "big"), int.from_bytes(rtp[8:12], "big")
        if self.last is not None and self.last > 0xf000 and sequence < 0x1000:
            self.rolled += 1
        self.last = sequence
        with self.news:
            # 25 packets are half a second.
            self.recent = (self.recent + [(self.rolled << 16 | sequence, ssrc, rtp)])[-60:]
            self.total += len(rtp) - 12 - TAG
            self.news.notify_all()

    def heard(self, seconds=0.5, since=0):
        """As Ear has it."""
        with self.news:
            recent = self.recent[-int(50 * seconds):] if self.total - since >= RATE * seconds else []
        blocks, lengths = b"", []
        for index, ssrc, rtp in recent:
            vector = self.salt << 16 ^ ssrc << 64 ^ index << 16
            lengths.append(-(-(len(rtp) - 12 - TAG) // 16))
            blocks += b"".join((vector + number).to_bytes(16, "big") for number in range(lengths[-1]))
        stream, heard = encrypted(self.key, blocks) if blocks else b"", []
        for (_, _, rtp), length in zip(recent, lengths):
            keys, stream = stream[:16 * length], stream[16 * length:]
            decoder = DECODERS.get(rtp[1] & 127)
            heard += [decoder[octet ^ key] for octet, key in zip(rtp[12:-TAG], keys)] if decoder else []
        return self.judge(heard) if heard else (0.0, 0.0)
