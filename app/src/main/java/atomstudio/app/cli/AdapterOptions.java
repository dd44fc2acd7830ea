package atomstudio.app.cli;

import atomstudio.app.jobs.LoadedAdapter;
import atomstudio.app.jobs.PromptAdapters;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.picture.PngAttachment;
import atomstudio.tuning.adapter.BaseHashes;
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
    private List<One> adapters = new ArrayList<>();

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    static final class One {
        @Option(names = "--adapter", paramLabel = "FILE", required = true, description = "What a run made (adapter.safetensors, or an exported one), a textual inversion or LoRA of another program (LoCon, LoHa, LoKr too), "
                + "or a picture that carries an adapter or an embedding. Repeat it, each with its strength, for several at once.")
        private Path file = Path.of("");

        @Option(names = "--strength", paramLabel = "X", description = "The weight of the adapter before it, -10 to 10; below 0 it does the opposite. Default: 1, or what the picture was made at.")
        private @Nullable Double strength;
    }

    /// Adapters that fit a model, and how strongly each is applied.
    record Chosen(List<LoadedAdapter> loaded, List<Applied> applied) {
        List<PngAttachment> attachments() {
            return loaded.stream().map(LoadedAdapter::attachment).flatMap(Optional::stream).toList();
        }
    }

    /// Reads them, and those that the prompt names; notes which the prompt does not ask for.
    Chosen load(Studio studio, ModelFolder model, PromptAdapters asked) throws Failure {
        List<LoadedAdapter> loaded = new ArrayList<>();
        List<Applied> applied = new ArrayList<>();
        for (One one : adapters) {
            if (one.strength == null || Applied.isStrength(one.strength)) continue;
            throw new ParameterException(command.commandLine(), "--strength: expected " + -(int) Applied.MOST_STRENGTH + " to " + (int) Applied.MOST_STRENGTH + ", found " + one.strength);
        }
        boolean several = adapters.size() + asked.named().size() > 1;
        for (One one : adapters) {
            for (LoadedAdapter adapter : LoadedAdapter.load(one.file, model)) {
                adapter.notes().forEach(studio.terminal()::note);
                adapter.untriggered(asked.prompt()).ifPresent(note -> studio.terminal().note(several ? one.file + ": " + note : note));
                loaded.add(adapter);
                applied.add(adapter.applied(one.strength == null ? OptionalDouble.empty() : OptionalDouble.of(one.strength)));
            }
        }
        for (PromptAdapters.Named one : asked.named()) {
            for (LoadedAdapter adapter : LoadedAdapter.load(one.file(), model)) {
                adapter.notes().forEach(studio.terminal()::note);
                loaded.add(adapter);
                applied.add(one.apply(adapter.adapter()));
            }
        }
        return new Chosen(loaded, applied);
    }

    /// Notes which were trained on other weights. May read the whole model: after the pictures.
    static void noteOtherWeights(Studio studio, Chosen chosen) throws Failure {
        BaseHashes hashes = new BaseHashes(studio.home().baseHashes());
        for (LoadedAdapter adapter : chosen.loaded) adapter.otherWeights(hashes).ifPresent(studio.terminal()::note);
    }
}
