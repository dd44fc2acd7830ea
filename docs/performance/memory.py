"""The most memory that this process held so far, looked at fifty times a second from the import on; and the points at which steps are measured."""
import sys
import threading
import time

most = {"RssAnon": 0, "VmRSS": 0}


def _watch():
    while True:
        with open("/proc/self/status") as f:
            for line in f:
                key = line.split(":")[0]
                if key in most:
                    most[key] = max(most[key], int(line.split()[1]))
        time.sleep(0.02)


def said():
    return f"peak anonymous {most['RssAnon'] * 1024 / 1e9:.2f} GB, resident {most['VmRSS'] * 1024 / 1e9:.2f} GB"


def points(steps):
    """size, batch, rank and adapters of each step: of a number of steps, or with - of each line of standard input, for example "size=256 batch=2" (growth.py)."""
    usual = {"size": 512, "batch": 1, "rank": 4, "adapters": 0}
    for line in sys.stdin if steps == "-" else [""] * int(steps):
        yield usual | {key: int(value) for key, value in (setting.split("=") for setting in line.split())}


threading.Thread(target=_watch, daemon=True).start()
