package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.AdapterFile;
import atomstudio.tuning.adapter.AdapterSum;
import atomstudio.tuning.adapter.TrainableAdapter;
import atomstudio.tuning.export.AdapterWriter;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.export.LowRankExport;
import atomstudio.tuning.export.SummedDifferences;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `studio merge`: adds adapters to one adapter.
@Command(
        name = "merge",
        description = "Adds adapters, each with its weight, to one adapter. LoRA and LoCon of any ranks, filter and "
                + "channel atoms, biases, norms and weight diffs of one kind give one of that kind with the same "
                + "effect. The sum of others (LoHa, LoKr, overcomplete atoms, ...), also of different kinds, is "
                + "written as whole differences with --format diff, or as the LoRA that is closest to it with --rank. "
                + "`studio export --format merged` merges adapters of any kind into a model.",
        footer = {
                "",
                "The rank of merged LoRA is the sum of the ranks, unless --rank gives a smaller one.",
                "",
                "Examples:",
                "  studio merge --adapter style.safetensors:0.7 --adapter car.safetensors:0.5 --out both.safetensors",
                "  studio merge --add-difference --adapter a.safetensors --adapter b.safetensors:0.8 "
                        + "--adapter c.safetensors --out a-plus-b-minus-c.safetensors",
                "  studio merge --adapter loha.safetensors --adapter lokr.safetensors --rank 16 --out both.safetensors",
                "  studio merge --adapter loha.safetensors --adapter lokr.safetensors --format diff "
                        + "--out both.safetensors"
        })
final class MergeCommand implements Callable<Integer> {
    private final CommandContext context;

    @Mixin
    private AdapterOptions adapters = new AdapterOptions();

    @Option(names = "--add-difference",
            description = "A + w · (B − C) of three adapters, with the weight w of the second.")
    private boolean addDifference;

    @Option(names = "--rank", paramLabel = "R",
            description = "Write the sum as LoRA of this rank, by singular value decomposition; the error is printed.")
    private @Nullable Integer rank;

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
        boolean asDifferences = rank != null || sum.obstacle().isPresent();
        AdapterWriter writer = asDifferences ? differenceWriter(sum.obstacle()) : usualFormat(terms);
        AdapterFile merged = asDifferences ? SummedDifferences.of(sum, target.base(context, reference))
                : sum.sum(model);
        sum.warnings().forEach(context.terminal()::printNote);
        long parameters = target.write(context, merged, reference, writer);
        JsonObject json = new JsonObject();
        json.addProperty("file", target.file().toString());
        json.addProperty("method", rank == null ? merged.method().name() : "lora");
        json.addProperty("parameters", parameters);
        output.print(context.terminal(), () -> json,
                () -> List.of(target.file()
                        + "  %s, %,d parameters".formatted(json.get("method").getAsString(), parameters)));
        return ExitCode.SUCCESS;
    }

    private ExportFormat usualFormat(List<AdapterSum.Term> terms) {
        boolean own = terms.stream().allMatch(term -> !term.adapter().base().hash().isEmpty());
        boolean lora = terms.stream()
                .flatMap(term -> term.adapter().layers().stream())
                .allMatch(layer -> layer.method().equals("lora"));
        return target.format().orElse(own ? ExportFormat.ATOMSTUDIO : lora ? ExportFormat.KOHYA : ExportFormat.DIFF);
    }

    /// For a sum that is written as LoRA of a rank, or as whole differences.
    private AdapterWriter differenceWriter(Optional<String> obstacle) throws Failure {
        Optional<ExportFormat> chosen = target.format();
        if (rank == null) {
            if (chosen.isPresent() && List.of(ExportFormat.DIFF, ExportFormat.LOCON).contains(chosen.get()))
                return chosen.get();
            throw new Failure.Incompatible(obstacle.orElseThrow() + "; add --rank R for the closest LoRA of that rank "
                    + "(its error is printed), or --format diff for whole differences, which are exact and large");
        }
        if (chosen.isPresent() && chosen.get() != ExportFormat.LOCON)
            throw new UsageError(spec, "--rank: expected --format locon or none, found " + chosen.get().option());
        LowRankExport.Budget budget;
        try {
            budget = new LowRankExport.Budget.Rank(rank);
        } catch (IllegalArgumentException e) {
            throw new UsageError(spec, "--" + e.getMessage());
        }
        return (adapter, base, file) -> {
            LowRankExport export = LowRankExport.of(adapter, base, budget);
            LowRankExport.Plan plan = export.plan(budget);
            context.terminal().printNote(plan.text());
            return export.write(plan, file);
        };
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
