package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.StepListener.Next;
import atomstudio.diffusion.tensor.Tensor;

/// Euler steps below the noise that is wanted, and fresh noise up to it, in latents x0 + σ · noise, σ = sigma / alpha.
/// Source: Song et al. 2021, "Score-Based Generative Modeling", appendix F (ancestral sampling of the variance exploding process);
/// Karras et al. 2022 for the Euler step.
public record EulerAncestral() implements Sampler {
    static Plan plan(SchedulerConfig config, int steps) throws Failure {
        if (config.prediction() == Prediction.SAMPLE) throw config.notBuilt("prediction_type", "sample");
        double[] timesteps = Euler.timesteps(config, steps);
        return new Plan(new EulerAncestral(), Euler.schedule(config, Ratios.steps(timesteps, Ratios.of(config).at(timesteps), 0)));
    }

    @Override public Sampled sample(Denoiser denoiser, Tensor noise, Schedule schedule, NoiseSource random, StepListener listener) throws Failure {
        Tensor x = Latents.scale(schedule.initialScale(), noise);
        int done = 0;
        for (Step step : schedule.steps()) {
            double from = step.from().ratio();
            double to = step.to().ratio();
            double up = Math.sqrt(to * to * (from * from - to * to) / (from * from));
            double down = Math.sqrt(to * to - up * up);
            Tensor scaled = Latents.scale(step.from().alpha(), x);
            Tensor clean = schedule.prediction().clean(scaled, denoiser.predict(scaled, step.timestep()), step.from());
            Tensor slope = Latents.sum(1 / from, x, -1 / from, clean);
            x = Latents.sum(1, Latents.sum(1, x, down - from, slope), up, random.draw(x.shape()));
            if (listener.after(++done, x) == Next.STOP) return new Sampled.Cancelled(done);
        }
        return new Sampled.Finished(x);
    }
}
