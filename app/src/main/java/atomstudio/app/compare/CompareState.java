package atomstudio.app.compare;

import atomstudio.app.compare.CompareFigure.RowMeasures;
import atomstudio.app.compare.CompareTable.ColumnChoice;
import atomstudio.app.generate.ImageSettings;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.generate.ImageSettings.SelectedAdapter.AdapterSwitch;
import atomstudio.app.generate.SubjectPrompt;
import atomstudio.app.pipeline.ModelDefaults;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.tuning.measure.ClipSamples;
import atomstudio.tuning.measure.ClipScores;
import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a person chose in a subject's comparison, and its measured rows, in `compare.json` of the subject's folder: it
/// survives closing the window and a kill. The fields are those of the file.
/// @param model    the rows and settings are of; another model has its own
/// @param locked   whether the seeds stay
/// @param measures by [CompareMetrics] key, the newest last
record CompareState(int format, String model, SavedRows rows, SubjectPrompt prompt, SavedSettings settings,
        boolean locked, ColumnChoice columns, double side, Map<String, SavedMeasures> measures) {
    private static final Logger log = LoggerFactory.getLogger(CompareState.class);
    private static final String FILE = "compare.json";
    private static final int FORMAT = 1;

    /// @param seen      folder names of the runs that became rows by themselves, or could have
    /// @param automatic folder names of the runs whose row was not chosen by the person
    record SavedRows(List<SavedRow> rows, List<String> seen, List<String> automatic) {
        static final SavedRows NONE = new SavedRows(List.of(), List.of(), List.of());
    }

    /// @param run  folder name of a run; null for a file
    /// @param file path of an adapter file; null for a run
    record SavedRow(@Nullable String run, @Nullable String file, double strength) {}

    record SavedAdapter(String file, double weight, boolean on) {}

    /// Everything but the source image.
    record SavedSettings(String negativePrompt, long firstSeed, int seeds, SavedSampling sampling, int width,
            int height, double adapterWeight, double denoisingStrength, @Nullable Double hiresScale,
            List<SavedAdapter> adapters) {
        static SavedSettings of(ImageSettings settings) {
            return new SavedSettings(settings.negativePrompt(), settings.seeds().first(), settings.seeds().count(),
                    SavedSampling.of(settings.sampling()), settings.size().width(), settings.size().height(),
                    settings.adapterWeight(), settings.source().denoisingStrength(),
                    orNull(settings.source().hiresScale()),
                    settings.adapters()
                            .stream()
                            .map(one -> new SavedAdapter(one.file().toString(), one.weight(),
                                    one.state() == AdapterSwitch.ON))
                            .toList());
        }

        /// What does not depend on the model.
        ImageSettings seedsInto(ImageSettings now) {
            return now.withSeeds(new ImageSettings.Seeds(firstSeed, Math.clamp(seeds, 1, ImageSettings.MAX_SEEDS)))
                    .withNegativePrompt(negativePrompt);
        }

        ImageSettings into(ImageSettings now) {
            return seedsInto(now).withSampling(sampling.toSettings())
                    .withSize(new ImageSettings.OutputSize(width, height))
                    .withAdapterWeight(adapterWeight)
                    .withSource(new ImageSettings.SourceSettings(now.source().image(), denoisingStrength,
                            optional(hiresScale)))
                    .withAdapters(adapters.stream()
                            .map(one -> new SelectedAdapter(Path.of(one.file), one.weight,
                                    one.on ? AdapterSwitch.ON : AdapterSwitch.OFF))
                            .toList());
        }
    }

    record SavedSampling(SamplerName sampler, ScheduleName schedule, int steps, @Nullable Double eta, double guidance,
            double rescale, int clipSkip) {
        static SavedSampling of(ImageSettings.SamplerSettings settings) {
            return new SavedSampling(settings.sampler(), settings.schedule(), settings.steps(),
                    orNull(settings.eta()), settings.guidance().scale(), settings.guidance().rescale(),
                    settings.clipSkip());
        }

        ImageSettings.SamplerSettings toSettings() {
            return new ImageSettings.SamplerSettings(sampler, schedule, steps, optional(eta),
                    new Guidance(guidance, rescale), clipSkip);
        }
    }

    /// The values of the images; intervals are computed from them.
    record SavedMeasures(String encoder, @Nullable Double likeness, @Nullable Double diversity,
            @Nullable Double alignment, List<Double> likenesses, List<Double> diversities, List<Double> alignments,
            int images) {
        static SavedMeasures of(RowMeasures measures) {
            ClipSamples samples = measures.samples();
            ClipScores scores = samples.scores();
            return new SavedMeasures(scores.encoder(), orNull(scores.likeness()), orNull(scores.diversity()),
                    orNull(scores.alignment()), samples.likeness(), samples.diversity(), samples.alignment(),
                    measures.images());
        }

        RowMeasures toMeasures() {
            ClipScores scores = new ClipScores(encoder, optional(likeness), optional(diversity), optional(alignment));
            return RowMeasures.of(new ClipSamples(scores, likenesses, diversities, alignments), images);
        }
    }

    /// @param measured by key, the newest last
    static CompareState of(Path model, SavedRows rows, SubjectPrompt prompt, SavedSettings settings, TableChoice table,
            Map<String, SavedMeasures> measured) {
        return new CompareState(FORMAT, model.toString(), rows, prompt, settings, table.locked, table.columns,
                table.side, measured);
    }

    /// How the table is shown.
    record TableChoice(boolean locked, ColumnChoice columns, double side) {}

    /// The measured rows. Draws resamples: for job threads.
    Map<String, RowMeasures> toMeasures() {
        Map<String, RowMeasures> result = new LinkedHashMap<>();
        measures.forEach((key, saved) -> result.put(key, saved.toMeasures()));
        return result;
    }

    /// Of a subject's folder; a damaged file is as none. For job threads.
    static Optional<CompareState> read(Path subject) {
        Path file = subject.resolve(FILE);
        if (!Files.isRegularFile(file)) return Optional.empty();
        try {
            CompareState state = new Gson().fromJson(Files.readString(file), CompareState.class);
            if (state == null || state.format != FORMAT) throw new JsonParseException("format: expected " + FORMAT);
            // A value that is missing or has the wrong type fails here.
            state.settings.into(ImageSettings.initial(ModelDefaults.INITIAL));
            state.toMeasures();
            state.prompt.text("");
            state.columns.title();
            List.copyOf(state.rows.rows);
            return Optional.of(state);
        } catch (IOException | RuntimeException damaged) {
            log.warn("the comparison of {} was not restored", file, damaged);
            return Optional.empty();
        }
    }

    /// Nothing happens if the folder is gone: the subject was deleted. For job threads.
    void write(Path subject) throws Failure {
        if (!Files.isDirectory(subject)) return;
        byte[] text = (new Gson().toJson(this) + "\n").getBytes(StandardCharsets.UTF_8);
        AtomicFile.write(subject.resolve(FILE), out -> out.write(text));
    }

    private static @Nullable Double orNull(OptionalDouble value) {
        return value.isPresent() ? value.getAsDouble() : null;
    }

    private static OptionalDouble optional(@Nullable Double value) {
        return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
    }
}
