package atomstudio.app.tune;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.train.TrainingSetting;
import atomstudio.tuning.train.TrainingSettings;
import java.util.EnumMap;
import java.util.Map;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;

/// How the method is trained: what was typed, and what it means.
public final class TrainingViewModel {
    private final FileChoosers choosers;
    private final ReadOnlyObjectProperty<MethodSettings> method;
    private final Map<TrainingSetting, String> typed = new EnumMap<>(TrainingSetting.class);
    private final ReadOnlyObjectWrapper<TrainingSettings> settings = new ReadOnlyObjectWrapper<>(TrainingSettings.USUAL);
    private final ReadOnlyStringWrapper wrong = new ReadOnlyStringWrapper("");
    private final ReadOnlyStringWrapper line = new ReadOnlyStringWrapper("");

    public TrainingViewModel(FileChoosers choosers, ReadOnlyObjectProperty<MethodSettings> method) {
        this.choosers = choosers;
        this.method = method;
        method.subscribe(now -> understand());
    }

    public ReadOnlyObjectProperty<MethodSettings> method() {
        return method;
    }

    /// What is chosen, as far as it was understood.
    public ReadOnlyObjectProperty<TrainingSettings> settings() {
        return settings.getReadOnlyProperty();
    }

    /// What is typed and cannot be, in the words of the command line; empty when all is well.
    public ReadOnlyStringProperty wrong() {
        return wrong.getReadOnlyProperty();
    }

    /// What is not as usual: `steps 50 · flip`; empty where all is.
    public ReadOnlyStringProperty line() {
        return line.getReadOnlyProperty();
    }

    /// What is typed; empty: as usual.
    public String text(TrainingSetting setting) {
        return typed.getOrDefault(setting, "");
    }

    /// What a setting is while nothing is typed; empty where the model decides.
    public String usual(TrainingSetting setting) {
        return settings.get().usual(setting, method.get());
    }

    public void type(TrainingSetting setting, String text) {
        if (text.strip().equals(text(setting))) return;
        typed.put(setting, text.strip());
        understand();
    }

    /// Asks for a folder with pictures of other members of the class.
    public void choosePrior() {
        choosers.folder("Pictures of other members of the class").ifPresent(folder -> type(TrainingSetting.PRIOR, folder.toString()));
    }

    private void understand() {
        try {
            TrainingSettings asked = new TrainingSettings(typed);
            // What is typed as it is anyway is not worth a word.
            TrainingSettings meant = TrainingSettings.of(asked.recipe(method.get()), method.get());
            wrong.set("");
            settings.set(asked);
            line.set(String.join(" · ", TuneOrder.Chosen.lines(meant)));
        } catch (IllegalArgumentException cannotBe) {
            wrong.set(String.valueOf(cannotBe.getMessage()));
        }
    }
}
