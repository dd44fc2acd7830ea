package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.PromptEncoder.Contexts;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.prompt.PromptSchedule.Pass;
import atomstudio.diffusion.sample.Denoiser;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.sample.SamplingPlan;
import atomstudio.diffusion.sample.SamplingProgress;
import atomstudio.diffusion.sample.SamplingResult;
import atomstudio.diffusion.sample.SamplingRun;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Samples latents: from noise or from a picture, everywhere or within a mask, in one pass or two. Does not own the engine.
record Painter(ModelFolder model, Engine engine, Consumer<String> notes) {
    /// Size of a pass in latent pixels.
    record Size(int height, int width) {}

    /// The latents (1,4,H/8,W/8) of a generation's last pass, still multiplied by the scaling factor.
    /// @throws Failure.Incompatible for sizes, steps or strengths that do not fit together
    SamplingResult paint(Generation generation, Script script, StepListener listener) throws Failure {
        Size size = size(generation);
        SamplingPlan plan = generation.settings().sampling().plan(model.scheduler());
        Beginning first = new Beginning(generation.source(), size, Optional.empty());
        int before = first.steps(plan);
        SamplingResult once = pass(generation, script.all(new Pass(before, 0)), first, plan, listener);
        if (generation.hires().isEmpty() || !(once instanceof SamplingResult.Finished(Tensor small))) return once;
        Hires hires = generation.hires().get();
        Size large = enlarged(size, hires);
        Beginning second = new Beginning(generation.source(), large, Optional.of(new Beginning.Begun(new Enlarging(large.height, large.width).of(small), hires.denoise())));
        StepListener after = progress -> listener.onStep(new SamplingProgress(before + progress.completedSteps(), progress.latents(), progress.denoised()));
        return pass(generation, script.all(new Pass(second.steps(plan), before)), second, plan, after);
    }

    /// How many steps a generation takes, both passes together.
    int steps(Generation generation) throws Failure {
        SamplingPlan plan = generation.settings().sampling().plan(model.scheduler());
        Size size = size(generation);
        int first = new Beginning(generation.source(), size, Optional.empty()).steps(plan);
        return generation.hires().isEmpty() ? first : first + Beginning.steps(plan, generation.hires().get().denoise());
    }

    /// The size of the picture that comes out, in latent pixels.
    Size last(Generation generation) throws Failure {
        Size size = size(generation);
        return generation.hires().isEmpty() ? size : enlarged(size, generation.hires().get());
    }

    private Size size(Generation generation) throws Failure {
        Optional<String> problem = model.sizeProblem(generation.settings().width(), generation.settings().height());
        if (problem.isPresent()) throw new Failure.Incompatible(problem.get());
        return new Size(generation.settings().height() / model.vae().factor(), generation.settings().width() / model.vae().factor());
    }

    private static Size enlarged(Size size, Hires hires) {
        return new Size((int) (size.height * hires.scale()), (int) (size.width * hires.scale()));
    }

    /// Each pass draws from the seed's beginning, as in A1111.
    /// @param contexts what each of its steps attends to; a sampler that asks more than once a step hears of one
    private SamplingResult pass(Generation generation, List<Contexts> contexts, Beginning beginning, SamplingPlan plan, StepListener listener) throws Failure {
        NoiseSource random = NoiseSource.ofSeeds(generation.seed());
        Canvas canvas = beginning.canvas(model, engine, plan, random);
        AtomicInteger done = new AtomicInteger();
        Denoiser denoiser = denoiser(generation, () -> contexts.get(done.get()), canvas);
        StepListener seeing = progress -> {
            done.set(progress.completedSteps());
            return listener.onStep(new SamplingProgress(progress.completedSteps(), progress.latents(), canvas.seen(progress.denoised())));
        };
        return canvas.plan().run(new SamplingRun(denoiser, canvas.start(), random, seeing, canvas.between()));
    }

    /// With guidance, both prompts go through the network together, as one batch of two.
    private Denoiser denoiser(Generation generation, Supplier<Contexts> now, Canvas canvas) {
        Guidance guidance = generation.settings().guidance();
        List<Applied> adapters = generation.adapters();
        if (!guidance.isActive()) return (latents, timestep) -> look(canvas.shown(latents), timestep, now.get().prompt(), adapters);
        return (latents, timestep) -> {
            Tensor shown = canvas.shown(latents);
            Contexts contexts = now.get();
            Tensor both = look(Tensor.stack(shown, shown), timestep, Tensor.stack(contexts.negative(), contexts.prompt()), adapters);
            return guidance.combine(both.rows(0, 1), both.rows(1, 2));
        };
    }

    /// Where memory does not suffice, once more with attention in slices, and so from then on.
    private Tensor look(Tensor latents, double timestep, Tensor context, List<Applied> adapters) throws Failure {
        float[] timesteps = new float[(int) latents.shape().size(0)];
        Arrays.fill(timesteps, (float) timestep);
        try {
            return engine.predict(latents, timesteps, context, adapters);
        } catch (Failure.OutOfMemory tooLarge) {
            if (!engine.slice()) throw tooLarge;
            notes.accept("Memory does not suffice for attention at once: it is computed in slices from here on, slower, and the picture is the same.");
            return engine.predict(latents, timesteps, context, adapters);
        }
    }

    /// A shape of latents.
    static Shape shape(ModelFolder model, Size size) {
        return Shape.of(1, model.vae().latentChannels(), size.height, size.width);
    }
}
