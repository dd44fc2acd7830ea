package atomstudio.app.gallery;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.jobs.Jobs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import javafx.beans.property.ReadOnlyObjectProperty;
import javafx.beans.property.ReadOnlyObjectWrapper;
import javafx.beans.property.ReadOnlyStringProperty;
import javafx.beans.property.ReadOnlyStringWrapper;
import javafx.collections.FXCollections;
import javafx.collections.ObservableList;
import javafx.collections.transformation.FilteredList;

/// The index of the images folder, newest first, with a filter, stars and deletion. It is read from the files.
public final class GalleryViewModel {
    private static final int MAX_NAMED_FILES = 3;

    private final Jobs jobs;
    private final ImageStore store;
    private final ObservableList<GalleryImage> images = FXCollections.observableArrayList();
    private final ObservableList<GalleryImage> imagesView = FXCollections.unmodifiableObservableList(images);
    private final FilteredList<GalleryImage> shown = new FilteredList<>(images);
    private final ReadOnlyObjectWrapper<GalleryFilter> filter = new ReadOnlyObjectWrapper<>(GalleryFilter.ALL);
    private final ReadOnlyStringWrapper problem = new ReadOnlyStringWrapper("");
    private final ReadOnlyObjectWrapper<Set<Path>> starred = new ReadOnlyObjectWrapper<>(Set.of());
    private final Map<String, GalleryImage> byOrder = new HashMap<>();
    /// Whether all stars are known.
    private boolean loaded;
    private final Deletion deletion;
    private final Thumbnails thumbnails;
    private final Thumbnails largeThumbnails;

    /// Deletes files so that they can be restored.
    @FunctionalInterface
    public interface Deletion {
        /// @param title names what is deleted: `image seed 7`
        /// @param onChanged called after the deletion, and when it is taken back
        void delete(String title, List<Path> files, Runnable onChanged);
    }

    public GalleryViewModel(Jobs jobs, ImageStore store, Deletion deletion) {
        this.jobs = jobs;
        this.store = store;
        this.deletion = deletion;
        thumbnails = new Thumbnails(jobs);
        largeThumbnails = new Thumbnails(jobs, 2 * Thumbnails.SIDE);
    }

    /// Newest first.
    public ObservableList<GalleryImage> images() {
        return imagesView;
    }

    /// The images that pass the filter, newest first.
    public ObservableList<GalleryImage> shown() {
        return shown;
    }

    public ReadOnlyObjectProperty<GalleryFilter> filter() {
        return filter.getReadOnlyProperty();
    }

    /// The files that are starred.
    public ReadOnlyObjectProperty<Set<Path>> starred() {
        return starred.getReadOnlyProperty();
    }

    /// Files of the folder that cannot be shown, or why it cannot be read; empty if none.
    public ReadOnlyStringProperty problem() {
        return problem.getReadOnlyProperty();
    }

    public Thumbnails thumbnails() {
        return thumbnails;
    }

    /// Twice the size.
    public Thumbnails largeThumbnails() {
        return largeThumbnails;
    }

    public ImageStore store() {
        return store;
    }

    /// Reads the folder. Images that were added meanwhile stay.
    public void load() {
        Consumer<List<GalleryImage>> firstImages = jobs.deliverEach(newest -> {
            if (images.isEmpty()) show(new ImageStore.Listing(newest, List.of(), starred.get()));
        });
        jobs.start(text("gallery.reading-the-images"), cancellation -> store.list(firstImages, cancellation),
                listing -> {
                    loaded = true;
                    show(listing);
                }, problem::set);
    }

    private void show(ImageStore.Listing listing) {
        Set<Path> listed = new HashSet<>();
        listing.images().forEach(image -> listed.add(image.file()));
        List<GalleryImage> all = new ArrayList<>(listing.images());
        for (GalleryImage image : images)
            if (!listed.contains(image.file()) && image.unsaved().isPresent()) all.add(image);
        all.sort(Comparator.comparing(GalleryImage::created).reversed());
        starred.set(Set.copyOf(listing.starred()));
        indexOrders(all);
        images.setAll(all);
        problem.set(describe(listing.foreign()));
    }

    private static String describe(List<ImageStore.ForeignFile> files) {
        if (files.isEmpty()) return "";
        List<String> named = files.stream().limit(MAX_NAMED_FILES).map(ImageStore.ForeignFile::reason).toList();
        return text("gallery.in-the-images-folder-cannot-be", count("gallery.files", files.size()),
                String.join("; ", named), (files.size() > named.size() ? "; …" : ""));
    }

    /// Before the list changes, so that its listeners find the new orders.
    private void indexOrders(List<GalleryImage> newestFirst) {
        byOrder.clear();
        // The newest image of an order is put last.
        for (GalleryImage image : newestFirst.reversed())
            if (!image.tags().order().isEmpty()) byOrder.put(image.tags().order(), image);
    }

    /// The newest image of an order.
    public Optional<GalleryImage> find(String order) {
        return Optional.ofNullable(byOrder.get(order));
    }

    public boolean contains(GalleryImage image) {
        GalleryImage found = byOrder.get(image.tags().order());
        return found != null && found.file().equals(image.file())
                || images.stream().anyMatch(one -> one.file().equals(image.file()));
    }

    /// Adds a new image.
    public void add(GalleryImage image) {
        if (!image.tags().order().isEmpty()) byOrder.put(image.tags().order(), image);
        images.removeIf(one -> one.file().equals(image.file()));
        images.addFirst(image);
    }

    public void filter(GalleryFilter changed) {
        filter.set(changed);
        applyFilter();
    }

    private void applyFilter() {
        GalleryFilter now = filter.get();
        Set<Path> stars = starred.get();
        shown.setPredicate(now.equals(GalleryFilter.ALL) ? null
                : image -> now.accepts(image, stars.contains(image.file())));
    }

    /// The groups that have images: all, starred, then subjects and models by name.
    public List<GalleryFilter.Group> groups() {
        List<GalleryFilter.Group> groups = new ArrayList<>(
                List.of(new GalleryFilter.Group.All(), new GalleryFilter.Group.Starred()));
        distinct(image -> image.tags().subject()).forEach(name -> groups.add(new GalleryFilter.Group.OfSubject(name)));
        distinct(GalleryImage::model).forEach(name -> groups.add(new GalleryFilter.Group.OfModel(name)));
        return groups;
    }

    private Set<String> distinct(Function<GalleryImage, String> property) {
        Set<String> values = new TreeSet<>();
        for (GalleryImage image : images) values.add(property.apply(image));
        values.remove("");
        return values;
    }

    public boolean isStarred(GalleryImage image) {
        return starred.get().contains(image.file());
    }

    /// Has no effect before the folder was read, whose other stars would be lost.
    public void toggleStar(GalleryImage image) {
        if (!loaded) return;
        Set<Path> changed = new HashSet<>(starred.get());
        if (!changed.remove(image.file())) changed.add(image.file());
        starred.set(Set.copyOf(changed));
        applyFilter();
        store.setStars(starred.get());
        jobs.start(text("gallery.saving-the-stars"), cancellation -> {
            store.writeStars();
            return store;
        }, saved -> {}, problem::set);
    }

    /// Moves images to the trash.
    public void delete(List<GalleryImage> deleted) {
        if (deleted.isEmpty()) return;
        List<Path> files = deleted.stream().filter(one -> one.unsaved().isEmpty()).map(GalleryImage::file).toList();
        List<GalleryImage> rest = new ArrayList<>(images);
        rest.removeAll(Set.copyOf(deleted));
        indexOrders(rest);
        images.removeAll(Set.copyOf(deleted));
        if (files.isEmpty()) return;
        String title = deleted.size() == 1 ? text("gallery.image", deleted.getFirst().title())
                : count("gallery.images", deleted.size());
        deletion.delete(title, files, this::load);
    }

    /// The distinct prompts of a subject's images, newest first.
    /// @param subject empty: of the images without a subject
    public List<String> prompts(String subject) {
        return images.stream()
                .filter(image -> image.tags().subject().equals(subject))
                .map(GalleryImage::prompt)
                .filter(prompt -> !prompt.isEmpty())
                .distinct()
                .toList();
    }
}
