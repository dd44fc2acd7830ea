package atomstudio.app.inspect;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.ImageFormat;
import atomstudio.diffusion.image.PngText;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.adapter.AdapterSource;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;

/// Images: size, text chunks with generation parameters, and stored adapters.
final class ImageInspection {
    private ImageInspection() {}

    static Inspection of(Path file) throws Failure {
        RgbImage image = ImageFiles.read(file);
        JsonObject json = new JsonObject();
        json.addProperty("kind", Inspection.IMAGE_KIND);
        json.addProperty("size", image.width() + "x" + image.height());
        if (!ImageFormat.PNG.matches(file) && !ImageFormat.WEBP.matches(file)) return Inspection.of(json);
        if (!ImageFormat.PNG.matches(file)) {
            addAdapters(file, json);
            return Inspection.of(json);
        }
        PngText text = PngText.of(file);
        text.texts().forEach(json::addProperty);
        if (!text.malformed().isEmpty())
            json.add("texts left out",
                    text.malformed().stream().collect(JsonArray::new, JsonArray::add, JsonArray::addAll));
        addAdapters(file, json);
        return new Inspection(json, text.damaged());
    }

    private static void addAdapters(Path file, JsonObject json) throws Failure {
        JsonObject adapters = new JsonObject();
        for (AdapterSource.NamedAdapter found : AdapterSource.fromImage(file)) {
            JsonObject adapterJson = AdapterInspection.of(found.source());
            found.recordedWeight().ifPresent(savedWeights -> {
                adapterJson.addProperty("weight", savedWeights.weight());
                if (savedWeights.textEncoderWeight() != savedWeights.weight())
                    adapterJson.addProperty("text encoder weight", savedWeights.textEncoderWeight());
            });
            adapters.add(found.name(), adapterJson);
        }
        if (!adapters.isEmpty()) json.add(Inspection.ADAPTERS, adapters);
    }
}
