package atomstudio.app.cli;

import atomstudio.app.export.AdapterExport;
import atomstudio.app.export.AdapterExport.IfExists;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.file.TemporaryPath;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.config.TrainingEnvironment;
import atomstudio.tuning.export.AdapterWriter;
import atomstudio.tuning.export.ExportBaseModel;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.export.MergedExport;
import atomstudio.tuning.export.TensorPrecision;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// The file that an adapter is written to: its format, precision, and whether it may exist.
final class AdapterOutput {
    @Option(names = "--out", required = true, paramLabel = "FILE",
            description = "The file to write, usually NAME.safetensors.")
    private Path out = Path.of("");

    @Option(names = "--format", paramLabel = "NAME",
            description = "A format of `studio export` but merged models: atomstudio, kohya, peft, diff, locon, ...")
    private @Nullable String format;

    @Option(names = "--precision", paramLabel = "NAME",
            description = "half, bfloat16 or float32. Default: that of the format.")
    private @Nullable String precision;

    @Option(names = "--overwrite", description = "Replace an existing file.")
    private boolean overwrite;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    Path file() {
        return out;
    }

    /// @throws Failure.Conflict if the file exists and is not to be replaced
    void requireFree() throws Failure {
        AdapterExport.requireFree(out, overwrite ? IfExists.REPLACE : IfExists.FAIL);
    }

    Optional<ExportFormat> format() {
        Optional<ExportFormat> chosen = parse(format, ExportFormat::ofOption);
        if (chosen.isPresent() && chosen.get().isMerged())
            throw new UsageError(spec, "--format: expected an adapter's format, found " + format
                    + "; `studio export --model MODEL --adapter FILE --format " + format + "` merges adapters");
        return chosen;
    }

    Optional<MergedExport.Precision> precision() {
        return parse(precision, MergedExport.Precision::ofOption);
    }

    private <T> Optional<T> parse(@Nullable String text, Function<String, T> parser) {
        try {
            return Optional.ofNullable(text).map(parser);
        } catch (IllegalArgumentException e) {
            throw new UsageError(spec, "--" + e.getMessage());
        }
    }

    /// Writes an adapter.
    /// @param model       for formats that contain weight diffs, and the base of adapters that name none
    /// @param usualFormat where none was chosen
    /// @return parameters in the file
    long write(CommandContext context, AdapterFile adapter, ModelReference model, ExportFormat usualFormat)
            throws Failure {
        return write(context, adapter, model, (AdapterWriter) format().orElse(usualFormat));
    }

    /// The base model of an adapter.
    ExportBaseModel base(CommandContext context, ModelReference model) throws Failure {
        TrainingEnvironment machine = context.machine(Device.CPU);
        return new ExportBaseModel(model, machine.baseModelHashes(), machine.torchSettings());
    }

    /// As above, by a writer that was chosen already.
    long write(CommandContext context, AdapterFile adapter, ModelReference model, AdapterWriter chosen)
            throws Failure {
        ExportBaseModel base = base(context, model);
        if (chosen == ExportFormat.PEFT_FOLDER && precision().isPresent())
            throw new UsageError(spec, "--precision: expected a format of one file, found "
                    + ExportFormat.PEFT_FOLDER.option());
        AdapterFile named = adapter.base().hash().isEmpty() ? based(adapter, model.open(), base) : adapter;
        if (precision().isEmpty()) {
            ExportFormat.ExportResult result = chosen.write(named, base, out);
            result.omitted().ifPresent(context.terminal()::printNote);
            return result.parameterCount();
        }
        try (TemporaryPath folder = TemporaryPath.createFolder("adapter")) {
            Path exported = folder.path().resolve("adapter.safetensors");
            chosen.write(named, base, exported).omitted().ifPresent(context.terminal()::printNote);
            return TensorPrecision.convert(exported, out, precision().get());
        } catch (IOException e) {
            throw new Failure.Unwritable("no folder can be created in the temporary folder "
                    + System.getProperty("java.io.tmpdir") + ": " + e.getMessage() + "; free some space", e);
        }
    }

    private static AdapterFile based(AdapterFile adapter, DiffusionModel model, ExportBaseModel base) throws Failure {
        return new AdapterFile(adapter.method(),
                new BaseModel(model.name(), base.hashes().hash(model, adapter.components())), adapter.trigger(),
                adapter.training(), adapter.layers(), adapter.values());
    }
}
