package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.List;

/// Euler's method on the probability flow, in latents x0 + σ · noise, σ = sigma / alpha.
/// Source: Karras, Aittala, Aila and Laine 2022, "Elucidating the Design Space", algorithm 2 with S_churn = 0 and without its correction.
public record Euler() implements Sampler {
    /// Karras's spacing takes its end points from the timesteps that the spacing would have visited, as in the reference.
    static Plan plan(SchedulerConfig config, int steps) throws Failure {
        config.refuse("use_exponential_sigmas", "use_beta_sigmas");
        String interpolation = config.text("interpolation_type", "linear");
        if (!interpolation.equals("linear")) throw config.notBuilt("interpolation_type", interpolation);
        Prediction prediction = config.prediction();
        String type = config.text("timestep_type", "discrete");
        if (!type.equals("discrete") && prediction == Prediction.V) throw config.notBuilt("timestep_type", type);
        Ratios trained = Ratios.of(config);
        double[] timesteps = timesteps(config, steps);
        double[] ratios = trained.at(timesteps);
        if (config.karras()) {
            double least = config.number("sigma_min", ratios[ratios.length - 1]);
            ratios = Ratios.karras(config.number("sigma_max", ratios[0]), least, steps);
            timesteps = trained.timesteps(ratios);
        }
        return new Plan(new Euler(), schedule(config, Ratios.steps(timesteps, ratios, trained.end(config))));
    }

    /// Timesteps in float32, as the reference keeps them.
    static double[] timesteps(SchedulerConfig config, int steps) throws Failure {
        if (config.spacing() == Spacing.LEADING && steps > config.trainTimesteps()) {
            throw new Failure.Incompatible("steps: leading spacing takes at most " + config.trainTimesteps() + " with this model, found " + steps);
        }
        double[] timesteps = config.spacing().timesteps(config.trainTimesteps(), steps, config.stepsOffset());
        for (int i = 0; i < timesteps.length; i++) timesteps[i] = (float) timesteps[i];
        return timesteps;
    }

    /// Leading spacing starts from √(σ² + 1) · noise, the others from σ · noise.
    static Schedule schedule(SchedulerConfig config, List<Step> steps) throws Failure {
        double most = steps.stream().mapToDouble(step -> step.from().ratio()).max().orElseThrow();
        return new Schedule(steps, config.prediction(), Space.RATIO, config.spacing() == Spacing.LEADING ? Math.sqrt(most * most + 1) : most, Ratios.of(config));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        return new Stepped(Latents.sum(1, at.x(), at.step().to().ratio() - at.step().from().ratio(), said.slope()), said);
    }
}
