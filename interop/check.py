"""The rows of checks.tsv: trains each method for a few steps on the embedded model, exports it, loads the file in the
programs named, and compares their UNet's output (and the text encoder's) with this program's engines.

    python check.py WORK [METHOD...]        started by check.sh
"""
import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import torch
import transformers
from diffusers.utils import logging
from safetensors.torch import load_file, save_file

import checkouts
import programs

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MODEL = programs.MODEL
STUDIO = os.environ.get("STUDIO", str(ROOT / "studio"))
FOLDERS = "merged-diffusers", "merged-onnx", "peft-folder"
COLUMNS = {"diffusers": "diffusers", "diffusers-folder": "diffusers", "diffusers-single-file": "diffusers",
           "diffusers-loader": "diffusers", "peft": "peft", "lycoris": "LyCORIS", "formula": "A1111",
           "webui-extension": "A1111", "comfyui": "ComfyUI", "comfyui-checkpoint": "ComfyUI", "comfyui-node": "ComfyUI",
           "forge": "Forge", "invokeai": "InvokeAI", "onnxruntime": "ONNX Runtime"}
HEADER = ["method", "file", "effect", "allowed", *dict.fromkeys(COLUMNS.values())]
for library in (logging, transformers.logging):
    library.set_verbosity_error()
    library.disable_progress_bar()


def lines(file):
    return [line.split("\t") for line in (HERE / file).read_text().splitlines() if line and not line.startswith("#")]


@torch.no_grad()
def outputs(pipe, file):
    """What the networks make of fixed inputs, as a golden of `studio verify`."""
    generator = torch.Generator().manual_seed(5)
    unet, text = pipe.unet.float().eval(), pipe.text_encoder.float().eval()
    sample = torch.randn(1, unet.config.in_channels, 16, 16, generator=generator)
    context = torch.randn(1, pipe.tokenizer.model_max_length, unet.config.cross_attention_dim, generator=generator)
    step = torch.tensor([321.0])
    ids = pipe.tokenizer("a sks car in the snow", padding="max_length", truncation=True, return_tensors="pt").input_ids
    save_file({"unet.sample": sample, "unet.timestep": step, "unet.encoder_hidden_states": context,
               "unet.out": unet(sample, step, encoder_hidden_states=context).sample.contiguous(),
               "text.input_ids": ids.to(torch.int32), "text.last_hidden_state": text(ids)[0].contiguous()}, file)


def effect(golden):
    """How much the file changes the UNet's output, relative to the largest value."""
    base = WORK / "base.safetensors"
    if not base.exists():
        outputs(programs.pipeline(), base)
    before, after = load_file(base)["unet.out"], load_file(golden)["unet.out"]
    return ((after - before).abs().max() / before.abs().max()).item()


def studio(*arguments):
    return subprocess.run([STUDIO, *map(str, arguments)], capture_output=True, text=True)


def require(done, what):
    if done.returncode:
        raise RuntimeError(f"{what}: {done.stderr.strip()}")


def deviations(goldens, model, adapters):
    """Of each golden the largest of both engines, relative to the largest value."""
    options = [option for file, strength in adapters for option in ("--adapter", f"{file}:{strength}")]
    done = studio("verify", *goldens, "--model", model, *options, "--json")
    results = json.loads(done.stdout or "[]")
    if len(results) != len(goldens):
        raise RuntimeError(f"verify {adapters}: {done.stderr.strip()}")
    return [max(check["relative"] for check in result["tensors"]) for result in results]


class Row:
    """A line of checks.tsv: the file it makes, and what the program's outputs are compared with."""

    def __init__(self, fields):
        self.method, self.train, self.format, self.options, self.reference, names, self.allowed = fields
        self.programs = names.split(",")
        self.name = self.method.replace(" ", "-")

    def title(self):
        options = self.options.replace("--precision ", "").replace("--", "")
        return f"`{self.format}`" + (f" {options}" if options else "")

    def file(self):
        precision = self.options.split()[-1] if "precision" in self.options else ""
        suffix = "" if self.format in FOLDERS else ".safetensors"
        return WORK / f"{self.name}.{self.format}{precision}{suffix}"

    def run(self):
        run = WORK / f"run-{self.name}"
        if not (run / "adapter.safetensors").exists():
            require(studio("train", "--photos", ROOT / "assets/subjects/car", "--class", "car", "--steps", 2, "--seed",
                           1, "--batch-size", 1, "--learning-rate", 0.02, "--warmup-steps", 0, *self.train.split(),
                           "--out", run), self.method)
        return run

    def make(self):
        """The files with strengths for the programs, and the model and adapters for `studio verify`."""
        if self.format in TOOLS:
            return TOOLS[self.format](self)
        run, file = self.run(), self.file()
        if not file.exists():
            require(studio("export", run, "--format", self.format, *self.options.split(), "--out", file), self.name)
        files = [(file, 1.0)]
        return files, *{"run": (MODEL, [(run / "adapter.safetensors", 1.0)]), "file": (MODEL, files),
                        "model": (file, [])}[self.reference]


def stack(named):
    """Files of other rows with strengths: `lora.kohya:0.7`."""
    files = []
    for part in named:
        name, strength = part.rsplit(":", 1)
        files.append((made(name), float(strength)))
    return files


def made(name):
    file = WORK / f"{name}.safetensors"
    if not file.exists():
        raise RuntimeError(f"{file.name}: run its row of checks.tsv first")
    return file


def several(row):
    files = stack(row.options.split())
    return files, MODEL, files


def merge(row):
    """`NAME:STRENGTH NAME:STRENGTH FORMAT`, compared with the adapters of both files."""
    *named, format_ = row.options.split()
    file = WORK / f"merge-{row.name}.{format_}.safetensors"
    if not file.exists():
        adapters = [option for each, strength in stack(named) for option in ("--adapter", f"{each}:{strength}")]
        require(studio("merge", *adapters, "--format", format_, "--out", file), "merge")
    return [(file, 1.0)], MODEL, stack(named)


def convert(row):
    """`NAME FORMAT`."""
    name, format_ = row.options.split()
    source, file = made(name), WORK / f"convert-{name}.{format_}.safetensors"
    if not file.exists():
        require(studio("convert", source, "--format", format_, "--out", file), "convert")
    return [(file, 1.0)], MODEL, [(source, 1.0)]


def extract(row):
    """`NAME RANK`: LoRA of a merged model, compared with the LoRA as this program reads it."""
    name, rank = row.options.split()
    file = WORK / f"extract-{name}.{rank}.safetensors"
    if not file.exists():
        require(studio("extract", made(name), "--model", MODEL, "--rank", rank, "--out", file), "extract")
    return [(file, 1.0)], MODEL, [(file, 1.0)]


TOOLS = {tool.__name__: tool for tool in (several, merge, convert, extract)}


class Known:
    """A line of known.tsv: what a program does not read, or reads in its own way."""

    def __init__(self, fields):
        self.method, self.format, self.programs, self.note, self.reason = fields

    def matches(self, row, program):
        return self.method in ("*", row.method) and self.format in ("*", row.format) \
            and program in self.programs.split(",")


def check(rows, known):
    """The lines of the table by column, of the rows of one method, and whether all agrees. Goldens with the same
    adapters are compared in one call."""
    table, compared, fine = [], {}, True
    for row in rows:
        cells = {"method": row.method, "file": row.title(), "allowed": row.allowed}
        table.append(cells)
        try:
            files, model, adapters = row.make()
        except RuntimeError as error:
            fine, cells["effect"] = False, "**not made**"
            print(f"{row.method} {row.title()}: {error}", flush=True)
            continue
        for name in row.programs:
            note = next((each.note for each in known if each.matches(row, name)), "")
            goldens = compared.setdefault((model, tuple(adapters)), [])
            golden = WORK / f"output-{len(compared)}-{len(goldens)}.safetensors"
            try:
                outputs(programs.PROGRAMS[name](files), golden)
                goldens.append((row, name, golden, note, cells))
            except checkouts.Skipped as skipped:
                print(f"{row.method} {row.title()} {name}: skipped: {skipped}", flush=True)
            except Exception as error:  # the program refuses the file
                fine &= bool(note)
                cells[COLUMNS[name]] = f"refused ({note})" if note else "**refused**"
                print(f"{row.method} {row.title()} {name}: {type(error).__name__}: {error}", flush=True)
    for (model, adapters), goldens in compared.items():
        found = deviations([each[2] for each in goldens], model, adapters) if goldens else []
        for (row, name, golden, note, cells), largest in zip(goldens, found):
            changed = effect(golden)
            agrees = largest <= float(row.allowed) < changed
            if agrees or "effect" not in cells:
                cells["effect"] = f"{changed:.1%}"
            fine &= agrees != bool(note)
            cells[COLUMNS[name]] = f"{largest:.1e}" + (f" ({note})" if note else "" if agrees else " **NO**")
    return table, fine


def main(chosen):
    programs.BASE = WORK / "base.merged.safetensors"
    if not programs.BASE.exists():
        require(studio("export", "--model", MODEL, "--format", "merged", "--precision", "float32", "--out",
                       programs.BASE), "base")
    known = [Known(fields) for fields in lines("known.tsv")]
    rows = [row for row in map(Row, lines("checks.tsv")) if not chosen or row.method in chosen]
    table, fine = [], True
    for method in chosen or dict.fromkeys(row.method for row in rows):
        found, agrees = check([row for row in rows if row.method == method], known)
        fine &= agrees
        for cells in found:
            print("  ".join(cells.get(column, "") for column in HEADER), "" if agrees else "  <-- NO", flush=True)
        table += found
        write_page(table, known)
    return 0 if fine else 1


def versions():
    packages = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in
                         ("diffusers", "transformers", "peft", "lycoris-lora", "onnxruntime", "torch"))
    commits = ", ".join(f"{title} {checkouts.version(variable)}" for title, variable in
                        (("ComfyUI", "COMFYUI"), ("Forge", "FORGE"), ("InvokeAI", "INVOKEAI"))
                        if checkouts.version(variable))
    return f"Versions: {packages}" + (f"; {commits}" if commits else "")


def write_page(table, known):
    """Replaces these rows in docs/interop.md; other cells stay."""
    page = ROOT / "docs/interop.md"
    begin, end = "<!-- interop/check.sh -->\n", "<!-- end -->\n"
    head, rest = page.read_text().split(begin)
    section, tail = rest.split(end)
    rows = {}
    old = [[cell.strip() for cell in line.strip("| ").split("|")] for line in section.splitlines()
           if line.startswith("|")]
    if old and [cell for cell in old[0]] == HEADER:
        for cells in old[2:]:
            filled = dict(zip(HEADER, cells + [""] * len(HEADER)))
            rows[filled["method"], filled["file"]] = filled
    for cells in table:
        key = cells["method"], cells["file"]
        rows[key] = rows.get(key, {}) | cells
    order = [(row.method, row.title()) for row in map(Row, lines("checks.tsv"))]
    sorted_rows = [rows[key] for key in order if key in rows]
    text = ["| " + " | ".join(HEADER) + " |", "|---" * len(HEADER) + "|"]
    text += ["| " + " | ".join(cells.get(column, "") for column in HEADER) + " |" for cells in sorted_rows]
    used = [each for each in known if any(f"({each.note})" in line for line in text)]
    notes = dict.fromkeys(f"- ({each.note}) {each.reason}" for each in used)
    page.write_text(head + begin + "\n".join(text) + "\n\n" + "\n".join(notes) + f"\n\n{versions()}.\n" + end + tail)


if __name__ == "__main__":
    WORK = Path(sys.argv[1]).resolve()
    WORK.mkdir(parents=True, exist_ok=True)
    sys.exit(main(sys.argv[2:]))
