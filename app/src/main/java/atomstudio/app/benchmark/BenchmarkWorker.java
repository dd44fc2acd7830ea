package atomstudio.app.benchmark;

import atomstudio.app.benchmark.BenchmarkFolder.RunFiles;
import atomstudio.app.benchmark.BenchmarkFolder.RunResult;
import atomstudio.app.benchmark.BenchmarkFolder.RunResult.RunTime;
import atomstudio.app.cluster.RunLease;
import atomstudio.app.cluster.Shard;
import atomstudio.app.experiment.TrialTrainer;
import atomstudio.app.experiment.TrialTrainer.TrialOutcome;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.pipeline.EngineName;
import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.app.pipeline.LoadedAdapter;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.run.TrainingReport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;

/// Does the runs of a benchmark, or those of one shard: trains, generates the images, embeds them. Finished runs and
/// stages are skipped, so it continues after any interruption; several workers may share a folder on any machines.
public final class BenchmarkWorker {
    private final BenchmarkFolder folder;
    private final WorkerSetup setup;
    private final WorkerListener listener;
    private final Cancellation cancellation;

    /// @param tokenizers folders to search for the tokenizer of a model without one
    /// @param hashes     cache of base model hashes
    public record WorkerSetup(Device device, List<Path> tokenizers, BaseModelHashes hashes, TrialTrainer trainer) {
        public WorkerSetup {
            tokenizers = List.copyOf(tokenizers);
        }
    }

    /// How the work ended.
    /// @param failed  runs that failed, with the reason
    /// @param busy    runs that other processes work on
    /// @param stopped whether it was cancelled
    public record WorkResult(List<String> failed, int busy, boolean stopped) {
        public WorkResult {
            failed = List.copyOf(failed);
        }
    }

    /// Progress. Called on the working thread.
    public interface WorkerListener {
        /// @param number of the run, from 1
        void runStarted(int number, int total, BenchmarkRun run);

        /// A note for the user.
        void note(String line);
    }

    public BenchmarkWorker(BenchmarkFolder folder, WorkerSetup setup, WorkerListener listener,
            Cancellation cancellation) {
        this.folder = folder;
        this.setup = setup;
        this.listener = listener;
        this.cancellation = cancellation;
    }

    /// @throws Failure.Incompatible if the model has no CLIP image encoder, or is another one than planned
    public WorkResult work(Shard shard) throws Failure {
        List<BenchmarkRun> all = shard.of(folder.runs());
        List<BenchmarkRun> open = new ArrayList<>();
        for (BenchmarkRun run : all) if (folder.files(run).result().isEmpty()) open.add(run);
        List<String> failed = new ArrayList<>();
        int busy = 0;
        if (open.isEmpty()) return new WorkResult(failed, busy, false);
        BenchmarkSettings settings = folder.settings();
        try (ImageGenerator generator = ImageGenerator.open(openModel(settings), setup.device, EngineName.AUTO,
                listener::note);
                BenchmarkEncoders encoders = BenchmarkEncoders.open(generator, settings, setup.device)) {
            for (BenchmarkRun run : open) {
                cancellation.throwIfRequested();
                RunFiles files = folder.files(run);
                Optional<RunLease> lease = RunLease.acquire(files.folder());
                if (lease.isEmpty()) {
                    listener.note(run.name() + " is in progress in another process.");
                    busy++;
                    continue;
                }
                try (RunLease held = lease.get()) {
                    if (files.result().isPresent()) continue; // finished by another process since
                    listener.runStarted(all.indexOf(run) + 1, all.size(), run);
                    Optional<String> failure = new RunWork(run, files, settings, generator, encoders,
                            () -> cancellation.isRequested() || held.isLost()).execute();
                    failure.ifPresent(reason -> failed.add(run.name() + ": " + reason));
                    failure.ifPresent(reason -> listener.note(run.name() + " failed: " + reason));
                }
            }
            return new WorkResult(failed, busy, false);
        } catch (CancellationException cancelled) {
            return new WorkResult(failed, busy, true);
        }
    }

    private DiffusionModel openModel(BenchmarkSettings settings) throws Failure {
        DiffusionModel model = new ModelReference(settings.model(), ModelLoadOptions.ofTokenizerFolders(
                setup.tokenizers)).open();
        if (!setup.hashes.hash(model).equals(settings.modelHash()))
            throw new Failure.Incompatible(settings.model() + ": is not the model that the benchmark was planned with; "
                    + "put that one back, or start another benchmark");
        return model;
    }

    /// The stages of one run.
    private final class RunWork {
        private final BenchmarkRun run;
        private final RunFiles files;
        private final BenchmarkSettings settings;
        private final ImageGenerator generator;
        private final BenchmarkEncoders encoders;
        private final Cancellation stop;
        private int generated;
        private double samplingSeconds;

        RunWork(BenchmarkRun run, RunFiles files, BenchmarkSettings settings, ImageGenerator generator,
                BenchmarkEncoders encoders, Cancellation stop) {
            this.run = run;
            this.files = files;
            this.settings = settings;
            this.generator = generator;
            this.encoders = encoders;
            this.stop = stop;
        }

        /// @return why it failed
        /// @throws CancellationException if stopped
        Optional<String> execute() throws Failure {
            try {
                Optional<String> failure = run.isUntuned() ? Optional.empty() : train();
                if (failure.isPresent()) {
                    files.writeFailure(failure.get());
                    return failure;
                }
                generateImages();
                embed();
                return Optional.empty();
            } catch (Failure e) {
                files.writeFailure(String.valueOf(e.getMessage()));
                return Optional.of(String.valueOf(e.getMessage()));
            }
        }

        private Optional<String> train() throws Failure {
            TrialOutcome outcome = setup.trainer.train(new TrialTrainer.TrialRequest(settings.model(),
                    run.subject().photos(), run.trial(), run.steps(), files.training().folder()), stop);
            return switch (outcome) {
                case TrialOutcome.TrialCompleted _ -> Optional.empty();
                case TrialOutcome.TrialStopped _ -> throw new CancellationException();
                case TrialOutcome.TrialFailed(String reason) -> Optional.of(reason);
                case TrialOutcome.UnsupportedMethod(String reason) -> Optional.of(reason);
            };
        }

        private List<String> prompts() {
            return settings.prompts().of(run.subject().live());
        }

        private void generateImages() throws Failure {
            String phrase = run.subject().className();
            List<WeightedAdapter> adapters = List.of();
            if (!run.isUntuned()) {
                LoadedAdapter adapter = LoadedAdapter.load(files.training().adapter(), generator.model()).getFirst();
                phrase = adapter.source().triggerWords();
                adapters = List.of(new WeightedAdapter(adapter.adapter(), 1));
            }
            for (int prompt = 0; prompt < prompts().size(); prompt++) {
                PromptPair text = new PromptPair(prompts().get(prompt).replace("{}", phrase),
                        settings.sampling().negativePrompt());
                for (int seed = 0; seed < settings.images(); seed++) {
                    Path file = files.image(prompt, seed);
                    if (!Files.exists(file))
                        generate(new Generation(text, settings.sampling().generation(), seed, adapters), file);
                }
            }
        }

        private void generate(Generation generation, Path file) throws Failure {
            long start = System.nanoTime();
            stop.throwIfRequested();
            RgbImage image = generator.generate(generation,
                    progress -> stop.isRequested() ? StepListener.Next.STOP : StepListener.Next.CONTINUE)
                    .orElseThrow(CancellationException::new);
            PngWriter.write(file, image, generator.infotext(generation, Optional.empty()).toPngText());
            generated++;
            samplingSeconds += (System.nanoTime() - start) / 1e9;
        }

        private void embed() throws Failure {
            List<RgbImage> images = new ArrayList<>();
            for (int prompt = 0; prompt < prompts().size(); prompt++)
                for (int seed = 0; seed < settings.images(); seed++)
                    images.add(ImageFiles.read(files.image(prompt, seed)));
            List<String> texts = prompts().stream()
                    .map(prompt -> prompt.replace("{}", run.subject().className()))
                    .toList();
            stop.throwIfRequested();
            encoders.embed(new BenchmarkEncoders.Input(run.subject().photos(), images, texts))
                    .write(files.embeddings());
            Optional<TrainingReport> report = files.training().trainingReport();
            int black = (int) images.stream().filter(RunWork::isBlack).count();
            RunTime time = new RunTime(report.map(TrainingReport::seconds).orElse(0.0),
                    samplingSeconds / Math.max(1, generated), report.map(TrainingReport::peakMemory).orElse(0L));
            files.write(new RunResult(report.map(TrainingReport::parameterCount).orElse(0L),
                    report.map(TrainingReport::bytes).orElse(0L), black, encoders.clipName(), time));
        }

        private static boolean isBlack(RgbImage image) {
            return Arrays.stream(image.argb()).allMatch(pixel -> (pixel & 0xFFFFFF) == 0);
        }
    }
}
