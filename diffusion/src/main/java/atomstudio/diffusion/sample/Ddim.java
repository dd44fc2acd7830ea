package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import java.util.ArrayList;
import java.util.List;

/// The deterministic sampler of denoising diffusion implicit models, in latents alpha · x0 + sigma · noise.
/// Source: Song, Meng and Ermon 2021, "Denoising Diffusion Implicit Models", equation 12 with σ_t = 0 (η = 0).
///
/// @param bound the predicted clean latents are clipped to -bound..bound; infinite: never
public record Ddim(double bound) implements Sampler {
    /// Steps go from t to t - ⌊T / steps⌋, whatever the next timestep of the spacing is, as in the reference.
    static Plan plan(SchedulerConfig config, int steps) throws Failure {
        config.refuse("thresholding");
        NoiseSchedule trained = NoiseSchedule.of(config);
        if (steps > trained.size()) throw new Failure.Incompatible("steps: ddim takes at most " + trained.size() + " with this model, found " + steps);
        Level last = config.flag("set_alpha_to_one", true) ? new Level(1, 0) : trained.level(0);
        Prediction prediction = config.prediction();
        List<Step> walk = new ArrayList<>();
        for (double time : config.spacing().timesteps(trained.size(), steps, config.stepsOffset())) {
            int timestep = (int) Math.rint(time);
            int next = timestep - trained.size() / steps;
            if (timestep < 0 || timestep >= trained.size()) {
                throw new Failure.Incompatible("steps: " + steps + " with steps_offset " + config.stepsOffset() + " reach timestep " + timestep + ", the model has 0 to " + (trained.size() - 1) + "; take fewer");
            }
            if (prediction == Prediction.EPSILON && trained.alphaBar(timestep) == 0) {
                throw new Failure.Incompatible("ddim from zero terminal SNR: the predicted noise says nothing of the picture there; the model must predict v_prediction or sample");
            }
            walk.add(new Step(timestep, trained.level(timestep), next >= 0 ? trained.level(next) : last));
        }
        double bound = config.flag("clip_sample", true) ? config.number("clip_sample_range", 1) : Double.POSITIVE_INFINITY;
        return new Plan(new Ddim(bound), new Schedule(walk, prediction, Space.VARIANCE, 1, Ratios.of(config)));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        Level to = at.step().to();
        return new Stepped(Latents.sum(to.alpha(), Latents.clamp(said.clean(), bound), to.sigma(), said.noise()), said);
    }
}
