package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// The sampler of denoising diffusion implicit models, in latents alpha · x0 + sigma · noise. Draws once a step where eta is above 0.
/// Source: Song, Meng and Ermon 2021, "Denoising Diffusion Implicit Models", equations 12 and 16.
///
/// @param eta the share of ancestral noise, 0 (none) to 1
public record Ddim(Bound bound, double eta) implements Sampler {
    /// Steps go from t to t - ⌊T / steps⌋, whatever the next timestep of the spacing is, as in the reference.
    static Plan plan(Wanted wanted) throws Failure {
        SchedulerConfig config = wanted.config();
        Ddim ddim = new Ddim(Bound.clipping(config, true), wanted.eta());
        if (wanted.schedule() != ScheduleName.MODEL) return new Plan(ddim, TrainedReading.schedule(wanted, TrainedReading.named(wanted)));
        NoiseSchedule trained = NoiseSchedule.of(config);
        List<Step> walk = new ArrayList<>();
        for (int timestep : TrainedReading.timesteps(wanted)) {
            int next = timestep - trained.size() / wanted.steps();
            walk.add(new Step(timestep, trained.level(timestep), next >= 0 ? trained.level(next) : TrainedReading.end(config)));
        }
        return new Plan(ddim, TrainedReading.schedule(wanted, walk));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        Level from = said.at();
        Level to = at.step().to();
        double fresh = eta * to.sigma() / from.sigma() * Math.sqrt(Math.max(0, 1 - from.alpha() * from.alpha() / (to.alpha() * to.alpha())));
        double kept = Math.sqrt(to.sigma() * to.sigma() - fresh * fresh);
        Tensor x = Latents.sum(to.alpha(), bound.apply(said.clean()), kept, said.noise());
        return new Stepped(eta > 0 ? Latents.sum(1, x, fresh, at.draw()) : x, said);
    }
}
