package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The second-order single-step solver for the stochastic equation: half a step with noise, then the whole step with what the network says
/// there. Asks and draws twice a step, but not at a last one to no noise.
/// Source: Lu, Zhou, Bao, Chen, Li and Zhu 2022, "DPM-Solver++", section 5, as k-diffusion's `sample_dpmpp_sde` with r = 1/2.
public record DpmPlusPlusSde(double eta) implements Sampler {
    static Plan plan(Wanted wanted) throws Failure {
        return new Plan(new DpmPlusPlusSde(wanted.eta()), RatioReading.schedule(wanted, RatioReading.kDiffusion(wanted).steps(0)));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        double from = said.at().ratio();
        double to = at.step().to().ratio();
        if (to == 0) return new Stepped(said.clean(), said);
        double middle = Math.sqrt(from * to);
        Tensor early = at.draw();
        Ancestral half = Ancestral.between(from, middle, eta);
        Level there = Level.ofRatio(middle);
        Tensor truth = at.ask(at.kept(half.noised(said.toward(said.clean(), half.down()), early), there), there).clean();
        Ancestral whole = Ancestral.between(from, to, eta);
        // One Brownian path over σ: the step's noise is the half's and what comes after it.
        Tensor noise = Latents.sum(Math.sqrt((from - middle) / (from - to)), early, Math.sqrt((middle - to) / (from - to)), at.draw());
        return new Stepped(whole.noised(said.toward(truth, whole.down()), noise), said);
    }
}
