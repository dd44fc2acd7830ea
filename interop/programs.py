"""What each program makes of a file: a function per program that returns a pipeline with `unet`, `text_encoder` and
`tokenizer`. Of several files with strengths where the program takes them. checkouts.py has the programs without a
package.
"""
import importlib.util
import sys
import types
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file

import checkouts

HERE = Path(__file__).resolve().parent
MODEL = HERE.parent / "assets/default-model"
PROGRAMS = {}
BASE = Path()  # the embedded model as one file
PARTS = {"safety_checker": None, "requires_safety_checker": False, "image_encoder": None, "feature_extractor": None,
         "torch_dtype": torch.float32}
sys.path.insert(0, str(HERE / "diffusers"))


def program(function):
    """A program that takes one file or folder."""
    def single(files):
        (file, strength), *others = files
        if others or strength != 1:
            raise ValueError("takes one file")
        return function(file)
    PROGRAMS[function.__name__.replace("_", "-")] = single
    return function


def stacking(function):
    """A program that takes several files with strengths."""
    PROGRAMS[function.__name__.replace("_", "-")] = function
    return function


def pipeline():
    return StableDiffusionPipeline.from_pretrained(MODEL, **PARTS)


def tensors(file):
    return {key: value.float() for key, value in load_file(file).items()}


def original_checkpoint():
    """The embedded model in the original code's layout."""
    return load_file(BASE)


@stacking
def diffusers(files):
    pipe = pipeline()
    for number, (file, _) in enumerate(files):
        pipe.load_lora_weights(str(file.parent), weight_name=file.name, adapter_name=f"file{number}")
    if len(files) > 1 or files[0][1] != 1:
        pipe.set_adapters([f"file{number}" for number in range(len(files))], [strength for _, strength in files])
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


@program
def peft(folder):
    """Merged, since the forward pass of OFT on a convolution is another. Factors of BOFT beyond the first need a CUDA
    kernel for block-diagonal matrices, which torch.block_diag replaces."""
    from peft import PeftModel
    from peft.tuners.boft import layer as boft
    boft.get_fbd_cuda = lambda: True
    boft.FastBlockDiag = type("BlockDiag", (), {"apply": staticmethod(
        lambda blocks: torch.stack([torch.block_diag(*each) for each in blocks]))})
    pipe = pipeline()
    for part in ("unet", "text_encoder"):
        of_part = folder / part if (folder / part).is_dir() else folder if part == "unet" else None
        if of_part:
            merged = PeftModel.from_pretrained(getattr(pipe, part), of_part).merge_and_unload()
            setattr(pipe, part, merged)
    return pipe


class OnnxModule(torch.nn.Module):
    def __init__(self, folder, config, names):
        super().__init__()
        import onnxruntime
        self.session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
        self.config, self.names = config, names

    def forward(self, *inputs, encoder_hidden_states=None):
        values = [*inputs, encoder_hidden_states] if encoder_hidden_states is not None else inputs
        types_ = {each.name: each.type for each in self.session.get_inputs()}
        found = self.session.run(None, {
            name: value.to(torch.int32 if "int32" in types_[name] else torch.float32).numpy()
            for name, value in zip(self.names, values)})[0]
        result = torch.from_numpy(found)
        return types.SimpleNamespace(sample=result) if encoder_hidden_states is not None else (result,)


@program
def onnxruntime(folder):
    pipe = pipeline()
    unet = OnnxModule(folder / "unet", pipe.unet.config, ("sample", "timestep", "encoder_hidden_states"))
    text = OnnxModule(folder / "text_encoder", pipe.text_encoder.config, ("input_ids",))
    return types.SimpleNamespace(unet=unet, text_encoder=text, tokenizer=pipe.tokenizer)


# The UNet's last norm for A1111, a second time in the file.
ALIAS = "lora_unet_out_0"


def layers(pipe):
    """Modules by sd-scripts' key names."""
    named = {"lora_unet_" + name.replace(".", "_"): module for name, module in pipe.unet.named_modules()}
    for name, module in pipe.text_encoder.named_modules():
        named["lora_te_text_model_" + name.removeprefix("text_model.").replace(".", "_")] = module
    return named


@stacking
def lycoris(files):
    """Each layer with LyCORIS' own module, merged."""
    from lycoris.modules import get_module, make_module
    pipe = pipeline()
    modules = layers(pipe)
    for file, strength in files:
        found = {key: value for key, value in tensors(file).items() if not key.startswith("bundle_emb")}
        for name in sorted({key.split(".")[0] for key in found} - {ALIAS}):
            kind, parameters = get_module(found, name)
            make_module(kind, parameters, name, modules[name]).merge_to(strength)
    return pipe


@stacking
@torch.no_grad()
def formula(files):
    """The rule of A1111, Forge, ComfyUI and InvokeAI: W + alpha / rank * up * down, W + diff,
    b + diff_b, w + w_norm, b + b_norm. A1111 adds a bias where a layer has none."""
    pipe = pipeline()
    modules = layers(pipe)
    for file, strength in files:
        found = tensors(file)
        for key, value in found.items():
            name, parameter = key.split(".", 1)
            if name in (ALIAS, "bundle_emb"):
                continue
            if parameter in ("diff", "w_norm"):
                modules[name].weight += strength * value.reshape(modules[name].weight.shape)
            elif parameter in ("diff_b", "b_norm"):
                bias = modules[name].bias
                modules[name].bias = torch.nn.Parameter(strength * value + (0 if bias is None else bias))
            elif parameter == "lora_up.weight":
                down = found[name + ".lora_down.weight"]
                scale = found[name + ".alpha"].item() / down.shape[0] if name + ".alpha" in found else 1
                change = scale * value.flatten(1) @ down.flatten(1)
                modules[name].weight += strength * change.reshape(modules[name].weight.shape)
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


@stacking
def comfyui(files):
    return checkouts.comfy_lora(pipeline(), original_checkpoint(), files)


@program
def comfyui_checkpoint(file):
    return checkouts.comfy_checkpoint(pipeline(), load_file(file))


@program
def comfyui_node(file):
    return checkouts.comfy_node(pipeline(), original_checkpoint(), HERE / "comfyui/atomstudio", file)


@stacking
def forge(files):
    pipe = pipeline()
    return checkouts.forge_lora(pipe, original_checkpoint(), original_names(pipe.unet), files)


@stacking
def invokeai(files):
    return checkouts.invoke_lora(pipeline(), files)


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
