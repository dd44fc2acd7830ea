package atomstudio.app.cli;

import atomstudio.app.verify.Verifier;
import atomstudio.app.verify.Verifier.Verification;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelLoadOptions;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.tuning.torch.TorchSettings;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `studio verify`: compares networks, samplers, noise, tokenizer, training and images of this machine with goldens.
@Command(
        name = "verify",
        description = "Compares results of this machine with reference values (goldens).",
        footer = {"", "Examples:", "  studio verify goldens/nets/sd1/golden.safetensors",
                "  studio verify goldens/samplers/*.safetensors",
                "  studio verify diffusers-output.safetensors --model sd15 --adapter car.safetensors",
                "  studio verify goldens/tokenizer/clip.jsonl --model clip-vocabulary", "",
                "Exit codes: 0 all agree, 1 a value is out of tolerance or a file unreadable, 3 something is not "
                        + "supported."})
final class VerifyCommand implements Callable<Integer> {
    private final CommandContext context;

    @Parameters(paramLabel = "GOLDEN", arity = "1..*", description = "Golden files, .safetensors or .jsonl.")
    private List<Path> goldens = List.of();

    @Option(names = "--model", paramLabel = "DIR-OR-FILE",
            description = "The model; for the tokenizer also a folder with CLIP's .txt.gz merges. "
                    + "Default: the golden's.")
    private @Nullable Path model;

    @Mixin
    private AdapterOptions adapters = new AdapterOptions();

    @Mixin
    private DeviceOption device = new DeviceOption();

    @Mixin
    private OutputOption output = new OutputOption();

    VerifyCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        Verifier verifier = new Verifier(Optional.ofNullable(model),
                ModelLoadOptions.ofTokenizerFolders(context.tokenizerLocations()),
                opened -> adapters.load(context, opened).weights(), device.builtInUnlessNamed(context),
                new TorchSettings(context.home().natives(), Runtime.getRuntime().availableProcessors()));
        JsonArray results = new JsonArray();
        boolean failed = false;
        boolean unsupported = false;
        for (Path golden : goldens) {
            Verification verification;
            try {
                verification = verifier.verify(golden);
            } catch (Failure.Unsupported e) {
                verification = new Verification(golden, List.of(), List.of(e.getMessage()));
            } catch (Failure e) {
                failed = true;
                String message = String.valueOf(e.getMessage());
                context.terminal()
                        .printNote("studio: "
                                + (message.contains(golden.toString()) ? message : golden + ": " + message));
                continue;
            }
            failed |= !verification.isWithinTolerance();
            unsupported |= !verification.unsupported().isEmpty();
            results.add(json(verification));
            if (!output.isJson()) print(verification);
        }
        if (output.isJson()) context.terminal().printResult(results.toString());
        return failed ? ExitCode.FAILED : unsupported ? ExitCode.UNSUPPORTED : ExitCode.SUCCESS;
    }

    private void print(Verification verification) {
        Terminal terminal = context.terminal();
        terminal.printResult(verification.golden().toString());
        int width = verification.checks().stream().mapToInt(check -> check.deviation().name().length()).max().orElse(1);
        for (Verification.TensorCheck check : verification.checks()) {
            Deviation deviation = check.deviation();
            terminal.printResult(String.format(Locale.ROOT,
                    "  %-5s %-" + Math.max(1, width) + "s  absolute %.2e  relative %.2e  tolerance %.0e %s  %s",
                    check.engine(), deviation.name(), deviation.absolute(), deviation.relative(),
                    deviation.tolerance(), deviation.bound().measure().name().toLowerCase(Locale.ROOT),
                    deviation.isWithinTolerance() ? "ok" : "OUT OF TOLERANCE"));
        }
        verification.unsupported().forEach(message -> terminal.printResult("  not supported: " + message));
    }

    private static JsonObject json(Verification verification) {
        JsonObject json = new JsonObject();
        json.addProperty("golden", verification.golden().toString());
        JsonArray checks = new JsonArray();
        for (Verification.TensorCheck check : verification.checks()) {
            JsonObject checkJson = new JsonObject();
            checkJson.addProperty("engine", check.engine());
            checkJson.addProperty("tensor", check.deviation().name());
            checkJson.addProperty("absolute", finiteOrMax(check.deviation().absolute()));
            checkJson.addProperty("relative", finiteOrMax(check.deviation().relative()));
            checkJson.addProperty("tolerance", check.deviation().tolerance());
            checkJson.addProperty("within", check.deviation().isWithinTolerance());
            checks.add(checkJson);
        }
        json.add("tensors", checks);
        JsonArray unsupported = new JsonArray();
        verification.unsupported().forEach(unsupported::add);
        json.add("notBuilt", unsupported);
        return json;
    }

    /// JSON has no infinity.
    private static double finiteOrMax(double deviation) {
        return Double.isFinite(deviation) ? deviation : Double.MAX_VALUE;
    }
}
