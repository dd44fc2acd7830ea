"""Adapters in the dialects of other programs over the embedded model, random numbers, and the weights that come of them.

    python make.py MODEL        (torch 2.7, diffusers 0.42, peft 0.21, lycoris-lora 4.1)

kohya, peft, processor: loaded by diffusers' StableDiffusionPipeline.load_lora_weights, fused at scale 1, weights read back.
lycoris (LoHa, LoKr whole / low-rank / with a core, LoCon with a core, whole differences, norms): by LyCORIS' own modules,
made from the file: what their forward pass adds. counted: cloneofsimo's dialect, written by counting the modules of diffusers' UNet as its code does (down, up, middle; attn1, GEGLU, attn2) and
CLIPAttention's k, v, q, out; the weight is base + up @ down.
Each NAME.safetensors is the adapter, NAME.expected.safetensors holds `LAYER.weight` minus base in float32 for the layers that it names.
"""
import sys
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file, save_file

model, here = sys.argv[1], Path(__file__).parent
generator = torch.Generator().manual_seed(5)


def pipeline():
    return StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32, safety_checker=None)


def weights(pipe):
    state = {k: v.detach().clone() for k, v in pipe.unet.state_dict().items()}
    state.update({(k if k.startswith("text_model.") else "text_model." + k): v.detach().clone() for k, v in pipe.text_encoder.state_dict().items()})
    return state


def random(*shape, by=0.1):
    return torch.randn(shape, generator=generator) * by


base = weights(pipeline())
LINEAR = "up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
OUT = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0"
CONV = "down_blocks.0.resnets.0.conv1"
POINT = "up_blocks.1.attentions.0.proj_in"
TEXT = "text_model.encoder.layers.1.self_attn.q_proj"
MLP = "text_model.encoder.layers.0.mlp.fc1"
NORM = "up_blocks.1.resnets.0.norm1"


def shape(layer):
    return base[layer + ".weight"].shape


def write(name, adapter, state, layers, metadata=None):
    save_file({k: v.contiguous() for k, v in adapter.items()}, here / f"{name}.safetensors", metadata)
    expected = {}
    for layer in layers:
        for part in ("weight", "bias"):
            key = f"{layer}.{part}"
            if key in base and not torch.equal(state[key], base[key]):
                expected[key] = (state[key] - base[key]).float().contiguous()
    assert {k.rsplit(".", 1)[0] for k in expected} == set(layers), (name, layers, expected.keys())
    others = [k for k in base if not torch.equal(state[k], base[k]) and k not in expected]
    assert not others, (name, others)
    save_file(expected, here / f"{name}.expected.safetensors")


def joined(layer):
    return ("lora_te_" if layer.startswith("text_model.") else "lora_unet_") + layer.replace(".", "_")


def pair(layer, rank):
    s = shape(layer)
    return random(rank, *s[1:]), random(s[0], rank, *([1, 1] if len(s) == 4 else []))


def by_diffusers(name, adapter, layers):
    save_file({k: v.contiguous() for k, v in adapter.items()}, here / f"{name}.safetensors")
    pipe = pipeline()
    pipe.load_lora_weights(str(here), weight_name=f"{name}.safetensors")
    pipe.fuse_lora()
    pipe.unload_lora_weights()
    write(name, adapter, weights(pipe), layers)


kohya = {}
for layer in (LINEAR, OUT, POINT, MLP):                                                    # one rank and α: diffusers mixes several up
    down, up = pair(layer, 2)
    kohya[joined(layer) + ".lora_down.weight"], kohya[joined(layer) + ".lora_up.weight"] = down.half(), up.half()
    kohya[joined(layer) + ".alpha"] = torch.tensor(3.0)
by_diffusers("kohya", kohya, [LINEAR, OUT, POINT, MLP])

peft = {}
for layer, rank in [(LINEAR, 2), (OUT, 1), (CONV, 2)]:
    prefix = "text_encoder." if layer.startswith("text_model.") else "unet."
    peft[f"{prefix}{layer}.lora_A.weight"], peft[f"{prefix}{layer}.lora_B.weight"] = pair(layer, rank)
by_diffusers("peft", peft, [LINEAR, OUT, CONV])

processor = {}
for layer in (LINEAR, OUT):
    block, one = layer.removesuffix(".0").rsplit(".", 1)
    processor[f"{block}.processor.{one}_lora.down.weight"], processor[f"{block}.processor.{one}_lora.up.weight"] = pair(layer, 2)
state = dict(base)
for layer in (LINEAR, OUT):
    block, one = layer.removesuffix(".0").rsplit(".", 1)
    state[layer + ".weight"] = base[layer + ".weight"] + processor[f"{block}.processor.{one}_lora.up.weight"] @ processor[f"{block}.processor.{one}_lora.down.weight"]
write("processor", processor, state, [LINEAR, OUT])

from lycoris.modules import get_module, make_module

lycoris = {}


def put(layer, **numbers):
    for key, value in numbers.items():
        lycoris[f"{joined(layer)}.{key.replace('__', '.')}"] = value if torch.is_tensor(value) else torch.tensor(float(value))


o, i = shape(LINEAR)
put(LINEAR, hada_w1_a=random(o, 2), hada_w1_b=random(2, i), hada_w2_a=random(o, 2), hada_w2_b=random(2, i), alpha=1)
o, i = shape(OUT)
put(OUT, lokr_w1=random(8, 8), lokr_w2_a=random(o // 8, 2), lokr_w2_b=random(2, i // 8), alpha=1)
o, i, k, _ = shape(CONV)
put(CONV, lora_mid__weight=random(2, 2, k, k, by=0.3), lora_down__weight=random(2, i, 1, 1), lora_up__weight=random(o, 2, 1, 1), alpha=1)
POINT2 = "down_blocks.1.resnets.0.conv2"
o, i, k, _ = shape(POINT2)
put(POINT2, lokr_w1=random(4, 4), lokr_w2=random(o // 4, i // 4, k, k), alpha=3)
CORE = "up_blocks.2.resnets.0.conv2"
o, i, k, _ = shape(CORE)
put(CORE, hada_t1=random(2, 2, k, k, by=0.5), hada_w1_a=random(2, o, by=0.5), hada_w1_b=random(2, i, by=0.5), hada_t2=random(2, 2, k, k, by=0.5), hada_w2_a=random(2, o, by=0.5), hada_w2_b=random(2, i, by=0.5), alpha=1)
WHOLE = "conv_out"
put(WHOLE, diff=random(*shape(WHOLE)), diff_b=random(shape(WHOLE)[0]))
put(NORM, w_norm=random(*shape(NORM)), b_norm=random(*shape(NORM)))
o, i = shape(TEXT)
put(TEXT, lokr_w1_a=random(8, 2), lokr_w1_b=random(2, 8), lokr_w2_a=random(o // 8, 2), lokr_w2_b=random(2, i // 8), alpha=4)
pipe = pipeline()
for root, prefix in ((pipe.unet, "lora_unet_"), (pipe.text_encoder, "lora_te_")):
    for path, target in list(root.named_modules()):
        full = path if root is pipe.unet or path.startswith("text_model.") else "text_model." + path
        name = prefix + full.replace(".", "_")
        kind, numbers = get_module(lycoris, name)
        if kind is not None:
            module = make_module(kind, numbers, name, target)
            if kind.__name__ in ("LohaModule", "LokrModule"):
                target.weight.data += module.get_weight(target.weight.shape).detach()       # what forward adds; merge_to of 4.1 scales twice
            else:
                module.merge_to(1.0)
write("lycoris", lycoris, weights(pipe), [LINEAR, OUT, CONV, POINT2, CORE, WHOLE, NORM, TEXT])

counted, state = {}, dict(base)
pipe = pipeline()
halves = [pipe.unet.down_blocks, pipe.unet.up_blocks, pipe.unet.mid_block]
names = {id(module): name for name, module in pipe.unet.named_modules()}
order = []
for half in halves:
    for module in half.modules():
        if type(module).__name__ == "BasicTransformerBlock":
            order += [module.attn1.to_q, module.attn1.to_k, module.attn1.to_v, module.attn1.to_out[0], module.ff.net[0].proj, module.attn2.to_q, module.attn2.to_k, module.attn2.to_v, module.attn2.to_out[0]]
text = [f"text_model.encoder.layers.{layer}.self_attn.{one}_proj" for layer in range(len(pipe.text_encoder.text_model.encoder.layers if hasattr(pipe.text_encoder, "text_model") else pipe.text_encoder.encoder.layers)) for one in ("k", "v", "q", "out")]
layers = []
for kind, index, layer in [("unet", 4, names[id(order[4])]), ("unet", 6, names[id(order[6])]), ("unet", len(order) - 1, names[id(order[-1])]), ("unet", 20, names[id(order[20])]), ("text_encoder", 5, text[5])]:
    counted[f"{kind}:{index}:down"], counted[f"{kind}:{index}:up"] = pair(layer, 1)
    state[layer + ".weight"] = base[layer + ".weight"] + counted[f"{kind}:{index}:up"] @ counted[f"{kind}:{index}:down"]
    layers.append(layer)
counted["<s1>"] = random(shape("text_model.embeddings.token_embedding")[1])
write("counted", counted, state, layers, {"<s1>": "<embed>", "unet": '["CrossAttention", "Attention", "GEGLU"]'})
