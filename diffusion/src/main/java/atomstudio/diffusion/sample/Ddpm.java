package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// Ancestral sampling of denoising diffusion probabilistic models, in latents alpha · x0 + sigma · noise. Draws once a step, but not from timestep 0.
/// Source: Ho, Jain and Abbeel 2020, equations 6 and 7, between timesteps further apart: β = 1 - ᾱ / ᾱ'.
public record Ddpm(Bound bound, Variance variance) implements Sampler {
    private static final double LEAST = 1e-20;

    /// Of the fresh noise: the posterior's, or the forward step's β.
    public enum Variance { SMALL, LARGE }

    static Plan plan(Wanted wanted) throws Failure {
        SchedulerConfig config = wanted.config();
        Ddpm ddpm = new Ddpm(Bound.clipping(config, true), variance(config));
        return new Plan(ddpm, TrainedReading.schedule(wanted, wanted.schedule() == ScheduleName.MODEL
                ? TrainedReading.steps(wanted, TrainedReading.timesteps(wanted), new Level(1, 0)) : TrainedReading.named(wanted)));
    }

    private static Variance variance(SchedulerConfig config) throws Failure {
        String type = config.text("variance_type", "fixed_small");
        return switch (type) {
            case "fixed_small", "fixed_small_log" -> Variance.SMALL;
            case "fixed_large" -> Variance.LARGE;
            default -> throw config.notBuilt("variance_type", type);
        };
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        Level from = said.at();
        Level to = at.step().to();
        double share = from.alpha() / to.alpha();
        double beta = 1 - share * share;
        double noisy = from.sigma() * from.sigma();
        double left = to.sigma() * to.sigma() / noisy;
        Tensor x = Latents.sum(to.alpha() * beta / noisy, bound.apply(said.clean()), share * left, at.x());
        double fresh = switch (variance) {
            case SMALL -> Math.max(left * beta, LEAST);
            case LARGE -> beta;
        };
        return new Stepped(at.step().timestep() > 0 ? Latents.sum(1, x, Math.sqrt(fresh), at.draw()) : x, said);
    }
}
