package atomstudio.app.generate;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.FileChoosers;
import atomstudio.app.generate.AdapterLibrary.AdapterInfo;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.notices.NoticesViewModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import javafx.beans.value.ObservableValue;

/// Changes the adapters added to all rows.
public final class AdaptersViewModel {
    private final FileChoosers choosers;
    private final NoticesViewModel notices;
    private final AdapterLibrary library;
    private final GenerateViewModel generate;

    AdaptersViewModel(GenerateViewModel.GenerationServices services, GenerateViewModel generate) {
        choosers = services.choosers();
        notices = services.notices();
        library = services.adapters();
        this.generate = generate;
    }

    public AdapterLibrary library() {
        return library;
    }

    public List<SelectedAdapter> selected() {
        return generate.settings().get().adapters();
    }

    /// Changes when an adapter's trigger words are read.
    ObservableValue<Integer> triggerChanges() {
        return library.changes();
    }

    /// Trigger words and phrases for the prompt, longest first: of the subject and of the adapters that are on.
    List<String> triggers() {
        Stream<String> subject = Stream.ofNullable(generate.subject().get()).map(now -> now.promptPhrase());
        Stream<String> adapters = generate.settings()
                .get()
                .activeAdapters()
                .stream()
                .map(adapter -> library.info(adapter.file()).get())
                .map(AdapterInfo::triggerWords)
                .flatMap(words -> Stream.of(words.split(",")))
                .map(String::strip);
        return Stream.concat(subject, adapters)
                .filter(words -> !words.isEmpty())
                .distinct()
                .sorted(Comparator.comparing(String::length).reversed())
                .toList();
    }

    public void chooseFiles() {
        add(choosers.adapters(text("generate.adapters.choose")));
    }

    /// Adds adapters with weight 1; those that are there already stay as they are.
    public void add(List<Path> files) {
        List<SelectedAdapter> adapters = new ArrayList<>(selected());
        for (Path file : files)
            if (adapters.stream().noneMatch(one -> one.file().equals(file))) adapters.add(new SelectedAdapter(file, 1));
        generate.updateSettings(now -> now.withAdapters(adapters));
    }

    public void setWeight(Path file, double changed) {
        update(file, now -> new SelectedAdapter(file, changed, now.state()));
    }

    public void setSwitch(Path file, SelectedAdapter.AdapterSwitch changed) {
        update(file, now -> new SelectedAdapter(file, now.weight(), changed));
    }

    private void update(Path file, UnaryOperator<SelectedAdapter> change) {
        generate.updateSettings(now -> now.withAdapters(now.adapters()
                .stream()
                .map(one -> one.file().equals(file) ? change.apply(one) : one)
                .toList()));
    }

    /// Undo puts it back in its place.
    public void remove(Path file) {
        List<SelectedAdapter> before = selected();
        for (int i = 0; i < before.size(); i++) {
            SelectedAdapter removed = before.get(i);
            if (!removed.file().equals(file)) continue;
            int index = i;
            generate.updateSettings(now -> now
                    .withAdapters(now.adapters().stream().filter(one -> !one.file().equals(file)).toList()));
            notices.offerUndo(text("generate.adapters.removed", removed.name()), () -> putBack(index, removed));
        }
    }

    private void putBack(int index, SelectedAdapter removed) {
        List<SelectedAdapter> adapters = new ArrayList<>(selected());
        adapters.removeIf(one -> one.file().equals(removed.file()));
        adapters.add(Math.min(index, adapters.size()), removed);
        generate.updateSettings(now -> now.withAdapters(adapters));
    }
}
