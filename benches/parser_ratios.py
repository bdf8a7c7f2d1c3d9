#!/usr/bin/env python3
"""Runs the parser benchmark several times and prints the tables of RESULTS.md.

usage: parser_ratios.py [runs, default 5]

The ratio is taken within each run, so that what else the machine does touches both sides; the median of the runs counts.
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
GROUPS = ["invite", "ringing", "ok-sdp", "ack", "bye", "register", "options", "torture", "torture-accepted-by-all"]


def build():
    """The benchmark's program, built once: all runs measure the same code."""
    command = ["cargo", "bench", "-p", "liaison-benches", "--bench", "parser", "--no-run", "--message-format=json"]
    built = subprocess.run(command, cwd=HERE, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in built.splitlines() if line.startswith("{")]
    return next(m["executable"] for m in messages if m.get("target", {}).get("kind") == ["bench"])


def run(program):
    """Criterion's medians of one run in microseconds."""
    with tempfile.TemporaryDirectory() as home:
        subprocess.run([program, "--bench"], env={**os.environ, "CRITERION_HOME": home}, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def median(group, name):
            estimates = json.loads(pathlib.Path(home, group, name, "new/estimates.json").read_text())
            return estimates["median"]["point_estimate"] / 1000

        return {(group, name): median(group, name) for group in GROUPS for name in [OURS, *PEERS]}


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    program = build()
    runs = [run(program) for _ in range(count)]
    print(f"| µs, median of {count} runs | {OURS} | {' | '.join(PEERS)} | ours / fastest of them: median (range) |")
    print("|---|" + "--:|" * (len(PEERS) + 2))
    for group in GROUPS:
        times = [f"{statistics.median(r[group, name] for r in runs):.2f}" for name in [OURS, *PEERS]]
        ratios = [r[group, OURS] / min(r[group, name] for name in PEERS) for r in runs]
        spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
        print(f"| {group} | {' | '.join(times)} | {statistics.median(ratios):.3f} ({spread}) |")


main()
