package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;

/// Euler's method on the probability flow, in latents x0 + σ · noise, σ = sigma / alpha.
/// Source: Karras, Aittala, Aila and Laine 2022, "Elucidating the Design Space", algorithm 2 with S_churn = 0 and without its correction.
public record Euler() implements Sampler {
    static Plan plan(Wanted wanted) throws Failure {
        SchedulerConfig config = wanted.config();
        String interpolation = config.text("interpolation_type", "linear");
        if (!interpolation.equals("linear")) throw config.notBuilt("interpolation_type", interpolation);
        String type = config.text("timestep_type", "discrete");
        if (!type.equals("discrete") && config.prediction() == Prediction.V) throw config.notBuilt("timestep_type", type);
        Points points = RatioReading.reference(wanted);
        return new Plan(new Euler(), RatioReading.schedule(wanted, points.steps(Ratios.of(config).end(config))));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        return new Stepped(said.along(said.slope(), at.step().to().ratio()), said);
    }
}
