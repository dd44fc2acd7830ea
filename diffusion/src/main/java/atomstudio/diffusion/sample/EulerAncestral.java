package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;

/// Euler steps below the noise that is wanted, and fresh noise up to it, in latents x0 + σ · noise, σ = sigma / alpha.
/// Source: Song et al. 2021, "Score-Based Generative Modeling", appendix F (ancestral sampling of the variance exploding process);
/// Karras et al. 2022 for the Euler step.
public record EulerAncestral() implements Sampler {
    static Plan plan(SchedulerConfig config, int steps) throws Failure {
        if (config.prediction() == Prediction.SAMPLE) throw config.notBuilt("prediction_type", "sample");
        double[] timesteps = Euler.timesteps(config, steps);
        return new Plan(new EulerAncestral(), Euler.schedule(config, Ratios.steps(timesteps, Ratios.of(config).at(timesteps), 0)));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        double from = at.step().from().ratio();
        double to = at.step().to().ratio();
        double up = Math.sqrt(to * to * (from * from - to * to) / (from * from));
        double down = Math.sqrt(to * to - up * up);
        return new Stepped(Latents.sum(1, Latents.sum(1, at.x(), down - from, said.slope()), up, at.draw()), said);
    }
}
