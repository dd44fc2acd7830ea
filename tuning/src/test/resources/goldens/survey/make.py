"""Methods as peft does them (0.21.2, torch 2.7.1, float32): python3 make.py OUT. Provenance of survey.safetensors beside this file; never part of
building or testing.

`pissa`: LoRA started by the exact SVD (init_lora_weights="pissa"), with random numbers added to A and B. `base` is the weight before, `A0` and `B0` the
start, `dA` and `dB` the additions, `merged` the weight that results. `rslora`: LoRA with use_rslora, `A`, `B` and `merged`; r 3, alpha 2 in both.
"""
import sys

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(24, 16, bias=True)

    def forward(self, x):
        return x


def lora(base, **arguments):
    net = Net()
    net.load_state_dict(base)
    model = get_peft_model(net, LoraConfig(r=3, lora_alpha=2, target_modules=["linear"], **arguments))
    layer = model.base_model.model.linear
    a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
    start = {"A0": a.detach().clone(), "B0": b.detach().clone()}
    add = {"dA": 0.3 * torch.randn(a.shape), "dB": 0.3 * torch.randn(b.shape)}
    with torch.no_grad():
        a += add["dA"]
        b += add["dB"]
    after = {"A": a.detach().clone(), "B": b.detach().clone()}
    merged = model.merge_and_unload().linear.weight.detach().contiguous()
    return {"base": base["linear.weight"].clone(), "merged": merged, **start, **add, **after}


def main(out):
    torch.manual_seed(7)
    base = {key: value.detach().clone() for key, value in Net().state_dict().items()}
    cases = {"pissa": lora(base, init_lora_weights="pissa"), "rslora": lora(base, use_rslora=True)}
    save_file({name + "." + key: value for name, case in cases.items() for key, value in case.items()}, out)


if __name__ == "__main__":
    main(sys.argv[1])
