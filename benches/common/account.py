"""What a server used while it was loaded."""
import time
import machine


class Account:
    """CPU of processes from entering to leaving, in seconds; `foreign` is the share of the machine that neither they nor the
    load took, nor idleness."""

    def __init__(self, server, load):
        self.server, self.load = server, load

    def __enter__(self):
        self.before = self._read()
        return self

    def __exit__(self, *_):
        after = self._read()
        used = {kind: after["server"][kind] - self.before["server"][kind] for kind in after["server"]}
        self.cpu = used["all"]
        self.user_share = round(used["user"] / max(1e-9, used["user"] + used["system"]), 2)
        busy, total = (now - before for now, before in zip(after["machine"], self.before["machine"]))
        self.foreign = round((busy - self.cpu - (after["own"] - self.before["own"])) / total, 4)
        self.switches = after["switches"] - self.before["switches"]

    def _read(self):
        return {"server": machine.cpu(self.server), "own": machine.cpu(self.load)["all"] + time.process_time(),
                "machine": machine.whole(), "switches": sum(machine.switches(self.server))}
