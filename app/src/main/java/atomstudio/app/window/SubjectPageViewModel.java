package atomstudio.app.window;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.export.ExportViewModel;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.LargeImageViewModel;
import atomstudio.app.models.ModelSummary;
import atomstudio.app.models.ModelsViewModel;
import atomstudio.app.subjects.Subject;
import atomstudio.app.subjects.SubjectViewModel;
import atomstudio.app.tune.RunProgress;
import atomstudio.app.tune.RunQueue;
import atomstudio.app.tune.RunSpec;
import atomstudio.app.tune.RunSummary;
import atomstudio.app.tune.RunsViewModel;
import atomstudio.app.tune.TrainViewModel;
import atomstudio.tuning.method.MethodSettings.Choice;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import javafx.beans.property.ReadOnlyBooleanProperty;
import javafx.beans.property.ReadOnlyBooleanWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.ListChangeListener;

/// Everything about one subject, on one page.
public final class SubjectPageViewModel {
    private enum Row { SHOWN, HIDDEN }

    private final SubjectViewModel subject;
    private final RunQueue queue;
    private final RunsViewModel runs;
    private final TrainViewModel tune;
    private final GenerateViewModel generate;
    private final LargeImageViewModel large;
    private final ExportViewModel export;
    private final ModelsViewModel models;
    private final Map<Path, Row> wished = new HashMap<>();
    private final ReadOnlyStringWrapper state = new ReadOnlyStringWrapper("");
    private final ReadOnlyBooleanWrapper tuning = new ReadOnlyBooleanWrapper();
    private final ReadOnlyBooleanWrapper first = new ReadOnlyBooleanWrapper(true);

    public SubjectPageViewModel(Services services, ModelsViewModel models, RunQueue queue, Subject of) {
        this.models = models;
        this.queue = queue;
        Services.Stores stores = services.stores();
        Services.Surroundings around = services.surroundings();
        subject = new SubjectViewModel(services.jobs(), stores.subjects(), stores.pictures(), around.choosers(), of);
        runs = new RunsViewModel(services.jobs(), stores.runs(), queue, of.name());
        tune = new TrainViewModel(new TrainViewModel.TrainServices(services.jobs(), services.engines().costs(), services.engines().estimator(), around.choosers()), runs, subject.subject(), models);
        generate = new GenerateViewModel(services.jobs(), new GenerateViewModel.GenerationServices(services.engines().maker(), services.engines().judge(), around.choosers()), around.clock(), models.current(), subject.subject());
        large = new LargeImageViewModel(services.jobs(), around.choosers(), around.desktop(), generate);
        export = new ExportViewModel(services.jobs(), services.engines().exporter(), around.choosers(), around.desktop());
        runs.runs().addListener((ListChangeListener<RunSummary>) change -> follow());
        queue.current().subscribe(now -> follow());
        queue.progress().subscribe(now -> follow());
        subject.subject().subscribe(now -> follow());
        models.current().subscribe(now -> follow());
    }

    public SubjectViewModel subject() {
        return subject;
    }

    public RunQueue queue() {
        return queue;
    }

    public RunsViewModel runs() {
        return runs;
    }

    public TrainViewModel tune() {
        return tune;
    }

    public GenerateViewModel generate() {
        return generate;
    }

    public LargeImageViewModel large() {
        return large;
    }

    public ExportViewModel export() {
        return export;
    }

    /// Words for the class that the current model knows.
    public List<String> words() {
        ModelSummary model = models.current().get();
        return model == null ? List.of() : model.classWords();
    }

    /// What the sidebar says: `tuning · 62 %`, `Atoms ✓ · LoRA ✓`, `6 pictures`.
    public ReadOnlyStringProperty state() {
        return state.getReadOnlyProperty();
    }

    /// Whether one of the subject's runs is being tuned.
    public ReadOnlyBooleanProperty tuning() {
        return tuning.getReadOnlyProperty();
    }

    /// Whether nothing was tuned yet, so that Start is what comes next.
    public ReadOnlyBooleanProperty first() {
        return first.getReadOnlyProperty();
    }

    private void follow() {
        tuning.set(runs.isTraining());
        first.set(runs.runs().stream().noneMatch(RunSummary::isDone));
        state.set(describe());
        generate.showRuns(compared());
    }

    private String describe() {
        String name = subject.subject().get().name();
        RunSpec now = queue.current().get();
        if (now != null && now.subject().equals(name)) {
            RunProgress progress = queue.progress().get();
            return (progress.phase() == RunProgress.RunPhase.PAUSED ? "paused" : "tuning") + " · " + Math.round(progress.fraction() * 100) + " %";
        }
        if (queue.waiting().stream().anyMatch(order -> order.subject().equals(name))) return "waiting";
        List<Choice> tuned = runs.runs().stream().filter(RunSummary::isDone).map(run -> run.spec().choice()).distinct().sorted().toList();
        if (tuned.isEmpty()) return DisplayFormat.plural(subject.subject().get().photos().size(), "picture");
        if (tuned.size() > 2) return tuned.size() + " methods tuned ✓";
        return tuned.stream().map(method -> shortName(method) + " ✓").collect(Collectors.joining(" · "));
    }

    private static String shortName(Choice method) {
        return switch (method) {
            case ATOMS -> "Atoms";
            case ATOMS_AND_WORD -> "A + W";
            case ATOMS_AND_CHANNELS -> "A + C";
            case CHANNELS -> "Channels";
            case OVERCOMPLETE -> "Overcomplete";
            case OVERCOMPLETE_AND_CHANNELS -> "O + C";
            case TEXTUAL_INVERSION -> "Words";
            case NORM -> "Norms";
            case FULL -> "Full";
            case LORA, LOCON, LOHA, LOKR, OFT, DORA, BITFIT, SSF, DIFFFIT, GLORA -> method.display();
        };
    }

    /// Whether a run is a row of the galleries.
    public boolean compares(Path run) {
        return generate.rows().stream().anyMatch(row -> row.run().isPresent() && row.run().get().folder().equals(run));
    }

    /// Makes a run a row of the galleries, or takes its row away.
    public void toggleRow(RunSummary run) {
        wished.put(run.folder(), compares(run.folder()) ? Row.HIDDEN : Row.SHOWN);
        follow();
    }

    /// The rows below Base: the newest finished run of every method on the current model, and whatever else the person wished for, in the methods' order.
    private List<RunSummary> compared() {
        ModelSummary model = models.current().get();
        List<RunSummary> rows = new ArrayList<>();
        Set<Choice> seen = EnumSet.noneOf(Choice.class);
        for (RunSummary run : runs.runs()) {
            if (!run.isDone() || model == null || !run.spec().model().equals(model.path())) continue;
            Row usual = seen.add(run.spec().choice()) ? Row.SHOWN : Row.HIDDEN;
            if (wished.getOrDefault(run.folder(), usual) == Row.SHOWN) rows.add(run);
        }
        rows.sort(Comparator.comparing(run -> run.spec().choice()));
        return rows;
    }
}
