"""The registrars. Each takes REGISTERs of user0 and up for bench.example at 127.0.0.1:5060."""
import contextlib, os, pathlib, sqlite3
import process
from process import BENCHES, Server

SIP = ("udp", "127.0.0.1", 5060)
TABLES = pathlib.Path("/usr/share/kamailio/db_sqlite")
# How a registrar of Kamailio keeps its bindings (`db_mode` of usrloc), and how often it writes them and looks for those that
# have ended, in seconds.
MEMORY, THROUGH, BACK = 0, 1, 2
INTERVAL = 60
PASSWORD = "down-the-rabbit-hole"

# Everything has its default but for addresses, the algorithm, which is the one that both offer, and the nonces: each user
# comes back with the one that it has.
LIAISON = """
[node]
state_directory = "{state}"

[limits]
nonces = 1_000_000

[networks.users]
listeners = [{{ transport = "udp", address = "127.0.0.1:5060" }}]

[networks.users.registrar]
domains = ["bench.example"]
keep = {keep}
challenge = {{ realm = "bench.example", users = [
{users}] }}
accounts = [
{accounts}]

[profiles.default]
media = "bypass"
digest = {{ algorithms = ["MD5"] }}
"""


def liaison(users, keep):
    def commands(directory):
        os.environ["BENCH_PASSWORD"] = PASSWORD
        text = LIAISON.format(
            state=directory, keep="true" if keep else "false",
            users="".join(f'    {{ username = "user{n}", password = {{ env = "BENCH_PASSWORD" }} }},\n' for n in range(users)),
            accounts="".join(f'    {{ address = "user{n}@bench.example", users = ["user{n}"] }},\n' for n in range(users)))
        return [process.liaison(directory, text, [SIP])]

    return Server("liaison, " + ("kept, group commit" if keep else "in memory"), commands)


def kamailio(users, mode, children, interval=INTERVAL):
    def commands(directory):
        defines = [f"USERS={users}", f"DB_MODE={mode}", f"INTERVAL={interval}"]
        if mode != MEMORY:
            path = pathlib.Path(directory, "kamailio.sqlite")
            if not path.exists():
                with contextlib.closing(sqlite3.connect(path)) as database:
                    for tables in ("standard", "usrloc"):
                        database.executescript((TABLES / f"{tables}-create.sql").read_text())
            defines.append(f'DB_URL="sqlite:///{path}"')
        return [process.kamailio(directory, BENCHES / "peers" / "kamailio-registrar.cfg", children, [SIP], defines)]

    names = {MEMORY: "in memory", THROUGH: "write-through to SQLite", BACK: f"write-back to SQLite every {interval} s"}
    return Server(f"kamailio, {names[mode]}, {children} children", commands)
