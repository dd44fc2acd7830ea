package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.PromptEncoder.PromptEmbeddings;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.prompt.PromptSchedule.Pass;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.NoiseSource;
import atomstudio.diffusion.sample.SamplingPlan;
import atomstudio.diffusion.sample.SamplingRun;
import atomstudio.diffusion.sample.SamplingRun.Denoiser;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/// Samples the latents of a batch: text to image, img2img or inpainting, in one pass or two (hires fix). Does not own
/// the networks.
public record LatentSampler(DiffusionModel model, NoisePredictor unet, Autoencoder autoencoder)
        implements LatentSampling {
    /// Size of a pass: images, and latent pixels of each.
    record LatentSize(int images, int height, int width) {}

    @Override
    public Optional<Tensor> sample(GenerationBatch batch, ConditioningSchedule conditioning, StepListener listener)
            throws Failure {
        Generation generation = batch.generation();
        LatentSize size = size(batch);
        SamplingPlan plan = generation.settings().sampling().plan(model.scheduler());
        LatentInit first = new LatentInit(generation.source(), size, Optional.empty());
        int firstSteps = first.steps(plan);
        LatentSize decoded = generation.hires().map(hires -> upscaledSize(size, hires)).orElse(size);
        autoencoder.prepareDecoding(latentShape(model, new LatentSize(1, decoded.height, decoded.width)));
        List<PromptEmbeddings> firstEmbeddings = conditioning.forAllSteps(new Pass(firstSteps, 0));
        Optional<Tensor> firstLatents = runPass(batch, firstEmbeddings, first, plan, listener);
        if (generation.hires().isEmpty() || firstLatents.isEmpty()) return firstLatents;
        Hires hires = generation.hires().get();
        LatentSize upscaledSize = upscaledSize(size, hires);
        Tensor upscaled = new LatentUpscale(upscaledSize.height, upscaledSize.width).apply(firstLatents.get());
        LatentInit second = new LatentInit(generation.source(), upscaledSize,
                Optional.of(new LatentInit.UpscaledLatents(upscaled, hires.denoisingStrength())));
        List<PromptEmbeddings> secondEmbeddings = conditioning.forAllSteps(new Pass(second.steps(plan), firstSteps));
        StepListener offsetListener = progress -> listener.onStep(new StepListener.SamplingProgress(
                firstSteps + progress.completedSteps(), progress.latents(), progress.denoised()));
        return runPass(batch, secondEmbeddings, second, plan, offsetListener);
    }

    /// Steps of both passes.
    int stepCount(Generation generation) throws Failure {
        SamplingPlan plan = generation.settings().sampling().plan(model.scheduler());
        LatentSize size = size(GenerationBatch.of(generation));
        int first = new LatentInit(generation.source(), size, Optional.empty()).steps(plan);
        return generation.hires().isEmpty() ? first
                : first + LatentInit.steps(plan, generation.hires().get().denoisingStrength());
    }

    private LatentSize size(GenerationBatch batch) throws Failure {
        Generation.GenerationSettings settings = batch.generation().settings();
        Optional<String> problem = model.sizeProblem(settings.width(), settings.height());
        if (problem.isPresent()) throw new Failure.Incompatible(problem.get());
        return new LatentSize(batch.size(), settings.height() / model.vae().downsamplingFactor(),
                settings.width() / model.vae().downsamplingFactor());
    }

    private static LatentSize upscaledSize(LatentSize size, Hires hires) {
        return new LatentSize(size.images, (int) (size.height * hires.scale()), (int) (size.width * hires.scale()));
    }

    /// Each pass draws from a new generator per image with the same seed, as in A1111.
    /// @param embeddings one per step, for all network calls of the step
    private Optional<Tensor> runPass(GenerationBatch batch, List<PromptEmbeddings> embeddings, LatentInit init,
            SamplingPlan plan, StepListener listener) throws Failure {
        NoiseSource noiseSource = NoiseSource.ofSeeds(batch.seeds().stream().mapToLong(Long::longValue).toArray());
        LatentInit.PassInputs inputs = init.inputs(model, autoencoder, plan, noiseSource);
        AtomicInteger stepsDone = new AtomicInteger();
        Denoiser denoiser = denoiser(batch, () -> embeddings.get(stepsDone.get()), inputs);
        StepListener compositeListener = progress -> {
            stepsDone.set(progress.completedSteps());
            return listener.onStep(new StepListener.SamplingProgress(progress.completedSteps(), progress.latents(),
                    inputs.composite(progress.denoised())));
        };
        return inputs.plan()
                .run(new SamplingRun(denoiser, inputs.initialLatents(), noiseSource, compositeListener,
                        inputs.callback()));
    }

    /// With guidance, the negative prompt's rows come before the prompt's.
    private Denoiser denoiser(GenerationBatch batch, Supplier<PromptEmbeddings> currentEmbeddings,
            LatentInit.PassInputs inputs) {
        Guidance guidance = batch.generation().settings().guidance();
        List<WeightedAdapter> adapters = batch.generation().adapters();
        int images = batch.size();
        if (!guidance.isActive())
            return (latents, timestep) -> predict(inputs.modelInput(latents), timestep,
                    currentEmbeddings.get().prompt().repeated(images), adapters);
        return (latents, timestep) -> {
            Tensor modelInput = inputs.modelInput(latents);
            PromptEmbeddings embeddings = currentEmbeddings.get();
            Tensor output = predict(modelInput.repeated(2), timestep,
                    Tensor.concatenate(embeddings.negative().repeated(images), embeddings.prompt().repeated(images)),
                    adapters);
            return guidance.combine(output.rows(0, images), output.rows(images, 2 * images));
        };
    }

    private Tensor predict(Tensor latents, double timestep, Tensor context, List<WeightedAdapter> adapters)
            throws Failure {
        float[] timesteps = new float[(int) latents.shape().size(0)];
        Arrays.fill(timesteps, (float) timestep);
        return unet.predict(latents, timesteps, Conditioning.of(context), adapters);
    }

    static Shape latentShape(DiffusionModel model, LatentSize size) {
        return Shape.of(size.images, model.vae().latentChannels(), size.height, size.width);
    }

    /// Bilinear resizing of (B, C, h, w): torch's `interpolate(mode="bilinear", align_corners=False,
    /// antialias=False)`, A1111's "Latent" upscaler.
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
                        float above = horizontal.lerp(x.data(), top, i);
                        float below = horizontal.lerp(x.data(), bottom, i);
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
                    float position = Math.max(0, (i + 0.5f) * from / to - 0.5f);
                    axis.first[i] = Math.min((int) position, from - 1);
                    axis.second[i] = Math.min(axis.first[i] + 1, from - 1);
                    axis.weight[i] = position - axis.first[i];
                }
                return axis;
            }

            float lerp(float[] row, int offset, int i) {
                return LatentUpscale.lerp(row[offset + first[i]], row[offset + second[i]], weight[i]);
            }
        }
    }
}
