"""The rows of checks.tsv: trains each method for a few steps on the embedded model, exports it, loads the file in the
programs named, and compares their UNet's output (and the text encoder's) with this program's engines.

    python check.py WORK [METHOD...]        started by check.sh
"""
import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import torch
import transformers
from diffusers import StableDiffusionPipeline
from diffusers.utils import logging
from safetensors.torch import load_file, save_file

import checkouts

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MODEL = ROOT / "assets/default-model"
STUDIO = os.environ.get("STUDIO", str(ROOT / "studio"))
PROGRAMS = {}
FOLDERS = "merged-diffusers",
PARTS = {"safety_checker": None, "requires_safety_checker": False, "image_encoder": None, "feature_extractor": None,
         "torch_dtype": torch.float32}
for library in (logging, transformers.logging):
    library.set_verbosity_error()
    library.disable_progress_bar()
sys.path.insert(0, str(HERE / "diffusers"))


def program(function):
    PROGRAMS[function.__name__.replace("_", "-")] = function
    return function


def pipeline():
    return StableDiffusionPipeline.from_pretrained(MODEL, **PARTS)


def tensors(file):
    return {key: value.float() for key, value in load_file(file).items()}


@program
def diffusers(file):
    pipe = pipeline()
    pipe.load_lora_weights(str(file.parent), weight_name=file.name)
    return pipe


@program
def diffusers_folder(file):
    return StableDiffusionPipeline.from_pretrained(file, **PARTS)


@program
def diffusers_single_file(file):
    return StableDiffusionPipeline.from_single_file(str(file), config=str(MODEL), local_files_only=True, **PARTS)


@program
def diffusers_loader(file):
    from atomstudio_adapter import load
    pipe = pipeline()
    load(pipe, file, 1.0)
    return pipe


# The UNet's last norm for A1111, a second time in the file.
ALIAS = "lora_unet_out_0"


def layers(pipe):
    """Modules by sd-scripts' key names."""
    named = {"lora_unet_" + name.replace(".", "_"): module for name, module in pipe.unet.named_modules()}
    for name, module in pipe.text_encoder.named_modules():
        named["lora_te_text_model_" + name.removeprefix("text_model.").replace(".", "_")] = module
    return named


@program
def lycoris(file):
    """Each layer with LyCORIS' own module, merged."""
    from lycoris.modules import get_module, make_module
    pipe, found = pipeline(), tensors(file)
    modules = layers(pipe)
    for name in sorted({key.split(".")[0] for key in found} - {ALIAS}):
        kind, parameters = get_module(found, name)
        make_module(kind, parameters, name, modules[name]).merge_to(1.0)
    return pipe


@program
@torch.no_grad()
def formula(file):
    """The rule of A1111, Forge, ComfyUI and InvokeAI: W + alpha / rank * up * down, W + diff,
    b + diff_b, w + w_norm, b + b_norm."""
    pipe, found = pipeline(), tensors(file)
    modules = layers(pipe)
    for key, value in found.items():
        name, parameter = key.split(".", 1)
        if name == ALIAS:
            continue
        if parameter in ("diff", "w_norm"):
            modules[name].weight += value.reshape(modules[name].weight.shape)
        elif parameter in ("diff_b", "b_norm"):
            modules[name].bias += value
        elif parameter == "lora_up.weight":
            down = found[name + ".lora_down.weight"]
            scale = found[name + ".alpha"].item() / down.shape[0] if name + ".alpha" in found else 1
            modules[name].weight += (scale * value.flatten(1) @ down.flatten(1)).reshape(modules[name].weight.shape)
        elif parameter not in ("lora_down.weight", "alpha"):
            raise ValueError(f"{file}: {key}: no rule")
    return pipe


def module(name, **attributes):
    sys.modules[name] = made = types.ModuleType(name)
    made.__dict__.update(attributes)
    return made


def loaded(path):
    """A module by its path, since both are named atomstudio."""
    spec = importlib.util.spec_from_file_location(path.parent.name + path.stem, path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def original_checkpoint():
    """The embedded model in the original code's layout."""
    file = WORK / "base.merged.safetensors"
    if not file.exists():
        require(studio("export", "--model", MODEL, "--format", "merged", "--precision", "float32", "--out", file), "base")
    return load_file(file)


@program
def comfyui(file):
    return checkouts.comfy_lora(pipeline(), original_checkpoint(), file)


@program
def comfyui_checkpoint(file):
    return checkouts.comfy_checkpoint(pipeline(), load_file(file))


@program
def comfyui_node(file):
    return checkouts.comfy_node(pipeline(), original_checkpoint(), HERE / "comfyui/atomstudio", file)


@program
def forge(file):
    pipe = pipeline()
    return checkouts.forge_lora(pipe, original_checkpoint(), original_names(pipe.unet), file)


@program
def invokeai(file):
    return checkouts.invoke_lora(pipeline(), file)


@program
def webui_extension(file):
    """The extension's hooks, on a UNet with the original code's layer names."""
    module("modules", extra_networks=module("modules.extra_networks", ExtraNetwork=object),
           script_callbacks=module("modules.script_callbacks", on_before_ui=lambda register: None),
           shared=module("modules.shared"))
    extension = loaded(HERE / "webui/atomstudio/scripts/atomstudio.py")
    pipe = pipeline()
    names = original_names(pipe.unet)
    modules = dict(pipe.unet.named_modules())
    network = types.SimpleNamespace(named_modules=lambda: [(names[name], modules[name]) for name in names],
                                    num_res_blocks=pipe.unet.config.layers_per_block)
    extension.apply(network, str(file), 1.0)
    return pipe


def original_names(unet):
    """Layer names of diffusers -> of the original code, by diffusers' own conversion of a checkpoint of numbers."""
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
    prefix = "model.diffusion_model."
    original = [key for key in original_checkpoint() if key.startswith(prefix)]
    numbered = {key: torch.full((1, 1, 1, 1), float(i)) for i, key in enumerate(original)}
    config = dict(unet.config)
    converted = convert_ldm_unet_checkpoint(dict(numbered), config)
    return {key.removesuffix(".weight"): original[int(value.flatten()[0])][len(prefix):].removesuffix(".weight")
            for key, value in converted.items() if key.endswith(".weight")}


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
    """How much the adapter changes the UNet's output, relative to the largest value."""
    base = WORK / "base.safetensors"
    if not base.exists():
        outputs(pipeline(), base)
    before, after = load_file(base)["unet.out"], load_file(golden)["unet.out"]
    return ((after - before).abs().max() / before.abs().max()).item()


def studio(*arguments):
    done = subprocess.run([STUDIO, *map(str, arguments)], capture_output=True, text=True)
    return done


def require(done, what):
    if done.returncode:
        raise SystemExit(f"{what}: {done.stderr.strip()}")


def deviations(goldens, adapter):
    """Of each golden the largest of both engines, relative to the largest value."""
    done = studio("verify", *goldens, "--model", MODEL, "--adapter", adapter, "--json")
    results = json.loads(done.stdout or "[]")
    if len(results) != len(goldens):
        raise SystemExit(f"verify {adapter}: {done.stderr.strip()}")
    return [max(check["relative"] for check in result["tensors"]) for result in results]


def exported(row):
    """The run of a row's method, and the exported file."""
    method, train, format, options = row[:4]
    name = method.replace(" ", "-")
    run = WORK / f"run-{name}"
    if not (run / "adapter.safetensors").exists():
        require(studio("train", "--photos", ROOT / "assets/subjects/car", "--class", "car", "--steps", 2, "--seed", 1,
                       "--batch-size", 1, "--learning-rate", 0.02, "--warmup-steps", 0, *train.split(), "--out", run),
                method)
    precision = options.split()[-1] if "precision" in options else ""
    file = WORK / (f"{name}.{format}{precision}" + ("" if format in FOLDERS else ".safetensors"))
    if not file.exists():
        require(studio("export", run, "--format", format, *options.split(), "--out", file), f"{method} {format}")
    return run, file


def check(rows):
    """The lines of the table for the rows of one method. Files are compared together, one call for each adapter."""
    lines, goldens = [], {}
    for row in rows:
        method, _, format, options, reference, programs, tolerance = row
        run, file = exported(row)
        adapter = file if reference == "file" else run / "adapter.safetensors"
        for name in programs.split(","):
            line = [method, f"{format} {options}".strip(), name]
            golden = WORK / f"output-{len(lines)}.safetensors"
            try:
                outputs(PROGRAMS[name](file), golden)
                goldens.setdefault(adapter, []).append((golden, line, tolerance))
            except checkouts.Skipped as error:
                line += ["-", "-", tolerance, f"skipped: {error}"]
            except Exception as error:  # the program refuses the file
                line += ["-", "-", tolerance, f"NO: {type(error).__name__}: {str(error)[:100].splitlines()}"]
            lines.append(line)
    for adapter, compared in goldens.items():
        found = deviations([golden for golden, _, _ in compared], adapter)
        for (golden, line, tolerance), largest in zip(compared, found):
            changed = effect(golden)
            line += [f"{changed:.1%}", f"{largest:.1e}", tolerance,
                     "yes" if largest <= float(tolerance) < changed else "NO"]
    return lines


def main(chosen):
    rows = [line.split("\t") for line in (HERE / "checks.tsv").read_text().splitlines() if not line.startswith("#")]
    table = []
    for method in dict.fromkeys(row[0] for row in rows):
        if chosen and method not in chosen:
            continue
        for line in check([row for row in rows if row[0] == method]):
            print("  ".join(line), flush=True)
            table.append(line)
        write_page([line for line in table if not line[-1].startswith("skipped")])
    return 0 if all(line[-1].startswith(("yes", "skipped")) for line in table) else 1


def write_page(table):
    """Replaces these rows in docs/interop.md."""
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in
                         ("diffusers", "transformers", "peft", "lycoris-lora", "torch"))
    page = ROOT / "docs/interop.md"
    begin, end = "<!-- interop/check.sh -->\n", "<!-- end -->\n"
    head, rest = page.read_text().split(begin)
    section, tail = rest.split(end)
    measured = {tuple(line[:3]) for line in table}
    kept = [row for row in section.splitlines()[2:]
            if row.startswith("| ") and tuple(row[2:].split(" | ")[:3]) not in measured]
    lines = ["| method | format | program | effect | deviation | allowed | agrees |", "|---|---|---|---|---|---|---|"]
    lines += kept + ["| " + " | ".join(line) + " |" for line in table]
    page.write_text(head + begin + "\n".join(lines) + f"\n\nVersions: {versions}.\n" + end + tail)


if __name__ == "__main__":
    WORK = Path(sys.argv[1]).resolve()
    WORK.mkdir(parents=True, exist_ok=True)
    sys.exit(main(sys.argv[2:]))
