package atomstudio.app.cli;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.TrainableAdapter;
import atomstudio.tuning.export.ExportFormat;
import atomstudio.tuning.export.TensorPrecision;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `studio convert`: writes an adapter in another format or precision.
@Command(
        name = "convert",
        description = "Writes an adapter in another format, another precision, or both. Without --format the names of "
                + "the tensors stay.",
        footer = {
                "",
                "Examples:",
                "  studio convert lora.safetensors --format peft --out lora-diffusers.safetensors",
                "  studio convert lora.safetensors --precision half --out lora-half.safetensors",
                "  studio convert kohya-lora.safetensors --model sd15 --format atomstudio --out lora.safetensors"
        })
final class ConvertCommand implements Callable<Integer> {
    private final CommandContext context;

    @Parameters(paramLabel = "FILE", description = "An adapter of this program, or of another one of a kind that is "
            + "trained here: LoRA, LoCon, DoRA, LoHa, LoKr, GLoRA, OFT, BOFT, IA³, VeRA or weight diffs. "
            + "With --precision alone, any file of tensors.")
    private Path file = Path.of("");

    @Mixin
    private BaseModelOptions modelOptions = new BaseModelOptions();

    @Mixin
    private AdapterOutput target = new AdapterOutput();

    @Mixin
    private OutputOption output = new OutputOption();

    @Spec
    private CommandSpec spec;

    ConvertCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        if (target.format().isEmpty() && target.precision().isEmpty())
            throw new UsageError(spec, "--format, --precision: expected at least one, found none");
        target.requireFree();
        long parameters;
        if (target.format().isEmpty()) {
            parameters = TensorPrecision.convert(file, target.file(), target.precision().orElseThrow());
        } else {
            ModelReference model = modelOptions.reference(context, Optional.empty());
            parameters = target.write(context, TrainableAdapter.read(file, model.open()), model,
                    ExportFormat.ATOMSTUDIO);
        }
        JsonObject json = new JsonObject();
        json.addProperty("file", target.file().toString());
        json.addProperty("parameters", parameters);
        output.print(context.terminal(), () -> json,
                () -> List.of(target.file() + "  %,d parameters".formatted(parameters)));
        return ExitCode.SUCCESS;
    }
}
