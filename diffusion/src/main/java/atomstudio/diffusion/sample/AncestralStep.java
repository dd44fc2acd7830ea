package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// A step in latents x0 + σ · noise taken further down than wanted, and fresh noise up to what is wanted.
/// Source: Song et al. 2021, "Score-Based Generative Modeling", appendix F (ancestral sampling of the variance
/// exploding process); `eta`, the share of that noise, as in k-diffusion.
record AncestralStep(double sigmaDown, double sigmaUp) {
    static AncestralStep between(double sigmaFrom, double sigmaTo, double eta) {
        double sigmaUp = Math.min(sigmaTo, eta
                * Math.sqrt(sigmaTo * sigmaTo * (sigmaFrom * sigmaFrom - sigmaTo * sigmaTo) / (sigmaFrom * sigmaFrom)));
        return new AncestralStep(Math.sqrt(sigmaTo * sigmaTo - sigmaUp * sigmaUp), sigmaUp);
    }

    static AncestralStep of(Schedule.Step step, double eta) {
        return between(step.from().sigma(), step.to().sigma(), eta);
    }

    Tensor addNoise(Tensor x, Tensor noise) {
        return LatentMath.weightedSum(1, x, sigmaUp, noise);
    }
}
