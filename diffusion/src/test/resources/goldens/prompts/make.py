"""Prompts with weights, of any length, with clip skip and with rows of a textual inversion, as AUTOMATIC1111's stable-diffusion-webui
reads them; text encoders, tokenizers and UNet by transformers and diffusers, float32 on a CPU.
python3 make.py SHARED RESOURCES: SHARED has default-model, goldens/nets and data/clip-vocabulary; RESOURCES is src/test/resources.
Writes beside itself: NAME.safetensors with `context.K` for each case K of the metadata's `cases`, clip.jsonl with ids and weights, and
the rows of the textual inversion as the web UI (sks.pt), the method's first program (first-sks.pt) and diffusers (learned_embeds.bin) save them."""
import gzip
import itertools
import json
import pathlib
import re
import sys
import tempfile

import diffusers
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPTokenizer

HERE = pathlib.Path(__file__).parent
BACK = 20

LONG = "a red car, a blue boat, the green hill and one old house by the sea with three small birds, two dogs that run along the shore and a yellow sun"
CASES = [
    {"prompt": "a red car in the snow"},
    {"prompt": ""},
    {"prompt": "a (red) car [in the snow]"},
    {"prompt": "a (red:1.5) car, (((in))) the ([snow]:0.3)"},
    {"prompt": "a (red:-0.5) car in the (snow:0)"},
    {"prompt": "a \\(red\\) car \\[in\\] the (snow\\):1.2)"},
    {"prompt": "a (red car [in the (snow"},
    {"prompt": "a red) car] in:the (snow: 1.4 ) :1.2)"},
    {"prompt": "a red car BREAK in the snow"},
    {"prompt": "a (red car BREAK in the:1.3) snow BREAK"},
    {"prompt": "a red\ncar BREAK BREAK in the (snow)"},
    {"prompt": LONG},
    {"prompt": "(" + LONG + ":1.2), " + LONG},
    {"prompt": LONG.replace(",", "") + " " + LONG.replace(",", "")},
    {"prompt": "a (red) car in the snow", "clip skip": 2},
    {"prompt": LONG + ", a (boat:0.7)", "clip skip": 3},
]
ROWS = [
    {"prompt": "a sks car", "word": "sks", "rows": 3},
    {"prompt": "a (SKS:1.4) car, sksx", "word": "sks", "rows": 3},
    {"prompt": LONG[:60] + " sks" * 40, "word": "sks", "rows": 3},
]


def segments(prompt):
    """Stack of open brackets; every part remembers its weight as the product of what closes around it."""
    parts, stack = [], []

    def close(start, by):
        for part in parts[start:]:
            part[1] *= by

    def say(text):
        words = re.split(r"\s*\bBREAK\b\s*", text)
        for i, word in enumerate(words):
            if i:
                parts.append(["BREAK", -1.0])
            parts.append([word, 1.0])

    def last(kind):
        for i in range(len(stack) - 1, -1, -1):
            if stack[i][0] == kind:
                return stack.pop(i)[1]
        return None

    at = 0
    while at < len(prompt):
        c = prompt[at]
        if c == "\\":
            end = at + 2 if prompt[at + 1:at + 2] in tuple("()[]\\") else at + 1
            parts.append([prompt[at + 1:end], 1.0])
            at = end
        elif c in "([":
            stack.append((c, len(parts)))
            at += 1
        elif c in ")]":
            start = last("(" if c == ")" else "[")
            if start is None:
                say(c)
            else:
                close(start, 1.1 if c == ")" else 1 / 1.1)
            at += 1
        elif c == ":":
            end = prompt.find(")", at)
            number = prompt[at + 1:end].strip() if end > 0 else ""
            digits = number[1:] if number[:1] in ("+", "-") else number
            if digits and all(d.isdigit() or d == "." for d in digits):
                start = last("(")
                if start is None:
                    say(prompt[at:end + 1])
                else:
                    close(start, float(number))
                at = end + 1
            else:
                say(c)
                at += 1
        else:
            end = at
            while end < len(prompt) and prompt[end] not in "\\()[]:":
                end += 1
            say(prompt[at:end])
            at = end
    for kind, by in (("(", 1.1), ("[", 1 / 1.1)):
        for bracket, start in stack:
            if bracket == kind:
                close(start, by)
    merged = []
    for text, weight in parts or [["", 1.0]]:
        if merged and merged[-1][1] == weight:
            merged[-1][0] += text
        else:
            merged.append([text, weight])
    return merged


def chunks(tokenizer, prompt, word=None, first=0, rows=0):
    """[(ids, weights)], each of the tokenizer's limit. `word` stands for `rows` ids from `first` on."""
    length = tokenizer.model_max_length - 2
    start, stop, padding = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    comma = tokenizer.convert_tokens_to_ids(",</w>")
    read = lambda text: tokenizer(text, add_special_tokens=False).input_ids
    name = read(word) if word else None
    done, ids, weights, last = [], [], [], None

    def finish(size):
        nonlocal ids, weights, last
        fill = length - size
        done.append(([start] + ids[:size] + [stop] + [padding] * fill, [1.0] + weights[:size] + [1.0] * (fill + 1)))
        ids, weights, last = ids[size:], weights[size:], None

    for text, weight in segments(prompt):
        if text == "BREAK" and weight == -1:
            finish(len(ids))
            continue
        tokens, at = read(text), 0
        while at < len(tokens):
            if tokens[at] == comma:
                last = len(ids)
            elif len(ids) == length and last is not None and length - last <= BACK:
                finish(last + 1)
            if len(ids) == length:
                finish(length)
            found = name and tokens[at:at + len(name)] == name
            own = list(range(first, first + rows)) if found else [tokens[at]]
            if len(ids) + len(own) > length:
                finish(len(ids))
            ids += own
            weights += [weight] * len(own)
            at += len(name) if found else 1
    if ids or not done:
        finish(len(ids))
    return done


def context(encoder, read, skip):
    states = []
    for ids, weights in read:
        with torch.no_grad():
            out = encoder(torch.tensor([ids]), output_hidden_states=True)
        z = out.last_hidden_state if skip == 1 else (getattr(encoder, "text_model", encoder)).final_layer_norm(out.hidden_states[-skip])
        mean = z.mean()
        z = z * torch.tensor(weights)[None, :, None]
        states.append(z * (mean / z.mean()))
    return torch.cat(states, 1).detach()


def tokenizer(vocabulary, merges, limit, **special):
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text(merges)
    return CLIPTokenizer.from_pretrained(folder, model_max_length=limit, **special)


def clip(shared):
    """CLIP's own vocabulary from its merges: bytes, bytes at a word's end, what each merge makes, start and stop."""
    lines = gzip.open(shared / "data/clip-vocabulary/bpe_simple_vocab_16e6.txt.gz", "rt").read().split("\n")[1:48895]
    letters = [b if 33 <= b <= 126 or 161 <= b <= 172 or b >= 174 else None for b in range(256)]
    names, extra = [], 0
    for b in letters:
        names.append(chr(b) if b is not None else chr(256 + extra))
        extra += b is None
    names.sort()
    tokens = names + [n + "</w>" for n in names] + ["".join(l.split()) for l in lines] + ["<|startoftext|>", "<|endoftext|>"]
    return tokenizer({t: i for i, t in enumerate(tokens)}, "#version: 0.2\n" + "\n".join(lines), 77)


def save(name, tensors, cases, **more):
    made = f"torch {torch.__version__}, transformers {transformers.__version__}, diffusers {diffusers.__version__}"
    metadata = {"cases": json.dumps(cases), "made with": made, **more}
    save_file({k: v.contiguous() for k, v in tensors.items()}, HERE / f"{name}.safetensors", metadata=metadata)


def default_model(shared):
    words = CLIPTokenizer.from_pretrained(shared / "default-model/tokenizer")
    encoder = CLIPTextModel.from_pretrained(shared / "default-model/text_encoder", dtype=torch.float32).eval()
    tensors = {f"context.{k}": context(encoder, chunks(words, case["prompt"]), case.get("clip skip", 1)) for k, case in enumerate(CASES)}
    save("default-model", tensors, CASES, model="default-model")


def sd1(shared, resources):
    plain = resources / "goldens/tokenizer/plain"
    words = tokenizer(json.loads((plain / "vocab.json").read_text()), (plain / "merges.txt").read_text(), 77)
    folder = resources / "goldens/nets/sd1/model"
    encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=torch.float32).eval()
    tensors = {f"context.{k}": context(encoder, chunks(words, case["prompt"]), case.get("clip skip", 1)) for k, case in enumerate(CASES)}
    unet = diffusers.UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32).eval()
    latents = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(1))
    tensors["unet.latents"] = latents
    with torch.no_grad():
        for name, k in (("prompt", 12), ("negative", 8)):
            tensors[f"unet.{name}"] = unet(latents, 500, tensors[f"context.{k}"]).sample
    first = encoder.config.vocab_size
    encoder.resize_token_embeddings(first + 3)
    rows = torch.randn((3, encoder.config.hidden_size), generator=torch.Generator().manual_seed(2)) * 0.1
    with torch.no_grad():
        encoder.get_input_embeddings().weight[first:] = rows
    tensors["rows"] = rows
    embeddings(rows)
    for k, case in enumerate(ROWS, len(CASES)):
        tensors[f"context.{k}"] = context(encoder, chunks(words, case["prompt"], case["word"], first, case["rows"]), 1)
    save("sd1", tensors, CASES + ROWS, model="nets/sd1", unet="latents 1x4x8x8 at timestep 500: prompt is case 12, negative case 8")


def embeddings(rows):
    """The same rows as the programs write them that train them."""
    webui = {"string_to_token": {"*": 265}, "string_to_param": {"*": rows}, "name": "another name", "step": 500, "sd_checkpoint": None, "sd_checkpoint_name": None}
    torch.save(webui, HERE / "sks.pt")
    torch.save({"string_to_token": {"*": torch.tensor(265)}, "string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(rows)})}, HERE / "first-sks.pt")
    torch.save({"sks": rows}, HERE / "learned_embeds.bin")


def main(shared, resources):
    default_model(shared)
    sd1(shared, resources)
    words = clip(shared)
    with open(HERE / "clip.jsonl", "w") as out:
        for case in CASES:
            read = [{"ids": ids, "weights": [[w, sum(1 for _ in g)] for w, g in itertools.groupby(weights)]} for ids, weights in chunks(words, case["prompt"])]
            out.write(json.dumps({"text": case["prompt"], "chunks": read}) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
