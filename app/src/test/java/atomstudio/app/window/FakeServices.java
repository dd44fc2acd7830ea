package atomstudio.app.window;

import atomstudio.app.dataset.PhotoFinder;
import atomstudio.app.dataset.Subject;
import atomstudio.app.dataset.SubjectStore;
import atomstudio.app.desktop.FakeDesktop;
import atomstudio.app.desktop.SystemInfo;
import atomstudio.app.export.ExportViewModel;
import atomstudio.app.freedesktop.ApplicationsMenu;
import atomstudio.app.freedesktop.Taskbar;
import atomstudio.app.gallery.ImageStore;
import atomstudio.app.generate.RowGenerator;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.pipeline.ModelDefaults;
import atomstudio.app.process.FakeProcessLauncher;
import atomstudio.app.process.RunSpec;
import atomstudio.app.provider.DeviceSelection;
import atomstudio.app.provider.DevicesViewModel;
import atomstudio.app.provider.FakeProviderTrial;
import atomstudio.app.runs.RunStore;
import atomstudio.app.runtime.Home;
import atomstudio.app.services.Services;
import atomstudio.app.train.MethodCost;
import atomstudio.app.trash.Trash;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.image.ImageMetadata;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.export.AdapterWriter;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.export.ExportLimit;
import atomstudio.tuning.export.ExportPlan;
import atomstudio.tuning.measure.ClipSamples;
import atomstudio.tuning.measure.ClipScores;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.train.TrainingEstimate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Services on a test folder: real stores and photos, fake training and generation.
public final class FakeServices {
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.parse("2026-05-03T12:00:00Z"));
    public static final Path MODEL = Path.of("/models/embedded");

    public final FakeDesktop desktop = new FakeDesktop();
    public final FakeProcessLauncher launcher = new FakeProcessLauncher();
    public final List<RowGenerator.RowRequest> requests = new ArrayList<>();
    /// Called on the job's thread at every step of an image.
    public volatile Runnable onStep = () -> {};
    public final List<RunSpec> estimated = new ArrayList<>();
    public @Nullable Failure estimateFailure;
    public final List<Path> exported = new ArrayList<>();
    public ExportPlan exportPlan = new ExportPlan(
            List.of(new ExportPlan.FormatSize(ExportFormat.ATOMSTUDIO, Optional.of(12_000L)),
                    new ExportPlan.FormatSize(ExportFormat.KOHYA, Optional.of(350_000L),
                            List.of(ExportLimit.DORA_NORMS))),
            Optional.empty(), Optional.empty());
    /// Whether image generation goes on until it is cancelled.
    public volatile boolean endless;
    public final Services services;

    public FakeServices(Path home, Jobs jobs) {
        PhotoFinder.DiskPhotoFinder photoFinder = new PhotoFinder.DiskPhotoFinder();
        Services.Stores stores = new Services.Stores(new Models(),
                new SubjectStore(home.resolve("subjects"), photoFinder), photoFinder,
                new RunStore(home.resolve("runs")), new ImageStore(home.resolve("images"), InstantSource.system()),
                new Trash(home.resolve("trash"), CLOCK),
                () -> Stream.of("car", "owl", "cat", "boat").map(FakeServices::sample).toList());
        Services.Engines engines = new Services.Engines(
                (model, methods) -> methods.stream().map(FakeServices::cost).toList(), launcher,
                (spec, cancellation) -> estimate(spec), new Generator(), new ExportViewModel.Exporter() {
                    @Override
                    public String export(Path run, Path file, AdapterWriter format) {
                        exported.add(file);
                        return "";
                    }

                    @Override
                    public ExportPlan plan(Path run, Consumer<ExportPlan> onSizes) {
                        return exportPlan;
                    }
                }, (file, model) -> MethodSettings.parse("lora", Map.of("rank", "8")));
        services = new Services(jobs, stores, engines, new Services.Environment(desktop, desktop, desktop,
                CLOCK, new SystemInfo() {
                    @Override
                    public String device() {
                        return "CPU";
                    }

                    @Override
                    public int threads() {
                        return 2;
                    }

                    @Override
                    public long freeMemory() {
                        return 3_100_000_000L;
                    }
                }), new DevicesViewModel.DeviceServices(new DeviceSelection(new Home(home)), new FakeProviderTrial()),
                new Services.DesktopShell(new Taskbar.NoTaskbar(),
                        Optional.of(new ApplicationsMenu(home.resolve("share"), Path.of("/opt/atomstudio/studio")))));
    }

    public static Subject.SampleSubject sample(String name) {
        Path folder = Shared.root().resolve("assets/subjects").resolve(name);
        try (Stream<Path> files = Files.list(folder)) {
            return new Subject.SampleSubject(name, name, folder,
                    files.filter(file -> file.toString().endsWith(".png")).sorted().findFirst().orElseThrow());
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static MethodCost cost(MethodSettings method) {
        return switch (method.choice()) {
            case ATOMS -> new MethodCost(method, 252L * method.atoms(), 9600, "");
            case ATOMS_AND_WORD -> new MethodCost(method, 252L * method.atoms() + 128, 10_700, "");
            case ATOMS_AND_CHANNELS -> new MethodCost(method, 29_148, 126_000, "");
            case LORA -> new MethodCost(method, 86_016L * method.rank() / 4, 349_000, "");
            case FULL -> new MethodCost(method, 0, 0, "method full: not on the model of this test");
            default -> new MethodCost(method, 36096, 150_000, "");
        };
    }

    /// Fits with a batch size of 1.
    private TrainingEstimate estimate(RunSpec spec) throws Failure {
        estimated.add(spec);
        if (estimateFailure != null) throw estimateFailure;
        boolean fits = "1".equals(spec.choices().training().chosen().get(TrainingSetting.BATCH_SIZE));
        TrainingEstimate.MemoryFit memory = new TrainingEstimate.MemoryFit(fits ? 1_200_000_000L : 4_000_000_000L,
                "what 4 measured steps held", 3_100_000_000L);
        return new TrainingEstimate(29_148, 0.0018, memory, new TrainingEstimate.TimeEstimate(0.25, 1, 51),
                fits ? List.of()
                        : List.of("--batch-size 1 --gradient-accumulation 6: one image at a time",
                                "--checkpointing: recomputes activations"));
    }

    private final class Generator implements RowGenerator {
        @Override
        public void generate(RowRequest request, List<Long> seeds, RowListener listener, Cancellation cancellation)
                throws Failure {
            requests.add(request);
            int steps = request.settings().sampling().steps();
            for (int step = 1; step <= steps || endless; step++) {
                onStep.run();
                cancellation.throwIfRequested();
                if (endless) LockSupport.parkNanos(10_000_000);
                if (step > steps) continue;
                listener.step(step, steps);
            }
            for (int i = 0; i < seeds.size(); i++) {
                int colour = request.adapter().isPresent() ? 0x3465A4 : 0xCC3333;
                Infotext infotext = Infotext.of(request.prompt(), request.settings().negativePrompt())
                        .withSteps(steps)
                        .withGuidanceScale(4)
                        .withSeed(seeds.get(i));
                listener.image(seeds.get(i), new GeneratedImage(RgbImage.filled(128, 128, colour + i * 0x001500),
                        new ImageMetadata(infotext, List.of())));
            }
        }

        /// Likeness increases from row to row.
        @Override
        public Optional<List<ClipSamples>> evaluate(EvaluationRequest request, Cancellation cancellation) {
            return Optional.of(IntStream.range(0, request.rows().size()).mapToObj(row -> {
                boolean pairs = request.rows().get(row).getFirst().images().size() > 1;
                double likeness = 0.5 + row * 0.2;
                ClipScores scores = new ClipScores("image_encoder of Small illustrated", OptionalDouble.of(likeness),
                        pairs ? OptionalDouble.of(0.3) : OptionalDouble.empty(), OptionalDouble.of(0.24));
                return new ClipSamples(scores, List.of(likeness - 0.02, likeness + 0.02),
                        pairs ? List.of(0.28, 0.32) : List.of(), List.of(0.22, 0.26));
            }).toList());
        }
    }

    private static final class Models implements ModelSummary.SummaryReader {
        @Override
        public ModelSummary readBuiltIn() {
            return new ModelSummary(MODEL, "Small illustrated", ModelSummary.Origin.BUILT_IN, ModelDefaults.ofSize(128),
                    16_480_196,
                    List.of("boat", "car", "cat", "owl", "police car"));
        }

        @Override
        public ModelSummary read(Path folder) throws Failure {
            if (!folder.toString().contains("model"))
                throw new Failure.Unreadable(
                        folder + ": is not a model folder: expected model_index.json, found a folder without it");
            return new ModelSummary(folder, "Other", ModelSummary.Origin.EXTERNAL, ModelDefaults.ofSize(512),
                    859_520_964L, List.of());
        }
    }
}
