"""All 256 bytes as eight-bit floats, and what PyTorch makes of each in float32.

    python make.py        (torch 2.7, safetensors)
"""
from pathlib import Path

import torch
from safetensors.torch import save_file

bytes_ = torch.arange(256, dtype=torch.uint8)
types = {"e4m3fn": torch.float8_e4m3fn, "e5m2": torch.float8_e5m2}
values = {name: bytes_.clone().view(dtype) for name, dtype in types.items()}
here = Path(__file__).parent
save_file(values, here / "float8.safetensors")
save_file({name: value.to(torch.float32) for name, value in values.items()}, here / "float8.expected.safetensors")
