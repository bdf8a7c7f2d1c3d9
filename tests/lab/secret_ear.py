"""Listens to the SRTP that arrives at some ports with keys that it was told, by the AES of openssl: AES_CM_128_HMAC_SHA1_80 only.
Standard library only.

    with SecretEar(phone.rtp_ports, "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz") as ear:
        ear.listen(1000)

    with Handshakes() as handshakes, Baresip(..., environment=handshakes.environment) as phone, SecretTape(phone.rtp_ports) as tape:
        ...
        tape.learn(*handshakes.keys())                        # it has kept all that came before
        heard(tape.played(), RATE)
"""
import base64, hashlib, hmac, os, subprocess, tempfile
from certificates import openssl
from ear import RATE, DECODERS, Ear
from recording import Patient, Reel

TAG = 10


def encrypted(key, blocks):
    """AES of blocks one after the other."""
    return openssl("enc", "-aes-128-ecb", "-nopad", "-nosalt", "-K", key.hex(), input=blocks)


def session(master, salt, label, length):
    """A session key (RFC 3711 §4.3.1)."""
    vector = int.from_bytes(salt, "big") ^ label << 48
    blocks = b"".join(((vector << 16) + number).to_bytes(16, "big") for number in range(-(-length // 16)))
    return encrypted(master, blocks)[:length]


class Keys:
    """The session keys of a master key and salt: octets, or as a=crypto has them."""
    def __init__(self, told):
        told = base64.b64decode(told) if isinstance(told, str) else told
        master, salt = told[:16], told[16:30]
        self.key, self.authenticity = session(master, salt, 0, 16), session(master, salt, 1, 20)
        self.salt = int.from_bytes(session(master, salt, 2, 14), "big")

    def signed(self, index, rtp):
        """Whether a packet has their tag (RFC 3711 §4.2)."""
        whole = rtp[:-TAG] + (index >> 16).to_bytes(4, "big")
        return hmac.new(self.authenticity, whole, hashlib.sha1).digest()[:TAG] == rtp[-TAG:]

    def vector(self, index, rtp):
        """The first block of its key stream, before AES (RFC 3711 §4.1.1)."""
        return self.salt << 16 ^ int.from_bytes(rtp[8:12], "big") << 64 ^ index << 16


class SecretEar(Ear):
    """What has the tag of none of the keys is `forged`, and not heard."""
    def __init__(self, ports, *told):
        self.keys, self.rolled, self.last, self.forged = [], 0, None, []
        self.learn(*told)
        super().__init__(ports)

    def learn(self, *told):
        """Keys and salts, each as a=crypto has it or as octets."""
        self.keys = [*self.keys, *map(Keys, told)]

    def take(self, packet):
        head = (packet[0] & 15) * 4
        destination = int.from_bytes(packet[head + 2:head + 4], "big")
        rtp = packet[head + 8:int.from_bytes(packet[2:4], "big")]
        if packet[9] != 17 or destination not in self.ports or destination % 2 or len(rtp) < 12 + TAG or rtp[0] != 0x80 or 192 <= rtp[1] <= 223:
            return
        sequence = int.from_bytes(rtp[2:4], "big")
        if self.last is not None and self.last > 0xf000 and sequence < 0x1000:
            self.rolled += 1
        self.last = sequence
        with self.news:
            self.arrived(self.rolled << 16 | sequence, rtp)
            self.total += len(rtp) - 12 - TAG
            self.news.notify_all()

    def arrived(self, index, rtp):
        # 25 packets are half a second.
        self.recent = (self.recent + [(index, rtp)])[-60:]

    def opened(self, packets):
        """The samples of each packet, given with its index."""
        opened, blocks, lengths = [[] for _ in packets], {}, [-(-(len(rtp) - 12 - TAG) // 16) for _, rtp in packets]
        of = []
        for (index, rtp), length in zip(packets, lengths):
            keys = next((keys for keys in self.keys if keys.signed(index, rtp)), None)
            of.append(keys)
            if keys is None:
                self.forged.append(rtp)
            else:
                vector = keys.vector(index, rtp)
                blocks.setdefault(keys, []).extend((vector + number).to_bytes(16, "big") for number in range(length))
        streams = {keys: encrypted(keys.key, b"".join(one)) for keys, one in blocks.items()}
        for samples, (_, rtp), length, keys in zip(opened, packets, lengths, of):
            decoder = DECODERS.get(rtp[1] & 127)
            if keys is None:
                continue
            stream, streams[keys] = streams[keys][:16 * length], streams[keys][16 * length:]
            if decoder:
                samples.extend(decoder[octet ^ key] for octet, key in zip(rtp[12:-TAG], stream))
        return opened

    def heard(self, seconds=0.5, since=0):
        """As Ear has it."""
        with self.news:
            recent = self.recent[-int(50 * seconds):] if self.total - since >= RATE * seconds else []
        heard = [sample for samples in self.opened(recent) for sample in samples]
        return self.judge(heard) if heard else (0.0, 0.0)


class SecretTape(Patient, SecretEar):
    """Keeps all that arrives, as Tape does; what it means is asked for when the keys are known."""
    def __init__(self, ports, *told, speaker=None):
        self.kept, self.speaker = [], speaker
        super().__init__(ports, *told)

    def take(self, packet):
        self.watch(packet)
        super().take(packet)

    def arrived(self, index, rtp):
        super().arrived(index, rtp)
        self.kept.append((self.came - self.stood, index, rtp))

    def played(self):
        with self.news:
            kept = self.kept[:]
        reel = Reel()
        self.forged.clear()
        for (came, _, _), samples in zip(kept, self.opened([(index, rtp) for _, index, rtp in kept])):
            reel.put(samples, came)
        return reel.samples


class Handshakes:
    """Has a telephone tell what its OpenSSL exports for SRTP, by a library that is put before that."""
    SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "handshake_keys.c")

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="handshakes.")
        library, self.path = self.folder.name + "/handshake_keys.so", self.folder.name + "/keys"
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, self.SOURCE, "-ldl"], check=True)
        self.environment = {"LD_PRELOAD": library, "HANDSHAKE_KEYS": self.path}

    def keys(self):
        """Key and salt of each side of each handshake (RFC 5764 §4.2); the tags tell which one a packet is of."""
        if not os.path.exists(self.path):
            return []
        with open(self.path) as file:
            exported = [bytes.fromhex(line) for line in file]
        assert all(len(octets) >= 60 for octets in exported), [len(octets) for octets in exported]
        return [key + salt for octets in exported for key, salt in ((octets[:16], octets[32:46]), (octets[16:32], octets[46:60]))]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()
