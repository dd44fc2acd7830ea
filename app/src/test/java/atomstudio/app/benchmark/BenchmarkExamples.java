package atomstudio.app.benchmark;

import atomstudio.app.benchmark.BenchmarkDataset.PromptLists;
import atomstudio.app.benchmark.BenchmarkDataset.Subject;
import atomstudio.app.cluster.Shard;
import atomstudio.app.compare.FakeRun;
import atomstudio.app.experiment.TrialTrainer;
import atomstudio.app.experiment.TrialTrainer.TrialOutcome;
import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.tuning.adapter.BaseModelHashes;
import atomstudio.tuning.config.TrainingConfig.PrecisionMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Small benchmarks with the embedded model: fake trainings, real images of one step and their embeddings.
final class BenchmarkExamples implements BenchmarkWorker.WorkerListener, TrialTrainer {
    static final Path MODEL = Shared.root().resolve("assets/default-model");
    static final Path SUBJECTS = Shared.root().resolve("assets/subjects");

    final BenchmarkFolder folder;
    final List<String> started = new ArrayList<>();
    /// Trainings to do before the benchmark is stopped.
    int trainingsBeforeStop = Integer.MAX_VALUE;
    private final BaseModelHashes hashes;

    BenchmarkExamples(Path folder) {
        this.folder = new BenchmarkFolder(folder);
        this.hashes = new BaseModelHashes(folder.resolveSibling("hashes.json"));
    }

    static BenchmarkSettings settings(Path model, String hash, int images) {
        GenerationSettings generation = GenerationSettings
                .of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 1), 1, 64, 64);
        return new BenchmarkSettings(model, hash, BenchmarkProtocol.DREAMBOOTH,
                new PromptLists(List.of("a {} in the snow", "a red {}"), List.of("a {} in the snow", "a wet {}")),
                images, new BenchmarkSettings.ImageSettings(generation, ""), PrecisionMode.FP32, Optional.empty());
    }

    static BenchmarkRun run(String subject, String method, long seed) {
        return run(subject, SUBJECTS.resolve(subject), method, seed);
    }

    static BenchmarkRun run(String subject, Path photos, String method, long seed) {
        Subject found = new Subject(subject, subject, subject.equals("owl"), photos);
        return method.equals(BenchmarkRun.UNTUNED) ? BenchmarkRun.untuned(found)
                : new BenchmarkRun(found, method, List.of("--method", method), 0.01, 10, seed);
    }

    /// One image for each of two prompts.
    BenchmarkExamples plan(BenchmarkRun... runs) throws Failure {
        folder.plan(settings(MODEL, hashes.hash(DiffusionModel.open(MODEL)), 1), List.of(runs));
        return this;
    }

    BenchmarkWorker.WorkResult work(Shard shard) throws Failure {
        return new BenchmarkWorker(folder, new BenchmarkWorker.WorkerSetup(Device.CPU, List.of(), hashes, this), this,
                () -> trainingsBeforeStop < 0).work(shard);
    }

    String table() throws Failure {
        BenchmarkCsv csv = new BenchmarkCsv(BenchmarkTable.read(folder, BenchmarkProtocol.DREAMBOOTH));
        return csv.methods() + csv.runs() + csv.images();
    }

    @Override
    public TrialOutcome train(TrialRequest request, Cancellation cancellation) throws Failure {
        if (--trainingsBeforeStop < 0) return new TrialOutcome.TrialStopped();
        if (request.trial().variant().name().equals("lokr")) return new TrialOutcome.TrialFailed("out of memory");
        if (!Files.exists(request.runFolder().resolve("run.json")))
            new FakeRun(MODEL, hashes, "atoms").of(request.trial().subject().className(), "sks")
                    .write(request.runFolder());
        return new TrialOutcome.TrialCompleted();
    }

    @Override
    public void runStarted(int number, int total, BenchmarkRun run) {
        started.add(run.name());
    }

    @Override
    public void note(String line) {}
}
