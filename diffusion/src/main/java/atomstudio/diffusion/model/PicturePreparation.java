package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.Resampling;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonPrimitive;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// How a picture is made ready for CLIP's vision tower: its shorter side scaled, the middle cut out, colours normalised.
/// Source: transformers, CLIPImageProcessor with Pillow.
/// @param shorter pixels that the shorter side is scaled to
/// @param side    of the square that is cut out
public record PicturePreparation(int shorter, int side, Resampling resampling, Colours colours) {
    /// Mean and standard deviation a channel, in 0..1.
    public record Colours(List<Double> mean, List<Double> deviation) {
        private static final Colours CLIP = new Colours(List.of(0.48145466, 0.4578275, 0.40821073), List.of(0.26862954, 0.26130258, 0.27577711));

        public Colours {
            mean = List.copyOf(mean);
            deviation = List.copyOf(deviation);
        }
    }

    private static final int BILINEAR = 2;
    private static final int BICUBIC = 3;
    private static final int LANCZOS = 1;

    /// Reads `preprocessor_config.json`; CLIP's own preparation at the tower's size where there is none.
    /// @param side of the pictures that the tower takes
    static PicturePreparation of(Path file, int side) throws Failure {
        if (!Files.exists(file)) return new PicturePreparation(side, side, Resampling.BICUBIC, Colours.CLIP);
        Config config = Config.read(file);
        for (String step : List.of("do_resize", "do_center_crop", "do_rescale", "do_normalize")) config.expect(step, new JsonPrimitive(true));
        int crop = square(config, "crop_size", List.of("height", "width"), side);
        int shorter = square(config, "size", List.of("shortest_edge"), side);
        if (crop != side) throw new Failure.Incompatible(file + ": crop_size = " + crop + ", but the vision tower takes pictures of " + side + "x" + side);
        if (shorter < crop) throw new Failure.Incompatible(file + ": size = " + shorter + " is smaller than crop_size = " + crop);
        Colours colours = new Colours(config.numbers("image_mean", Colours.CLIP.mean), config.numbers("image_std", Colours.CLIP.deviation));
        return new PicturePreparation(shorter, crop, resampling(config), colours);
    }

    private static Resampling resampling(Config config) throws Failure {
        return switch (config.whole("resample", BICUBIC)) {
            case BICUBIC -> Resampling.BICUBIC;
            case BILINEAR -> Resampling.BILINEAR;
            case LANCZOS -> Resampling.LANCZOS;
            default -> throw new Failure.Incompatible(config.file() + ": resample = " + config.json().get("resample") + " is not supported; 1 (Lanczos), 2 (bilinear) and 3 (bicubic) are");
        };
    }

    /// A whole number, or an object whose named entries are all the same.
    private static int square(Config config, String key, List<String> names, int otherwise) throws Failure {
        if (!config.has(key) || !config.json().get(key).isJsonObject()) return config.positive(key, otherwise);
        Config sides = config.part(key);
        int first = sides.positive(names.getFirst(), otherwise);
        for (String name : names) {
            if (!sides.has(name) || sides.positive(name, otherwise) != first) throw config.wrong(key, "equal " + String.join(" and ", names), config.json().get(key));
        }
        return first;
    }

    /// (1, 3, side, side); transparency over mid grey.
    public Tensor prepare(Picture picture) {
        int smaller = Math.min(picture.width(), picture.height());
        int width = (int) ((long) shorter * picture.width() / smaller);
        int height = (int) ((long) shorter * picture.height() / smaller);
        Picture scaled = picture.resize(width, height, resampling);
        Picture square = scaled.crop((width - side) / 2, (height - side) / 2, side, side);
        int plane = side * side;
        float[] data = new float[3 * plane];
        for (int channel = 0; channel < 3; channel++) {
            float mean = colours.mean.get(channel).floatValue();
            float deviation = colours.deviation.get(channel).floatValue();
            int shift = 16 - 8 * channel;
            for (int i = 0; i < plane; i++) data[channel * plane + i] = ((float) ((square.argb()[i] >> shift & 0xFF) / 255.0) - mean) / deviation;
        }
        return new Tensor(Shape.of(1, 3, side, side), data);
    }
}
