package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Heun's method on the probability flow: an Euler step, then one along the mean of the slopes at both ends. Asks twice a step, but for a last one to no noise.
/// Source: Karras, Aittala, Aila and Laine 2022, "Elucidating the Design Space", algorithm 2 with S_churn = 0.
public record Heun(Bound bound) implements Sampler {
    static Plan plan(Wanted wanted) throws Failure {
        return new Plan(new Heun(Bound.clippingAlone(wanted.config(), false)), RatioReading.schedule(wanted, RatioReading.reference(wanted).steps(0)));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask().bounded(bound);
        Level to = at.step().to();
        Tensor euler = said.along(said.slope(), to.ratio());
        if (to.sigma() == 0) return new Stepped(euler, said);
        Answer there = at.askAtTheEnd(at.kept(euler, to)).bounded(bound);
        return new Stepped(said.along(Latents.sum(0.5, said.slope(), 0.5, there.slope()), to.ratio()), said);
    }
}
