#!/usr/bin/env python3
"""Runs the parser benchmark several times, beside two parsers in C, and prints the tables of RESULTS.md.

usage: parser_ratios.py [runs, default 5]

The ratio is taken within each run, so that what else the machine does touches both sides; the median of the runs counts.
Installs Debian's development packages of libosip2 and sofia-sip where they are missing (as root or through sudo).
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
OURS, PEERS = "sip-types", ["rsipstack", "ezk-sip-types", "rsip"]
MESSAGES = ["invite", "ringing", "ok-sdp", "ack", "bye", "register", "options"]
TORTURE = ["torture", "torture-accepted-by-all"]
IN_C = {"libosip2": ("libosip2-dev", ["-DOSIP"], ["-losipparser2"]),
        "sofia-sip": ("libsofia-sip-ua-dev", ["-DSOFIA", "-I/usr/include/sofia-sip-1.12"], ["-lsofia-sip-ua"])}


def program_of(bench):
    """A benchmark's program, built once: all runs measure the same code."""
    command = ["cargo", "bench", "-p", "liaison-benches", "--bench", bench, "--no-run", "--message-format=json"]
    built = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in built.splitlines() if line.startswith("{")]
    return next(m["executable"] for m in messages if m.get("target", {}).get("kind") == ["bench"])


def build_in_c(directory):
    """The parsers in C: name to program."""
    missing = [package for package, _, _ in IN_C.values()
               if subprocess.run(["dpkg", "-s", package], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode]
    if missing:
        sudo = [] if os.getuid() == 0 else ["sudo"]
        subprocess.run([*sudo, "apt-get", "update", "-qq"], check=True)
        subprocess.run([*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=True,
                       stdout=sys.stderr)
    programs = {}
    for name, (_, flags, libraries) in IN_C.items():
        programs[name] = os.path.join(directory, name)
        subprocess.run(["cc", "-O2", *flags, str(HERE / "c/parser.c"), *libraries, "-o", programs[name]], check=True)
    return programs


def run(program, in_c):
    """The medians of one run in microseconds: of a message parsed, of one parsed and written, of the torture messages."""
    with tempfile.TemporaryDirectory() as home:
        subprocess.run([program, "--bench"], env={**os.environ, "CRITERION_HOME": home}, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def median(group, name):
            estimates = json.loads(pathlib.Path(home, group, name, "new/estimates.json").read_text())
            return estimates["median"]["point_estimate"] / 1000

        groups = [*MESSAGES, *(f"{message}-written" for message in MESSAGES), *TORTURE]
        times = {(group, name): median(group, name) for group in groups for name in [OURS, *PEERS]}
    for message in MESSAGES:
        for job, group in (("parsed", message), ("written", f"{message}-written")):
            for name, parser in in_c.items():
                command = [parser, str(HERE / f"data/{message}.sip"), job]
                times[group, name] = float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout) / 1000
    return times


def table(title, groups, peers, runs):
    print(f"| {title}, µs, median of {len(runs)} runs | {OURS} | {' | '.join(peers)} "
          "| ours / fastest in Rust: median (range) | ours / fastest of all |")
    print("|---|" + "--:|" * (len(peers) + 3))
    for group in groups:
        def ratio(others):
            return sorted(r[group, OURS] / min(r[group, name] for name in others) for r in runs)

        times = [f"{statistics.median(r[group, name] for r in runs):.2f}" for name in [OURS, *peers]]
        rust = ratio(PEERS)
        spread = f"{rust[0]:.3f} to {rust[-1]:.3f}"
        whole = f"{statistics.median(ratio(peers)):.3f}"
        print(f"| {group} | {' | '.join(times)} | {statistics.median(rust):.3f} ({spread}) | {whole} |")
    print()


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    program = program_of("parser")
    with tempfile.TemporaryDirectory() as directory:
        in_c = build_in_c(directory)
        runs = [run(program, in_c) for _ in range(count)]
    table("parsed", MESSAGES, [*PEERS, *IN_C], runs)
    table("parsed and written", [f"{message}-written" for message in MESSAGES], [*PEERS, *IN_C], runs)
    table("torture", TORTURE, PEERS, runs)


if __name__ == "__main__":
    main()
