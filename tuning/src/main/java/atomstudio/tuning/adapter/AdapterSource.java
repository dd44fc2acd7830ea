package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.WeightedAdapter;
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

/// An adapter that can be applied to a model: Atom Studio's own, an embedding, or an adapter of another program.
public sealed interface AdapterSource permits AdapterFile, EmbeddingFile, ExternalAdapter {
    /// Size limit of an adapter embedded in a generated image.
    int MAX_ATTACHMENT_BYTES = 24 << 10;

    /// An adapter read from a file, or from an image generated with it.
    /// @param name           the file name without extension
    /// @param recordedWeight the adapter weight with which that image was generated
    /// @param fileHash       of a file that is one adapter, as [TensorFile#contentHash]
    record NamedAdapter(String name, AdapterSource source, Optional<Infotext.AdapterEntry> recordedWeight,
            Optional<String> fileHash) {
        NamedAdapter(String name, AdapterSource source, Optional<Infotext.AdapterEntry> recordedWeight) {
            this(name, source, recordedWeight, Optional.empty());
        }
    }

    /// Reads the adapter of a file and the embeddings bundled with it, or all adapters in a generated image.
    /// @throws Failure.Unreadable if the file is missing, damaged, no supported adapter, or an image without adapters
    static List<NamedAdapter> read(Path path) throws Failure {
        if (isImage(path)) return inImage(path);
        try (TensorFile tensors = TensorFile.open(path)) {
            return fromTensors(tensors, stem(path), Optional.empty());
        }
    }

    /// Whether an open file contains an adapter or an embedding.
    static boolean matches(TensorFile file) {
        return AdapterFile.matches(file) || EmbeddingFile.matches(file) || ExternalAdapter.matches(file);
    }

    /// Checks the tensors of a file that may contain an adapter.
    /// @throws Failure.Unreadable if it contains one that is damaged, or two of one layer
    static void requireValid(TensorFile file) throws Failure {
        if (AdapterFile.matches(file)) AdapterFormat.read(file);
        else if (ExternalAdapter.matches(file)) ExternalAdapter.requireValid(file);
        else if (EmbeddingFile.matches(file)) EmbeddingFile.of(file, stem(file.file()));
    }

    /// The adapters of a file for an engine, all with one weight.
    /// @throws Failure.Incompatible if one does not fit the model
    static List<WeightedAdapter> weighted(Path path, double weight, DiffusionModel model) throws Failure {
        List<WeightedAdapter> adapters = new ArrayList<>();
        for (NamedAdapter found : read(path)) {
            found.source().requireFits(model);
            adapters.add(new WeightedAdapter(found.source().toAdapter(found.name(), model), weight));
        }
        return adapters;
    }

    private static List<NamedAdapter> fromTensors(TensorFile tensors, String name,
            Optional<Infotext.AdapterEntry> recordedWeight) throws Failure {
        List<NamedAdapter> embeddings = new ArrayList<>();
        for (TensorInfo info : tensors.tensors().values()) {
            Optional<String> token = AdapterFile.matches(tensors) ? Optional.empty() : BundledEmbeddings.token(info);
            if (token.isEmpty()) continue;
            EmbeddingFile embedding = EmbeddingFile.of(tensors, info, token.get());
            embeddings.add(new NamedAdapter(token.get(), embedding, recordedWeight));
        }
        if (ExternalAdapter.matches(tensors)) {
            embeddings.addFirst(new NamedAdapter(name, ExternalAdapter.of(tensors), recordedWeight,
                    Optional.of(tensors.contentHash())));
            return embeddings;
        }
        boolean onlyEmbeddings = tensors.tensors()
                .values()
                .stream()
                .allMatch(info -> BundledEmbeddings.token(info).isPresent() || BundledEmbeddings.isTokenIds(info));
        if (onlyEmbeddings && !embeddings.isEmpty() && !EmbeddingFile.matches(tensors)) return embeddings;
        AdapterSource source = EmbeddingFile.matches(tensors) ? EmbeddingFile.of(tensors, name)
                : AdapterFormat.read(tensors);
        return List.of(new NamedAdapter(name, source, recordedWeight,
                source instanceof EmbeddingFile ? Optional.empty() : Optional.of(tensors.contentHash())));
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
                + ": expected an image that contains an adapter, found none; generated images "
                + "contain adapters of up to "
                + (MAX_ATTACHMENT_BYTES >> 10)
                + " KB, and A1111 stores embeddings in PNG and lossless WebP");
    }

    /// The adapters in an image, or the embedding that A1111 stored in it; may be empty.
    /// @param image PNG or WebP
    /// @throws Failure.Unreadable if the image or its content is damaged
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
                    + ". The file was modified; get the original again.");
        String infotext = text.texts().getOrDefault(Infotext.PNG_KEYWORD, "");
        List<Infotext.AdapterEntry> entries = Infotext.parse(infotext).adapters();
        List<NamedAdapter> found = new ArrayList<>();
        for (PngAttachment attachment : attachments) {
            Path label = image.resolveSibling(image.getFileName() + " (" + attachment.name() + ")");
            Optional<Infotext.AdapterEntry> recordedWeight = entries.stream()
                    .filter(entry -> entry.name().equals(attachment.name()))
                    .findFirst();
            try (SafetensorsFile tensors = SafetensorsFile.of(label, attachment.content())) {
                found.addAll(fromTensors(tensors, attachment.name(), recordedWeight));
            }
        }
        return found;
    }

    /// The adapter for an engine.
    /// @throws Failure.Incompatible if it does not fit the model
    Adapter toAdapter(String name, DiffusionModel model) throws Failure;

    /// @throws Failure.Incompatible that names what does not fit
    void requireFits(DiffusionModel model) throws Failure;

    /// Warnings about tensors that are ignored for this model.
    default List<String> warnings(DiffusionModel model) throws Failure {
        return List.of();
    }

    /// The trigger words; empty if unknown.
    String triggerWords();

    /// The trigger word that a prompt must contain; empty if there is none.
    String triggerWord();

    /// The bytes of a file with its tensors in this precision.
    byte[] toBytes(DType dtype);

    /// The file to embed in generated images, in half precision if it is too large in single precision; empty if it is
    /// too large in both.
    default Optional<byte[]> toAttachment() {
        for (DType dtype : List.of(DType.F32, DType.F16)) {
            if (parameterCount() * dtype.bytes() > MAX_ATTACHMENT_BYTES) continue;
            byte[] bytes = toBytes(dtype);
            if (bytes.length <= MAX_ATTACHMENT_BYTES) return Optional.of(bytes);
        }
        return Optional.empty();
    }

    /// Elements of all its tensors.
    long parameterCount();
}
