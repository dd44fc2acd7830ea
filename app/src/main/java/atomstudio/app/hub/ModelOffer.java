package atomstudio.app.hub;

import atomstudio.app.inspect.ModelFacts;
import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.file.TemporaryPath;
import atomstudio.diffusion.json.Json;
import atomstudio.diffusion.model.DiffusionModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a repository offers, known before its weights are downloaded: licence, files and sizes, and whether the model
/// is supported, by its configurations.
/// @param plans at least one; the first is the usual choice
/// @param facts of the folder; empty if the repository has single files only
public record ModelOffer(HubRepository repository, List<DownloadPlan> plans, Optional<ModelFacts> facts) {
    private static final int MAX_CONFIG = 4 << 20;
    private static final int MAX_HEADER = 100 << 20;
    private static final String LDM_UNET = "\"model.diffusion_model.";

    public ModelOffer {
        plans = List.copyOf(plans);
    }

    /// Looks a repository up.
    /// @throws Failure.Remote if the hub cannot be reached, or refuses
    /// @throws Failure.Incompatible if it contains no supported model
    public static ModelOffer find(HubClient client, RepositoryId id, Cancellation cancellation)
            throws Failure, InterruptedException {
        HubRepository repository = client.repository(id, cancellation);
        Optional<HubFile> index = repository.file(DownloadPlan.MODEL_INDEX);
        Optional<Json> modelIndex = Optional.empty();
        if (index.isPresent())
            modelIndex = Optional.of(Json.parse(id + ": " + DownloadPlan.MODEL_INDEX,
                    new String(readConfig(client, repository, index.get(), cancellation), StandardCharsets.UTF_8)));
        List<DownloadPlan> plans = DownloadPlan.of(repository, modelIndex);
        if (plans.isEmpty())
            throw new Failure.Incompatible(id + ": expected a model in diffusers' layout (" + DownloadPlan.MODEL_INDEX
                    + ") or in one .safetensors file, found " + RepositoryContent.describe(repository));
        if (plans.getFirst().choice() instanceof DownloadPlan.Choice.Folder)
            return new ModelOffer(repository, plans, Optional.of(folderFacts(client, plans.getFirst(), cancellation)));
        if (plans.size() == 1) requireModel(client, plans.getFirst(), cancellation);
        return new ModelOffer(repository, plans, Optional.empty());
    }

    private static byte[] readConfig(HubClient client, HubRepository repository, HubFile file,
            Cancellation cancellation) throws Failure, InterruptedException {
        if (file.size() > MAX_CONFIG)
            throw new Failure.Incompatible(repository.id() + ": " + file.path() + ": expected a configuration, found "
                    + file.size() + " bytes");
        return client.content(repository, file, cancellation);
    }

    /// Opens the folder's configurations as the model will be opened, so that an unsupported model is rejected first.
    private static ModelFacts folderFacts(HubClient client, DownloadPlan plan, Cancellation cancellation)
            throws Failure, InterruptedException {
        HubRepository repository = plan.repository();
        try (TemporaryPath temporary = TemporaryPath.createFolder("hub")) {
            Path folder = temporary.path().resolve(repository.id().name());
            for (HubFile file : plan.files()) {
                boolean isConfig = file.fileName().endsWith("config.json") || file.folder().isEmpty();
                if (!isConfig || !file.path().endsWith(".json")) continue;
                Path copy = folder.resolve(file.path());
                Files.createDirectories(copy.getParent());
                Files.write(copy, readConfig(client, repository, file, cancellation));
            }
            try {
                return ModelFacts.of(DiffusionModel.open(folder));
            } catch (Failure unsupported) {
                String message = unsupported.getMessage().replace(folder.toString(), repository.id().toString());
                throw new Failure.Incompatible(message);
            }
        } catch (IOException e) {
            throw new Failure.Unwritable(
                    "The temporary folder cannot be written: " + e.getMessage() + "; free some space", e);
        }
    }

    /// Reads the tensor names of a single file, which may be an adapter or a part of a model.
    /// @throws Failure.Incompatible if it is no checkpoint
    public static void requireModel(HubClient client, DownloadPlan plan, Cancellation cancellation)
            throws Failure, InterruptedException {
        HubFile file = plan.files().getLast();
        String what = plan.repository().id() + ": " + file.path();
        long length = file.size() < 8 ? -1
                : ByteBuffer.wrap(client.beginning(plan.repository(), file, 8, cancellation))
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .getLong();
        if (length < 2 || length > Math.min(MAX_HEADER, file.size() - 8))
            throw new Failure.Incompatible(what + ": is not a safetensors file");
        String header = new String(
                client.beginning(plan.repository(), file, Math.toIntExact(8 + length), cancellation),
                StandardCharsets.UTF_8);
        if (header.contains(LDM_UNET)) return;
        throw new Failure.Incompatible(what + ": expected a whole Stable Diffusion model in one file, found "
                + RepositoryContent.describe(plan.repository()) + tensorNames(header));
    }

    private static String tensorNames(String header) {
        List<String> names = new ArrayList<>();
        for (String part : header.substring(Math.min(header.length(), 8)).split("\"")) {
            if (part.contains(".") && names.size() < 2) names.add(SafeText.of(part));
        }
        return names.isEmpty() ? "" : " (tensors " + String.join(", ", names) + ", …)";
    }

    /// The plan for a choice of the user.
    /// @param variant empty: the usual files
    /// @param file the path of a single file; empty: a folder, or the only file
    /// @throws Failure.Incompatible if the repository has no such files, or several to choose from
    public DownloadPlan plan(String variant, String file) throws Failure {
        List<DownloadPlan> matching = plans.stream().filter(plan -> switch (plan.choice()) {
            case DownloadPlan.Choice.Folder folder -> file.isEmpty() && folder.variant().equals(variant);
            case DownloadPlan.Choice.SingleFile single -> single.path().equals(file)
                    || file.isEmpty() && variant.isEmpty() && facts.isEmpty();
        }).toList();
        if (matching.size() == 1) return matching.getFirst();
        String available = String.join(", ", plans.stream().map(DownloadPlan::title).toList());
        if (matching.isEmpty())
            throw new Failure.Incompatible(repository.id() + ": has no "
                    + (file.isEmpty() ? "variant " + SafeText.of(variant) : "model file " + SafeText.of(file))
                    + "; it has: " + available);
        throw new Failure.Incompatible(
                repository.id() + ": contains several models, of which one must be chosen: " + available);
    }
}
