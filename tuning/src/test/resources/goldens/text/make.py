"""The text encoder of nets/sd1 with peft's LoRA on its attention, and with rows appended to its table (textual inversion):
hidden states by transformers and peft, float32 on a CPU. python3 make.py MODEL OUT"""
import sys

import peft
import torch
import transformers
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import CLIPTextModel

RANK, ALPHA, ROWS = 4, 8, 2


def random(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 0.1


def main(model, out):
    encoder = CLIPTextModel.from_pretrained(model, dtype=torch.float32).eval()
    vocabulary = encoder.config.vocab_size
    ids = torch.full((1, 77), 999)
    ids[0, :6] = torch.tensor([998, 3, vocabulary, vocabulary + 1, 17, 5])
    plain = ids.clamp(max=vocabulary - 1)
    tensors = {"ids": ids.float(), "ids.plain": plain.float()}
    with torch.no_grad():
        tensors["base"] = encoder(plain).last_hidden_state
        lora = get_peft_model(encoder, LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["q_proj", "k_proj", "v_proj", "out_proj"]))
        seed = 0
        for name, weight in lora.named_parameters():
            if "lora_" not in name:
                continue
            seed += 1
            weight.copy_(random(weight.shape, seed))
            layer = name.removeprefix("base_model.model.").replace(".default", "")
            if not layer.startswith("text_model."):
                layer = "text_model." + layer
            tensors["lora." + layer] = weight.clone()
        tensors["lora.last_hidden_state"] = lora(plain).last_hidden_state
        encoder = lora.unload()
        encoder.resize_token_embeddings(vocabulary + ROWS)
        rows = random((ROWS, encoder.config.hidden_size), 1000)
        encoder.get_input_embeddings().weight[vocabulary:] = rows
        tensors["rows"] = rows
        tensors["rows.last_hidden_state"] = encoder(ids).last_hidden_state
    tensors = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
    made = f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}"
    save_file(tensors, out, metadata={"model": "nets/sd1/model", "rank": str(RANK), "alpha": str(ALPHA), "made with": made})


main(*sys.argv[1:])
