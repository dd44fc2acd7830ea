package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// The sampler of latent consistency models: to the clean latents at once, and back up under fresh noise. Draws once a step, but not at the last.
/// Source: Luo, Tan, Huang, Li and Zhao 2023, "Latent Consistency Models", algorithm 3; Song, Dhariwal, Chen and Sutskever 2023 for the
/// weights that make it the identity at no noise.
///
/// @param scaling of timesteps in those weights
public record Lcm(Bound bound, double scaling) implements Sampler {
    /// The spread of data that the weights assume.
    private static final double DATA = 0.5;

    /// At timestep 0 the weights leave the latents as they are, whatever the network says there: schedules end above it.
    static Plan plan(Wanted wanted) throws Failure {
        SchedulerConfig config = wanted.config();
        Lcm lcm = new Lcm(Bound.clipping(config, false), config.number("timestep_scaling", 10));
        return new Plan(lcm, TrainedReading.schedule(wanted, wanted.schedule() == ScheduleName.MODEL
                ? TrainedReading.steps(wanted, TrainedReading.distilled(wanted), new Level(1, 0)) : TrainedReading.namedAboveLeast(wanted)));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask().bounded(bound);
        double time = at.step().timestep() * scaling;
        double norm = time * time + DATA * DATA;
        Tensor clean = Latents.sum(time / Math.sqrt(norm), said.clean(), DATA * DATA / norm, at.x());
        Level to = at.step().to();
        return new Stepped(at.last() ? clean : Latents.sum(to.alpha(), clean, to.sigma(), at.draw()), said);
    }
}
