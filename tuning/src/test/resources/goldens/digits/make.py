"""400 of the 1797 handwritten digits (8×8, values 0 to 16) that scikit-learn ships: the first 40 of each class.

    python make.py        (scikit-learn 1.x, safetensors, torch)

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository (CC BY 4.0),
as in scikit-learn (BSD-3-Clause).
"""
import pathlib
import numpy
import torch
from safetensors.torch import save_file
from sklearn.datasets import load_digits

digits = load_digits()
chosen = numpy.concatenate([numpy.flatnonzero(digits.target == label)[:40] for label in range(10)])
save_file({"images": torch.tensor(digits.images[chosen], dtype=torch.float16),
           "labels": torch.tensor(digits.target[chosen], dtype=torch.float16)},
          pathlib.Path(__file__).parent / "digits.safetensors")
