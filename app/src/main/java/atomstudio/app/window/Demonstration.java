package atomstudio.app.window;

import atomstudio.app.compare.CompareTable.CompareRow;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.subjects.SubjectPageViewModel;
import atomstudio.app.subjects.SubjectPageViewModel.PageTab;
import atomstudio.tuning.config.Preset;
import atomstudio.tuning.method.MethodName;
import java.util.Optional;
import javafx.collections.ListChangeListener;
import javafx.util.Subscription;
import org.jspecify.annotations.Nullable;

/// "Show me": trains a sample subject with few steps, then shows it in comparison with the base model, unless another
/// page was opened meanwhile.
final class Demonstration {
    private final WindowViewModel window;
    private @Nullable SubjectPageViewModel shown;
    private @Nullable Subscription ready;

    Demonstration(WindowViewModel window) {
        this.window = window;
        window.queue().addEndListener((spec, progress) -> {
            SubjectPageViewModel page = shown;
            if (page == null || !page.subject().subject().get().name().equals(spec.subject())) return;
            shown = null;
            if (progress.phase() == RunProgress.RunPhase.DONE) compare(page);
        });
    }

    void start(SubjectPageViewModel page) {
        shown = page;
        page.openTab(PageTab.TRAIN);
        page.train().method().choose(MethodName.ATOMS_AND_WORD);
        page.train().training().choosePreset(Optional.of(Preset.QUICK));
        // The model may not be loaded yet.
        ready = page.train().missing().subscribe(missing -> {
            if (missing.isEmpty() && shown == page && page.runs().runs().isEmpty() && !page.training().get())
                train(page);
        });
    }

    private void train(SubjectPageViewModel page) {
        if (ready != null) ready.unsubscribe();
        ready = null;
        page.train().start();
    }

    private void compare(SubjectPageViewModel page) {
        if (window.page().get() instanceof WindowPage.SubjectPage(SubjectPageViewModel open) && open == page)
            page.openTab(PageTab.COMPARE);
        // The run becomes a row when it is listed.
        ListChangeListener<CompareRow> generate = new ListChangeListener<>() {
            @Override
            public void onChanged(Change<? extends CompareRow> change) {
                if (change.getList().size() < 2) return;
                page.compare().rows().removeListener(this);
                page.compare().generate();
            }
        };
        if (page.compare().rows().size() > 1) page.compare().generate();
        else page.compare().rows().addListener(generate);
    }
}
