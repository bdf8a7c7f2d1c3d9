"""The example `load`: user agents as one process that takes orders."""
import json, os, subprocess


class Load:
    """User agents that reach a server at an address over a transport. Each order gives what came of it."""

    def __init__(self, transport, server, root=None):
        command = [os.path.join(os.environ["EXAMPLES"], "load"), transport, server, *([root] if root else [])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def order(self, what, **how):
        self.process.stdin.write(json.dumps({"order": what, **how}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load ended, exit status {self.process.wait()}")
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
