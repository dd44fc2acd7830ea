package atomstudio.app.cli;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.hub.DownloadPlan;
import atomstudio.app.hub.DownloadedModels;
import atomstudio.app.hub.HubAddress;
import atomstudio.app.hub.HubClient;
import atomstudio.app.hub.HubFile;
import atomstudio.app.hub.HubRepository;
import atomstudio.app.hub.HubSettings;
import atomstudio.app.hub.HubToken;
import atomstudio.app.hub.ModelDownload;
import atomstudio.app.hub.ModelOffer;
import atomstudio.app.hub.RepositoryId;
import atomstudio.diffusion.Failure;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `studio models get`: downloads a model from a hub.
@Command(
        name = "get",
        description = "Downloads a model from the Hugging Face hub or a mirror into a folder in diffusers' layout. "
                + "Without --accept-licence its files, sizes and licence are listed. An interrupted download "
                + "continues with the same command.",
        footer = {"", "Examples:", "  studio models get stable-diffusion-v1-5/stable-diffusion-v1-5",
                "  studio models get stable-diffusion-v1-5/stable-diffusion-v1-5 --variant fp16 --accept-licence",
                "  studio models get OWNER/NAME --file NAME.safetensors --token-file token.txt --accept-licence"})
final class ModelsGetCommand implements Callable<Integer>, Main.RunsWithoutNatives {
    private final CommandContext context;

    @Parameters(paramLabel = "OWNER/NAME", description = "The repository, or the address of its page.")
    private String repository = "";

    @Option(names = "--revision", paramLabel = "NAME", defaultValue = "",
            description = "A branch, tag or commit. Default: main.")
    private String revision = "";

    @Option(names = "--variant", paramLabel = "NAME", defaultValue = "",
            description = "Weights of a variant, such as fp16 (half the size). Default: those without a variant.")
    private String variant = "";

    @Option(names = "--file", paramLabel = "NAME", defaultValue = "",
            description = "A model in one .safetensors file, instead of the folder.")
    private String file = "";

    @Option(names = "--out", paramLabel = "DIR",
            description = "The folder to create. Default: models/OWNER/NAME in the data folder.")
    private @Nullable Path out;

    @Option(names = "--token-file", paramLabel = "FILE",
            description = "A file with an access token, for gated and private repositories. Default: the saved one.")
    private @Nullable Path tokenFile;

    @Option(names = "--hub", paramLabel = "URL",
            description = "The address of the hub. Default: the saved one, see studio models hub.")
    private @Nullable String hub;

    @Option(names = {"--accept-licence", "--accept-license"}, description = "Accept the licence and download.")
    private boolean licenceAccepted;

    @Mixin
    private OutputOption output = new OutputOption();

    @Spec
    private CommandSpec spec;

    ModelsGetCommand(CommandContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws Failure {
        RepositoryId id = parse("OWNER/NAME", () -> RepositoryId.parse(repository, revision));
        HubSettings settings = HubSettings.read(context.home().hubSettings());
        HubAddress address = hub == null ? settings.address() : parse("--hub", () -> HubAddress.parse(hub));
        Optional<HubToken> token = tokenFile == null ? settings.token(address)
                : Optional.of(ModelsHubCommand.readToken(tokenFile));
        if (token.isPresent() && !address.isConfidential())
            context.terminal().printNote("The access token is not sent: " + address + " is not encrypted.");
        try (StopSignal.Registration registration = context.stopSignal().register();
                HubClient client = new HubClient(address, token, settings.proxy())) {
            return get(client, id);
        } catch (Failure.Remote e) {
            throw new Failure.Remote(e.reason(), e.getMessage() + ". " + whatNext(e.reason(), address, id), e);
        } catch (CancellationException | InterruptedException e) {
            context.terminal().printNote("Cancelled. What was downloaded is kept; the same command continues.");
            return ExitCode.CANCELLED;
        }
    }

    private interface Parser<T> {
        T parse();
    }

    private <T> T parse(String option, Parser<T> parser) {
        try {
            return parser.parse();
        } catch (IllegalArgumentException e) {
            throw new UsageError(spec, option + ": " + e.getMessage());
        }
    }

    private int get(HubClient client, RepositoryId id) throws Failure, InterruptedException {
        ModelOffer offer = ModelOffer.find(client, id, context.stopSignal()::requested);
        DownloadPlan plan = choose(offer);
        Path target = out == null ? new DownloadedModels(context.home().models()).target(plan) : out;
        ModelDownload download = new ModelDownload(client, plan, target);
        if (!licenceAccepted) {
            describe(client, offer, plan).forEach(context.terminal()::printResult);
            context.terminal().printNote("Nothing was downloaded: add --accept-licence to accept and download.");
            return ExitCode.USAGE;
        }
        if (plan.choice() instanceof DownloadPlan.Choice.SingleFile && offer.plans().size() > 1)
            ModelOffer.requireModel(client, plan, context.stopSignal()::requested);
        Path model;
        try (DownloadProgressBar progress = new DownloadProgressBar(context.terminal())) {
            model = download.run(progress::update, context.stopSignal()::requested);
        }
        output.print(context.terminal(), () -> json(plan, model), () -> List.of(model.toString()));
        return ExitCode.SUCCESS;
    }

    private DownloadPlan choose(ModelOffer offer) throws Failure {
        try {
            return offer.plan(variant, file);
        } catch (Failure.Incompatible e) {
            throw new Failure.Incompatible(e.getMessage() + "; choose with --variant or --file");
        }
    }

    private static List<String> describe(HubClient client, ModelOffer offer, DownloadPlan plan) {
        HubRepository repository = offer.repository();
        List<String> lines = new ArrayList<>();
        lines.add(repository.id() + "  commit " + repository.commit().substring(0, 10));
        offer.facts()
                .ifPresent(facts -> lines.add(facts.kind() + ", " + facts.imageSize() + " px, "
                        + DisplayFormat.compactCount(facts.parameters()) + " parameters"));
        for (HubFile each : plan.files())
            lines.add("  %8s  %s".formatted(DisplayFormat.bytes(each.size()), each.path()));
        lines.add("  %8s  %s".formatted(DisplayFormat.bytes(plan.size()), "in total"));
        for (DownloadPlan other : offer.plans())
            if (other != plan)
                lines.add("also: " + other.title() + "  " + DisplayFormat.bytes(other.size()));
        lines.add("licence: " + repository.licence().title()
                + repository.licence().link().map(link -> "  " + link).orElse(""));
        lines.add("page: " + client.page(repository.id()));
        return lines;
    }

    private static JsonObject json(DownloadPlan plan, Path model) {
        JsonObject json = new JsonObject();
        json.addProperty("model", model.toString());
        json.addProperty("repository", plan.repository().id().toString());
        json.addProperty("commit", plan.repository().commit());
        json.addProperty("licence", plan.repository().licence().name());
        json.addProperty("bytes", plan.size());
        return json;
    }

    private static String whatNext(Failure.Remote.Reason reason, HubAddress address, RepositoryId id) {
        String page = address + "/" + id.id();
        String tokens = address + "/settings/tokens";
        return switch (reason) {
            case NO_CONNECTION, BUSY -> "Try again later: the same command continues a download.";
            case NOT_FOUND -> "Check the spelling; a private repository needs --token-file.";
            case TOKEN_REQUIRED -> "Accept the conditions on " + page + ", create a token to read on " + tokens
                    + ", and add --token-file.";
            case TOKEN_INVALID -> "Create a token to read on " + tokens + ", and add --token-file.";
            case ACCESS_DENIED -> "Accept the conditions on " + page + " with the token's account, or wait for access.";
            case UNEXPECTED_ANSWER -> "Check the network and the hub's address (studio models hub), and try again.";
        };
    }
}
