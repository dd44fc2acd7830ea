package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.picture.ImageFiles;
import atomstudio.diffusion.picture.Infotext;
import atomstudio.diffusion.picture.PngAttachment;
import atomstudio.diffusion.picture.PngText;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.diffusion.tensor.TensorInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What can be applied to a model: an adapter of ours, an embedding that any program trained, or another program's adapter.
public sealed interface AdapterSource permits AdapterFile, EmbeddingFile, ForeignAdapter {
    /// Longest file that a saved picture carries along.
    int MOST_IN_A_PICTURE = 24 << 10;

    /// An adapter as it lies in a file, or in a picture that was made with it.
    /// @param name     of the file, without its extension
    /// @param made how strongly it was applied to the picture that carries it
    record Found(String name, AdapterSource source, Optional<Infotext.AdapterEntry> made) {}

    /// The adapter of a file, with the embeddings that may lie beside it, or all that a saved picture carries.
    /// @throws Failure.Unreadable when it is missing, damaged, no adapter that can be read here, or a picture without any
    static List<Found> read(Path place) throws Failure {
        if (isPicture(place)) return inPicture(place);
        try (TensorFile tensors = TensorFile.open(place)) {
            return in(tensors, stem(place), Optional.empty());
        }
    }

    private static List<Found> in(TensorFile tensors, String name, Optional<Infotext.AdapterEntry> made) throws Failure {
        List<Found> words = new ArrayList<>();
        for (TensorInfo info : tensors.tensors().values()) {
            Optional<String> word = AdapterFile.recognizes(tensors) ? Optional.empty() : BundledEmbeddings.word(info);
            if (word.isPresent()) words.add(new Found(word.get(), EmbeddingFile.of(tensors, info, word.get()), made));
        }
        if (ForeignAdapter.recognizes(tensors)) {
            words.addFirst(new Found(name, ForeignAdapter.of(tensors), made));
            return words;
        }
        boolean alone = tensors.tensors().values().stream().allMatch(info -> BundledEmbeddings.word(info).isPresent() || BundledEmbeddings.ids(info));
        if (alone && !words.isEmpty() && !EmbeddingFile.recognizes(tensors)) return words;
        return List.of(new Found(name, EmbeddingFile.recognizes(tensors) ? EmbeddingFile.of(tensors, name) : AdapterFormat.read(tensors), made));
    }

    private static boolean isPicture(Path place) throws Failure {
        return Files.isRegularFile(place) && (ImageFiles.isPng(place) || ImageFiles.webp(place));
    }

    private static String stem(Path place) {
        return place.getFileName().toString().replaceFirst("(?i)\\.(safetensors|pt|bin|ckpt|pth|png|webp)$", "");
    }

    private static List<Found> inPicture(Path picture) throws Failure {
        List<Found> found = carried(picture);
        if (!found.isEmpty()) return found;
        throw new Failure.Unreadable(picture + ": expected a picture that carries its adapter, found one without; pictures made with small adapters (up to " + (MOST_IN_A_PICTURE >> 10)
                + " KB) carry them, and so do the embeddings that A1111 keeps in PNG and lossless WebP");
    }

    /// What a picture carries: its adapters, or the embedding that A1111 keeps in it; empty for one that carries nothing.
    /// @param picture PNG or WebP
    /// @throws Failure.Unreadable when the picture or what it carries is damaged
    static List<Found> carried(Path picture) throws Failure {
        List<PngAttachment> attachments = ImageFiles.isPng(picture) ? PngAttachment.read(picture) : List.of();
        if (attachments.isEmpty()) {
            return EmbeddingPicture.read(picture, stem(picture)).map(embedding -> new Found(embedding.word(), embedding, Optional.empty())).stream().toList();
        }
        PngText text = PngText.of(picture);
        if (!text.damaged().isEmpty()) throw new Failure.Unreadable(text.damaged().getFirst() + ". The file was changed since it was written; get it again from where it came.");
        List<Infotext.AdapterEntry> strengths = Infotext.parse(text.texts().getOrDefault(Infotext.PNG_KEYWORD, "")).adapters();
        List<Found> found = new ArrayList<>();
        for (PngAttachment attachment : attachments) {
            Path where = picture.resolveSibling(picture.getFileName() + " (" + attachment.name() + ")");
            Optional<Infotext.AdapterEntry> made = strengths.stream().filter(one -> one.name().equals(attachment.name())).findFirst();
            try (SafetensorsFile tensors = SafetensorsFile.of(where, attachment.content())) {
                found.addAll(in(tensors, attachment.name(), made));
            }
        }
        return found;
    }

    /// For an engine.
    /// @throws Failure.Incompatible when it does not fit the model
    Adapter adapter(String name, DiffusionModel model) throws Failure;

    /// @throws Failure.Incompatible that says what does not fit
    void check(DiffusionModel model) throws Failure;

    /// What of it a model has no place for, so that it is used without; told wherever it is used.
    default List<String> notes(DiffusionModel model) throws Failure {
        return List.of();
    }

    /// The words that it answers to; empty where nobody knows.
    String words();

    /// The word among them that a prompt has to say; empty where there is none.
    String token();

    /// The bytes of its file in this precision.
    byte[] bytes(DType dtype);

    /// What a picture carries along: all of it, in half precision where that keeps it small; empty where it is too large.
    default Optional<byte[]> inPicture() {
        for (DType dtype : List.of(DType.F32, DType.F16)) {
            if (numbers() * dtype.bytes() > MOST_IN_A_PICTURE) continue;
            byte[] bytes = bytes(dtype);
            if (bytes.length <= MOST_IN_A_PICTURE) return Optional.of(bytes);
        }
        return Optional.empty();
    }

    /// Numbers in all of it.
    long numbers();
}
