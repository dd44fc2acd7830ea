package atomstudio.app.cli;

import atomstudio.app.pipeline.LoadedAdapter;
import atomstudio.app.pipeline.PromptAdapters;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.image.PngAttachment;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.adapter.BaseModelHashes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Adapters, each with its strength: `--adapter a.safetensors --strength 0.8 --adapter b.safetensors`.
final class AdapterOptions {
    @ArgGroup(exclusive = false, multiplicity = "0..*")
    private List<AdapterOption> adapters = new ArrayList<>();

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    static final class AdapterOption {
        @Option(names = "--adapter", paramLabel = "FILE", required = true,
                description = "What a run made (adapter.safetensors, or an exported one), a textual inversion or LoRA of another program (LoCon, LoHa, LoKr too), "
                        + "or a picture that carries an adapter or an embedding. Repeat it, each with its strength, for several at once.")
        private Path file = Path.of("");

        @Option(names = "--strength", paramLabel = "X",
                description = "The weight of the adapter before it, -10 to 10; below 0 it does the opposite. Default: 1, or what the picture was made at.")
        private @Nullable Double weight;
    }

    /// Adapters that fit a model, and how strongly each is applied.
    record LoadedAdapters(List<LoadedAdapter> loaded, List<WeightedAdapter> weights) {
        List<PngAttachment> attachments() {
            return loaded.stream().map(LoadedAdapter::attachment).flatMap(Optional::stream).toList();
        }
    }

    /// Reads them, and those that the prompt names; notes which the prompt does not ask for.
    LoadedAdapters load(CommandContext context, DiffusionModel model, PromptAdapters promptAdapters) throws Failure {
        List<LoadedAdapter> loaded = new ArrayList<>();
        List<WeightedAdapter> weights = new ArrayList<>();
        for (AdapterOption option : adapters) {
            if (option.weight == null || WeightedAdapter.isValidWeight(option.weight)) continue;
            throw new ParameterException(spec.commandLine(), "--strength: expected " + -(int) WeightedAdapter.MAX_WEIGHT
                    + " to " + (int) WeightedAdapter.MAX_WEIGHT + ", found " + option.weight);
        }
        boolean hasSeveral = adapters.size() + promptAdapters.references().size() > 1;
        for (AdapterOption option : adapters) {
            for (LoadedAdapter adapter : LoadedAdapter.load(option.file, model)) {
                adapter.warnings().forEach(context.terminal()::printNote);
                adapter.triggerWarning(promptAdapters.prompt())
                        .ifPresent(note -> context.terminal().printNote(hasSeveral ? option.file + ": " + note : note));
                loaded.add(adapter);
                weights.add(adapter
                        .withWeight(option.weight == null ? OptionalDouble.empty() : OptionalDouble.of(option.weight)));
            }
        }
        for (PromptAdapters.AdapterReference option : promptAdapters.references()) {
            for (LoadedAdapter adapter : LoadedAdapter.load(option.file(), model)) {
                adapter.warnings().forEach(context.terminal()::printNote);
                loaded.add(adapter);
                weights.add(option.weighted(adapter.adapter()));
            }
        }
        return new LoadedAdapters(loaded, weights);
    }

    /// Notes which were trained on other weights. May read the whole model: after the pictures.
    static void warnAboutBaseModel(CommandContext context, LoadedAdapters loadedAdapters) throws Failure {
        BaseModelHashes hashes = new BaseModelHashes(context.home().baseHashes());
        for (LoadedAdapter adapter : loadedAdapters.loaded)
            adapter.baseModelWarning(hashes).ifPresent(context.terminal()::printNote);
    }
}
