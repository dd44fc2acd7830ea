package atomstudio.app.cli;

import atomstudio.app.pipeline.LoadedAdapter;
import atomstudio.app.pipeline.PromptAdapters;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.PngAttachment;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.BaseModelHashes;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Adapters and their weights: `--adapter a.safetensors:0.8`, or `--adapter a.safetensors --adapter-weight 0.8`.
final class AdapterOptions {
    @ArgGroup(exclusive = false, multiplicity = "0..*")
    private List<AdapterOption> adapters = new ArrayList<>();

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    static final class AdapterOption {
        @Option(names = "--adapter", paramLabel = "FILE[:WEIGHT]", required = true,
                description = "An adapter of a run (adapter.safetensors or an exported one), a LoRA (LoCon, LoHa, "
                        + "LoKr) "
                        + "or textual inversion of another program, or an image that contains adapters. "
                        + "Can be repeated.")
        private String argument = "";

        @Option(names = "--adapter-weight", paramLabel = "X",
                description = "Weight of the adapter before it, -10 to 10; a negative weight applies the opposite "
                        + "change. Default: 1, or the weight stored in the image.")
        private @Nullable Double weight;
    }

    /// The value of `--adapter`.
    record AdapterArgument(Path file, OptionalDouble weight) {
        private static final Pattern WITH_WEIGHT = Pattern
                .compile("(.+):([+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?)");

        /// A number after the last colon is the weight, unless a file of the whole name exists.
        static AdapterArgument parse(String argument) {
            Matcher matcher = WITH_WEIGHT.matcher(argument);
            if (!matcher.matches() || exists(argument))
                return new AdapterArgument(Path.of(argument), OptionalDouble.empty());
            return new AdapterArgument(Path.of(matcher.group(1)),
                    OptionalDouble.of(Double.parseDouble(matcher.group(2))));
        }

        private static boolean exists(String path) {
            try {
                return Files.exists(Path.of(path));
            } catch (InvalidPathException colonNotAllowed) {
                return false;
            }
        }
    }

    /// Adapters that fit a model, with their weights.
    record LoadedAdapters(List<LoadedAdapter> loaded, List<WeightedAdapter> weights) {
        List<PngAttachment> attachments() {
            return loaded.stream().map(LoadedAdapter::attachment).flatMap(Optional::stream).toList();
        }

        private void add(LoadedAdapter adapter, WeightedAdapter weighted, Terminal terminal) throws Failure {
            adapter.warnings().forEach(terminal::printNote);
            loaded.add(adapter);
            weights.add(weighted);
        }
    }

    /// Whether an adapter was given.
    boolean isGiven() { return !adapters.isEmpty(); }

    /// The files and weights as given.
    List<AdapterArgument> arguments() {
        return adapters.stream().map(this::argument).toList();
    }

    /// Reads the adapters of the options.
    LoadedAdapters load(CommandContext context, DiffusionModel model) throws Failure {
        LoadedAdapters result = new LoadedAdapters(new ArrayList<>(), new ArrayList<>());
        for (AdapterArgument argument : arguments())
            for (LoadedAdapter adapter : LoadedAdapter.load(argument.file(), model))
                result.add(adapter, adapter.withWeight(argument.weight()), context.terminal());
        return result;
    }

    /// As [#load], without the note of an adapter of `train --on`: the one below is merged too.
    LoadedAdapters loadForMerging(CommandContext context, DiffusionModel model) throws Failure {
        LoadedAdapters result = new LoadedAdapters(new ArrayList<>(), new ArrayList<>());
        for (AdapterArgument argument : arguments()) {
            for (LoadedAdapter adapter : LoadedAdapter.load(argument.file(), model)) {
                if (!(adapter.source() instanceof AdapterFile))
                    adapter.warnings().forEach(context.terminal()::printNote);
                result.loaded.add(adapter);
                result.weights.add(adapter.withWeight(argument.weight()));
            }
        }
        return result;
    }

    /// Reads the adapters of the options, then those of the prompt. Prints a note for each trigger word that the prompt
    /// lacks.
    LoadedAdapters load(CommandContext context, DiffusionModel model, PromptAdapters promptAdapters) throws Failure {
        List<AdapterArgument> arguments = arguments();
        LoadedAdapters result = new LoadedAdapters(new ArrayList<>(), new ArrayList<>());
        boolean hasSeveral = arguments.size() + promptAdapters.references().size() > 1;
        for (AdapterArgument argument : arguments) {
            for (LoadedAdapter adapter : LoadedAdapter.load(argument.file(), model)) {
                result.add(adapter, adapter.withWeight(argument.weight()), context.terminal());
                adapter.triggerWarning(promptAdapters.prompt())
                        .map(note -> hasSeveral ? argument.file() + ": " + note : note)
                        .ifPresent(context.terminal()::printNote);
            }
        }
        for (PromptAdapters.AdapterReference reference : promptAdapters.references()) {
            for (LoadedAdapter adapter : LoadedAdapter.load(reference.file(), model))
                result.add(adapter, reference.weighted(adapter.adapter()), context.terminal());
        }
        return result;
    }

    private AdapterArgument argument(AdapterOption option) {
        AdapterArgument parsed;
        try {
            parsed = AdapterArgument.parse(option.argument);
        } catch (InvalidPathException error) {
            throw new UsageError(spec, "--adapter: expected a file, found " + error.getMessage());
        }
        if (option.weight != null && parsed.weight().isPresent())
            throw new UsageError(spec, "--adapter-weight: expected one weight for " + parsed.file() + ", found "
                    + parsed.weight().getAsDouble() + " after the colon and " + option.weight);
        AdapterArgument argument = option.weight == null ? parsed
                : new AdapterArgument(parsed.file(), OptionalDouble.of(option.weight));
        if (argument.weight().isPresent() && !WeightedAdapter.isValidWeight(argument.weight().getAsDouble()))
            throw new UsageError(spec, "--adapter-weight: expected " + -(int) WeightedAdapter.MAX_WEIGHT + " to "
                    + (int) WeightedAdapter.MAX_WEIGHT + ", found " + argument.weight().getAsDouble());
        return argument;
    }

    /// Prints a note for each adapter that was trained on other weights. May read the whole model: call it after
    /// generating.
    static void warnAboutBaseModel(CommandContext context, LoadedAdapters loadedAdapters) throws Failure {
        BaseModelHashes hashes = new BaseModelHashes(context.home().baseHashes());
        for (LoadedAdapter adapter : loadedAdapters.loaded)
            adapter.baseModelWarning(hashes).ifPresent(context.terminal()::printNote);
    }
}
