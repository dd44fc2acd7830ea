package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.Resampling;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.net.ClipVisionModel;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The CLIP image encoder of a model, for embeddings of images; weights are mapped by its [NetworkFile].
public record ImageEncoder(NetworkFile<ClipVisionModel> file, Source source, String modelName,
        ImageProcessor processor) {
    /// The folder of the encoder. Only `image_encoder` is known to share its embedding space with the model's text
    /// projection.
    public enum Source {
        IMAGE_ENCODER("image_encoder"), SAFETY_CHECKER("safety_checker");

        private final String folder;

        Source(String folder) {
            this.folder = folder;
        }
    }

    static Optional<ImageEncoder> of(DiffusionModel model) throws Failure {
        for (Source source : Source.values()) {
            Path folder = model.path().resolve(source.folder);
            if (Files.isDirectory(folder)) return Optional.of(read(folder, source, model));
        }
        return Optional.empty();
    }

    /// The image encoder of the model's safety checker, which must exist.
    static ImageEncoder ofSafetyChecker(DiffusionModel model) throws Failure {
        return read(model.path().resolve(Source.SAFETY_CHECKER.folder), Source.SAFETY_CHECKER, model);
    }

    private static ImageEncoder read(Path folder, Source source, DiffusionModel model) throws Failure {
        ModelConfig config = ModelConfig.read(folder.resolve("config.json"));
        ClipVisionModel network = switch (source) {
            case IMAGE_ENCODER -> NetworkFactory.imageEncoder(config, config.positiveInteger("projection_dim", 512));
            case SAFETY_CHECKER ->
                    NetworkFactory.imageEncoder(visionConfig(config), config.positiveInteger("projection_dim", 512));
        };
        ImageProcessor processor = ImageProcessor.read(
                model.path().resolve("feature_extractor").resolve("preprocessor_config.json"),
                network.patches().imageSize());
        return new ImageEncoder(
                new NetworkFile<>(network, WeightLocation.inFolder(network.component().kind(), folder)), source,
                model.name(), processor);
    }

    /// The vision part of a CLIPConfig; as in transformers, the older key `vision_config_dict` takes precedence.
    private static ModelConfig visionConfig(ModelConfig config) throws Failure {
        JsonObject vision = config.section("vision_config").json().deepCopy();
        config.section("vision_config_dict")
                .json()
                .entrySet()
                .forEach(entry -> vision.add(entry.getKey(), entry.getValue()));
        return new ModelConfig(config.file(), vision);
    }

    /// The name of the encoder, shown next to the metrics computed with it.
    public String description() {
        return source.folder + " of " + modelName;
    }

    public ClipVisionModel network() {
        return file.network();
    }

    /// Preprocesses images for CLIP: resize of the shorter side, centre crop, normalization.
    /// Source: transformers, CLIPImageProcessor with Pillow.
    /// @param shortestEdge target length of the shorter side, in pixels
    /// @param cropSize side of the cropped square, in pixels
    public record ImageProcessor(int shortestEdge, int cropSize, Resampling resampling, Normalization normalization) {
        /// Mean and standard deviation per channel, in 0..1.
        public record Normalization(List<Double> mean, List<Double> std) {
            private static final Normalization CLIP = new Normalization(List.of(0.48145466, 0.4578275, 0.40821073),
                    List.of(0.26862954, 0.26130258, 0.27577711));

            public Normalization {
                mean = List.copyOf(mean);
                std = List.copyOf(std);
            }
        }

        private static final int BILINEAR = 2;
        private static final int BICUBIC = 3;
        private static final int LANCZOS = 1;

        /// Reads `preprocessor_config.json`; CLIP's defaults if it does not exist.
        /// @param imageSize side of the encoder's input, in pixels
        static ImageProcessor read(Path file, int imageSize) throws Failure {
            if (!Files.exists(file))
                return new ImageProcessor(imageSize, imageSize, Resampling.BICUBIC, Normalization.CLIP);
            ModelConfig config = ModelConfig.read(file);
            for (String step : List.of("do_resize", "do_center_crop", "do_rescale", "do_normalize"))
                config.requireSupported(step, new JsonPrimitive(true));
            int croppedSize = uniformSize(config, "crop_size", List.of("height", "width"), imageSize);
            int resizedEdge = uniformSize(config, "size", List.of("shortest_edge"), imageSize);
            if (croppedSize != imageSize)
                throw new Failure.Incompatible(file + ": crop_size = " + croppedSize
                        + ", but the image encoder expects images of " + imageSize + "x" + imageSize);
            if (resizedEdge < croppedSize)
                throw new Failure.Incompatible(
                        file + ": size = " + resizedEdge + " is smaller than crop_size = " + croppedSize);
            Normalization meanAndStd = new Normalization(config.numbers("image_mean", Normalization.CLIP.mean),
                    config.numbers("image_std", Normalization.CLIP.std));
            return new ImageProcessor(resizedEdge, croppedSize, resampling(config), meanAndStd);
        }

        private static Resampling resampling(ModelConfig config) throws Failure {
            return switch (config.integer("resample", BICUBIC)) {
                case BICUBIC -> Resampling.BICUBIC;
                case BILINEAR -> Resampling.BILINEAR;
                case LANCZOS -> Resampling.LANCZOS;
                default ->
                        throw new Failure.Incompatible(config.file() + ": resample = " + config.json().get("resample")
                                + " is not supported; 1 (Lanczos), 2 (bilinear) and 3 (bicubic) are");
            };
        }

        /// An integer, or an object whose entries are equal.
        private static int uniformSize(ModelConfig config, String key, List<String> keys, int defaultValue)
                throws Failure {
            if (!config.has(key) || !config.json().get(key).isJsonObject())
                return config.positiveInteger(key, defaultValue);
            ModelConfig sides = config.section(key);
            int first = sides.positiveInteger(keys.getFirst(), defaultValue);
            for (String name : keys) {
                if (!sides.has(name) || sides.positiveInteger(name, defaultValue) != first)
                    throw config.invalid(key, "equal " + String.join(" and ", keys), config.json().get(key));
            }
            return first;
        }

        /// The encoder's input (1, 3, cropSize, cropSize); transparent pixels are composited over mid grey.
        public Tensor preprocess(RgbImage image) {
            int shorterSide = Math.min(image.width(), image.height());
            int width = (int) ((long) shortestEdge * image.width() / shorterSide);
            int height = (int) ((long) shortestEdge * image.height() / shorterSide);
            RgbImage resized = image.resize(width, height, resampling);
            RgbImage cropped = resized.crop((width - cropSize) / 2, (height - cropSize) / 2, cropSize, cropSize);
            int plane = cropSize * cropSize;
            float[] data = new float[3 * plane];
            for (int channel = 0; channel < 3; channel++) {
                float mean = normalization.mean.get(channel).floatValue();
                float std = normalization.std.get(channel).floatValue();
                int shift = 16 - 8 * channel;
                for (int i = 0; i < plane; i++)
                    data[channel * plane + i] = ((float) ((cropped.argb()[i] >> shift & 0xFF) / 255.0) - mean) / std;
            }
            return new Tensor(Shape.of(1, 3, cropSize, cropSize), data);
        }
    }
}
