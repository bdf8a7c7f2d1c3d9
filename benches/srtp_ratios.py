#!/usr/bin/env python3
"""Runs the SRTP benchmark several times, libsrtp2 beside it, and prints the table of RESULTS.md.

usage: srtp_ratios.py [runs, default 5]

The ratio is taken within each run, so that what else the machine does touches all makers; the median of the runs counts. Installs
Debian's development package of libsrtp2 where it is missing (as root or through sudo).
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from parser_ratios import HERE, program_of

SUITES = ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AES_256_CM_HMAC_SHA1_80", "AES_256_CM_HMAC_SHA1_32",
          "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"]
OURS, PEERS, IN_C = "liaison", ["webrtc-srtp", "rtc-srtp"], "libsrtp2"


def build_in_c(directory):
    """libsrtp2's job."""
    if subprocess.run(["dpkg", "-s", "libsrtp2-dev"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        sudo = [] if os.getuid() == 0 else ["sudo"]
        subprocess.run([*sudo, "apt-get", "update", "-qq"], check=True)
        subprocess.run([*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "libsrtp2-dev"], check=True,
                       stdout=sys.stderr)
    program = os.path.join(directory, IN_C)
    subprocess.run(["cc", "-O2", str(HERE / "c/srtp.c"), "-lsrtp2", "-o", program], check=True)
    return program


def run(program, in_c):
    """The medians of one run in ns, by suite, job and maker; None for what a maker does not have."""
    times = {}
    with tempfile.TemporaryDirectory() as home:
        subprocess.run([program, "--bench"], env={**os.environ, "CRITERION_HOME": home}, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for suite in SUITES:
            for job in ("protect", "unprotect"):
                for name in [OURS, *PEERS]:
                    file = pathlib.Path(home, f"{suite}-{job}", name, "new/estimates.json")
                    estimates = json.loads(file.read_text()) if file.exists() else None
                    times[suite, job, name] = estimates and estimates["median"]["point_estimate"]
                told = subprocess.run([in_c, suite, job, "0.6"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
                times[suite, job, IN_C] = None if told == "none" else float(told)
    return times


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    program = program_of("srtp")
    with tempfile.TemporaryDirectory() as directory:
        in_c = build_in_c(directory)
        runs = [run(program, in_c) for _ in range(count)]
    others = [*PEERS, IN_C]
    print(f"| ns of CPU a packet, median of {count} runs | {OURS} | {' | '.join(others)} | ours / fastest of them: median (range) |")
    print("|---|" + "--:|" * (len(others) + 2))
    for suite in SUITES:
        for job in ("protect", "unprotect"):
            def at(name):
                all_times = [times[suite, job, name] for times in runs]
                return "-" if None in all_times else f"{statistics.median(all_times):.0f}"

            ratios = sorted(times[suite, job, OURS] / min(times[suite, job, name] for name in others if times[suite, job, name])
                            for times in runs)
            print(f"| {suite}, {job} | {at(OURS)} | {' | '.join(at(name) for name in others)} "
                  f"| {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |")


main()
