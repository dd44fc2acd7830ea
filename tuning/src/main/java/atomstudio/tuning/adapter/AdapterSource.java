package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFormat;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.PngAttachment;
import atomstudio.diffusion.image.PngText;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.diffusion.tensor.TensorInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What can be applied to a model: an adapter of ours, an embedding that any program trained, or another program's
/// adapter.
public sealed interface AdapterSource permits AdapterFile, EmbeddingFile, ExternalAdapter {
    /// Longest file that a saved picture carries along.
    int MAX_ATTACHMENT_BYTES = 24 << 10;

    /// An adapter as it lies in a file, or in a picture that was made with it.
    /// @param name     of the file, without its extension
    /// @param recordedWeight how strongly it was applied to the picture that carries it
    record NamedAdapter(String name, AdapterSource source, Optional<Infotext.AdapterEntry> recordedWeight) {}

    /// The adapter of a file, with the embeddings that may lie beside it, or all that a saved picture carries.
    /// @throws Failure.Unreadable when it is missing, damaged, no adapter that can be read here, or a picture without
    ///     any
    static List<NamedAdapter> read(Path path) throws Failure {
        if (isImage(path)) return inImage(path);
        try (TensorFile tensors = TensorFile.open(path)) {
            return fromTensors(tensors, stem(path), Optional.empty());
        }
    }

    private static List<NamedAdapter> fromTensors(TensorFile tensors, String name,
            Optional<Infotext.AdapterEntry> recordedWeight) throws Failure {
        List<NamedAdapter> embeddings = new ArrayList<>();
        for (TensorInfo info : tensors.tensors().values()) {
            Optional<String> token = AdapterFile.matches(tensors) ? Optional.empty() : BundledEmbeddings.token(info);
            if (token.isPresent())
                embeddings.add(
                        new NamedAdapter(token.get(), EmbeddingFile.of(tensors, info, token.get()), recordedWeight));
        }
        if (ExternalAdapter.matches(tensors)) {
            embeddings.addFirst(new NamedAdapter(name, ExternalAdapter.of(tensors), recordedWeight));
            return embeddings;
        }
        boolean onlyEmbeddings = tensors.tensors()
                .values()
                .stream()
                .allMatch(info -> BundledEmbeddings.token(info).isPresent() || BundledEmbeddings.isTokenIds(info));
        if (onlyEmbeddings && !embeddings.isEmpty() && !EmbeddingFile.matches(tensors)) return embeddings;
        return List.of(new NamedAdapter(name,
                EmbeddingFile.matches(tensors) ? EmbeddingFile.of(tensors, name) : AdapterFormat.read(tensors),
                recordedWeight));
    }

    private static boolean isImage(Path path) throws Failure {
        return Files.isRegularFile(path) && (ImageFormat.PNG.matches(path) || ImageFormat.WEBP.matches(path));
    }

    private static String stem(Path path) {
        return path.getFileName().toString().replaceFirst("(?i)\\.(safetensors|pt|bin|ckpt|pth|png|webp)$", "");
    }

    private static List<NamedAdapter> inImage(Path image) throws Failure {
        List<NamedAdapter> found = fromImage(image);
        if (!found.isEmpty()) return found;
        throw new Failure.Unreadable(image
                + ": expected a picture that carries its adapter, found one without; pictures made with small adapters (up to "
                + (MAX_ATTACHMENT_BYTES >> 10)
                + " KB) carry them, and so do the embeddings that A1111 keeps in PNG and lossless WebP");
    }

    /// What a picture carries: its adapters, or the embedding that A1111 keeps in it; empty for one that carries
    /// nothing.
    /// @param image PNG or WebP
    /// @throws Failure.Unreadable when the picture or what it carries is damaged
    static List<NamedAdapter> fromImage(Path image) throws Failure {
        List<PngAttachment> attachments = ImageFormat.PNG.matches(image) ? PngAttachment.read(image) : List.of();
        if (attachments.isEmpty()) {
            return EmbeddingImage.read(image, stem(image))
                    .map(embedding -> new NamedAdapter(embedding.word(), embedding, Optional.empty()))
                    .stream()
                    .toList();
        }
        PngText text = PngText.of(image);
        if (!text.damaged().isEmpty())
            throw new Failure.Unreadable(text.damaged().getFirst()
                    + ". The file was changed since it was written; get it again from where it came.");
        List<Infotext.AdapterEntry> strengths = Infotext.parse(text.texts().getOrDefault(Infotext.PNG_KEYWORD, ""))
                .adapters();
        List<NamedAdapter> found = new ArrayList<>();
        for (PngAttachment attachment : attachments) {
            Path label = image.resolveSibling(image.getFileName() + " (" + attachment.name() + ")");
            Optional<Infotext.AdapterEntry> recordedWeight = strengths.stream()
                    .filter(one -> one.name().equals(attachment.name()))
                    .findFirst();
            try (SafetensorsFile tensors = SafetensorsFile.of(label, attachment.content())) {
                found.addAll(fromTensors(tensors, attachment.name(), recordedWeight));
            }
        }
        return found;
    }

    /// For an engine.
    /// @throws Failure.Incompatible when it does not fit the model
    Adapter toAdapter(String name, DiffusionModel model) throws Failure;

    /// @throws Failure.Incompatible that says what does not fit
    void requireFits(DiffusionModel model) throws Failure;

    /// What of it a model has no place for, so that it is used without; told wherever it is used.
    default List<String> warnings(DiffusionModel model) throws Failure {
        return List.of();
    }

    /// The words that it answers to; empty where nobody knows.
    String triggerWords();

    /// The word among them that a prompt has to say; empty where there is none.
    String triggerWord();

    /// The bytes of its file in this precision.
    byte[] bytes(DType dtype);

    /// What a picture carries along: all of it, in half precision where that keeps it small; empty where it is too
    /// large.
    default Optional<byte[]> inImage() {
        for (DType dtype : List.of(DType.F32, DType.F16)) {
            if (parameterCount() * dtype.bytes() > MAX_ATTACHMENT_BYTES) continue;
            byte[] bytes = bytes(dtype);
            if (bytes.length <= MAX_ATTACHMENT_BYTES) return Optional.of(bytes);
        }
        return Optional.empty();
    }

    /// Numbers in all of it.
    long parameterCount();
}
