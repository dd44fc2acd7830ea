"""Adapters whose alpha does not stand in their tensors, over the embedded model, and the weights that come of them.

    python make_alpha.py MODEL        (torch 2.7, diffusers 0.42, peft 0.21)

header: StableDiffusionPipeline.save_lora_weights with the adapters' metadata (patterns of ranks and alphas; rsLoRA on the text encoder).
unprefixed: unet.save_lora_adapter. folder-lora, folder-loha, folder-lokr: peft's save_pretrained, adapter_config.json beside the tensors.
NAME.expected.safetensors holds `LAYER.weight` minus base as peft computes it. The text encoder's names are those of transformers 4.
"""
import json
import sys
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from peft import LoHaConfig, LoKrConfig, LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors import safe_open
from safetensors.torch import load_file, save_file

model, here = sys.argv[1], Path(__file__).parent
K = "up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
OUT = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0"
Q = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
POINT = "up_blocks.1.attentions.0.proj_in"
TEXT = "encoder.layers.1.self_attn.q_proj"


def pipeline():
    return StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32, safety_checker=None)


def randomized(module):
    """Numbers for every adapter tensor, the same each time."""
    generator = torch.Generator().manual_seed(7)
    for name, parameter in sorted(module.named_parameters()):
        if any(part in name for part in ("lora_", "hada_", "lokr_")):
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.1


def changes(module, layers, names=lambda layer: layer):
    modules = dict(module.named_modules())
    return {names(layer) + ".weight": modules[layer].get_delta_weight("default").detach().float().contiguous() for layer in layers}


pipe = pipeline()
unet = LoraConfig(r=2, lora_alpha=6, target_modules=[K, OUT, Q, POINT], rank_pattern={"attn2.to_k": 4}, alpha_pattern={"down_blocks.*to_q": 1, "proj_in": 5, "to_k": 7})
prefix = "text_model." if hasattr(pipe.text_encoder, "text_model") else ""
text = LoraConfig(r=4, lora_alpha=3, target_modules=[prefix + TEXT], use_rslora=True)
pipe.unet.add_adapter(unet)
pipe.text_encoder.add_adapter(text)
randomized(pipe.unet)
randomized(pipe.text_encoder)
expected = changes(pipe.unet, [K, OUT, Q, POINT]) | changes(pipe.text_encoder, [prefix + TEXT], lambda layer: "text_model." + layer.removeprefix("text_model."))
pipe.save_lora_weights(here, weight_name="header.safetensors", unet_lora_layers=get_peft_model_state_dict(pipe.unet), text_encoder_lora_layers=get_peft_model_state_dict(pipe.text_encoder),
                       unet_lora_adapter_metadata=pipe.unet.peft_config["default"].to_dict(), text_encoder_lora_adapter_metadata=pipe.text_encoder.peft_config["default"].to_dict())
with safe_open(here / "header.safetensors", "pt") as file:
    metadata = file.metadata()
tensors = {key.replace("text_encoder.encoder.", "text_encoder.text_model.encoder."): value for key, value in load_file(here / "header.safetensors").items()}
config = {key: value for key, value in json.loads(metadata["lora_adapter_metadata"]).items() if "name_or_path" not in key}
save_file(tensors, here / "header.safetensors", metadata | {"lora_adapter_metadata": json.dumps(config, indent=2, sort_keys=True)})
save_file(expected, here / "header.expected.safetensors")

pipe = pipeline()
pipe.unet.add_adapter(LoraConfig(r=2, lora_alpha=5, target_modules=[K], use_rslora=True))
randomized(pipe.unet)
pipe.unet.save_lora_adapter(here, weight_name="unprefixed.safetensors")
save_file(changes(pipe.unet, [K]), here / "unprefixed.expected.safetensors")

for name, config, layers in [
    ("folder-lora", LoraConfig(r=2, lora_alpha=5, target_modules=[K, Q], alpha_pattern={"down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q": 16}), [K, Q]),
    ("folder-loha", LoHaConfig(r=2, alpha=5, target_modules=[K, Q], alpha_pattern={"to_q": 1}), [K, Q]),
    ("folder-lokr", LoKrConfig(r=2, alpha=6, target_modules=[K, Q], decompose_factor=8, rank_pattern={"to_q": 999}), [K, Q]),
]:
    wrapped = get_peft_model(pipeline().unet, config)
    randomized(wrapped)
    wrapped.save_pretrained(here / name)
    (here / name / "README.md").unlink()
    config = json.loads((here / name / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = None
    (here / name / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    save_file(changes(wrapped.base_model.model, layers), here / f"{name}.expected.safetensors")
