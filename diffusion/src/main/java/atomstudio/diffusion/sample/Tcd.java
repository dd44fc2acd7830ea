package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The sampler of trajectory consistency distillation: down the flow to s = (1 - eta) t', and up to t' under fresh noise. Draws once a step
/// where eta is above 0, but not at the last.
/// Source: Zheng et al. 2024, "Trajectory Consistency Distillation", algorithm 4 (strategic stochastic sampling), their γ here eta.
public record Tcd(NoiseSchedule trained, double eta) implements Sampler {
    static Plan plan(Wanted wanted) throws Failure {
        NoiseSchedule trained = NoiseSchedule.of(wanted.config());
        return new Plan(new Tcd(trained, wanted.eta()), TrainedReading.schedule(wanted, TrainedReading.steps(wanted, TrainedReading.distilled(wanted), trained.level(0))));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        double next = at.last() ? 0 : at.ahead().getFirst().timestep();
        Level down = trained.level((int) Math.floor((float) (1 - eta) * (float) next));
        Tensor x = Latents.sum(down.alpha(), said.clean(), down.sigma(), said.noise());
        if (eta == 0 || at.last()) return new Stepped(x, said);
        double share = at.step().to().alpha() / down.alpha();
        return new Stepped(Latents.sum(share, x, Math.sqrt(1 - share * share), at.draw()), said);
    }
}
