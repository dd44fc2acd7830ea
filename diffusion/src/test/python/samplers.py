"""Reference trajectories of samplers and schedules that ../shared/goldens has none of: python3 samplers.py SAMPLING OUT

SAMPLING is k_diffusion/sampling.py of k-diffusion 0.1.1.post1 (only this file is used, none of what it imports besides torch).
Needs torch, scipy, diffusers 0.42.1 and safetensors. Written with torch 2.7.1 in float32; the files lie in ../resources/goldens/samplers.

The network is replaced by the formulas of ../shared/goldens/README.md. Entries are counted by calls of the network: `step.KKK` the latents
where call K ends a step (x0 + sigma * noise), `noise.KKK` what was drawn after call K, `timesteps` a number a call, `sigmas` one a step and the last.
"""
import importlib.util, json, math, os, sys, types
import numpy, scipy.stats, torch
import diffusers
from diffusers.schedulers import AysSchedules
from safetensors.torch import save_file

TRAIN = dict(beta_start=.00085, beta_end=.012, beta_schedule="scaled_linear", num_train_timesteps=1000)
SHAPE = (1, 4, 4, 4)


def k_diffusion(path):
    """Its functions, without its package: they need one helper of it and name solvers that are not called here."""
    package, utils = types.ModuleType("k_diffusion"), types.ModuleType("k_diffusion.utils")
    package.__path__, package.utils = [], utils
    utils.append_dims = lambda x, dims: x[(...,) + (None,) * (dims - x.ndim)]
    sys.modules.update({"k_diffusion": package, "k_diffusion.utils": utils})
    for name in ("torchdiffeq", "torchsde"): sys.modules[name] = types.SimpleNamespace(odeint=None, BrownianTree=None)
    spec = importlib.util.spec_from_file_location("k_diffusion.sampling", path)
    module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
    return module


def trained():
    betas = torch.linspace(TRAIN["beta_start"] ** .5, TRAIN["beta_end"] ** .5, 1000) ** 2
    bars = torch.cumprod(1 - betas, 0)
    return ((1 - bars) / bars) ** .5


SIGMAS = trained()
LOGS = SIGMAS.log()


def sigma_at(t):
    """Log-linear between timesteps, as ComfyUI's ModelSamplingDiscrete.sigma."""
    low = int(t); high = min(low + 1, 999); w = t - low
    return math.exp((1 - w) * float(LOGS[low]) + w * float(LOGS[high]))


def time_of(sigma):
    """The other way, as k-diffusion's DiscreteSchedule.sigma_to_t without quantizing."""
    log = math.log(float(sigma)); low = min(max(int((LOGS.double() <= log + 1e-9).sum()) - 1, 0), 998)
    a, b = float(LOGS[low]), float(LOGS[low + 1])
    return low + min(max((log - a) / (b - a), 0), 1)


# ------------------------------------------------------------------ schedules, most noise first, 0 at the end
def model(n): return [float(SIGMAS[round(t)]) for t in numpy.linspace(999, 0, n)] + [0.]          # whole timesteps: n - 1 divides 999
def sgm_uniform(n): return [sigma_at(t) for t in numpy.linspace(999, 0, n + 1)[:-1]] + [0.]       # ComfyUI: normal_scheduler(sgm=True)
def simple(n): return [float(SIGMAS[-(1 + int(x * (1000 / n)))]) for x in range(n)] + [0.]        # ComfyUI: simple_scheduler


def beta(n):                                                                                      # ComfyUI: beta_scheduler
    ts = numpy.rint(scipy.stats.beta.ppf(1 - numpy.linspace(0, 1, n, endpoint=False), .6, .6) * 999)
    return [float(SIGMAS[int(t)]) for k, t in enumerate(ts) if k == 0 or t != ts[k - 1]] + [0.]


def aligned(n):                                                                                   # NVIDIA's rule for other numbers of steps: log-linear between the ten and the last
    known = numpy.log([float(SIGMAS[t]) for t in [*AysSchedules["StableDiffusionTimesteps"], 0]])
    return [*numpy.exp(numpy.interp(numpy.linspace(0, 1, n + 1), numpy.linspace(0, 1, 11), known))[:-1], 0.]


def karras(n): return K.get_sigmas_karras(n, float(SIGMAS[0]), float(SIGMAS[-1])).tolist()
def exponential(n): return K.get_sigmas_exponential(n, float(SIGMAS[0]), float(SIGMAS[-1])).tolist()


# ------------------------------------------------------------------ the stand-in for the network
def said(prediction, x, t):
    t = torch.tensor(float(t))
    return torch.tanh(t / 300) * x + .1 * torch.sin(3 * x) if prediction == "epsilon" else .1 * torch.sin(3 * x) + .05 * torch.cos(t / 200)


def clean(prediction, x, sigma, output):
    return x - sigma * output if prediction == "epsilon" else x / (sigma ** 2 + 1) - output * sigma / (sigma ** 2 + 1) ** .5


def write(name, steps, seed, o, **meta):
    meta = {"torch": torch.__version__.split("+")[0], "diffusers": diffusers.__version__, "steps": str(steps), "seed": str(seed), "eta": "", **meta}
    save_file({k: v.clone().contiguous() for k, v in o.items()}, os.path.join(OUT, f"{name.replace('+', '-')}-{steps}.safetensors"), meta)
    print(name, steps, len(o), float(o[max(k for k in o if k.startswith("step"))].std()))


def with_k_diffusion(name, function, schedule, steps, seed, prediction="epsilon", eta=None, brownian=False, last_draw=False):
    g = torch.Generator().manual_seed(seed); sigmas = torch.tensor(globals()[schedule.replace("-", "_")](steps))
    x = torch.randn(SHAPE, generator=g) * sigmas[0]; o = {"initial": x, "sigmas": sigmas}; asked = []; draws = []

    def network(x, sigma):
        asked.append(time_of(sigma[0]))
        return clean(prediction, x, sigma[0], said(prediction, x / (sigma[0] ** 2 + 1) ** .5, asked[-1]))

    def draw():
        o[f"noise.{len(asked) - 1:03d}"] = torch.randn(SHAPE, generator=g)
        return o[f"noise.{len(asked) - 1:03d}"]

    def noise(sigma, sigma_next):
        """dpmpp_sde asks from sigma to the middle, then from sigma to the end: one Brownian path, as its BrownianTreeNoiseSampler gives."""
        if not brownian: return draw()
        draws.append((float(sigma), float(sigma_next), draw()))
        if len(draws) % 2: return draws[-1][2]
        (a, m, early), (_, b, late) = draws[-2:]
        return (early * (a - m) ** .5 + late * (m - b) ** .5) / (a - b) ** .5

    def seen(at):
        if at["i"] > 0: o[f"step.{len(asked) - 2:03d}"] = at["x"]

    x = getattr(K, function)(network, x, sigmas, callback=seen, disable=True, noise_sampler=noise, **({} if eta is None else {"eta": eta}))
    o[f"step.{len(asked) - 1:03d}"] = x; o["timesteps"] = torch.tensor(asked)
    if last_draw: draw()                                                                          # multiplied by 0: the reference library draws it, k-diffusion does not
    write(name, steps, seed, o, scheduler=f"k_diffusion.sampling.{function}", sampler=name.split("+")[0], schedule=schedule, prediction=prediction,
          config=json.dumps({**TRAIN, "prediction_type": prediction}), eta="" if eta is None else str(eta))


def with_diffusers(name, cls, schedule, steps, seed, **chosen):
    s = getattr(diffusers, cls).from_config(TRAIN); s.set_timesteps(**chosen); g = torch.Generator().manual_seed(seed)
    x = torch.randn(SHAPE, generator=g) * s.init_noise_sigma; o = {"initial": x, "timesteps": s.timesteps.float(), "sigmas": s.sigmas.float()}
    for k, t in enumerate(s.timesteps):
        x = s.step(said("epsilon", s.scale_model_input(x, t), t), t, x).prev_sample; o[f"step.{k:03d}"] = x
    write(name, steps, seed, o, scheduler=cls, sampler=name.split("+")[0], schedule=schedule, prediction="epsilon", config=json.dumps(TRAIN))


if __name__ == "__main__":
    K = k_diffusion(sys.argv[1]); OUT = sys.argv[2]; torch.set_num_threads(1)
    with_k_diffusion("dpmpp-sde", "sample_dpmpp_sde", "model", 10, 11, brownian=True)
    with_k_diffusion("dpmpp-sde+karras", "sample_dpmpp_sde", "karras", 10, 12, brownian=True)
    with_k_diffusion("dpmpp-sde+v", "sample_dpmpp_sde", "sgm-uniform", 8, 13, prediction="v_prediction", eta=.5, brownian=True)
    with_k_diffusion("dpmpp-2s-a", "sample_dpmpp_2s_ancestral", "model", 10, 14)
    with_k_diffusion("dpmpp-2s-a+karras", "sample_dpmpp_2s_ancestral", "karras", 12, 15, eta=.5)
    with_k_diffusion("dpmpp-3m-sde", "sample_dpmpp_3m_sde", "model", 10, 16)
    with_k_diffusion("dpmpp-3m-sde+exponential", "sample_dpmpp_3m_sde", "exponential", 12, 17)
    with_k_diffusion("dpmpp-3m-sde+beta", "sample_dpmpp_3m_sde", "beta", 12, 18, eta=.5)
    with_k_diffusion("euler-a+karras", "sample_euler_ancestral", "karras", 10, 19, last_draw=True)
    with_k_diffusion("euler-a+eta", "sample_euler_ancestral", "simple", 10, 20, eta=.5, last_draw=True)
    for cls, name in (("EulerDiscreteScheduler", "euler"), ("DPMSolverMultistepScheduler", "dpmpp-2m")):
        with_diffusers(name + "+ays", cls, "ays", 10, 21, timesteps=AysSchedules["StableDiffusionTimesteps"])
    for k, (schedule, sigmas, steps) in enumerate((("ays", aligned, 16), ("sgm-uniform", sgm_uniform, 10), ("simple", simple, 12), ("beta", beta, 16))):
        with_diffusers(f"euler+{schedule}", "EulerDiscreteScheduler", schedule, steps, 22 + k, sigmas=sigmas(steps))
