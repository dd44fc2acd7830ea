"""Extension of A1111 and Forge: <atoms:NAME:STRENGTH> in a prompt applies a filter-atom adapter of Atom Studio.

Copy the folder `atomstudio` into the program's `extensions` and the adapter NAME.safetensors into models/Lora. Filter
atoms, overcomplete atoms, channel atoms and LoRA of the UNet, Stable Diffusion 1.x and 2.x; the word of a textual
inversion is exported as an embedding. The layers' weights stay as they are: each layer's output gets the part of dW
added, so that LoRA of the program itself can be used beside it.
"""
import json
import os

import torch
from modules import extra_networks, script_callbacks, shared
from safetensors import safe_open

RESNET = {"conv1": "in_layers.2", "conv2": "out_layers.3", "time_emb_proj": "emb_layers.1",
          "conv_shortcut": "skip_connection"}
FIXED = {"conv_in": "input_blocks.0.0", "conv_out": "out.2", "time_embedding.linear_1": "time_embed.0",
         "time_embedding.linear_2": "time_embed.2"}


def read(file):
    """The metadata, and the parameters by layer: {layer: (method, {parameter: tensor})}."""
    with safe_open(str(file), "pt") as tensors:
        metadata = tensors.metadata() or {}
        if metadata.get("format") != "atomstudio.adapter" or metadata.get("version") != "1":
            raise ValueError(f"{file}: expected an adapter of Atom Studio, version 1, found format "
                             f"{metadata.get('format')}, version {metadata.get('version')}")
        names = list(json.loads(metadata["layers"]))
        layers = {}
        for key, indices in json.loads(metadata["stacks"]).items():
            method, parameter = key.split(".")[:2]
            for index, value in zip(indices, tensors.get_tensor(key)):
                layers.setdefault(names[index], (method, {}))[1][parameter] = value.float()
    return metadata, layers


def change(weight, method, p, metadata):
    """dW of a layer, in float32. weight: the base model's."""
    w = weight.float()
    p = {name: value.to(w.device) for name, value in p.items()}
    if method == "atoms" and "check" not in p:  # dW = unfold(W) M, M = D^T dD
        m = p["M"] if "M" in p else p["D"].T @ p["dD"]
        return (w.reshape(-1, m.shape[0]) @ m).reshape(w.shape)
    if method == "overcomplete":  # dW[o,i] = W[o,i] M_i, M_i = D^T (beta_i D1)
        m = torch.einsum("ijs,jsk->ijk", p["beta"], p["D1"])
        if "D" in p:
            m = torch.einsum("jn,ijk->ink", p["D"], m)
        return torch.einsum("oin,ink->oik", w.flatten(2), m).reshape(w.shape)
    if method == "channels":  # blocks of k x k channels, as rows of unfold(W)
        k = int(metadata["method.channel-block"])
        m = p["M"] if "M" in p else p["D"].T @ p["dD"]
        rows, columns = w.shape[0] // k, w.shape[1] // k
        blocks = w.reshape(rows, k, columns, k).permute(0, 2, 1, 3).reshape(-1, k * k) @ m
        return blocks.reshape(rows, columns, k, k).permute(0, 2, 1, 3).reshape(w.shape)
    if method == "lora":
        scale = float(metadata["method.alpha"]) / float(metadata["method.rank"])
        if metadata.get("method.scaling") == "rank-stabilized":
            scale *= p["A"].shape[0] ** 0.5
        return (scale * p["B"].flatten(1) @ p["A"].flatten(1)).reshape(w.shape)
    raise ValueError(f"method {method}{' with sparse coding' if 'check' in p else ''}: expected atoms, overcomplete, "
                     "channels or lora; export the adapter as diff, or merge it (T-LoRA, serial and parallel adapters, which "
                     "change no weight, open in Atom Studio only)")


def ldm_names(name, layers_per_block=2):
    """The possible names of a layer in the original code's UNet."""
    if name in FIXED:
        return [FIXED[name]]
    section, *rest = name.split(".")
    block = 0 if section == "mid_block" else int(rest.pop(0))
    kind, index, *tail = rest[0], int(rest[1]), *rest[2:]
    inner = RESNET.get(tail[0], tail[0]) if kind == "resnets" else ".".join(tail)
    if section == "mid_block":
        return [f"middle_block.{2 * index if kind == 'resnets' else 1}.{inner}"]
    slot = "0" if kind == "resnets" else "1"
    if section == "down_blocks":
        first = 1 + block * (layers_per_block + 1)
        return [f"input_blocks.{first + layers_per_block}.0.op" if kind == "downsamplers"
                else f"input_blocks.{first + index}.{slot}.{inner}"]
    first = block * (layers_per_block + 1)
    if kind == "upsamplers":  # after the attention, where the block has one
        return [f"output_blocks.{first + layers_per_block}.{i}.conv" for i in (2, 1)]
    return [f"output_blocks.{first + index}.{slot}.{inner}"]


def hook(delta, strength):
    def add(module, inputs, output):
        d = delta.to(inputs[0])
        if d.dim() == 4:
            return output + strength * torch.nn.functional.conv2d(inputs[0], d, None, module.stride, module.padding)
        return output + strength * torch.nn.functional.linear(inputs[0], d)
    return add


def unet():
    forge = getattr(shared.sd_model, "forge_objects", None)
    return forge.unet.model.diffusion_model if forge else shared.sd_model.model.diffusion_model


def apply(network, file, strength):
    """Hooks into the layers of a UNet; each has remove()."""
    metadata, layers = read(file)
    modules = dict(network.named_modules())
    depth = 2 if not hasattr(network, "num_res_blocks") else network.num_res_blocks
    depth = depth if isinstance(depth, int) else depth[0]
    deltas = {}
    for layer, (method, parameters) in layers.items():
        if layer.startswith("text_model."):
            continue
        module = next((modules[name] for name in ldm_names(layer, depth) if name in modules), None)
        if module is None or list(module.weight.shape) != json.loads(metadata["layers"])[layer]:
            raise ValueError(f"{file}: {layer}: the model has no such layer; "
                             "use the adapter with a model of the kind that it was trained on")
        backup = getattr(module, "network_weights_backup", None)  # the weight without LoRA
        with torch.no_grad():
            base = backup if isinstance(backup, torch.Tensor) else module.weight
            deltas[module] = change(base, method, parameters, metadata).to(module.weight.dtype)
    return [module.register_forward_hook(hook(delta, strength)) for module, delta in deltas.items()]


class Atoms(extra_networks.ExtraNetwork):
    def __init__(self):
        super().__init__("atoms")
        self.hooks = []

    def activate(self, p, params_list):
        self.deactivate(p)
        folder = getattr(shared.cmd_opts, "lora_dir", None) or os.path.join("models", "Lora")
        for params in params_list:
            name, strength = params.items[0], float(params.items[1]) if len(params.items) > 1 else 1.0
            self.hooks += apply(unet(), os.path.join(folder, name + ".safetensors"), strength)

    def deactivate(self, p):
        for handle in self.hooks:
            handle.remove()
        self.hooks = []


script_callbacks.on_before_ui(lambda: extra_networks.register_extra_network(Atoms()))
