"""Rewrites model folders of diffusers' layout into single files of the original layout, to open them again and compare.

python3 make.py MODEL_FOLDER OUT_FILE [ckpt|legacy|safetensors]

Provenance, no part of building or testing: the small files beside this script were made with

    python3 make.py ../nets/sd1/model sd1.ckpt
    python3 make.py ../nets/sd2/model sd2.safetensors
    python3 make.py ../nets/inpaint/model inpaint.ckpt legacy

(torch 2.7.1, safetensors 0.5). Names of the original code: CompVis/latent-diffusion, ldm/modules/diffusionmodules/{openaimodel,model}.py;
mlfoundations/open_clip, transformer.py. The text encoder of the second generation gets one block more at its end, as the published files have,
filled with numbers that must never be used. Heads and groups, which no tensor tells, go to FILE.json where they are not the published ones.
"""
import collections
import json
import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file


def unet(weights, config):
    blocks, levels = config["layers_per_block"], len(config["block_out_channels"])
    resnet = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}
    top = {"conv_in": "input_blocks.0.0", "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2", "conv_norm_out": "out.0", "conv_out": "out.2"}
    attends = {key.rsplit(".attentions.", 1)[0] for key in weights if ".attentions." in key}

    def name(key):
        module, _, kind = key.rpartition(".")
        if module in top:
            return top[module] + "." + kind
        parts = module.split(".")
        if parts[0] == "mid_block":
            if parts[1] == "attentions":
                return "middle_block.1." + ".".join(parts[3:]) + "." + kind
            return f"middle_block.{2 * int(parts[2])}.{resnet[parts[3]]}.{kind}"
        level, part = int(parts[1]), parts[2]
        down = parts[0] == "down_blocks"
        first = 1 + level * (blocks + 1) if down else level * (blocks + 1)
        side = "input_blocks" if down else "output_blocks"
        if part == "resnets":
            return f"{side}.{first + int(parts[3])}.0.{resnet[parts[4]]}.{kind}"
        if part == "attentions":
            return f"{side}.{first + int(parts[3])}.1." + ".".join(parts[4:]) + "." + kind
        if down:
            return f"{side}.{first + blocks}.0.op.{kind}"
        return f"{side}.{first + blocks}.{2 if f'up_blocks.{level}' in attends else 1}.conv.{kind}"

    return {"model.diffusion_model." + name(key): value for key, value in weights.items()}


def vae(weights, config):
    levels = len(config["block_out_channels"])
    attention = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out", "query": "q", "key": "k", "value": "v", "proj_attn": "proj_out"}
    result = {}
    for key, value in weights.items():
        module, _, kind = key.rpartition(".")
        parts = module.split(".")
        if len(parts) > 1 and parts[1] == "mid_block":
            if parts[2] == "attentions":
                own = attention[".".join(parts[4:])]
                module = f"{parts[0]}.mid.attn_1.{own}"
                if own != "norm" and kind == "weight":
                    value = value[:, :, None, None]
            else:
                module = f"{parts[0]}.mid.block_{int(parts[3]) + 1}." + parts[4].replace("conv_shortcut", "nin_shortcut")
        elif len(parts) > 1 and parts[1] in ("down_blocks", "up_blocks"):
            level = int(parts[2]) if parts[1] == "down_blocks" else levels - 1 - int(parts[2])
            side = f"{parts[0]}.{parts[1].split('_')[0]}.{level}"
            if parts[3] == "resnets":
                module = f"{side}.block.{parts[4]}." + parts[5].replace("conv_shortcut", "nin_shortcut")
            else:
                module = f"{side}.{'downsample' if parts[3] == 'downsamplers' else 'upsample'}.conv"
        else:
            module = module.replace("conv_norm_out", "norm_out")
        result[f"first_stage_model.{module}.{kind}"] = value
    return result


def text(weights):
    return {"cond_stage_model.transformer." + (key if key.startswith("text_model.") else "text_model." + key): value for key, value in weights.items() if not key.startswith("text_projection")}


def open_clip(weights, config):
    weights = {key.removeprefix("text_model."): value for key, value in weights.items()}
    result = {"token_embedding.weight": weights["embeddings.token_embedding.weight"], "positional_embedding": weights["embeddings.position_embedding.weight"],
              "ln_final.weight": weights["final_layer_norm.weight"], "ln_final.bias": weights["final_layer_norm.bias"]}
    depth = config["num_hidden_layers"]
    for layer in range(depth + 1):
        of, to = f"encoder.layers.{min(layer, depth - 1)}", f"transformer.resblocks.{layer}"
        one = {f"{to}.attn.in_proj_{kind}": torch.cat([weights[f"{of}.self_attn.{p}_proj.{kind}"] for p in "qkv"]) for kind in ("weight", "bias")}
        for old, new in (("self_attn.out_proj", "attn.out_proj"), ("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"), ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj")):
            for kind in ("weight", "bias"):
                one[f"{to}.{new}.{kind}"] = weights[f"{of}.{old}.{kind}"]
        result |= one if layer < depth else {key: torch.full_like(value, 1000) for key, value in one.items()}
    width = config["hidden_size"]
    dtype = result["ln_final.weight"].dtype
    result["text_projection"] = torch.eye(width, dtype=dtype)
    result["logit_scale"] = torch.tensor(4.6, dtype=dtype)
    return {"cond_stage_model.model." + key: value for key, value in result.items()}


def beside(configs):
    """What of the configurations the published models have otherwise."""
    keep = {"unet": ("attention_head_dim", "norm_num_groups", "norm_eps", "sample_size"), "vae": ("norm_num_groups", "scaling_factor"), "text_encoder": ("num_attention_heads", "hidden_act", "eos_token_id")}
    return {part: {key: configs[part][key] for key in keys if key in configs[part]} for part, keys in keep.items()}


def main(folder, out, kind):
    folder, out = pathlib.Path(folder), pathlib.Path(out)
    configs = {part: json.loads((folder / part / "config.json").read_text()) for part in ("unet", "vae", "text_encoder")}
    weights = {part: load_file(folder / part / ("model.safetensors" if part == "text_encoder" else "diffusion_pytorch_model.safetensors")) for part in ("unet", "vae", "text_encoder")}
    second = configs["unet"]["use_linear_projection"]
    tensors = unet(weights["unet"], configs["unet"]) | vae(weights["vae"], configs["vae"])
    tensors |= open_clip(weights["text_encoder"], configs["text_encoder"]) if second else text(weights["text_encoder"])
    tensors["alphas_cumprod"] = torch.cumprod(1 - torch.linspace(0.00085 ** 0.5, 0.012 ** 0.5, 1000) ** 2, 0)
    tensors = {key: value.contiguous() for key, value in tensors.items()}
    if kind == "safetensors":
        save_file(tensors, out)
    else:
        state = {"state_dict": collections.OrderedDict(tensors), "global_step": 470000, "epoch": 3, "callbacks": {}, "lr": 1e-4}
        torch.save(state, out, _use_new_zipfile_serialization=kind == "ckpt")
    out.with_suffix(".json").write_text(json.dumps(beside(configs), indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else pathlib.Path(sys.argv[2]).suffix[1:])
