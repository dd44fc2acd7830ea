package atomstudio.app.inspect;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.Pictures;
import atomstudio.diffusion.picture.PngText;
import atomstudio.tuning.adapter.AdapterSource;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;

/// Pictures: their size, what their texts say of how they were made, and the adapters that they carry.
final class PictureInspection {
    private PictureInspection() {}

    static Inspection of(Path file) throws Failure {
        Picture picture = Pictures.read(file);
        JsonObject json = new JsonObject();
        json.addProperty("kind", "picture");
        json.addProperty("size", picture.width() + "x" + picture.height());
        if (!Pictures.png(file) && !Pictures.webp(file)) return Inspection.of(json);
        if (!Pictures.png(file)) {
            adapters(file, json);
            return Inspection.of(json);
        }
        PngText text = PngText.of(file);
        text.texts().forEach(json::addProperty);
        if (!text.leftOut().isEmpty()) json.add("texts left out", text.leftOut().stream().collect(JsonArray::new, JsonArray::add, JsonArray::addAll));
        adapters(file, json);
        return new Inspection(json, text.damaged());
    }

    private static void adapters(Path file, JsonObject json) throws Failure {
        JsonObject adapters = new JsonObject();
        for (AdapterSource.Found found : AdapterSource.carried(file)) {
            JsonObject one = AdapterInspection.of(found.source());
            found.made().ifPresent(made -> {
                one.addProperty("strength", made.strength());
                if (made.text() != made.strength()) one.addProperty("text encoder strength", made.text());
            });
            adapters.add(found.name(), one);
        }
        if (!adapters.isEmpty()) json.add("adapters in it", adapters);
    }
}
