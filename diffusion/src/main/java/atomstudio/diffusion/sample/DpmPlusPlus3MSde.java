package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The third-order multistep solver for the stochastic equation, in latents x0 + σ · noise. Draws once a step, but not at a last one to no noise.
/// Source: k-diffusion's `sample_dpmpp_3m_sde`; Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver++", section 5 and appendix B, with
/// φ2 and φ3 of the exponential integrators (Hochbruck and Ostermann 2010, equation 2.10). h = Δλ (1 + eta).
public record DpmPlusPlus3MSde(double eta) implements Sampler {
    static Plan plan(Wanted wanted) throws Failure {
        return new Plan(new DpmPlusPlus3MSde(wanted.eta()), RatioReading.schedule(wanted, RatioReading.kDiffusion(wanted).steps(0)));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        Level to = at.step().to();
        if (to.sigma() == 0) return new Stepped(said.clean(), said);
        double step = to.lambda() - said.at().lambda();
        double h = step * (1 + eta);
        Tensor x = Latents.sum(Math.exp(-h), at.x(), -Math.expm1(-h), said.clean());
        if (!at.past().isEmpty()) x = corrected(x, at, said, h);
        return new Stepped(Latents.sum(1, x, to.ratio() * Math.sqrt(-Math.expm1(-2 * step * eta)), at.draw()), said);
    }

    /// The first and, with two steps behind, the second derivative of the clean latents in λ, in units of the step.
    private static Tensor corrected(Tensor x, Moment at, Answer said, double h) {
        double step = at.step().to().lambda() - said.at().lambda();
        double phi2 = Math.expm1(-h) / h + 1;
        Answer before = at.past().getFirst();
        double r0 = (said.at().lambda() - before.at().lambda()) / step;
        Tensor late = Latents.sum(1 / r0, said.clean(), -1 / r0, before.clean());
        if (at.past().size() == 1) return Latents.sum(1, x, phi2, late);
        Answer earlier = at.past().get(1);
        double r1 = (before.at().lambda() - earlier.at().lambda()) / step;
        Tensor early = Latents.sum(1 / r1, before.clean(), -1 / r1, earlier.clean());
        Tensor change = Latents.sum(1 / (r0 + r1), late, -1 / (r0 + r1), early);
        double phi3 = phi2 / h - 0.5;
        return Latents.sum(1, Latents.sum(1, x, phi2, Latents.sum(1, late, r0, change)), -phi3, change);
    }
}
