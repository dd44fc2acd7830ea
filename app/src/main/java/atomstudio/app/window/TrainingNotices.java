package atomstudio.app.window;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.notices.NoticesViewModel;
import atomstudio.app.process.RunSpec;
import atomstudio.app.runs.RunProgress;
import atomstudio.app.runs.RunQueue;
import atomstudio.app.subjects.SubjectPageViewModel;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.beans.value.ChangeListener;
import javafx.beans.value.ObservableValue;

/// What the window shows of training on every page: progress in its title, a notice with the best preview at the end
/// of a run, and one of runs that wait from an earlier window.
final class TrainingNotices {
    private final WindowViewModel window;
    private final ReadOnlyStringWrapper title = new ReadOnlyStringWrapper("");

    TrainingNotices(WindowViewModel window) {
        this.window = window;
        window.queue().current().subscribe(now -> updateTitle());
        window.queue().progress().subscribe(now -> updateTitle());
        window.queue().addEndListener((spec, progress) -> {
            if (progress.phase() == RunProgress.RunPhase.DONE) showDone(spec, progress);
        });
    }

    /// `62% car`; empty while nothing is trained.
    ReadOnlyStringProperty title() {
        return title.getReadOnlyProperty();
    }

    /// Of runs that an earlier window left.
    void offerToContinue() {
        RunQueue queue = window.queue();
        window.notices()
                .show(new NoticesViewModel.Notice(NoticesViewModel.NoticeKind.PLAIN,
                        text("window.left-in-the-training-queue", count("window.runs", queue.waiting().size())),
                        Optional.of(new NoticesViewModel.NoticeAction(text("window.continue-training"),
                                queue::startNext))));
    }

    private void updateTitle() {
        RunSpec current = window.queue().current().get();
        title.set(current == null ? ""
                : text("window.title.training", Math.round(window.queue().progress().get().fraction() * 100),
                        window.subjects().titleOf(current)));
    }

    private void showDone(RunSpec spec, RunProgress progress) {
        double seconds = progress.losses().stream().mapToDouble(RunProgress.LossPoint::seconds).sum();
        String words = text("window.trained", window.subjects().titleOf(spec), spec.title(),
                DisplayFormat.duration(seconds));
        Optional<SubjectPageViewModel> subject = window.subjects().find(spec.subject());
        Optional<NoticesViewModel.NoticeAction> compare = subject
                .map(page -> new NoticesViewModel.NoticeAction(text("window.compare"), () -> {
                    page.openTab(SubjectPageViewModel.PageTab.COMPARE);
                    window.open(page);
                }));
        NoticesViewModel.Notice notice = new NoticesViewModel.Notice(NoticesViewModel.NoticeKind.PLAIN, words, compare,
                bestPreview(progress).map(preview -> spec.folder().resolve(preview.file())));
        window.notices().show(notice);
        subject.ifPresent(page -> dismissWhenCompared(page, notice));
    }

    /// The person is where the notice leads.
    private void dismissWhenCompared(SubjectPageViewModel page, NoticesViewModel.Notice notice) {
        page.tab().addListener(new ChangeListener<>() {
            @Override
            public void changed(ObservableValue<? extends SubjectPageViewModel.PageTab> tab,
                    SubjectPageViewModel.PageTab before, SubjectPageViewModel.PageTab now) {
                if (now != SubjectPageViewModel.PageTab.COMPARE) return;
                window.notices().dismiss(notice);
                tab.removeListener(this);
            }
        });
    }

    /// The preview nearest to the best validation; without validation the last one.
    private static Optional<RunProgress.PreviewImage> bestPreview(RunProgress progress) {
        List<RunProgress.ValidationPoint> validations = progress.history().validations();
        int best = validations.isEmpty() || validations.getLast().bestStep() == 0 ? progress.step()
                : validations.getLast().bestStep();
        return progress.previews()
                .stream()
                .filter(preview -> !preview.isManual())
                .min(Comparator.comparingInt(preview -> Math.abs(preview.step() - best)));
    }
}
