package atomstudio.app.window;

import atomstudio.app.gallery.GalleryImage;
import atomstudio.app.gallery.LargeImageViewModel;
import atomstudio.app.generate.ImageSettings;
import atomstudio.app.subjects.SubjectPageViewModel;
import java.util.List;
import java.util.random.RandomGenerator;

/// What the window's pages do with an image of the gallery.
final class WindowImageActions implements LargeImageViewModel.ImageActions {
    private static final int VARIATIONS = 4;
    private static final double VARIATION_STRENGTH = 0.6;

    private final WindowViewModel window;

    WindowImageActions(WindowViewModel window) {
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
        window.restore(image, page -> {});
    }

    @Override
    public void generateVariations(GalleryImage image) {
        window.restore(image, page -> page.source().setImage(image, () -> {
            long first = RandomGenerator.getDefault().nextLong(0, 1L << 31);
            page.source().setDenoisingStrength(VARIATION_STRENGTH);
            page.updateSettings(now -> now.withSeeds(new ImageSettings.Seeds(first, VARIATIONS)));
            page.generate();
        }));
    }
}
