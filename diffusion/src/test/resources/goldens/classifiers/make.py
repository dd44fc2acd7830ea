"""Narrow classifiers with random weights and their logits, by timm 1.0.31, transformers 5.23.0 and
efficientnet-lite-pytorch 0.1.0.

    python make.py

Writes FOLDER/model.safetensors, config.json where the shapes do not determine the network, and golden.safetensors with
`pixels` and `logits`, for FOLDER in resnet, resnet-basic, convnext, vit, vit-timm, efficientnet.
"""
import json
import pathlib
import timm
from efficientnet_lite_pytorch import EfficientNet
from efficientnet_lite_pytorch.utils import BlockArgs, GlobalParams
import torch
import transformers
from safetensors.torch import save_file

here = pathlib.Path(__file__).parent


def randomize(model):
    """Weights that leave no term out: norms, statistics, biases and layer scales are not 0 or 1."""
    torch.manual_seed(7)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if name.endswith("num_batches_tracked"):
                continue
            noise = torch.randn(tensor.shape)
            if name.endswith("running_var"):
                tensor.copy_(0.5 + noise.abs())
            elif tensor.dim() > 1 and "token" not in name and "pos" not in name:
                tensor.copy_(noise / tensor[0].numel() ** 0.5 * 1.3)
            elif name.endswith("weight") or name.endswith("gamma"):
                tensor.copy_(1 + 0.2 * noise)
            else:
                tensor.copy_(0.3 * noise)
    return model.eval()


def write(name, model, side, config=None, state=None, logits=lambda output: output):
    folder = here / name
    folder.mkdir(exist_ok=True)
    randomize(model)
    pixels = torch.randn(2, 3, side, side)
    with torch.no_grad():
        save_file({"pixels": pixels, "logits": logits(model(pixels))}, folder / "golden.safetensors")
    if state is None:
        tensors = {key: value for key, value in model.state_dict().items() if value.dim()}
        save_file(tensors, folder / "model.safetensors")
    else:
        state(folder)
    if config:
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


write("resnet", timm.models.resnet.ResNet(timm.models.resnet.Bottleneck, (2, 1, 1, 1), num_classes=5, cardinality=2,
                                          base_width=32, stem_width=8, channels=(8, 8, 12, 16)), 45)
write("resnet-basic", timm.models.resnet.ResNet(timm.models.resnet.BasicBlock, (1, 2, 1, 1), num_classes=4,
                                                stem_width=6, channels=(6, 8, 8, 12)), 40)
write("convnext", timm.models.convnext.ConvNeXt(depths=(1, 1, 2, 1), dims=(8, 8, 12, 16), num_classes=5), 64)
write("vit-timm", timm.models.vision_transformer.VisionTransformer(
    img_size=24, patch_size=8, embed_dim=32, depth=2, num_heads=4, num_classes=6), 24,
    {"architecture": "vit_tiny_test", "model_args": {"num_heads": 4},
     "pretrained_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "crop_pct": 0.9, "input_size": [3, 24, 24]}})
vit = transformers.ViTForImageClassification(transformers.ViTConfig(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48, image_size=24, patch_size=8,
    num_labels=5))
write("vit", vit, 24, state=lambda folder: vit.save_pretrained(folder), logits=lambda output: output.logits)


def stage(repeats, kernel, stride, ratio, inputs, outputs):
    return BlockArgs(num_repeat=repeats, kernel_size=kernel, stride=[stride, stride], expand_ratio=ratio,
                     input_filters=inputs, output_filters=outputs, id_skip=True)


write("efficientnet", EfficientNet(
    [stage(1, 3, 1, 1, 32, 4), stage(2, 3, 2, 2, 4, 6), stage(1, 5, 2, 2, 6, 8), stage(1, 3, 2, 2, 8, 10),
     stage(2, 5, 1, 2, 10, 12), stage(1, 5, 2, 2, 12, 14), stage(1, 3, 1, 2, 14, 16)],
    GlobalParams(image_size=40, dropout_rate=0., num_classes=5, batch_norm_momentum=0.99, batch_norm_epsilon=1e-3,
                 drop_connect_rate=0., depth_divisor=2, relu_fn="relu6", fix_head_stem=True)), 40)
