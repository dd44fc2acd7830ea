"""Writes the goldens of CLIP's two towers for this module's tests: python3 towers.py ../resources/goldens/towers [../../../../assets/default-model]

Needs torch 2.7, transformers 5, diffusers and Pillow. Provenance only: building and testing need no Python.

model/                     a small model folder with random weights: image_encoder (CLIPVisionModelWithProjection, gelu), text_encoder
                           (CLIPTextModelWithProjection), feature_extractor; half precision, the reference computes in float32
golden.safetensors         vision.pixel_values -> vision.image_embeds; text.input_ids -> text.last_hidden_state, text.penultimate, text.text_embeds
safety_checker/            a StableDiffusionSafetyChecker as Stable Diffusion 1.5 carries it: its prefix twice, no text side
safety_checker.safetensors vision.pixel_values -> vision.image_embeds
default-model.safetensors  the same as golden.safetensors, of the embedded model; metadata "image_encoder", "text_encoder": SHA-256 of its weight files
preparation.safetensors    picture.N (height, width, 3), 0 to 255 -> picture.N.pixel_values of model/feature_extractor, picture.N.clip of CLIP's own at 32 pixels
"""
import hashlib, json, os, sys
import numpy, torch
from PIL import Image
from safetensors.torch import load_file, save_file
import diffusers, transformers
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from transformers import CLIPConfig, CLIPTextConfig, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

OUT = sys.argv[1]
VERSIONS = dict(torch=torch.__version__.split("+")[0], transformers=transformers.__version__, diffusers=diffusers.__version__)
MODEL = os.path.join(OUT, "model")


def randomize(model, seed):
    """Weights that no layer can hide behind: norms away from 1, biases away from 0."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() > 1: p.copy_(torch.randn(p.shape, generator=g) * (p[0].numel() ** -.5 if "embedding" not in name else .5))
            elif name.endswith("weight"): p.copy_(1 + .3 * torch.randn(p.shape, generator=g))
            else: p.copy_(.2 * torch.randn(p.shape, generator=g))
    return model.eval().requires_grad_(False)


def half(model, folder):
    """Saved in half precision; what the reference computes, it computes in float32 of the rounded weights."""
    model.to(torch.float16).save_pretrained(folder, safe_serialization=True)
    return model.float()


def write(name, tensors, **metadata):
    save_file({k: v.detach().clone().contiguous() for k, v in tensors.items()}, os.path.join(OUT, name), {**VERSIONS, **metadata})


def vision(encoder, side, g):
    pixels = torch.randn(3 if side < 64 else 1, 3, side, side, generator=g)
    with torch.no_grad(): return {"vision.pixel_values": pixels, "vision.image_embeds": encoder(pixel_values=pixels).image_embeds}


def text(encoder, rows):
    ids = torch.tensor(rows)
    with torch.no_grad(): h = encoder(ids, output_hidden_states=True)
    return {"text.input_ids": ids.int(), "text.last_hidden_state": h.last_hidden_state,
            "text.penultimate": (encoder.text_model if hasattr(encoder.text_model, "final_layer_norm") else encoder.text_model.text_model).final_layer_norm(h.hidden_states[-2]), "text.text_embeds": h.text_embeds}


def sentences(g, start, end, pad, length, words):
    rows = []
    for n in words: rows.append([start] + torch.randint(1, start - 1, (n,), generator=g).tolist() + [end] + [pad] * (length - n - 2))
    return rows


def small():
    unet = randomize(UNet2DConditionModel(sample_size=8, block_out_channels=[8, 8], layers_per_block=1, norm_num_groups=4, cross_attention_dim=24, attention_head_dim=2,
                     down_block_types=["CrossAttnDownBlock2D", "DownBlock2D"], up_block_types=["UpBlock2D", "CrossAttnUpBlock2D"]), 1)
    vae = randomize(AutoencoderKL(block_out_channels=[4, 4], layers_per_block=1, norm_num_groups=2, down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2), 2)
    texts = randomize(CLIPTextModelWithProjection(CLIPTextConfig(vocab_size=200, hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=16,
                      projection_dim=20, bos_token_id=198, eos_token_id=199, pad_token_id=0)), 3)
    pictures = randomize(CLIPVisionModelWithProjection(CLIPVisionConfig(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, image_size=32, patch_size=8,
                         projection_dim=20, hidden_act="gelu")), 4)
    half(unet, f"{MODEL}/unet"); half(vae, f"{MODEL}/vae"); half(texts, f"{MODEL}/text_encoder"); half(pictures, f"{MODEL}/image_encoder")
    DDIMScheduler(steps_offset=1, set_alpha_to_one=False, clip_sample=False, beta_start=.00085, beta_end=.012, beta_schedule="scaled_linear").save_pretrained(f"{MODEL}/scheduler")
    CLIPImageProcessorPil(size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32}, image_mean=[.5, .4, .3], image_std=[.2, .3, .25]).save_pretrained(f"{MODEL}/feature_extractor")
    json.dump({"_class_name": "StableDiffusionPipeline", "_diffusers_version": diffusers.__version__, "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"],
               "text_encoder": ["transformers", "CLIPTextModelWithProjection"], "image_encoder": ["transformers", "CLIPVisionModelWithProjection"], "scheduler": ["diffusers", "DDIMScheduler"],
               "feature_extractor": ["transformers", "CLIPImageProcessor"], "safety_checker": [None, None]}, open(f"{MODEL}/model_index.json", "w"), indent=2)
    g = torch.Generator().manual_seed(5)
    write("golden.safetensors", {**vision(pictures, 32, g), **text(texts, sentences(g, 198, 199, 0, 16, (0, 5, 14)))}, what="a small model with both towers")


def checker():
    whole = randomize(StableDiffusionSafetyChecker(CLIPConfig(projection_dim=12, vision_config=dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2, image_size=32, patch_size=8,
                      projection_dim=7, hidden_act="quick_gelu"), text_config=dict(hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, vocab_size=200))), 6)
    folder = os.path.join(OUT, "safety_checker"); whole = half(whole, folder)
    file = os.path.join(folder, "model.safetensors"); inner = "vision_model."
    save_file({inner + k if k.startswith(inner) and not k.startswith(inner * 2) else k: v for k, v in load_file(file).items()}, file, {"format": "pt"})
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(7))
    with torch.no_grad(): write("safety_checker.safetensors", {"vision.pixel_values": pixels, "vision.image_embeds": whole.visual_projection(whole.vision_model(pixels)[1])}, what="the tower of a safety checker")


def preparation():
    own = CLIPImageProcessorPil.from_pretrained(f"{MODEL}/feature_extractor"); clip = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}); out = {}
    for n, (width, height) in enumerate(((128, 128), (50, 61), (97, 40), (20, 33), (36, 36))):
        rng = numpy.random.default_rng(n); picture = rng.integers(0, 256, (height, width, 3), dtype=numpy.uint8)
        out[f"picture.{n}"] = torch.from_numpy(picture)
        for key, processor in (("pixel_values", own), ("clip", clip)): out[f"picture.{n}.{key}"] = torch.as_tensor(numpy.asarray(processor(Image.fromarray(picture), return_tensors="np")["pixel_values"][0]))
    write("preparation.safetensors", out)


def embedded(folder):
    pictures = CLIPVisionModelWithProjection.from_pretrained(f"{folder}/image_encoder", torch_dtype=torch.float32).eval(); texts = CLIPTextModelWithProjection.from_pretrained(f"{folder}/text_encoder", torch_dtype=torch.float32).eval()
    sha = lambda part: hashlib.sha256(open(f"{folder}/{part}/model.safetensors", "rb").read()).hexdigest(); c = texts.config
    g = torch.Generator().manual_seed(8); rows = sentences(g, c.bos_token_id, c.eos_token_id, c.pad_token_id, c.max_position_embeddings, (0, 6, c.max_position_embeddings - 2))
    write("default-model.safetensors", {**vision(pictures, pictures.config.image_size, g), **text(texts, rows)}, image_encoder=sha("image_encoder"), text_encoder=sha("text_encoder"))


torch.set_num_threads(1)
small(); checker(); preparation()
if len(sys.argv) > 2: embedded(sys.argv[2])
