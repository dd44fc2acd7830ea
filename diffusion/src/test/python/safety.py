"""Writes the golden of the safety checker's judgement: python3 safety.py ../resources/goldens/towers

Needs torch 2.7, transformers 5 and diffusers 0.42. Provenance only: building and testing need no Python.

safety.safetensors   image_embeds (N,12), concept_embeds, special_care_embeds and their thresholds -> unsafe (N), by the reference class's own
                     forward with the vision tower replaced by these embeddings; tower.unsafe: what the safety checker of towers/ says of
                     vision.pixel_values in safety_checker.safetensors
"""
import sys
import torch, diffusers, transformers
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig

OUT = sys.argv[1]
N, WIDTH = 96, 12
checker = StableDiffusionSafetyChecker.from_pretrained(f"{OUT}/safety_checker").float().eval()
pixels = load_file(f"{OUT}/safety_checker.safetensors")["vision.pixel_values"]


class Given(torch.nn.Module):
    def forward(self, x): return None, x


def judge(clip_input):
    images = [torch.zeros(2, 2, 3).numpy() for _ in range(len(clip_input))]
    return torch.tensor(checker(clip_input, images)[1], dtype=torch.uint8)


with torch.no_grad():
    tower = judge(pixels)
    g = torch.Generator().manual_seed(7)
    embeds = torch.randn(N, WIDTH, generator=g)
    checker.vision_model = Given()
    checker.visual_projection = torch.nn.Identity()
    checker.concept_embeds.copy_(torch.randn(17, WIDTH, generator=g))
    checker.special_care_embeds.copy_(torch.randn(3, WIDTH, generator=g))
    checker.concept_embeds_weights.copy_(.55 + .05 * torch.rand(17, generator=g))
    checker.special_care_embeds_weights.copy_(.2 + .05 * torch.rand(3, generator=g))
    unsafe = judge(embeds)
    plain = 0                                       # how many the special concepts alone make the difference for
    saved = checker.special_care_embeds_weights.clone()
    checker.special_care_embeds_weights.fill_(2)
    plain = int((judge(embeds) != unsafe).sum())
    checker.special_care_embeds_weights.copy_(saved)
print(int(unsafe.sum()), "of", N, "unsafe;", plain, "by special care; tower", tower.tolist())
names = ("concept_embeds", "special_care_embeds", "concept_embeds_weights", "special_care_embeds_weights")
save_file({"image_embeds": embeds, "unsafe": unsafe, "tower.unsafe": tower, **{n: getattr(checker, n).detach().clone() for n in names}}, f"{OUT}/safety.safetensors",
          dict(torch=torch.__version__.split("+")[0], transformers=transformers.__version__, diffusers=diffusers.__version__))
