package atomstudio.app.benchmark;

import atomstudio.app.benchmark.BenchmarkFolder.RunResult;
import atomstudio.tuning.measure.ClipEmbedding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/// The scores of a finished run, computed from its embeddings.
/// @param scores  by metric; one that cannot be measured is missing
/// @param ceiling of DINO and CLIP-I between the photos themselves; missing with a single photo
/// @param images  prompt by prompt
record RunScores(BenchmarkRun run, RunResult result, Map<Metric, Score> scores, Map<Metric, Score> ceiling,
        List<ImageScores> images) {
    /// Source: Ruiz et al. 2022, "DreamBooth", section 4.1 (DINO, CLIP-I, CLIP-T); diversity by the image encoder
    /// instead of LPIPS.
    enum Metric {
        DINO("dino", "DINO"), CLIP_I("clip_i", "CLIP-I"), CLIP_T("clip_t", "CLIP-T"),
        DIVERSITY("diversity", "diversity"), COPY_RATE("copy_rate", "copy rate");

        private final String column;
        private final String title;

        Metric(String column, String title) {
            this.column = column;
            this.title = title;
        }

        String column() {
            return column;
        }

        String title() {
            return title;
        }
    }

    /// @param pairs that the mean is over
    record Score(double mean, int pairs) {
        static Score of(double[] values) {
            return new Score(Arrays.stream(values).average().orElseThrow(), values.length);
        }
    }

    /// The scores of one image.
    record ImageScores(int prompt, int seed, OptionalDouble dino, double clipI, OptionalDouble clipT) {}

    static RunScores of(BenchmarkRun run, RunResult result, RunEmbeddings embeddings, BenchmarkSettings settings) {
        Map<Metric, Score> scores = new EnumMap<>(Metric.class);
        Map<Metric, Score> ceiling = new EnumMap<>(Metric.class);
        EncoderRows clip = EncoderRows.of(embeddings, RunEmbeddings.CLIP);
        EncoderRows copied = clip;
        scores.put(Metric.CLIP_I, Score.of(clip.likeness()));
        clip.addCeiling(Metric.CLIP_I, ceiling);
        boolean hasDino = embeddings.has(RunEmbeddings.images(settings.protocol().dinoTensor()));
        EncoderRows dino = hasDino ? EncoderRows.of(embeddings, settings.protocol().dinoTensor()) : clip;
        if (hasDino) {
            scores.put(Metric.DINO, Score.of(dino.likeness()));
            dino.addCeiling(Metric.DINO, ceiling);
            copied = dino;
        }
        double[] alignment = embeddings.has(RunEmbeddings.TEXTS)
                ? alignment(clip.images, embeddings.get(RunEmbeddings.TEXTS), settings.images())
                : new double[0];
        if (alignment.length > 0) scores.put(Metric.CLIP_T, Score.of(alignment));
        if (settings.images() > 1) scores.put(Metric.DIVERSITY, Score.of(diversity(clip.images, settings.images())));
        if (copied.photos.size() > 1) scores.put(Metric.COPY_RATE, Score.of(copied.copies()));
        List<ImageScores> images = new ArrayList<>();
        for (int i = 0; i < clip.images.size(); i++)
            images.add(new ImageScores(i / settings.images(), i % settings.images(),
                    hasDino ? OptionalDouble.of(dino.meanLikeness(i)) : OptionalDouble.empty(), clip.meanLikeness(i),
                    alignment.length > 0 ? OptionalDouble.of(alignment[i]) : OptionalDouble.empty()));
        return new RunScores(run, result, scores, ceiling, images);
    }

    private static double[] alignment(List<ClipEmbedding> images, List<ClipEmbedding> texts, int imagesPerPrompt) {
        double[] cosines = new double[images.size()];
        for (int i = 0; i < cosines.length; i++) cosines[i] = images.get(i).cosine(texts.get(i / imagesPerPrompt));
        return cosines;
    }

    /// 1 − cosine of all pairs of images of a prompt.
    private static double[] diversity(List<ClipEmbedding> images, int imagesPerPrompt) {
        List<Double> distances = new ArrayList<>();
        for (int first = 0; first < images.size(); first += imagesPerPrompt)
            for (int i = first; i < first + imagesPerPrompt; i++)
                for (int k = i + 1; k < first + imagesPerPrompt; k++)
                    distances.add(1 - images.get(i).cosine(images.get(k)));
        return distances.stream().mapToDouble(Double::doubleValue).toArray();
    }

    /// The photos and images by one encoder.
    private record EncoderRows(List<ClipEmbedding> photos, List<ClipEmbedding> images) {
        static EncoderRows of(RunEmbeddings embeddings, String encoder) {
            return new EncoderRows(embeddings.get(RunEmbeddings.photos(encoder)),
                    embeddings.get(RunEmbeddings.images(encoder)));
        }

        /// The cosine of every image with every photo.
        double[] likeness() {
            return images.stream()
                    .flatMapToDouble(image -> photos.stream().mapToDouble(image::cosine))
                    .toArray();
        }

        double meanLikeness(int image) {
            return photos.stream().mapToDouble(images.get(image)::cosine).average().orElseThrow();
        }

        private double[] photoPairs() {
            List<Double> cosines = new ArrayList<>();
            for (int i = 0; i < photos.size(); i++)
                for (int k = i + 1; k < photos.size(); k++) cosines.add(photos.get(i).cosine(photos.get(k)));
            return cosines.stream().mapToDouble(Double::doubleValue).toArray();
        }

        void addCeiling(Metric metric, Map<Metric, Score> ceiling) {
            if (photos.size() > 1) ceiling.put(metric, Score.of(photoPairs()));
        }

        /// 1 for an image that is closer to a photo than any two photos are to each other, else 0.
        double[] copies() {
            double closestPair = Arrays.stream(photoPairs()).max().orElseThrow();
            return images.stream()
                    .mapToDouble(image -> photos.stream().anyMatch(photo -> image.cosine(photo) > closestPair) ? 1 : 0)
                    .toArray();
        }
    }
}
