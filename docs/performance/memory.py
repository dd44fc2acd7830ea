"""The most memory that this process held so far, looked at fifty times a second from the import on."""
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


threading.Thread(target=_watch, daemon=True).start()
