package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.AdapterSum;
import atomstudio.tuning.adapter.TrainableAdapter;
import atomstudio.tuning.export.ExportFormat;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `studio merge`: adds adapters of one kind to one adapter.
@Command(
        name = "merge",
        description = "Adds adapters of one kind, each with its weight, to one adapter with the same effect: LoRA and "
                + "LoCon of any ranks, filter and channel atoms, biases, norms, weight diffs. `studio export --format "
                + "merged` merges adapters of any kind into a model.",
        footer = {
                "",
                "The rank of merged LoRA is the sum of the ranks.",
                "",
                "Examples:",
                "  studio merge --adapter style.safetensors:0.7 --adapter car.safetensors:0.5 --out both.safetensors",
                "  studio merge --add-difference --adapter a.safetensors --adapter b.safetensors:0.8 "
                        + "--adapter c.safetensors --out a-plus-b-minus-c.safetensors"
        })
final class MergeCommand implements Callable<Integer> {
    private final CommandContext context;

    @Mixin
    private AdapterOptions adapters = new AdapterOptions();

    @Option(names = "--add-difference",
            description = "A + w · (B − C) of three adapters, with the weight w of the second.")
    private boolean addDifference;

    @Mixin
    private BaseModelOptions modelOptions = new BaseModelOptions();

    @Mixin
    private AdapterOutput target = new AdapterOutput();

    @Mixin
    private OutputOption output = new OutputOption();

    @Spec
    private CommandSpec spec;

    MergeCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        List<AdapterOptions.AdapterArgument> arguments = adapters.arguments();
        double[] weights = weights(arguments);
        target.requireFree();
        ModelReference reference = modelOptions.reference(context, Optional.empty());
        DiffusionModel model = reference.open();
        List<AdapterSum.Term> terms = new ArrayList<>();
        for (int i = 0; i < weights.length; i++)
            terms.add(new AdapterSum.Term(arguments.get(i).file().toString(),
                    TrainableAdapter.read(arguments.get(i).file(), model), weights[i]));
        AdapterSum sum = new AdapterSum(terms);
        AdapterFile merged = sum.sum(model);
        sum.warnings().forEach(context.terminal()::printNote);
        boolean own = terms.stream().allMatch(term -> !term.adapter().base().hash().isEmpty());
        boolean lora = merged.layers().stream().allMatch(layer -> layer.method().equals("lora"));
        long parameters = target.write(context, merged, reference,
                own ? ExportFormat.ATOMSTUDIO : lora ? ExportFormat.KOHYA : ExportFormat.DIFF);
        JsonObject json = new JsonObject();
        json.addProperty("file", target.file().toString());
        json.addProperty("method", merged.method().name());
        json.addProperty("parameters", parameters);
        output.print(context.terminal(), () -> json,
                () -> List.of(target.file() + "  %s, %,d parameters".formatted(merged.method().name(), parameters)));
        return ExitCode.SUCCESS;
    }

    private double[] weights(List<AdapterOptions.AdapterArgument> arguments) {
        if (!addDifference) {
            if (arguments.size() < 2)
                throw new UsageError(spec, "--adapter: expected at least two, found " + arguments.size());
            return arguments.stream().mapToDouble(each -> each.weight().orElse(1)).toArray();
        }
        boolean weighted = arguments.size() == 3
                && (arguments.getFirst().weight().isPresent() || arguments.getLast().weight().isPresent());
        if (arguments.size() != 3 || weighted)
            throw new UsageError(spec, "--add-difference: expected three adapters, of which only the second has a "
                    + "weight, found " + (weighted ? "other weights" : arguments.size()));
        double weight = arguments.get(1).weight().orElse(1);
        return new double[] {1, weight, -weight};
    }
}
