"""Adapters over the embedded model as today's programs write them, random numbers, and what those programs make of them.

    python make_dialects.py MODEL        (torch 2.7, diffusers 0.42, transformers 5, peft 0.21, lycoris-lora 4.1)

transformers5: StableDiffusionPipeline.save_lora_weights, text encoder included. te1: the same by convert_state_dict_to_kohya.
raw: the state_dict of a model that peft wrapped, with an adapter name of its own. wrapper: the state_dict of LyCORIS' own wrapper (LoCon with a
core, LoHa, LoKr, whole differences with biases, norms). sgm: the original code's block names, old: diffusers' first names for text encoders, both
written here by hand and read by StableDiffusionPipeline.lora_state_dict (sgm with the UNet's configuration, as the pipeline for SDXL calls it).
NAME.probed.safetensors holds, of each layer that is changed, the change (outputs, …) times three columns sin(1 + 7.3 i), and changed biases whole:
enough to tell any other change, and small. Layers have the names of transformers 4.
"""
import sys
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_kohya
from lycoris import LycorisNetwork, create_lycoris
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

model, here = sys.argv[1], Path(__file__).parent
K = "up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
OUT = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0"
CONV = "down_blocks.0.resnets.0.conv1"
PROJ = "mid_block.attentions.0.proj_in"
UP = "up_blocks.0.upsamplers.0.conv"
DOWN = "down_blocks.0.downsamplers.0.conv"
TEXT = "encoder.layers.1.self_attn.q_proj"
MLP = "encoder.layers.0.mlp.fc1"
generator = torch.Generator().manual_seed(11)


def pipeline():
    return StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32, safety_checker=None)


def randomized(module):
    for name, parameter in sorted(module.named_parameters()):
        if "lora_" in name:
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.2


def probed(change):
    change = change.detach().float().reshape(change.shape[0], -1)
    return (change @ torch.sin(1 + 7.3 * torch.arange(3 * change.shape[1], dtype=torch.float64)).float().reshape(-1, 3)).contiguous()


def full(layer):
    return layer if layer.startswith(("down_", "up_", "mid_", "conv_", "time_", "text_model.")) else "text_model." + layer


def write(name, tensors, changes, metadata=None):
    save_file({key: value.detach().contiguous() for key, value in tensors.items()}, here / f"{name}.safetensors", metadata)
    save_file({full(key.rsplit(".", 1)[0]) + "." + key.rsplit(".", 1)[1]: probed(value) if value.dim() > 1 else value.detach().float() for key, value in changes.items()}, here / f"{name}.probed.safetensors")


def deltas(module, adapter="default"):
    return {name + ".weight": layer.get_delta_weight(adapter) for name, layer in module.named_modules() if hasattr(layer, "get_delta_weight") and adapter in layer.lora_A}


pipe = pipeline()
text_prefix = "text_model." if hasattr(pipe.text_encoder, "text_model") else ""
assert not text_prefix, "expected transformers 5"
pipe.unet.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=[K, OUT, CONV, PROJ]))
pipe.text_encoder.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=[TEXT, MLP]))
randomized(pipe.unet)
randomized(pipe.text_encoder)
changes = deltas(pipe.unet) | deltas(pipe.text_encoder)
parts = {"unet": get_peft_model_state_dict(pipe.unet), "text_encoder": get_peft_model_state_dict(pipe.text_encoder)}
pipe.save_lora_weights(here, weight_name="transformers5.safetensors", unet_lora_layers=parts["unet"], text_encoder_lora_layers=parts["text_encoder"])
write("transformers5", load_file(here / "transformers5.safetensors"), changes)
write("te1", convert_state_dict_to_kohya({f"{part}.{key}": value for part, state in parts.items() for key, value in state.items()}), changes)

wrapped = get_peft_model(pipeline().unet, LoraConfig(r=2, lora_alpha=2, target_modules=[K, OUT, DOWN]), adapter_name="my-word_2")
randomized(wrapped)
write("raw", {key: value for key, value in wrapped.state_dict().items() if "lora_" in key},
      {key.removeprefix("base_model.model."): value for key, value in deltas(wrapped, "my-word_2").items()})

pipe = pipeline()
modules = dict(pipe.unet.named_modules())
tensors, changes = {}, {}
for algo, layer, more in [("lora", CONV, {"use_tucker": True}), ("loha", K, {}), ("lokr", OUT, {"factor": 8}), ("full", "conv_out", {}), ("lora", "conv_norm_out", {"train_norm": True})]:
    LycorisNetwork.apply_preset({"target_module": [], "target_name": [layer], "enable_conv": True})
    network = create_lycoris(pipe.unet, linear_dim=2, linear_alpha=3, conv_dim=2, conv_alpha=3, algo=algo, **more)
    assert [module.lora_name for module in network.loras] == ["lycoris_" + layer.replace(".", "_")], (layer, [module.lora_name for module in network.loras])
    shape = modules[layer].weight.shape
    network.apply_to()
    for parameter in network.parameters():
        parameter.data += torch.randn(parameter.shape, generator=generator) * 0.2
    own = network.state_dict()
    tensors |= own
    if algo == "full":
        changes |= {layer + ".weight": own["lycoris_conv_out.diff"], layer + ".bias": own["lycoris_conv_out.diff_b"]}
    elif "train_norm" in more:
        changes |= {layer + ".weight": own["lycoris_conv_norm_out.w_norm"], layer + ".bias": own["lycoris_conv_norm_out.b_norm"]}
    elif algo == "lora":
        changes[layer + ".weight"] = network.loras[0].get_diff_weight(1.0, shape)[0]
    else:
        changes[layer + ".weight"] = network.loras[0].get_weight(shape)                    # what forward adds; merge_to of 4.1 scales twice
write("wrapper", tensors, changes)


def by_diffusers(name, tensors):
    save_file({key: value.contiguous() for key, value in tensors.items()}, here / f"{name}.safetensors")
    pipe, before = pipeline(), pipeline()
    state, alphas, *_ = pipe.lora_state_dict(str(here), weight_name=f"{name}.safetensors", unet_config=pipe.unet.config)
    if any(key.startswith("unet.") for key in state):
        pipe.load_lora_into_unet(state, alphas, pipe.unet, _pipeline=pipe)
    if any(key.startswith("text_encoder.") for key in state):
        pipe.load_lora_into_text_encoder(state, alphas, pipe.text_encoder, prefix="text_encoder", _pipeline=pipe)
    pipe.fuse_lora()
    pipe.unload_lora_weights()
    changes = {}
    for part in ("unet", "text_encoder"):
        base = getattr(before, part).state_dict()
        changes |= {key: value - base[key] for key, value in getattr(pipe, part).state_dict().items() if not torch.equal(value, base[key])}
    write(name, tensors, changes)
    return sorted(changes)


def pair(weight, down, up):
    core = (1, 1) if weight.dim() == 4 else ()
    return {down: torch.randn((2, *weight.shape[1:]), generator=generator) * 0.2, up: torch.randn((weight.shape[0], 2, *core), generator=generator) * 0.2}


weights = pipeline().unet.state_dict()
names = {K: "output_blocks_2_1_transformer_blocks_0_attn2_to_k", OUT: "input_blocks_3_1_transformer_blocks_0_attn1_to_out_0", PROJ: "middle_block_1_proj_in",
         CONV: "input_blocks_1_0_in_layers_2", DOWN: "input_blocks_2_0_op", UP: "output_blocks_1_2_conv"}
sgm = {}
for layer, name in names.items():
    sgm |= pair(weights[layer + ".weight"], f"lora_unet_{name}.lora_down.weight", f"lora_unet_{name}.lora_up.weight")
found = by_diffusers("sgm", sgm)
print("sgm", found)

weights = pipeline().text_encoder.state_dict()
old = {}
for layer, one in [("encoder.layers.1.self_attn", "q"), ("encoder.layers.2.self_attn", "out")]:
    old |= pair(weights[f"{layer}.{one}_proj.weight"], f"text_encoder.text_model.{layer}.to_{one}_lora.down.weight", f"text_encoder.text_model.{layer}.to_{one}_lora.up.weight")
print("old", by_diffusers("old", old))
