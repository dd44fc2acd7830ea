package atomstudio.diffusion.sample;

/// Splits a step from σ to σ' into a deterministic part, down to `sigmaDown`, and fresh noise of `sigmaUp`, so that
/// sigmaDown² + sigmaUp² = σ'².
/// Source: Song et al. 2021, "Score-Based Generative Modeling", appendix F (ancestral sampling of the variance
/// exploding process); `eta`, the share of fresh noise, as in k-diffusion's `get_ancestral_step`.
record AncestralStep(double sigmaDown, double sigmaUp) {
    static AncestralStep getAncestralStep(double sigmaFrom, double sigmaTo, double eta) {
        double from2 = sigmaFrom * sigmaFrom;
        double to2 = sigmaTo * sigmaTo;
        double sigmaUp = Math.min(sigmaTo, eta * Math.sqrt(to2 * (from2 - to2) / from2));
        return new AncestralStep(Math.sqrt(to2 - sigmaUp * sigmaUp), sigmaUp);
    }
}
