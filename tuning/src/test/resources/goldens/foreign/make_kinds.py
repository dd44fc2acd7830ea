"""Adapters of the kinds beyond LoRA, LoHa and LoKr over the embedded model, random numbers, and the weights that their libraries make of them.

    python make_kinds.py MODEL        (torch 2.7, diffusers 0.42, peft 0.21, lycoris-lora 4.1)

lycoris-NAME.safetensors: LyCORIS' own modules, their state_dict under sd-scripts' layer names. dora: outputs and inputs normalized, on LoRA, LoCon, LoHa and LoKr.
oft, boft: with and without rescale and constraint. glora. ia3: scales of outputs and of inputs.
peft-NAME: peft's save_pretrained. dora; oft: Cayley-Neumann of 5 terms; oft-exact: Cayley; oft-shared: one constrained block for all, 3 terms; boft: one factor;
boft-two: two factors, with the CUDA kernel for block-diagonal matrices replaced by torch.block_diag; ia3: scales of outputs and of inputs ("feedforward").
diffusers-dora.safetensors: StableDiffusionPipeline.save_lora_weights with the adapter's metadata.
NAME.probed.safetensors holds, of each layer that is changed, the change (outputs, …) times three columns sin(1 + 7.3 i), and changed biases whole.
"""
import json
import shutil
import sys
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from lycoris.modules import ButterflyOFTModule, DiagOFTModule, GLoRAModule, IA3Module, LoConModule, LohaModule, LokrModule
from peft import BOFTConfig, IA3Config, LoraConfig, OFTConfig, get_peft_model
from peft.tuners.boft import layer as boft_layer
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

model, here = sys.argv[1], Path(__file__).parent
K = "up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
OUT = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0"
Q = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
V = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_v"
WIDE = "mid_block.attentions.0.transformer_blocks.0.attn2.to_k"
FF = "down_blocks.1.attentions.0.transformer_blocks.0.ff.net.2"
CONV = "down_blocks.0.resnets.0.conv1"
CONV2 = "down_blocks.0.resnets.0.conv2"
GROW = "down_blocks.1.resnets.0.conv1"
POINT = "up_blocks.1.attentions.0.proj_in"
generator = torch.Generator().manual_seed(17)


def unet():
    return UNet2DConditionModel.from_pretrained(f"{model}/unet", torch_dtype=torch.float32)


def random(parameter, by=0.2):
    return torch.randn(parameter.shape, generator=generator) * by


def probed(change):
    change = change.detach().float().reshape(change.shape[0], -1)
    return (change @ torch.sin(1 + 7.3 * torch.arange(3 * change.shape[1], dtype=torch.float64)).float().reshape(-1, 3)).contiguous()


def write_expected(name, changes):
    assert all(value.abs().max() > 1e-3 for value in changes.values()), name
    save_file({key: probed(value) if value.dim() > 1 else value.detach().float().contiguous() for key, value in changes.items()}, here / f"{name}.probed.safetensors")


def lycoris(name, modules):
    """modules: (layer, class, arguments)"""
    network, tensors, changes = dict(unet().named_modules()), {}, {}
    for layer, kind, arguments in modules:
        target = network[layer]
        module = kind("x", target, 1, **arguments)
        for key, parameter in module.named_parameters():
            if "org_module" in key:
                continue
            around_one = key in ("dora_scale", "rescale")
            parameter.data = parameter.data * (1 + random(parameter)) if around_one else random(parameter)
        tensors |= {f"lora_unet_{layer.replace('.', '_')}.{key}": value.detach().contiguous() for key, value in module.state_dict().items()}
        weight = target.weight.detach()
        if kind in (LohaModule, LokrModule):                                         # as forward does; merge_to of 4.1 scales twice
            changes[layer + ".weight"] = module.apply_weight_decompose(weight + module.get_weight(weight.shape)) - weight
        else:
            changes[layer + ".weight"] = module.get_merged_weight(1, weight.shape)[0] - weight
    save_file(tensors, here / f"lycoris-{name}.safetensors")
    write_expected(f"lycoris-{name}", changes)


out, inputs = {"weight_decompose": True, "wd_on_out": True}, {"weight_decompose": True, "wd_on_out": False}
lycoris("dora", [(K, LoConModule, {"lora_dim": 2, "alpha": 3, **out}), (WIDE, LoConModule, {"lora_dim": 2, "alpha": 3, **inputs}), (CONV, LoConModule, {"lora_dim": 2, "alpha": 1, **out}),
                 (GROW, LoConModule, {"lora_dim": 2, "alpha": 3, "use_tucker": True, **inputs}), (OUT, LohaModule, {"lora_dim": 2, "alpha": 3, **out}), (Q, LoConModule, {"lora_dim": 2, "alpha": 2, **inputs}),
                 (CONV2, LokrModule, {"lora_dim": 2, "alpha": 3, "factor": 4, **inputs})])
lycoris("oft", [(K, DiagOFTModule, {"lora_dim": 4}), (CONV, DiagOFTModule, {"lora_dim": 4, "rescaled": True}), (OUT, DiagOFTModule, {"lora_dim": 8, "constraint": 0.03}), (WIDE, DiagOFTModule, {"lora_dim": 8, "rescaled": True})])
lycoris("boft", [(K, ButterflyOFTModule, {"lora_dim": 4}), (CONV, ButterflyOFTModule, {"lora_dim": 8, "rescaled": True}), (WIDE, ButterflyOFTModule, {"lora_dim": 16, "constraint": 0.05})])
lycoris("glora", [(K, GLoRAModule, {"lora_dim": 2, "alpha": 3}), (WIDE, GLoRAModule, {"lora_dim": 3, "alpha": 1}), (GROW, GLoRAModule, {"lora_dim": 2, "alpha": 4}), (POINT, GLoRAModule, {"lora_dim": 2, "alpha": 2})])
lycoris("ia3", [(K, IA3Module, {}), (WIDE, IA3Module, {"train_on_input": True}), (CONV, IA3Module, {}), (GROW, IA3Module, {"train_on_input": True}), (OUT, IA3Module, {"train_on_input": True})])


def peft(name, config, by=0.2):
    wrapped = get_peft_model(unet(), config)
    for key, parameter in sorted(wrapped.named_parameters()):
        if any(part in key for part in ("lora_", "oft_R", "boft_", "ia3_l")):
            around_one = any(part in key for part in ("magnitude", "boft_s", "ia3_l"))
            parameter.data = parameter.data * (1 + random(parameter)) if around_one else random(parameter, by)
    folder = here / f"peft-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    wrapped.save_pretrained(folder)
    (folder / "README.md").unlink()
    settings = {key: value for key, value in json.loads((folder / "adapter_config.json").read_text()).items() if "name_or_path" not in key}
    (folder / "adapter_config.json").write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n")
    before, after = unet().state_dict(), wrapped.merge_and_unload().state_dict()
    write_expected(f"peft-{name}", {key: after[key] - before[key] for key in before if not torch.equal(before[key], after[key])})


peft("dora", LoraConfig(r=2, lora_alpha=3, target_modules=[K, WIDE, CONV, POINT], use_dora=True))
peft("oft", OFTConfig(oft_block_size=8, target_modules=[K, WIDE, CONV, POINT]), 0.05)
peft("oft-exact", OFTConfig(oft_block_size=0, r=16, target_modules=[K, WIDE, CONV], use_cayley_neumann=False))
peft("oft-shared", OFTConfig(oft_block_size=8, target_modules=[K, CONV], block_share=True, coft=True, eps=0.4, num_cayley_neumann_terms=3))
peft("boft", BOFTConfig(boft_block_size=8, target_modules=[K, WIDE, CONV]))
boft_layer.get_fbd_cuda = lambda: True
boft_layer.FastBlockDiag = type("BlockDiag", (), {"apply": staticmethod(lambda blocks: torch.stack([torch.block_diag(*each) for each in blocks]))})
peft("boft-two", BOFTConfig(boft_block_size=8, boft_n_butterfly_factor=3, target_modules=[K, WIDE]))
peft("ia3", IA3Config(target_modules=[K, WIDE, OUT, FF, CONV, CONV2], feedforward_modules=[FF, CONV2]))

pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32, safety_checker=None)
pipe.unet.add_adapter(LoraConfig(r=2, lora_alpha=3, target_modules=[K, CONV], use_dora=True))
for key, parameter in sorted(pipe.unet.named_parameters()):
    if "lora_" in key:
        parameter.data = parameter.data * (1 + random(parameter)) if "magnitude" in key else random(parameter)
metadata = {key: value for key, value in pipe.unet.peft_config["default"].to_dict().items() if "name_or_path" not in key}
pipe.save_lora_weights(here, weight_name="diffusers-dora.safetensors", unet_lora_layers=get_peft_model_state_dict(pipe.unet), unet_lora_adapter_metadata=metadata)
before = unet().state_dict()
pipe.fuse_lora()
pipe.unload_lora_weights()
after = pipe.unet.state_dict()
write_expected("diffusers-dora", {key: after[key] - before[key] for key in before if not torch.equal(before[key], after[key])})
