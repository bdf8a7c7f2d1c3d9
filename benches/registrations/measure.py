"""One measurement of one registrar."""
import time
import machine
from account import Account
from load import Load
from rounds import place

SERVER = "127.0.0.1:5060"
WARM = 500  # users who register before the first that counts
SETTLE = 40  # s: transactions are over (64*T1), and nothing is left of REGISTERs but their bindings
MEMORY_RATE = 500  # registrations/s while bindings gather


def cpu(server, rate, users, again, patience, tail=0):
    """CPU for each of `users` registrations at `rate` a second. They are challenged first, or with `again` come back with the
    challenge that they had. `tail`: seconds after them that count, too, in which a registrar writes back what it was told."""
    directory = place()
    with server.start(directory) as running, Load("udp", SERVER) as load:
        if again:
            checked(load.order("register", **{"from": 0, "to": users}, rate=min(rate, MEMORY_RATE), again=False), directory)
        else:
            checked(load.order("register", **{"from": users, "to": users + WARM}, rate=500, again=False), directory)
        time.sleep(1)
        machine.wait_quiet(patience)
        with Account(running.pids, [load.process.pid]) as account:
            result = load.order("register", **{"from": 0, "to": users}, rate=rate, again=again)
            time.sleep(tail + 0.5)
        done = max(1, result["succeeded"])
        result |= {"kind": "again" if again else "first", "server": server.name, "rate": rate,
                   "us": round(1e6 * account.cpu / done, 1), "user_share": account.user_share,
                   "switches": round(account.switches / done, 2), "foreign": account.foreign}
        result["counts"] = counts(result)
        return result


def counts(result):
    """Whether a run counts: failures and retransmissions under 0.1 %, foreign CPU under 3 %."""
    return sound(result) and result["foreign"] < 0.03


def sound(result):
    return result["failed"] + result["retransmissions"] < 0.001 * result["succeeded"]


def highest(server, users, rates):
    """The highest of `rates` at which all register, nothing sent again; a fresh process for each."""
    best = 0
    for rate in rates:
        with server.start(place()) as running, Load("udp", SERVER) as load:
            del running
            if not sound(load.order("register", **{"from": 0, "to": users}, rate=rate, again=False)):
                break
            best = rate
    return {"kind": "highest", "server": server.name, "rate": best}


def memory(server, few, many):
    """Memory of a binding: PSS with `many` less that with `few`, each `SETTLE` seconds after the last of them. `few` take longer
    than a transaction, so that as much as transactions ever need is in both."""
    directory = place()
    with server.start(directory) as running, Load("udp", SERVER) as load:
        marks = []
        for begin, end in ((0, few), (few, many)):
            checked(load.order("register", **{"from": begin, "to": end}, rate=MEMORY_RATE, again=False), directory)
            time.sleep(SETTLE)
            marks.append(machine.pss(running.pids))
        return {"kind": "memory", "server": server.name, "few_kib": marks[0], "many_kib": marks[1],
                "kib_binding": round((marks[1] - marks[0]) / (many - few), 3)}


def survival(server, users, rate, wait):
    """How many of `users` bindings, all acknowledged, are there after the processes were killed `wait` seconds after the last
    of them, and started again."""
    directory = place()
    with server.start(directory) as running, Load("udp", SERVER) as load:
        first = load.order("register", **{"from": 0, "to": users}, rate=rate, again=False)
        time.sleep(wait)
    del running
    with server.start(directory), Load("udp", SERVER) as load:
        there = load.order("query", **{"from": 0, "to": users}, rate=rate)
    return {"kind": "survival", "server": server.name, "acknowledged": first["succeeded"], "wait": wait, "there": there["contacts"]}


def checked(result, directory):
    if result["succeeded"] < 0.99 * (result["succeeded"] + result["failed"]):
        raise RuntimeError(f"the server does not work: {result}; see {directory}")
