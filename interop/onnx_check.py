"""Compares a merged model as ONNX files with the same model in diffusers.

Usage: onnx_check.py DIFFUSERS_FOLDER ONNX_FOLDER [TOLERANCE]
       with the folders of `studio export RUN --format merged-diffusers --precision float32`
       and `... --format merged-onnx --precision float32`.

Needs onnxruntime, torch, diffusers and transformers. Prints the largest deviation of each network,
relative to its largest value, and exits with 1 if one exceeds the tolerance (default 1e-4).
"""
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel

reference, exported = Path(sys.argv[1]), Path(sys.argv[2])
tolerance = float(sys.argv[3]) if len(sys.argv) > 3 else 1e-4
failed = False


def run(part, **inputs):
    session = onnxruntime.InferenceSession(exported / part / "model.onnx", providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    assert sorted(names) == sorted(inputs), f"{part}: inputs {names}"
    print(f"{part:13} {', '.join(names)} -> {session.get_outputs()[0].name}", end="")
    return session.run(None, inputs)[0]


def compare(expected, found):
    global failed
    expected = expected.detach().numpy()
    assert expected.shape == found.shape, f"{expected.shape} and {found.shape}"
    deviation = np.abs(expected - found).max() / np.abs(expected).max()
    failed |= not deviation <= tolerance
    print(f"  {deviation:.1e}")


with torch.no_grad():
    torch.manual_seed(0)
    unet = UNet2DConditionModel.from_pretrained(reference / "unet", torch_dtype=torch.float32).eval()
    vae = AutoencoderKL.from_pretrained(reference / "vae", torch_dtype=torch.float32).eval()
    text = CLIPTextModel.from_pretrained(reference / "text_encoder", torch_dtype=torch.float32).eval()
    side = unet.config.sample_size
    ids = torch.randint(0, text.config.vocab_size - 2, (2, text.config.max_position_embeddings))
    hidden = text(ids)[0]
    compare(hidden, run("text_encoder", input_ids=ids.numpy().astype(np.int32)))
    # Another batch than the files were written with.
    latents = torch.randn(2, unet.config.in_channels, side, side)
    for step in (1.0, 801.0):
        compare(unet(latents, torch.tensor(step), hidden).sample,
                run("unet", sample=latents.numpy(), timestep=np.array([step], np.float32),
                    encoder_hidden_states=hidden.numpy()))
    images = vae.decode(latents).sample
    compare(images, run("vae_decoder", latent_sample=latents.numpy()))
    compare(vae.encode(images).latent_dist.parameters, run("vae_encoder", sample=images.numpy()))
sys.exit(failed)
