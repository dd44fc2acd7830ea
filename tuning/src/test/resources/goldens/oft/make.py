"""OFT as peft does it (0.21.2, torch 2.7.1, float32): python3 make.py OUT. Provenance of oft.safetensors beside this file; never part of building or testing.

`linear.*` and `conv.*`: a layer's weight `base`, the numbers above the diagonals of Q (`Q`, blocks x b(b-1)/2) and the `merged` weight. peft's exact
transform (use_cayley_neumann=False) is (I - Q)(I + Q)^-1, its default a series of (I + Q)(I - Q)^-1, which is the paper's and its code's; so the exact
ones are made with -Q, and `series.*` with Q itself, small enough for the series' five terms.
"""
import sys

import torch
from peft import OFTConfig, get_peft_model
from safetensors.torch import save_file
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(12, 5, bias=False)
        self.conv = nn.Conv2d(4, 6, 3, bias=False)

    def forward(self, x):
        return x


def made(base, name, block, scale, series):
    net = Net()
    net.load_state_dict(base)
    model = get_peft_model(net, OFTConfig(target_modules=[name], oft_block_size=block, r=0, use_cayley_neumann=series))
    weight = getattr(model.base_model.model, name).oft_R["default"].weight
    with torch.no_grad():
        weight.copy_(scale * torch.randn(weight.shape))
    q = weight.detach().clone()
    merged = getattr(model.merge_and_unload(), name).weight.detach()
    return {"base": base[name + ".weight"].clone(), "Q": q if series else -q, "merged": merged.contiguous()}


def main(out):
    torch.manual_seed(7)
    base = {key: value.detach().clone() for key, value in Net().state_dict().items()}
    cases = {"linear": made(base, "linear", 3, 0.3, False), "conv": made(base, "conv", 9, 0.3, False), "series": made(base, "linear", 4, 0.01, True)}
    save_file({name + "." + key: value for name, case in cases.items() for key, value in case.items()}, out)


if __name__ == "__main__":
    main(sys.argv[1])
