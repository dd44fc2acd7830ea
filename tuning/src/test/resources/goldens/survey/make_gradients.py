"""Trained parts as peft has them (0.21.2, torch 2.7.1, transformers 5.23.0, float32): python3 make_gradients.py TEXT_ENCODER OUT. Provenance of
gradients.safetensors beside this file; never part of building or testing.

`lorafa`: LoRA of rank 3 and alpha 2 with create_lorafa_optimizer, which freezes A, in three steps on the mean of (y − `target`)²; of step i the
parameters `A.i`, `B.i` before it, the loss and the gradient `grad.B.i`. `prompt`: three virtual tokens of PromptEmbedding (PromptTuningConfig) before
the tokens `ids` of TEXT_ENCODER (goldens/nets/sd1/model/text_encoder); `rows`, and the loss and gradient `grad.rows` of
the mean of (y − `target`)².
"""
import sys

import torch
from peft import LoraConfig, PromptEmbedding, PromptTuningConfig, get_peft_model
from peft.optimizers import create_lorafa_optimizer
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPTextModel


def lorafa():
    model = get_peft_model(nn.Sequential(nn.Linear(24, 16)), LoraConfig(r=3, lora_alpha=2, target_modules=["0"]))
    optimizer = create_lorafa_optimizer(model, r=3, lora_alpha=2, lr=0.05)
    layer = model.base_model.model[0]
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    x, target = torch.randn(4, 24), torch.randn(4, 16)
    case = {"base": layer.base_layer.weight, "bias": layer.base_layer.bias, "x": x, "target": target}
    for step in range(3):
        case |= {f"A.{step}": a.detach().clone(), f"B.{step}": b.detach().clone()}
        loss = (model(x) - target).square().mean()
        model.zero_grad()
        loss.backward()
        assert a.grad is None
        case |= {f"loss.{step}": loss.reshape(1), f"grad.B.{step}": b.grad.clone()}
        optimizer.step()
    return case


def prompt(encoder):
    model = CLIPTextModel.from_pretrained(encoder, attn_implementation="eager").eval()
    table = model.get_input_embeddings()
    config = PromptTuningConfig(task_type="FEATURE_EXTRACTION", num_virtual_tokens=3, token_dim=24,
                                num_transformer_submodules=1)
    virtual = PromptEmbedding(config, table)
    virtual.embedding.weight.data = 0.1 * torch.randn(3, 24)
    ids = torch.tensor([[998, 3, 17, 5] + [999] * 70])
    handle = table.register_forward_hook(
        lambda module, inputs, output: torch.cat([virtual(torch.arange(3))[None], output[:, 3:]], 1))
    y = model(torch.cat([torch.zeros(1, 3, dtype=torch.long), ids], 1)).last_hidden_state
    handle.remove()
    target = torch.randn(y.shape)
    loss = (y - target).square().mean()
    loss.backward()
    rows = virtual.embedding.weight
    return {"ids": ids.float(), "rows": rows, "target": target, "loss": loss.reshape(1), "grad.rows": rows.grad}


def main(encoder, out):
    torch.manual_seed(7)
    cases = {"lorafa": lorafa(), "prompt": prompt(encoder)}
    save_file({name + "." + key: value.detach().clone() for name, case in cases.items()
               for key, value in case.items()}, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
