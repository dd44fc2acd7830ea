"""Writes the tokenizer goldens of this module's tests: python3 tokenizer.py ../resources/goldens/tokenizer

Needs transformers 5. Two folders with one small vocabulary (the 256 bytes, the same at a word's end, merges counted on the
sentences below) and different settings, and for each a file of texts with the ids that CLIPTokenizer gives. Provenance only:
building and testing need no Python.
"""
import json, os, random, sys
from collections import Counter
from transformers import CLIPTokenizer

SENTENCES = """a photo of a sks dog. a painting of a cat in the snow, the dog's ball, don't you'll we've; the quick brown fox jumps over
the lazy dog on the grass and the house in the forest with red apples on a wooden table""".split()
START, STOP = "<|startoftext|>", "<|endoftext|>"


def letters():
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]; other = [b for b in range(256) if b not in printable]
    return {**{b: chr(b) for b in printable}, **{b: chr(256 + n) for n, b in enumerate(other)}}


def learn(count):
    byte = letters(); words = Counter(tuple([byte[b] for b in w.encode()[:-1]] + [byte[w.encode()[-1]] + "</w>"]) for w in SENTENCES); merges = []
    while len(merges) < count:
        pairs = Counter()
        for w, n in words.items():
            for p in zip(w, w[1:]): pairs[p] += n
        best = max(sorted(pairs), key=pairs.get); merges.append(best); joined = Counter()
        for w, n in words.items():
            out, i = [], 0
            while i < len(w):
                out.append("".join(best) if w[i:i + 2] == best else w[i]); i += 2 if w[i:i + 2] == best else 1
            joined[tuple(out)] += n
        words = joined
    one = sorted(byte.values()); return {t: i for i, t in enumerate(one + [c + "</w>" for c in one] + ["".join(m) for m in merges] + [START, STOP])}, merges


def token(content, normalized): return dict(content=content, lstrip=False, normalized=normalized, rstrip=False, single_word=False)


FOLDERS = {"plain": ({"tokenizer_class": "CLIPTokenizer", "model_max_length": 16}, None),
           "bang": ({"tokenizer_class": "CLIPTokenizer", "model_max_length": 12}, {"bos_token": token(START, True), "eos_token": token(STOP, True), "unk_token": token(STOP, True), "pad_token": "!"})}
TEXTS = ["", " ", "a photo of a sks dog", "A Photo OF a SKS Dog", "a  photo\tof\n a   dog ", "it's the dog's ball, don't you'll we've I'm he'd they're 'S 'LL ''s", "1st 22nd 3.14 ²½Ⅷ", "naïve café über Ångström e\u0301",
         "日本語の猫 🐱👩‍👩‍👧‍👦", f"a{STOP}b", f"!{STOP}!", "a<|ENDOFTEXT|>b <|StartOfText|>", "<|endoftext", "İstanbul ß ς ΑΣ ǅ ﬁ", "! a!b !!", "don’t “quote” — dash…", "\u200bzero\u00adwidth\ufeff", "nbsp\u00a0space\u2003em\u2028line\u0085next",
         "\u212a\u212b\u2126 \u0958\u2adc \U0001d15e", "\u1100\u1161\u11a8 각", "a\u0345\u0334\u0301", "s\U00010d6d\u0323", "q\u0301\u07fd", "\U00011935\U00011930 \U000105d2\u0307", "\U00016ea0 \ua7ce", "x" * 70, "'" * 33, "\r\nwindows\r\n", "a\0b\x7f", "(masterpiece:1.2), [blurry], <lora:foo:0.8>"]


def fuzz():
    rnd = random.Random(3); ranges = [(0x20, 0x7f)] * 4 + [(0x80, 0x600), (0x300, 0x370), (0x600, 0x2000), (0x2000, 0x3100), (0xa000, 0xd7b0), (0xf900, 0xfffe), (0x10000, 0x20000)]
    for _ in range(150): yield "".join(chr(rnd.randrange(*rnd.choice(ranges))) if rnd.random() < .7 else rnd.choice([" ", "'s", "dog", "\u0301", STOP, "!"]) for _ in range(rnd.choice((3, 8, 21))))


if __name__ == "__main__":
    vocab, merges = learn(90)
    for name, (config, special) in FOLDERS.items():
        folder = os.path.join(sys.argv[1], name); os.makedirs(folder, exist_ok=True)
        json.dump(vocab, open(os.path.join(folder, "vocab.json"), "w")); open(os.path.join(folder, "merges.txt"), "w").write("#version: 0.2\n" + "\n".join(map(" ".join, merges)) + "\n")
        json.dump(config, open(os.path.join(folder, "tokenizer_config.json"), "w"), indent=2)
        if special: json.dump(special, open(os.path.join(folder, "special_tokens_map.json"), "w"), indent=2)
        t = CLIPTokenizer.from_pretrained(folder); n = config["model_max_length"]
        with open(os.path.join(sys.argv[1], name + ".jsonl"), "w") as f:
            for s in [*TEXTS, *fuzz()]: f.write(json.dumps({"text": s, "ids": t(s).input_ids, f"padded{n}": t(s, padding="max_length", max_length=n, truncation=True).input_ids}) + "\n")
