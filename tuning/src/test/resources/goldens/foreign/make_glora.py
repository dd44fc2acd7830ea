"""GLoRA of peft, with all its terms, over the embedded model, random numbers, and the weights that peft makes of them.

    python make_glora.py MODEL        (torch 2.7, diffusers 0.42, peft 0.21)

peft-glora: A, B and C products, D and E scalars. peft-glora-vector: vectors. Of a layer without bias and one with. peft-NAME.probed.safetensors: as in
make_kinds.py.
"""
import json
import shutil
import sys
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from peft import GloraConfig, get_peft_model
from safetensors.torch import save_file

model, here = sys.argv[1], Path(__file__).parent
LAYERS = ["up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k", "mid_block.attentions.0.transformer_blocks.0.ff.net.2"]
generator = torch.Generator().manual_seed(29)


def unet():
    return UNet2DConditionModel.from_pretrained(f"{model}/unet", torch_dtype=torch.float32)


def probed(change):
    change = change.detach().float().reshape(change.shape[0], -1)
    return (change @ torch.sin(1 + 7.3 * torch.arange(3 * change.shape[1], dtype=torch.float64)).float().reshape(-1, 3)).contiguous()


def peft(name, **arguments):
    wrapped = get_peft_model(unet(), GloraConfig(r=3, target_modules=LAYERS, **arguments))
    for key, parameter in sorted(wrapped.named_parameters()):
        if "glora_" in key:
            parameter.data = 0.2 * torch.randn(parameter.shape, generator=generator)
    folder = here / f"peft-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    wrapped.save_pretrained(folder)
    (folder / "README.md").unlink()
    settings = {key: value for key, value in json.loads((folder / "adapter_config.json").read_text()).items() if "name_or_path" not in key}
    (folder / "adapter_config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
    before, after = unet().state_dict(), wrapped.merge_and_unload().state_dict()
    changes = {key: after[key] - before[key] for key in before if not torch.equal(before[key], after[key])}
    assert len(changes) == 3 and all(value.abs().max() > 1e-3 for value in changes.values())
    save_file({key: probed(value) if value.dim() > 1 else value.contiguous() for key, value in changes.items()}, here / f"peft-{name}.probed.safetensors")


peft("glora", config_A_B="lora", config_C="lora", config_D_E="constant")
peft("glora-vector", config_A_B="vector", config_C="vector", config_D_E="vector")
