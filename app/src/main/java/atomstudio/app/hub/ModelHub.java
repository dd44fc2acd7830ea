package atomstudio.app.hub;

import atomstudio.app.jobs.Cancellation;
import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Failure;
import java.nio.file.Path;
import java.util.function.Consumer;

/// The hub of the settings, and the folder its models are downloaded to. For job threads.
public record ModelHub(Home home) {
    public HubSettings settings() {
        return HubSettings.read(home.hubSettings());
    }

    public void save(HubSettings changed) throws Failure {
        changed.write(home.hubSettings());
    }

    public DownloadedModels models() {
        return new DownloadedModels(home.models());
    }

    public ModelOffer find(HubSettings settings, RepositoryId id, Cancellation cancellation)
            throws Failure, InterruptedException {
        try (HubClient client = new HubClient(settings.address(), settings.token(), settings.proxy())) {
            return ModelOffer.find(client, id, cancellation);
        }
    }

    /// @return the path by which the model is opened
    public Path download(HubSettings settings, DownloadPlan plan, Consumer<ModelDownload.Progress> onProgress,
            Cancellation cancellation) throws Failure, InterruptedException {
        try (HubClient client = new HubClient(settings.address(), settings.token(), settings.proxy())) {
            if (plan.choice() instanceof DownloadPlan.Choice.SingleFile)
                ModelOffer.requireModel(client, plan, cancellation);
            return new ModelDownload(client, plan, models().target(plan)).run(onProgress, cancellation);
        }
    }
}
