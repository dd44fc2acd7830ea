package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.PromptEncoder.PromptEmbeddings;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.prompt.PromptSchedule.Pass;
import atomstudio.diffusion.sample.Denoiser;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.sample.SamplingPlan;
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

/// Samples latents: from noise or from a picture, everywhere or within a mask, in one pass or two. Does not own the
/// engine.
record LatentSampler(DiffusionModel model, Engine engine, Consumer<String> warnings) {
    /// Size of a pass in latent pixels.
    record LatentSize(int height, int width) {}

    /// The latents (1,4,H/8,W/8) of a generation's last pass, still multiplied by the scaling factor.
    /// @throws Failure.Incompatible for sizes, steps or strengths that do not fit together
    SamplingResult sample(Generation generation, ConditioningSchedule conditioning, StepListener listener)
            throws Failure {
        LatentSize size = size(generation);
        SamplingPlan plan = generation.settings().sampling().plan(model.scheduler());
        LatentInit first = new LatentInit(generation.source(), size, Optional.empty());
        int firstSteps = first.steps(plan);
        SamplingResult firstResult = runPass(generation, conditioning.forAllSteps(new Pass(firstSteps, 0)), first, plan,
                listener);
        if (generation.hires().isEmpty() || !(firstResult instanceof SamplingResult.Finished(Tensor firstLatents)))
            return firstResult;
        Hires hires = generation.hires().get();
        LatentSize upscaledSize = upscaledSize(size, hires);
        LatentInit second = new LatentInit(generation.source(), upscaledSize,
                Optional.of(new LatentInit.UpscaledLatents(
                        new LatentUpscale(upscaledSize.height, upscaledSize.width).apply(firstLatents),
                        hires.denoisingStrength())));
        StepListener offsetListener = progress -> listener.onStep(new StepListener.SamplingProgress(
                firstSteps + progress.completedSteps(), progress.latents(), progress.denoised()));
        return runPass(generation, conditioning.forAllSteps(new Pass(second.steps(plan), firstSteps)), second, plan,
                offsetListener);
    }

    /// How many steps a generation takes, both passes together.
    int stepCount(Generation generation) throws Failure {
        SamplingPlan plan = generation.settings().sampling().plan(model.scheduler());
        LatentSize size = size(generation);
        int first = new LatentInit(generation.source(), size, Optional.empty()).steps(plan);
        return generation.hires().isEmpty() ? first
                : first + LatentInit.steps(plan, generation.hires().get().denoisingStrength());
    }

    /// The size of the picture that comes out, in latent pixels.
    LatentSize finalSize(Generation generation) throws Failure {
        LatentSize size = size(generation);
        return generation.hires().isEmpty() ? size : upscaledSize(size, generation.hires().get());
    }

    private LatentSize size(Generation generation) throws Failure {
        Optional<String> problem = model.sizeProblem(generation.settings().width(), generation.settings().height());
        if (problem.isPresent()) throw new Failure.Incompatible(problem.get());
        return new LatentSize(generation.settings().height() / model.vae().downsamplingFactor(),
                generation.settings().width() / model.vae().downsamplingFactor());
    }

    private static LatentSize upscaledSize(LatentSize size, Hires hires) {
        return new LatentSize((int) (size.height * hires.scale()), (int) (size.width * hires.scale()));
    }

    /// Each pass draws from the seed's beginning, as in A1111.
    /// @param embeddings what each of its steps attends to; a sampler that asks more than once a step hears of one
    private SamplingResult runPass(Generation generation, List<PromptEmbeddings> embeddings, LatentInit init,
            SamplingPlan plan, StepListener listener) throws Failure {
        NoiseSource noiseSource = NoiseSource.ofSeeds(generation.seed());
        LatentInit.PassInputs inputs = init.inputs(model, engine, plan, noiseSource);
        AtomicInteger stepsDone = new AtomicInteger();
        Denoiser denoiser = denoiser(generation, () -> embeddings.get(stepsDone.get()), inputs);
        StepListener compositeListener = progress -> {
            stepsDone.set(progress.completedSteps());
            return listener.onStep(new StepListener.SamplingProgress(progress.completedSteps(), progress.latents(),
                    inputs.composite(progress.denoised())));
        };
        return inputs.plan()
                .run(new SamplingRun(denoiser, inputs.initialLatents(), noiseSource, compositeListener,
                        inputs.callback()));
    }

    /// With guidance, both prompts go through the network together, as one batch of two.
    private Denoiser denoiser(Generation generation, Supplier<PromptEmbeddings> currentEmbeddings,
            LatentInit.PassInputs inputs) {
        Guidance guidance = generation.settings().guidance();
        List<WeightedAdapter> adapters = generation.adapters();
        if (!guidance.isActive())
            return (latents, timestep) -> predictNoise(inputs.modelInput(latents), timestep,
                    currentEmbeddings.get().prompt(), adapters);
        return (latents, timestep) -> {
            Tensor modelInput = inputs.modelInput(latents);
            PromptEmbeddings embeddings = currentEmbeddings.get();
            Tensor output = predictNoise(Tensor.concatenate(modelInput, modelInput), timestep,
                    Tensor.concatenate(embeddings.negative(), embeddings.prompt()), adapters);
            return guidance.combine(output.rows(0, 1), output.rows(1, 2));
        };
    }

    /// Where memory does not suffice, once more with attention in slices, and so from then on.
    private Tensor predictNoise(Tensor latents, double timestep, Tensor context, List<WeightedAdapter> adapters)
            throws Failure {
        float[] timesteps = new float[(int) latents.shape().size(0)];
        Arrays.fill(timesteps, (float) timestep);
        try {
            return engine.predictNoise(latents, timesteps, context, adapters);
        } catch (Failure.OutOfMemory outOfMemory) {
            if (!engine.enableAttentionSlicing()) throw outOfMemory;
            warnings.accept(
                    "Memory does not suffice for attention at once: it is computed in slices from here on, slower, and the picture is the same.");
            return engine.predictNoise(latents, timesteps, context, adapters);
        }
    }

    /// A shape of latents.
    static Shape latentShape(DiffusionModel model, LatentSize size) {
        return Shape.of(1, model.vae().latentChannels(), size.height, size.width);
    }

    /// Scales maps (B,C,h,w) linearly between the four nearest pixels' centres: torch's `interpolate(mode="bilinear",
    /// align_corners=False, antialias=False)`, which "latent upscale" means in other programs.
    record LatentUpscale(int height, int width) {
        Tensor apply(Tensor x) {
            Shape from = x.shape();
            Axis vertical = Axis.of(Math.toIntExact(from.size(2)), height);
            Axis horizontal = Axis.of(Math.toIntExact(from.size(3)), width);
            Tensor upscaled = Tensor.zeros(from.with(2, height).with(3, width));
            int planes = Math.toIntExact(from.size(0) * from.size(1));
            int sourceWidth = Math.toIntExact(from.size(3));
            int planeSize = Math.toIntExact(from.size(2)) * sourceWidth;
            for (int plane = 0; plane < planes; plane++) {
                for (int y = 0; y < height; y++) {
                    int top = plane * planeSize + vertical.first[y] * sourceWidth;
                    int bottom = plane * planeSize + vertical.second[y] * sourceWidth;
                    for (int i = 0; i < width; i++) {
                        float above = lerp(x.data()[top + horizontal.first[i]], x.data()[top + horizontal.second[i]],
                                horizontal.weight[i]);
                        float below = lerp(x.data()[bottom + horizontal.first[i]],
                                x.data()[bottom + horizontal.second[i]], horizontal.weight[i]);
                        upscaled.data()[(plane * height + y) * width + i] = lerp(above, below, vertical.weight[y]);
                    }
                }
            }
            return upscaled;
        }

        private static float lerp(float a, float b, float weight) {
            return a * (1 - weight) + b * weight;
        }

        /// The two source pixels of every target pixel, and the second one's weight.
        private record Axis(int[] first, int[] second, float[] weight) {
            static Axis of(int from, int to) {
                Axis axis = new Axis(new int[to], new int[to], new float[to]);
                for (int i = 0; i < to; i++) {
                    float at = Math.max(0, (i + 0.5f) * from / to - 0.5f);
                    axis.first[i] = Math.min((int) at, from - 1);
                    axis.second[i] = Math.min(axis.first[i] + 1, from - 1);
                    axis.weight[i] = at - axis.first[i];
                }
                return axis;
            }
        }
    }
}
