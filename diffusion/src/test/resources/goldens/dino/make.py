"""A narrow ViT with random weights in the layout of facebook/dino-vits16, and its class token, by transformers 5.23.0.

    python make.py

Writes model.safetensors, config.json and golden.safetensors with `pixels` (2, 3, 24, 24) and `features` (2, 32):
last_hidden_state[:, 0].
"""
import pathlib
import torch
import transformers
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent
torch.manual_seed(11)
model = transformers.ViTModel(transformers.ViTConfig(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, image_size=24, patch_size=8,
    layer_norm_eps=1e-12), add_pooling_layer=False).eval()
with torch.no_grad():
    for name, tensor in model.named_parameters():
        noise = torch.randn(tensor.shape)
        if tensor.dim() > 1 and "token" not in name and "position" not in name:
            tensor.copy_(noise / tensor[0].numel() ** 0.5 * 1.3)
        elif name.endswith("weight"):
            tensor.copy_(1 + 0.2 * noise)
        else:
            tensor.copy_(0.3 * noise)
    pixels = torch.randn(2, 3, 24, 24)
    features = model(pixels).last_hidden_state[:, 0].contiguous()
model.save_pretrained(here)
save_file({"pixels": pixels, "features": features}, here / "golden.safetensors")
