"""Branches beside a layer as their authors' code does them (torch 2.7.1, float32): python3 make_branches.py TLORA OUT. Provenance of
branches.safetensors beside this file; never part of building or testing.

`serial`, `parallel`: adapters 1.3.0 (AdapterHub), a bottleneck of 3 on 6 channels; without the residual connection that the serial one adds. `tlora`,
`ortho`: github.com/ControlGenAI/T-LoRA at 602c4f7 (TLORA: its checkout), rank 4 of 24 to 6 channels, with one mask per sample for `timesteps`, smallest
rank 1; of `ortho` the start Q0, S0, P0 and the
differences from it, dQ, dS, dP. Of each case the parameters, the input `x`, the output `y` and the gradients `grad.*` of sum(y · `weights`).
"""
import importlib.util
import sys

import torch
from adapters import ParBnConfig, SeqBnConfig
from adapters.methods.modeling import Adapter, ParallelAdapter
from safetensors.torch import save_file


def gradients(output, x, parameters):
    weights = torch.randn(output.shape)
    found = torch.autograd.grad((output * weights).sum(), [x, *parameters.values()])
    case = {"x": x, "y": output, "weights": weights, "grad.x": found[0]} | parameters
    return case | {"grad." + name: gradient for name, gradient in zip(parameters, found[1:])}


def bottleneck(kind, config):
    adapter = kind("golden", 6, 3, config)
    parameters = {"down": adapter.adapter_down[0].weight, "down_bias": adapter.adapter_down[0].bias,
                  "up": adapter.adapter_up.weight, "up_bias": adapter.adapter_up.bias}
    for value in parameters.values():
        value.data = torch.randn(value.shape)
    x = torch.randn(2, 5, 6, requires_grad=True)
    return gradients(adapter(x, torch.zeros(2, 5, 6))[0], x, parameters)


def module(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def mask(timesteps, rank, smallest):
    """get_mask_by_timestep of tlora/trainer_sdxl.py, a row for each sample."""
    rows = torch.zeros(len(timesteps), 1, rank)
    for row, timestep in zip(rows, timesteps):
        row[0, :int((1000 - timestep) / 1000 * (rank - smallest)) + smallest] = 1
    return rows


def tlora(lora):
    timesteps = [400, 900]
    x = torch.randn(2, 5, 24, requires_grad=True)
    plain = lora.LoRALinearLayer(24, 6, rank=4)
    plain.up.weight.data = torch.randn(6, 4)
    first = gradients(plain(x, mask(timesteps, 4, 1)), x, {"A": plain.down.weight, "B": plain.up.weight})
    ortho = lora.OrthogonalLoRALinearLayer(24, 6, rank=4, sig_type="last")
    frozen = {"Q0": ortho.base_q.weight, "P0": ortho.base_p.weight, "S0": ortho.base_lambda.reshape(4)}
    trained = {"Q": ortho.q_layer.weight, "P": ortho.p_layer.weight, "S": ortho.lambda_layer}
    for value in trained.values():
        value.data += 0.3 * torch.randn(value.shape)
    found = gradients(ortho(x, mask(timesteps, 4, 1)), x, trained)
    second = {name: found[name] for name in ("x", "y", "weights", "grad.x")} | frozen
    for name, value in trained.items():
        second["d" + name] = value.reshape(frozen[name + "0"].shape) - frozen[name + "0"]
        second["grad.d" + name] = found["grad." + name].reshape(frozen[name + "0"].shape)
    return {"tlora": first, "ortho": second}


def main(checkout, out):
    torch.manual_seed(7)
    sys.path.insert(0, checkout)  # for tlora.utils.registry
    cases = {"serial": bottleneck(Adapter, SeqBnConfig(reduction_factor=2, non_linearity="gelu")),
             "parallel": bottleneck(ParallelAdapter, ParBnConfig(reduction_factor=2, scaling=0.5))}
    cases |= tlora(module(checkout + "/tlora/model/lora.py", "authors"))
    save_file({name + "." + key: value.detach().clone() for name, case in cases.items()
               for key, value in case.items()}, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
