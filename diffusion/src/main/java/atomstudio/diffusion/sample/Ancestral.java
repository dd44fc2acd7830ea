package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// A step in latents x0 + σ · noise taken further down than wanted, and fresh noise up to what is wanted.
/// Source: Song et al. 2021, "Score-Based Generative Modeling", appendix F (ancestral sampling of the variance exploding process);
/// `eta`, the share of that noise, as in k-diffusion.
record Ancestral(double down, double up) {
    static Ancestral between(double from, double to, double eta) {
        double up = Math.min(to, eta * Math.sqrt(to * to * (from * from - to * to) / (from * from)));
        return new Ancestral(Math.sqrt(to * to - up * up), up);
    }

    static Ancestral of(Step step, double eta) {
        return between(step.from().ratio(), step.to().ratio(), eta);
    }

    Tensor noised(Tensor x, Tensor noise) {
        return Latents.sum(1, x, up, noise);
    }
}
