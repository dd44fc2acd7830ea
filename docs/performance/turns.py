"""Steps of several programs in turn, so that a machine that changes its pace is fair to all.

    python turns.py ROUNDS NAME=COMMAND [NAME=COMMAND ...]

Each command does a step for each line of standard input and then prints a line that begins with its seconds ("12.3 s, …"). For each step: seconds on the clock, and of
processor time (of all threads, as the kernel counts it). The summary has least, median and most, without the first round, and the memory that each command printed last.
"""
import os
import re
import shlex
import statistics
import subprocess
import sys
import time

TICK = os.sysconf("SC_CLK_TCK")


def processor(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


programs = {}
for argument in sys.argv[2:]:
    name, command = argument.split("=", 1)
    programs[name] = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
found = {name: [] for name in programs}
memory = {}
for turn in range(int(sys.argv[1])):
    for name, program in programs.items():
        before, start = processor(program.pid), time.perf_counter()
        program.stdin.write("\n")
        program.stdin.flush()
        while not re.match(r"\d+\.\d+ s", line := program.stdout.readline()):
            assert line, f"{name} ended"
        found[name].append((time.perf_counter() - start, processor(program.pid) - before))
        memory[name] = line.strip().rsplit("peak ")[-1]
        print(f"{turn} {name}: {found[name][-1][0]:.2f} s on the clock, {found[name][-1][1]:.2f} of processors, {line.strip()}", flush=True)
for name, times in found.items():
    clock, work = zip(*times[1:])
    seconds = ", ".join(f"{what} {min(of):.2f} median {statistics.median(of):.2f} to {max(of):.2f}" for what, of in (("clock", clock), ("processors", work)))
    print(f"{name}: first {times[0][0]:.2f}, {seconds}, {memory[name]}")
first = list(found)[0]
for name in list(found)[1:]:
    for what, of in ("clock", 0), ("processors", 1):
        ratios = [mine[of] / theirs[of] for mine, theirs in zip(found[name][1:], found[first][1:])]
        print(f"{name} / {first}, {what}: median of pairs {statistics.median(ratios):.3f}, from {min(ratios):.3f} to {max(ratios):.3f}")
for program in programs.values():
    program.stdin.close()
    program.wait()
