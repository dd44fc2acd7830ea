package atomstudio.app.inspect;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.picture.Pictures;
import atomstudio.diffusion.picture.PngText;
import com.google.gson.JsonObject;
import java.nio.file.Path;

/// Pictures: their size, and what their texts say of how they were made.
final class PictureInspection {
    private PictureInspection() {}

    static Inspection of(Path file) throws Failure {
        Picture picture = Pictures.read(file);
        JsonObject json = new JsonObject();
        json.addProperty("kind", "picture");
        json.addProperty("size", picture.width() + "x" + picture.height());
        PngText.read(file).forEach(json::addProperty);
        return Inspection.of(json);
    }
}
