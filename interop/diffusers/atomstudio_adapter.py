"""Loads adapters of Atom Studio into a diffusers pipeline, without conversion.

    from atomstudio_adapter import load
    adapter = load(pipe, "car.safetensors", strength=0.8)
    pipe("a sks car in the snow")
    adapter.set_strength(1.0)
    adapter.remove()

Filter atoms (complete and with fewer atoms), overcomplete atoms, channel atoms, LoRA, and the word of a textual
inversion. W becomes W + strength * dW, computed in float32 and kept in the layer's type; the original weights are kept
in memory. Needs torch, safetensors and diffusers. Written for the file format of version 1.
"""
import json

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


class Loaded:
    """An adapter in a pipeline."""

    def __init__(self, pipe, metadata, layers, strength):
        self.pipe, self.metadata, self.layers = pipe, metadata, layers
        self.modules = {name: module(pipe, name) for name in layers}
        self.originals = {name: found.weight.detach().clone() for name, found in self.modules.items()}
        self.set_strength(strength)

    @torch.no_grad()
    def set_strength(self, strength):
        changed = {}
        for name, (method, parameters) in self.layers.items():
            base = self.originals[name]
            changed[name] = (base.float() + strength * change(base, method, parameters, self.metadata)).to(base.dtype)
        for name, weight in changed.items():
            self.modules[name].weight.copy_(weight)

    @torch.no_grad()
    def remove(self):
        for name, original in self.originals.items():
            self.modules[name].weight.copy_(original)


def module(pipe, name):
    text = name.startswith("text_model.")
    component = pipe.text_encoder if text else pipe.unet
    for path in (name, name.removeprefix("text_model.")):
        try:
            return component.get_submodule(path)
        except AttributeError:
            continue
    raise ValueError(f"{name}: the {'text encoder' if text else 'UNet'} has no such layer; "
                     "use the adapter with a model of the kind that it was trained on")


def add_word(pipe, token, rows):
    """Adds the word of a textual inversion; further rows get the tokens WORD_1, WORD_2, ..."""
    tokens = [token] + [f"{token}_{i}" for i in range(1, len(rows))]
    if pipe.tokenizer.add_tokens(tokens) != len(tokens):
        raise ValueError(f"{token}: the tokenizer has this word already")
    pipe.text_encoder.resize_token_embeddings(len(pipe.tokenizer))
    table = pipe.text_encoder.get_input_embeddings().weight
    with torch.no_grad():
        for index, row in zip(pipe.tokenizer.convert_tokens_to_ids(tokens), rows):
            table[index] = row.to(table)


def load(pipe, file, strength=1.0):
    """Applies an adapter to the pipeline's UNet and text encoder. Of several, each is computed on the one before."""
    metadata, layers = read(file)
    embeddings = [name for name in layers if name.endswith("token_embedding")]
    for name, (_, parameters) in layers.items():
        if name not in embeddings:
            weight = module(pipe, name).weight
            if list(weight.shape) != json.loads(metadata["layers"])[name]:
                raise ValueError(f"{file}: {name}: expected a weight of {json.loads(metadata['layers'])[name]}, "
                                 f"the model's has {list(weight.shape)}")
    loaded = Loaded(pipe, metadata, {k: v for k, v in layers.items() if k not in embeddings}, strength)
    for name in embeddings:
        add_word(pipe, metadata["token"], layers[name][1]["rows"])
    return loaded
