package atomstudio.app.benchmark;

import atomstudio.app.pipeline.ImageGenerator;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.data.PhotoFiles;
import atomstudio.tuning.measure.ClipEmbedding;
import atomstudio.tuning.measure.ClipMetrics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The encoders of a benchmark: the model's CLIP, and DINO where it is given. One thread at a time.
final class BenchmarkEncoders implements AutoCloseable {
    private final ClipMetrics clip;
    private final @Nullable DinoEncoder dino;

    private BenchmarkEncoders(ClipMetrics clip, @Nullable DinoEncoder dino) {
        this.clip = clip;
        this.dino = dino;
    }

    /// @param generator owns the CLIP encoders
    static BenchmarkEncoders open(ImageGenerator generator, BenchmarkSettings settings, Device device)
            throws Failure {
        ClipMetrics clip = generator.clipMetrics()
                .orElseThrow(() -> new Failure.Incompatible(settings.model()
                        + ": a benchmark needs a model with a CLIP image encoder (image_encoder or safety_checker)"));
        return new BenchmarkEncoders(clip,
                settings.dino().isPresent() ? DinoEncoder.open(settings.dino().get(), device) : null);
    }

    /// @param photos folder of the subject's photos
    /// @param images prompt by prompt
    /// @param texts  the prompts with the class
    record Input(Path photos, List<RgbImage> images, List<String> texts) {}

    String clipName() {
        return clip.encoderName();
    }

    RunEmbeddings embed(Input input) throws Failure {
        List<RgbImage> photos = new ArrayList<>();
        for (Path file : PhotoFiles.of(input.photos).photos()) photos.add(ImageFiles.read(file));
        Map<String, List<ClipEmbedding>> embeddings = new TreeMap<>();
        embeddings.put(RunEmbeddings.photos(RunEmbeddings.CLIP), clip.embedImages(photos));
        embeddings.put(RunEmbeddings.images(RunEmbeddings.CLIP), clip.embedImages(input.images));
        List<ClipEmbedding> texts = new ArrayList<>();
        for (String text : input.texts) {
            Optional<ClipEmbedding> embedding = clip.embedPrompt(text);
            embedding.ifPresent(texts::add);
        }
        if (!texts.isEmpty()) embeddings.put(RunEmbeddings.TEXTS, texts);
        if (dino != null) {
            for (BenchmarkProtocol protocol : BenchmarkProtocol.values()) {
                String name = protocol.dinoTensor();
                embeddings.put(RunEmbeddings.photos(name), dino.embed(photos, protocol));
                embeddings.put(RunEmbeddings.images(name), dino.embed(input.images, protocol));
            }
        }
        return new RunEmbeddings(embeddings);
    }

    @Override
    public void close() {
        if (dino != null) dino.close();
    }
}
