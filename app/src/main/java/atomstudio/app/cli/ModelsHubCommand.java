package atomstudio.app.cli;

import atomstudio.app.hub.HubAddress;
import atomstudio.app.hub.HubSettings;
import atomstudio.app.hub.HubToken;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.TextFile;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `studio models hub`: shows or changes the hub's address and access token.
@Command(
        name = "hub",
        description = "Shows or changes the address and access token for downloads, in the window too. The token is "
                + "saved in the data folder, readable by you only, and sent to this address only.",
        footer = {"", "Examples:", "  studio models hub", "  studio models hub https://mirror.example",
                "  studio models hub --token-file token.txt", "  studio models hub --forget-token"})
final class ModelsHubCommand implements Callable<Integer>, Main.RunsWithoutNatives {
    private final CommandContext context;

    @Parameters(paramLabel = "URL", arity = "0..1", description = "The address of a hub; \"default\": "
            + "https://huggingface.co.")
    private @Nullable String address;

    @Option(names = "--token-file", paramLabel = "FILE", description = "Save the access token in this file.")
    private @Nullable Path tokenFile;

    @Option(names = "--forget-token", description = "Remove the saved access token.")
    private boolean forgetToken;

    @Mixin
    private OutputOption output = new OutputOption();

    @Spec
    private CommandSpec spec;

    ModelsHubCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        if (tokenFile != null && forgetToken)
            throw new UsageError(spec, "--forget-token: expected without --token-file");
        Path file = context.home().hubSettings();
        HubSettings before = HubSettings.read(file);
        HubSettings settings = address == null ? before : before.with(parseAddress(address));
        if (tokenFile != null) settings = settings.with(Optional.of(readToken(tokenFile)));
        if (forgetToken) settings = settings.with(Optional.empty());
        if (!settings.equals(before)) settings.write(file);
        HubSettings now = settings;
        output.print(context.terminal(), () -> json(now), () -> List.of("address  " + now.address(),
                "token    " + (now.token().isPresent() ? "saved" : "none")));
        return ExitCode.SUCCESS;
    }

    private HubAddress parseAddress(String text) {
        try {
            return text.equals("default") ? HubAddress.DEFAULT : HubAddress.parse(text);
        } catch (IllegalArgumentException e) {
            throw new UsageError(spec, "URL: " + e.getMessage());
        }
    }

    /// @throws Failure.Unreadable naming the file, never its content
    static HubToken readToken(Path file) throws Failure {
        List<String> lines = TextFile.lines(file);
        try {
            return new HubToken(lines.size() == 1 ? lines.getFirst() : "");
        } catch (IllegalArgumentException e) {
            throw new Failure.Unreadable(file + ": expected one line with an access token, found "
                    + (lines.isEmpty() ? "nothing" : "something else"));
        }
    }

    private static JsonObject json(HubSettings settings) {
        JsonObject json = new JsonObject();
        json.addProperty("address", settings.address().toString());
        json.addProperty("token", settings.token().isPresent());
        return json;
    }
}
