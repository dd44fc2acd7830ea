"""Runs adapters through the code of programs that are in no package registry, from a checkout of their repository.

COMFYUI, FORGE and INVOKEAI name the checkouts; check.sh makes them. ComfyUI runs with its own networks, loader and
patcher; of Forge and InvokeAI the loader and patcher change the weights of diffusers' networks. Of the application
around that code only the parts that need a settings file or a server are replaced.
"""
import contextlib
import importlib.util
import logging
import os
import subprocess
import sys
import types
from pathlib import Path

import torch
from safetensors.torch import load_file

UNET = "model.diffusion_model."
TEXT = "cond_stage_model.transformer."
CLIP_ROWS = 49408  # ComfyUI builds the text encoder with CLIP's vocabulary


class Skipped(Exception):
    """The program is not there."""


def version(variable):
    """The commit of a checkout; empty without one."""
    folder = os.environ.get(variable, "")
    found = subprocess.run(["git", "-C", folder, "rev-parse", "--short=8", "HEAD"], capture_output=True, text=True) \
        if folder else None
    return found.stdout.strip() if found and found.returncode == 0 else ""


def checkout(variable):
    folder = os.environ.get(variable, "")
    if not folder:
        raise Skipped(f"no checkout, set {variable}")
    return Path(folder).resolve()


@contextlib.contextmanager
def arguments(*options):
    """Both read the command line of their application when they are imported."""
    before, sys.argv = sys.argv, ["check", *options]
    try:
        yield
    finally:
        sys.argv = before


def comfy(pipe):
    """comfy.sd, which knows the embedded model: Stable Diffusion 1 with other widths."""
    folder = str(checkout("COMFYUI"))
    if folder not in sys.path:
        sys.path.insert(0, folder)
    with arguments("--cpu"):
        import comfy.options
        comfy.options.enable_args_parsing()
        import comfy.sd
    import comfy.supported_models as supported

    class Embedded(supported.SD15):
        unet_config = supported.SD15.unet_config | {"context_dim": pipe.unet.config.cross_attention_dim,
                                                    "model_channels": pipe.unet.config.block_out_channels[0]}
        unet_extra_config = {"num_heads": pipe.unet.config.attention_head_dim, "num_head_channels": -1}

    supported.models.append(Embedded)
    return comfy


def comfy_loaded(pipe, tensors):
    """The model and text encoder of a checkpoint, as the node "Load Checkpoint" makes them."""
    program = comfy(pipe)
    tensors = dict(tensors)
    rows = tensors[TEXT + "text_model.embeddings.token_embedding.weight"]
    tensors[TEXT + "text_model.embeddings.token_embedding.weight"] = torch.cat(
        [rows.float(), torch.zeros(CLIP_ROWS - len(rows), rows.shape[1])])
    text = pipe.text_encoder.config
    sizes = {name: getattr(text, name) for name in ("hidden_size", "intermediate_size", "num_hidden_layers",
                                                   "num_attention_heads", "max_position_embeddings", "eos_token_id")}
    model, clip, _, _ = program.sd.load_state_dict_guess_config(
        tensors, output_vae=False, model_options={"dtype": torch.float32},
        te_model_options={"dtype": torch.float32, "clip_l_model_config": sizes})
    for module in model.model.diffusion_model.modules():  # 32 in every model that ComfyUI knows
        if isinstance(module, torch.nn.GroupNorm):
            module.num_groups = pipe.unet.config.norm_num_groups
    return program, model, clip


class Unet(torch.nn.Module):
    """ComfyUI's network with the signature of diffusers'."""

    def __init__(self, network, config):
        super().__init__()
        self.network, self.config = network, config

    def forward(self, sample, timestep, encoder_hidden_states):
        return types.SimpleNamespace(sample=self.network(sample, timestep, context=encoder_hidden_states))


def comfy_outputs(pipe, model, clip):
    """A pipeline whose networks are ComfyUI's, with the patches applied as before sampling."""
    model.patch_model(device_to=torch.device("cpu"))
    clip.load_model()
    return types.SimpleNamespace(unet=Unet(model.model.diffusion_model, pipe.unet.config),
                                 text_encoder=clip.cond_stage_model.clip_l.transformer, tokenizer=pipe.tokenizer)


class Refusals(logging.Handler):
    """ComfyUI logs what it does not load, or cannot compute, and goes on."""
    expected = ("lora_unet_out_0", "clip missing", "bundle_emb")

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found = []

    def emit(self, record):
        message = record.getMessage()
        if not any(text in message for text in self.expected):
            self.found.append(message)


@contextlib.contextmanager
def refusing():
    handler = Refusals()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
    if handler.found:
        raise ValueError(f"{handler.found[0]} (and {len(handler.found) - 1} others)")


@torch.no_grad()
def comfy_lora(pipe, base, files):
    program, model, clip = comfy_loaded(pipe, base)
    with refusing():
        for file, strength in files:
            lora = program.utils.load_torch_file(str(file), safe_load=True)
            model, clip = program.sd.load_lora_for_models(model, clip, lora, strength, strength)
        return comfy_outputs(pipe, model, clip)


@torch.no_grad()
def comfy_checkpoint(pipe, tensors):
    program, model, clip = comfy_loaded(pipe, tensors)
    return comfy_outputs(pipe, model, clip)


@torch.no_grad()
def comfy_node(pipe, base, node, file):
    """node: the folder of the node, which is imported as ComfyUI does."""
    program, model, clip = comfy_loaded(pipe, base)
    import folder_paths
    folder_paths.add_model_folder_path("loras", str(file.parent))
    spec = importlib.util.spec_from_file_location("comfyui_atomstudio", node / "__init__.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    with refusing():
        (model,) = loaded.LoadAtomStudioAdapter().load(model, file.name, 1.0)
        return comfy_outputs(pipe, model, clip)


def tree(tensors, **attributes):
    """A module that has these parameters."""
    root = torch.nn.Module()
    for key, value in tensors.items():
        module, *_, name = root, *key.split(".")
        for part in key.split(".")[:-1]:
            if not hasattr(module, part):
                module.add_module(part, torch.nn.Module())
            module = getattr(module, part)
        module.register_parameter(name, torch.nn.Parameter(value.clone(), requires_grad=False))
    for key, value in attributes.items():
        setattr(root, key, value)
    return root


def unet_configuration(pipe):
    """The settings from which Forge derives the names of the layers."""
    config = pipe.unet.config
    blocks = len(config.block_out_channels)
    depth = [int("CrossAttn" in kind) for kind in config.down_block_types]
    return {"num_res_blocks": [config.layers_per_block] * blocks,
            "channel_mult": [width // config.block_out_channels[0] for width in config.block_out_channels],
            "transformer_depth": [level for level in depth for _ in range(config.layers_per_block)],
            "transformer_depth_output": [level for level in depth for _ in range(config.layers_per_block + 1)],
            "transformer_depth_middle": 1}


@torch.no_grad()
def forge_lora(pipe, base, names, files):
    """The UNet with the parameters that Forge's LoraLoader changes. names: layers of diffusers -> of the original code."""
    folder = checkout("FORGE")
    for path in (folder, folder / "packages_3rdparty"):
        if str(path) not in sys.path:
            sys.path.insert(0, str(path))
    with arguments("--always-cpu"):
        from backend.patcher import lora as patcher
    for part, module, prefix in (("unet", pipe.unet, UNET), ("text", pipe.text_encoder, TEXT)):
        inside = "diffusion_model." if part == "unet" else "clip_l.transformer."
        weights = {inside + key[len(prefix):]: value.float() for key, value in base.items() if key.startswith(prefix)}
        model = tree(weights, config=types.SimpleNamespace(huggingface_repo=""))
        if part == "unet":
            model.diffusion_model.config = unet_configuration(pipe)
        keys = (patcher.model_lora_keys_unet if part == "unet" else patcher.model_lora_keys_clip)(model, {})
        loader, loaded = patcher.LoraLoader(model), {}
        for number, (file, strength) in enumerate(files):
            patches, left = patcher.load_lora(load_file(file), keys)
            other = "lora_te" if part == "unet" else "lora_unet"
            left = [key for key in left if not key.startswith((other, "lora_unet_out_0", "bundle_emb"))]
            if left:
                raise ValueError(f"{left[0]} is not loaded (and {len(left) - 1} others)")
            loaded[(f"file{number}", strength, 1.0, False)] = {
                key: [(strength, patch, 1.0, None, None)] for key, patch in patches.items()}
        loader.refresh(loaded)
        changed = dict(model.named_parameters())
        for name, parameter in module.named_parameters():
            layer, kind = name.rsplit(".", 1)
            if part == "text":
                layer = "text_model." + layer.removeprefix("text_model.")
            found = changed.get(f"{inside}{names[layer] if part == 'unet' else layer}.{kind}")
            if found is not None:
                parameter.copy_(found.reshape(parameter.shape))
    return pipe


def package(name, folder, **attributes):
    """A package without its __init__.py."""
    made = sys.modules[name] = types.ModuleType(name)
    made.__path__ = [str(folder / name.replace(".", "/"))]
    made.__dict__.update(attributes)
    return made


class Logger:
    """InvokeAI's own one needs the application's settings."""

    @staticmethod
    def get_logger(*_):
        return logging.getLogger("InvokeAI")


def invoke():
    folder = checkout("INVOKEAI")
    if "invokeai" in sys.modules:
        return
    for name in ("invokeai", "invokeai.app", "invokeai.backend", "invokeai.backend.model_manager",
                 "invokeai.backend.model_manager.load", "invokeai.backend.model_manager.load.model_cache",
                 "invokeai.backend.model_manager.load.model_cache.torch_module_autocast",
                 "invokeai.backend.model_manager.util"):
        package(name, folder)
    package("invokeai.backend.util", folder, InvokeAILogger=Logger)
    log = package("invokeai.backend.util.logging", folder, InvokeAILogger=Logger, warning=logging.warning)
    sys.modules["invokeai.backend.util"].logging = log
    package("invokeai.backend.util.devices", folder, TorchDevice=types.SimpleNamespace(CPU_DEVICE=torch.device("cpu")))
    lock = types.SimpleNamespace(read_lock=contextlib.nullcontext)
    package("invokeai.backend.model_manager.load.model_cache.model_cache", folder, MODEL_LOAD_LOCK=lock)
    for name in ("picklescan", "picklescan.scanner"):
        sys.modules.setdefault(name, types.ModuleType(name))
    package("invokeai.app.services", folder)
    package("invokeai.app.services.config", folder)
    package("invokeai.app.services.config.config_default", folder, get_config=lambda: None)
    package("invokeai.backend.model_manager.taxonomy", folder, ClipVariantType=None)
    package("invokeai.backend.quantization", folder)
    package("invokeai.backend.quantization.gguf", folder)
    package("invokeai.backend.quantization.gguf.loaders", folder, gguf_sd_loader=None)


@torch.no_grad()
def invoke_lora(pipe, files):
    """The pipeline patched by InvokeAI's LayerPatcher, if its detection of the base model finds this one."""
    invoke()
    from invokeai.backend.model_manager.util.model_util import lora_token_vector_length
    from invokeai.backend.patches.layer_patcher import LayerPatcher
    from invokeai.backend.patches.lora_conversions.sd_lora_conversion_utils import lora_model_from_sd_state_dict
    with refusing():
        patches = []
        for file, strength in files:
            tensors = load_file(file)
            length = lora_token_vector_length(tensors)
            # A zero layer that shows it is written for models with attention in the first block, which the embedded one
            # lacks.
            shows_width = any("attn2_to_k" in key or "lora_te_" in key for key in tensors)
            if length != pipe.unet.config.cross_attention_dim and (length is not None or shows_width):
                raise ValueError(f"base model is not detected: vector length {length}")
            left_out = ("lora_unet_out_0.", "bundle_emb.")
            patches.append((lora_model_from_sd_state_dict({key: value for key, value in tensors.items()
                                                          if not key.startswith(left_out)}), strength))
        # Kept after the context, which would restore the weights.
        text = "lora_te_" if hasattr(pipe.text_encoder, "text_model") else "lora_te_text_model_"  # transformers 4 or 5
        for model, prefix in ((pipe.unet, "lora_unet_"), (pipe.text_encoder, text)):
            context = LayerPatcher.apply_smart_model_patches(
                model=model, patches=patches, prefix=prefix, dtype=torch.float32, force_direct_patching=True)
            context.__enter__()
            contexts.append(context)
    return pipe


contexts = []
