"""Several servers in one run, in turn, and what is said of it."""
import json, os, random, statistics, sys, tempfile


def emit(result):
    """A result, on a line of standard output."""
    print(json.dumps(result), flush=True)
    return result


def say(text):
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def place():
    """A folder for one run of one server."""
    return tempfile.mkdtemp(prefix="run.", dir=os.environ["BENCH_DIRECTORY"])


def rounds(servers, runs, most, run):
    """[one result a server] of rounds until `runs` of them count, at most `most`: all of a round have to. Each round goes
    through the servers in an order of chance."""
    done = []
    for number in range(most):
        order = list(enumerate(servers))
        random.shuffle(order)
        results = dict((at, emit(run(server))) for at, server in order)
        done.append([results[at] for at in range(len(servers))])
        counting = sum(all(result["counts"] for result in one) for one in done)
        say(f"{counting} of {number + 1} rounds count")
        if counting >= runs:
            break
    return done


def those_that_count(done):
    """The rounds that count, and what to call them; all where too few do."""
    counting = [one for one in done if all(result["counts"] for result in one)]
    return (counting, f"{len(counting)}") if len(counting) * 2 > len(done) else (done, f"all {len(done)}, {len(counting)} count")


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def table(head, rows):
    """A table of Markdown; a head that begins with `>` is a column of numbers."""
    lines = [[cell.removeprefix(">") for cell in head], ["--:" if cell.startswith(">") else "---" for cell in head], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
