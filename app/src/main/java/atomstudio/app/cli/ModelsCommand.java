package atomstudio.app.cli;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.hub.DownloadedModels;
import atomstudio.app.models.ModelDetails;
import atomstudio.app.settings.SettingsFile;
import atomstudio.diffusion.Failure;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `studio models`: lists the known models; its subcommands download others.
@Command(
        name = "models",
        description = "Lists the models: the embedded one, those opened in the window, and those downloaded.",
        footer = {"", "Examples:", "  studio models", "  studio models --json",
                "  studio models get stable-diffusion-v1-5/stable-diffusion-v1-5 --variant fp16 --accept-licence",
                "  studio models hub https://mirror.example"})
final class ModelsCommand implements Callable<Integer>, Main.RunsWithoutNatives, Main.CommandGroup {
    private final CommandContext context;

    @Mixin
    private OutputOption output = new OutputOption();

    ModelsCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public List<Object> subcommands() {
        return List.of(new ModelsGetCommand(context), new ModelsHubCommand(context));
    }

    @Override
    public Integer call() throws Failure {
        JsonArray models = new JsonArray();
        int failed = 0;
        for (Path path : paths()) {
            try {
                ModelDetails details = ModelDetails.read(path, context.home());
                models.add(json(path, details));
                if (!output.isJson()) lines(path, details).forEach(context.terminal()::printResult);
            } catch (Failure unreadable) {
                failed++;
                context.terminal().printNote(RemedyOption.message(unreadable));
            }
        }
        for (DownloadedModels.Unfinished download : new DownloadedModels(context.home().models()).unfinished())
            context.terminal()
                    .printNote("Unfinished: " + download.manifest().id() + ", " + DisplayFormat.bytes(download.done())
                            + " of " + DisplayFormat.bytes(download.manifest().size())
                            + "; continue with studio models get.");
        if (output.isJson()) output.printIndented(context.terminal(), () -> models, List::of);
        return failed == 0 ? ExitCode.SUCCESS : ExitCode.FAILED;
    }

    private List<Path> paths() throws Failure {
        List<Path> paths = new ArrayList<>(List.of(context.assets().defaultModel()));
        paths.addAll(ModelDetails.otherModels(new SettingsFile(context.home().settings(), Runnable::run).get(),
                context.home()));
        return paths;
    }

    private static List<String> lines(Path path, ModelDetails details) {
        List<String> lines = new ArrayList<>(List.of(details.name(),
                "  kind  " + details.facts().kind() + ", " + details.facts().imageSize() + " px, "
                        + DisplayFormat.compactCount(details.facts().parameters()) + " parameters",
                "  for   " + String.join(", ", details.facts().abilities()),
                "  size  " + DisplayFormat.bytes(details.bytes()),
                "  hash  " + details.hash().sha256() + " (SHA-256 of the " + details.hash().of() + ")"));
        details.download()
                .ifPresent(download -> lines.add("  from  " + download.id() + " at " + download.address() + ", commit "
                        + download.commit().substring(0, 10)));
        lines.add("  path  " + path);
        return lines;
    }

    private static JsonObject json(Path path, ModelDetails details) {
        JsonObject json = new JsonObject();
        json.addProperty("name", details.name());
        json.addProperty("path", path.toString());
        json.addProperty("kind", details.facts().kind());
        json.addProperty("image size", details.facts().imageSize());
        json.addProperty("parameters", details.facts().parameters());
        JsonArray abilities = new JsonArray();
        details.facts().abilities().forEach(abilities::add);
        json.add("abilities", abilities);
        json.addProperty("bytes", details.bytes());
        json.addProperty("hashed", details.hash().of());
        json.addProperty("sha256", details.hash().sha256());
        details.download().ifPresent(download -> {
            json.addProperty("repository", download.id().toString());
            json.addProperty("commit", download.commit());
            json.addProperty("hub", download.address());
            json.addProperty("licence", download.licence());
        });
        return json;
    }
}
