"""One measurement of one server."""
import time
import machine
from account import Account
from load import Load
from rounds import place
from servers import PORTS

WARM = 1000  # requests before the first that counts
SETTLE = 2  # s between the memory of a fresh process, and that with connections


def address(transport):
    return f"127.0.0.1:{PORTS[transport]}"


def requests(server, transport, root, connections, rate, count, patience):
    """CPU for each of `count` OPTIONS with their answers, on connections that are open, and memory of such a connection."""
    with server.start(place()) as running, Load(transport, address(transport), root) as load:
        time.sleep(SETTLE)
        fresh = machine.pss(running.pids)
        load.order("ping", connections=connections, count=WARM, rate=1000)
        time.sleep(SETTLE)
        held = machine.pss(running.pids)
        machine.wait_quiet(patience)
        with Account(running.pids, [load.process.pid]) as account:
            result = load.order("ping", connections=connections, count=count, rate=rate)
            time.sleep(0.5)
        return finished(result, "request", server, transport, rate, account) | {"kib": round((held - fresh) / connections, 1)}


def handshakes(server, transport, root, rate, count, patience):
    """CPU for each of `count` connections: opened, one OPTIONS answered, closed."""
    with server.start(place()) as running, Load(transport, address(transport), root) as load:
        load.order("connect", count=50, rate=50)
        machine.wait_quiet(patience)
        with Account(running.pids, [load.process.pid]) as account:
            result = load.order("connect", count=count, rate=rate)
            time.sleep(0.5)
        return finished(result, "connection", server, transport, rate, account)


def finished(result, kind, server, transport, rate, account):
    done = max(1, result["succeeded"])
    result |= {"kind": kind, "server": server.name, "transport": transport, "rate": rate, "us": round(1e6 * account.cpu / done, 1),
               "user_share": account.user_share, "switches": round(account.switches / done, 2), "foreign": account.foreign}
    lost = result["failed"] + result["retransmissions"]
    return result | {"counts": lost < 0.001 * done and result["foreign"] < 0.03}
