"""A small decoder for previews with random weights, and what diffusers' AutoencoderTiny makes of latents: python3 make.py OUT

Provenance of the golden beside this file; never part of building or testing.
"""
import os
import sys

import torch
from diffusers import AutoencoderTiny
from safetensors.torch import save_file

out = sys.argv[1]
torch.manual_seed(1)
net = AutoencoderTiny(encoder_block_out_channels=(8, 8, 8, 8), decoder_block_out_channels=(8, 8, 8, 8)).eval()
weights = {name: tensor.contiguous() for name, tensor in net.state_dict().items() if name.startswith("decoder.")}
save_file(weights, os.path.join(out, "decoder.safetensors"))
latents = 4 * torch.randn(1, 4, 5, 7)
with torch.no_grad():
    save_file({"latents": latents, "decoded": net.decoder(latents).contiguous()}, os.path.join(out, "golden.safetensors"))
