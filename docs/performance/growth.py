"""How time and memory of a step grow with size, batch, rank and stacked adapters, here and in diffusers and peft, as one table.

    python growth.py MODEL_FOLDER [fp32|bf16] [AXIS ...]

MODEL_FOLDER is of Stable Diffusion 1.5's shape (RandomModel). After a warm-up two programs do a step at each point of an axis in turn; a point is repeated once if its first step took less than
twenty seconds, and the faster one counts. Growth is the slope of log time (or memory) over the log of pixels, images, rank or 1 + adapters; memory is the most anonymous memory so far.
Ratios are ours / theirs, by the clock and by processor time. Needs the built checkout, torch, diffusers, transformers and peft in this Python.
"""
import math
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, "docs", "performance")
TICK = os.sysconf("SC_CLK_TCK")
REPEATED_BELOW = 20
SMALL = "size=256"
# Name: kind of step, points, and the variable of the slope.
AXES = {
    "sampling, size": ("sample", [(f"{n}²", f"size={n}", n * n) for n in (256, 512, 768, 1024)]),
    "sampling, images at 256²": ("sample", [(str(n), f"{SMALL} batch={n}", n) for n in (1, 2, 4)]),
    "sampling, adapters at 256²": ("sample", [(str(n), f"{SMALL} adapters={n}", 1 + n) for n in (0, 1, 4, 8)]),
    "LoRA training, size": ("train", [(f"{n}²", f"size={n} rank=4", n * n) for n in (256, 512, 768)]),
    "LoRA training, photos at 256²": ("train", [(str(n), f"{SMALL} batch={n} rank=4", n) for n in (1, 2, 4)]),
    "LoRA training, rank at 256²": ("train", [(str(n), f"{SMALL} rank={n}", n) for n in (4, 16, 64)]),
}


def java(name, *arguments):
    modules = [os.path.join(ROOT, "tuning", "target", "test-classes"), os.path.join(ROOT, "tuning", "target", "classes"), os.path.join(ROOT, "diffusion", "target", "classes")]
    path = os.pathsep.join([os.environ["TEST_CLASSES"]] if "TEST_CLASSES" in os.environ else modules + [os.path.join(ROOT, "app", "target", "lib", "*")])
    program = os.path.join(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else "java"
    return [program, "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xms32m", "-cp", path, f"atomstudio.tuning.torch.{name}", *arguments]


class Program:
    def __init__(self, command):
        environment = os.environ | {"GOMP_SPINCOUNT": "10000", "ORT_DISABLE_TELEMETRY": "1"}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)

    def processors(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def step(self, point):
        before = self.processors()
        self.process.stdin.write(point + "\n")
        self.process.stdin.flush()
        while not re.match(r"\d+\.\d+ s", line := self.process.stdout.readline()):
            assert line, f"{self.process.args[-4:]} ended"
        return float(line.split()[0]), self.processors() - before, float(re.search(r"peak anonymous ([\d.]+) GB", line).group(1))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measured(program, point):
    first = program.step(point)
    if first[0] >= REPEATED_BELOW:
        return first
    second = program.step(point)
    return min(first[0], second[0]), min(first[1], second[1]), second[2]


def slope(xs, ys):
    x, y = [math.log(v) for v in xs], [math.log(max(v, 1e-3)) for v in ys]
    mx, my = sum(x) / len(x), sum(y) / len(y)
    return sum((a - mx) * (b - my) for a, b in zip(x, y)) / sum((a - mx) ** 2 for a in x)


def main():
    model, precision, wanted = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "fp32", sys.argv[3:]
    commands = {
        "sample": (java("PredictionBenchmark", model, "torch-bf16" if precision == "bf16" else "onnx", "-"), [sys.executable, f"{HERE}/diffusers_look.py", model, precision, "-"]),
        "train": (java("TrainingStepBenchmark", model, "lora", "SELECTIVE", precision.upper(), "-"), [sys.executable, f"{HERE}/peft_step.py", model, precision, "-"]),
    }
    print(f"| {precision} | point | s, ours | theirs | ratio | by processors | GB, ours | theirs | ratio |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for axis, (kind, points) in AXES.items():
        if wanted and not any(text in axis for text in wanted):
            continue
        programs = [Program(command) for command in commands[kind]]
        for program in programs:
            program.step(points[0][1])
        rows = []
        for name, point, _ in points:
            ours, theirs = (measured(program, point) for program in programs)
            rows.append((ours, theirs))
            print(f"| {axis} | {name} | {ours[0]:.2f} | {theirs[0]:.2f} | {ours[0] / theirs[0]:.2f} | {ours[1] / theirs[1]:.2f} | {ours[2]:.2f} | {theirs[2]:.2f} | {ours[2] / theirs[2]:.2f} |", flush=True)
        xs = [x for _, _, x in points]
        of = lambda which, what: slope(xs, [row[which][what] for row in rows])
        print(f"| {axis} | growth | {of(0, 0):.2f} | {of(1, 0):.2f} | | | {of(0, 2):.2f} | {of(1, 2):.2f} | |", flush=True)
        for program in programs:
            program.close()


start = time.perf_counter()
main()
print(f"\n{time.perf_counter() - start:.0f} s", file=sys.stderr)
