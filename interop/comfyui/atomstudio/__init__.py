"""ComfyUI node "Load Atom Studio Adapter": filter atoms of Atom Studio without conversion.

Copy the folder `atomstudio` into ComfyUI/custom_nodes and the adapter into ComfyUI/models/loras. The node stands under
loaders and takes the place of "Load LoRA" for the model; the word of a textual inversion is exported as an embedding.
Filter atoms, overcomplete atoms, channel atoms and LoRA of the UNet, Stable Diffusion 1.x and 2.x. Several adapters add
up, each computed on the checkpoint's own weights.
"""
import json

import comfy.utils
import folder_paths
import torch
from safetensors import safe_open


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


def original(model, key, weights):
    """The checkpoint's weight, also while other patches are applied in place."""
    backup = getattr(model, "backup", {}).get(key)
    return weights[key] if backup is None else getattr(backup, "weight", backup)


def patches(model, file):
    """dW by key of the model's state dict."""
    metadata, layers = read(file)
    names = comfy.utils.unet_to_diffusers(model.model.model_config.unet_config)
    weights = model.model.state_dict()
    found = {}
    for layer, (method, parameters) in layers.items():
        if layer.startswith("text_model."):
            continue
        key = "diffusion_model." + names.get(layer + ".weight", layer + ".weight")
        shape = json.loads(metadata["layers"])[layer]
        if key not in weights or list(weights[key].shape) != shape:
            raise ValueError(f"{file}: {layer} {shape}: the model has no such layer; "
                             "use the adapter with a model of the kind that it was trained on")
        with torch.no_grad():
            found[key] = ("diff", (change(original(model, key, weights), method, parameters, metadata),))
    return found


class LoadAtomStudioAdapter:
    RETURN_TYPES = ("MODEL",)
    FUNCTION = "load"
    CATEGORY = "loaders"

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"model": ("MODEL",),
                             "adapter": (folder_paths.get_filename_list("loras"),),
                             "strength": ("FLOAT", {"default": 1.0, "min": -10.0, "max": 10.0, "step": 0.01})}}

    def load(self, model, adapter, strength):
        if strength == 0:
            return (model,)
        patched = model.clone()
        patched.add_patches(patches(model, folder_paths.get_full_path("loras", adapter)), strength)
        return (patched,)


NODE_CLASS_MAPPINGS = {"LoadAtomStudioAdapter": LoadAtomStudioAdapter}
NODE_DISPLAY_NAME_MAPPINGS = {"LoadAtomStudioAdapter": "Load Atom Studio Adapter"}
