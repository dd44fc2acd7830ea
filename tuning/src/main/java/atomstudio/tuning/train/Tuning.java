package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.NetworkLayers;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerRecorder;
import atomstudio.diffusion.tensor.AtomicFile;
import atomstudio.tuning.method.ParameterLayout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Tunes a model on a person's pictures: makes a run folder, or goes on with one.
public final class Tuning {
    /// Latent pixels that a step of the default batch holds: six pictures of the small model, one of a large one.
    private static final long BATCH_PIXELS = 6 * 16 * 16;
    static final int LARGEST_BATCH = 6;
    /// What a folder may hold that is no run yet: left by a run that was killed while it began.
    private static final Set<String> BEGINNINGS = Set.of("lock", "owner", "pictures", "masks", "prior");

    private final Machine machine;

    public Tuning(Machine machine) {
        this.machine = machine;
    }

    /// Makes the run, or resumes it where it stopped; a finished run gives its result again.
    /// @throws Failure.Occupied when the run is going on in another process, or the folder holds something else
    /// @throws Failure.Incompatible when the folder holds a run of other settings, all named; more steps are allowed
    /// @throws Failure.Diverged when loss or gradients leave the numbers; the last good ones are kept
    public TuneOutcome run(TuneRequest request, Path run, Control control, TuneListener listener) throws Failure {
        RunFolder folder = new RunFolder(run);
        admit(folder);
        DiffusionModel model = request.model().open();
        Preparation preparation = Preparation.of(request, model);
        RunInfo asked = describe(request, model, preparation);
        Session session = new Session(control, listener, Stream.concat(model.warnings().stream(), preparation.notes().stream()).toList());
        try (RunLock lock = RunLock.take(folder.folder())) {
            AtomicFile.deletePartFiles(folder.folder());
            if (folder.exists()) {
                RunInfo going = folder.info().reconciled(asked, folder.folder());
                requireUsable(folder, folder.info(), model);
                return proceed(folder, going, model, session);
            }
            preparation.write(folder);
            asked.write(folder.description());
            return train(folder, asked, model, session);
        }
    }

    /// Goes on with a run as its own description says.
    public TuneOutcome resume(Path run, Control control, TuneListener listener) throws Failure {
        RunFolder folder = new RunFolder(run);
        RunInfo info = folder.info();
        DiffusionModel model = info.base().model(machine.vocabularies()).open();
        info.method().check(model.path().toString(), layers(model));
        String hash = hash(model, ParameterLayout.of(info.method().method(), layers(model)));
        if (!hash.equals(info.base().hash())) throw new Failure.Incompatible(model.path() + ": expected the model that " + folder.folder() + " was started with (" + info.base().hash() + "), found other weights (" + hash + "); put it back, or start a new run");
        requireUsable(folder, info, model);
        try (RunLock lock = RunLock.take(folder.folder())) {
            AtomicFile.deletePartFiles(folder.folder());
            return proceed(folder, info, model, new Session(control, listener, List.of()));
        }
    }

    /// Everything that is wrong with a run's own files is said before any of them is touched.
    private static void requireUsable(RunFolder folder, RunInfo info, DiffusionModel model) throws Failure {
        int size = info.training().size();
        Optional<String> problem = size == Recipe.OPEN ? Optional.empty() : model.sizeProblem(size, size);
        if (problem.isPresent()) throw new Failure.Unreadable(folder.description() + ": size: " + problem.get());
        Crops.read(folder, info.subject().pictures()).requireFramed(info.training(), folder.pictures());
        Crops.readPrior(folder, info.training().prior()).requireFramed(info.training(), folder.prior());
        folder.requireOwn(info);
    }

    /// What a run of this request would take, by encoding a picture and training a few steps: nothing is written.
    public Estimate estimate(TuneRequest request) throws Failure {
        DiffusionModel model = request.model().open();
        Preparation preparation = Preparation.of(request, model);
        return new Rehearsal(describe(request, model, preparation), model, machine).run(preparation);
    }

    /// Who steers a run, who hears of it, and what a person should know before it begins.
    record Session(Control control, TuneListener listener, List<String> notes) {}

    private TuneOutcome proceed(RunFolder folder, RunInfo info, DiffusionModel model, Session session) throws Failure {
        boolean more = info.training().steps() > folder.info().training().steps();
        if (!more && Files.isRegularFile(folder.report()) && Files.isRegularFile(folder.adapter())) return new TuneOutcome.Finished(Report.read(folder.report()));
        if (more) {
            try {
                Files.deleteIfExists(folder.report());
            } catch (IOException e) {
                throw new Failure.Unwritable(folder.report() + ": cannot be replaced: " + e.getMessage(), e);
            }
            info.write(folder.description());
        }
        return train(folder, info, model, session);
    }

    private TuneOutcome train(RunFolder folder, RunInfo info, DiffusionModel model, Session session) throws Failure {
        try (Workshop workshop = Workshop.open(folder, info, model, machine)) {
            return workshop.train(session);
        }
    }

    private RunInfo describe(TuneRequest request, DiffusionModel model, Preparation preparation) throws Failure {
        if (model.unet().channels().in() != model.vae().latentChannels()) {
            throw new Failure.Incompatible(model.path() + ": its UNet has " + model.unet().channels().in() + " input channels; only models of " + model.vae().latentChannels() + " (no inpainting models) can be tuned");
        }
        List<Layer> layers = layers(model);
        request.method().check(model.path().toString(), layers);
        ParameterLayout layout = ParameterLayout.of(request.method().method(), layers);
        Bank.check(request.recipe(), layout);
        long numbers = request.method().method().parameterCount(layers);
        Vocabulary.of(model, layout, request.words());
        String hash = hash(model, layout);
        RunInfo.Base base = new RunInfo.Base(model.path().toAbsolutePath().normalize(), model.name(), hash, request.model().options());
        Recipe recipe = request.recipe();
        RunInfo.Subject subject = new RunInfo.Subject(request.words().className(), request.words().token(), preparation.subject().names(), Captions.of(request.words(), recipe).general());
        RunInfo.Training training = new RunInfo.Training(recipe, recipe.update().batch() == Recipe.OPEN ? batch(model) : recipe.update().batch(), preparation.framing().size(), preparation.prior().names());
        return new RunInfo(base, subject, request.method(), training, numbers, Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    }

    /// Of the weights that the trained numbers belong to.
    private String hash(DiffusionModel model, ParameterLayout layout) throws Failure {
        return machine.hashes().hash(model, Vocabulary.parts(layout));
    }

    private static int batch(DiffusionModel model) {
        long pixels = (long) model.sampleSize() * model.sampleSize();
        return (int) Math.clamp(BATCH_PIXELS / pixels, 1, LARGEST_BATCH);
    }

    /// Refuses a folder that a run is going on in, or that holds something else.
    private static void admit(RunFolder folder) throws Failure {
        Path path = folder.folder();
        if (RunLock.held(path)) throw RunLock.occupied(path);
        if (folder.exists() || !Files.exists(path)) return;
        if (!Files.isDirectory(path)) throw new Failure.Conflict(path + ": expected a folder for the run, found a file; choose another --out");
        try (Stream<Path> list = Files.list(path)) {
            List<String> others = list.filter(file -> !AtomicFile.isPartFile(file)).map(file -> file.getFileName().toString()).filter(name -> !BEGINNINGS.contains(name)).sorted().toList();
            if (!others.isEmpty()) throw new Failure.Conflict(path + ": expected an empty folder or a run, found " + others.getFirst() + (others.size() > 1 ? " and more" : "") + "; choose another --out");
        } catch (IOException e) {
            throw new Failure.Unreadable(path + ": cannot be listed: " + e.getMessage(), e);
        }
    }

    /// Every layer that a run may tune.
    static List<Layer> layers(DiffusionModel model) {
        return model.trainableLayers();
    }

    /// Numbers of all layers of a model's UNet.
    static long parameters(DiffusionModel model) {
        return LayerRecorder.parameterCount(NetworkLayers.of(model.unet()));
    }
}
