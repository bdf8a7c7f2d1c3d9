"""The home network of a smart card: AKA challenges by MILENAGE (3GPP TS 35.206), with AES of the openssl program.

    home = Home(K, OP)
    nonce = home.challenge(sqn=100)
    assert home.sqn_of(auts) == 100

Standard library only.
"""
import base64, os
from certificates import openssl


def xor(*parts):
    return bytes(x ^ y for x, y in zip(*parts))


class Home:
    """k, op: 16 bytes each. The random part of challenges is `rand`, or new for each."""
    def __init__(self, k, op, rand=None):
        self.k, self.rand = k, rand
        self.opc = xor(self.aes(op), op)

    def aes(self, block):
        return openssl("enc", "-aes-128-ecb", "-K", self.k.hex(), "-nopad", input=block)

    def out(self, rand, turn, constant):
        """OUT2 to OUT5 (§4.1): the rotation in bytes, and the last byte of the constant."""
        temp = xor(self.aes(xor(rand, self.opc)), self.opc)
        turned = temp[turn:] + temp[:turn]
        return xor(self.aes(turned[:-1] + bytes([turned[-1] ^ constant])), self.opc)

    def f1(self, rand, sqn, amf):
        """f1 and f1*: MAC-A and MAC-S."""
        block = xor(2 * (sqn + amf), self.opc)
        out = xor(self.aes(xor(self.aes(xor(rand, self.opc)), block[8:] + block[:8])), self.opc)
        return out[:8], out[8:]

    def challenge(self, sqn, amf=b"\xb9\xb9"):
        """A nonce (RFC 3310 §3.2)."""
        rand, number = self.rand or os.urandom(16), sqn.to_bytes(6, "big")
        hidden = xor(number, self.out(rand, 0, 1)[:6])
        return base64.b64encode(rand + hidden + amf + self.f1(rand, number, amf)[0]).decode()

    def res(self, nonce):
        """What the card answers (f2), which is the password (RFC 3310 §3.3)."""
        return self.out(base64.b64decode(nonce)[:16], 0, 1)[8:]

    def sqn_of(self, nonce, auts):
        """The sequence number of the card that has answered with AUTS, or None if it is not the card's word (TS 33.102 §6.3.5)."""
        rand, text = base64.b64decode(nonce)[:16], base64.b64decode(auts)
        number = xor(text[:6], self.out(rand, 12, 8)[:6])
        return int.from_bytes(number, "big") if self.f1(rand, number, b"\0\0")[1] == text[6:] else None
