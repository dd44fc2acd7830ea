package atomstudio.app.window;

import static atomstudio.app.text.Texts.text;

import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.app.generate.GenerateViewModel;
import atomstudio.app.generate.ImageSettings;
import atomstudio.app.jobs.Jobs;
import atomstudio.app.runtime.Home;
import atomstudio.app.subjects.SubjectPageViewModel;
import java.util.List;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/// What the window's pages do with an image of the gallery or a file.
final class WindowImageActions implements LargeImageViewModel.ImageActions {
    private static final int VARIATIONS = 4;
    private static final double VARIATION_STRENGTH = 0.6;

    private final Jobs jobs;
    private final WindowViewModel window;

    WindowImageActions(Jobs jobs, WindowViewModel window) {
        this.jobs = jobs;
        this.window = window;
    }

    @Override
    public List<List<GalleryImage>> rows() {
        if (window.page().get() instanceof WindowPage.SubjectPage(SubjectPageViewModel subject))
            return subject.compare().imageRows();
        return window.shownGenerate().map(page -> List.of(page.row().shownImages())).orElse(List.of());
    }

    @Override
    public void useAsSource(GalleryImage image) {
        if (window.shownGenerate().isEmpty()) window.openGenerate();
        window.shownGenerate().ifPresent(page -> page.source().setImage(image));
    }

    @Override
    public void restoreSettings(GalleryImage image) {
        restore(image, page -> {});
    }

    /// @param then gets the page with the settings
    private void restore(GalleryImage image, Consumer<GenerateViewModel> then) {
        jobs.start(text("window.reading", image.file()),
                cancellation -> PngInfo.of(image, new Home(window.home()).adapters()),
                info -> info.ifPresent(found -> then.accept(restore(found))), window.notices()::showError);
    }

    /// Opens the page with the settings.
    GenerateViewModel restore(PngInfo info) {
        PngInfoRestorer.RestoreResult result = new PngInfoRestorer(window.models(), window.subjects().pages(),
                window.generate()).restore(info);
        result.page().ifPresentOrElse(subject -> {
            subject.openTab(SubjectPageViewModel.PageTab.COMPARE);
            window.open(subject);
        }, window::openGenerate);
        GenerateViewModel page = result.page().map(SubjectPageViewModel::generate).orElse(window.generate());
        page.batches().showMessage(result.message());
        return page;
    }

    @Override
    public void generateVariations(GalleryImage image) {
        restore(image, page -> page.source().setImage(image, () -> {
            long first = RandomGenerator.getDefault().nextLong(0, 1L << 31);
            page.source().setDenoisingStrength(VARIATION_STRENGTH);
            page.updateSettings(now -> now.withSeeds(new ImageSettings.Seeds(first, VARIATIONS)));
            page.generate();
        }));
    }
}
