package atomstudio.app.generate;

import atomstudio.app.generate.ImageSettings.SamplerSettings;
import atomstudio.app.generate.ImageSettings.SelectedAdapter;
import atomstudio.app.generate.ImageSettings.SourceSettings;
import atomstudio.app.provider.DeviceSelection;
import atomstudio.diffusion.image.RgbImage;
import com.google.gson.JsonArray;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// Everything that determines one image: model, prompt, settings, adapters with their weights, and the seed. Whether an
/// image is current is decided by comparing its order with the one wanted now.
record ImageOrder(RowGenerator.RowRequest request, long seed) {
    private static final int DIGEST_BYTES = 16;

    /// Identifies the order in a file. Settings without effect are left out, and the number of images.
    String key() {
        ImageSettings settings = request.settings();
        JsonArray parts = new JsonArray();
        parts.add(request.model().toString());
        parts.add(request.files().of(request.model()));
        parts.add(request.prompt());
        parts.add(settings.negativePrompt().strip());
        parts.add(seed);
        for (SelectedAdapter adapter : request.adapters()) {
            parts.add(adapter.file().toString());
            parts.add(request.files().of(adapter.file()));
            parts.add(adapter.weight());
        }
        parts.add(settings.size().toString());
        SamplerSettings sampling = settings.sampling();
        parts.add(sampling.sampler().option());
        parts.add(sampling.schedule().option());
        parts.add(sampling.steps());
        parts.add(sampling.eta().toString());
        parts.add(sampling.guidance().scale());
        parts.add(sampling.guidance().rescale());
        parts.add(sampling.clipSkip());
        SourceSettings source = settings.source();
        parts.add(source.image().map(ImageSettings.SourceImage::digest).orElse(""));
        parts.add(source.hiresScale().toString());
        parts.add(source.usesDenoisingStrength() ? source.denoisingStrength() : 0);
        parts.add(request.rendering().engine().option());
        parts.add(request.rendering().safetyFilter().option());
        String device = request.rendering().device();
        if (!device.equals(DeviceSelection.AUTO)) parts.add(device);
        return HexFormat.of()
                .formatHex(sha256().digest(parts.toString().getBytes(StandardCharsets.UTF_8)), 0, DIGEST_BYTES);
    }

    /// Identifies the pixels of an image.
    static String digest(RgbImage image) {
        MessageDigest digest = sha256();
        ByteBuffer line = ByteBuffer.allocate(4 * image.width());
        for (int y = 0; y < image.height(); y++) {
            line.asIntBuffer().put(image.argb(), y * image.width(), image.width());
            digest.update(line.array());
        }
        return image.width() + "x" + image.height() + "-"
                + HexFormat.of().formatHex(digest.digest(), 0, DIGEST_BYTES);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException absent) {
            throw new IllegalStateException("every Java runtime has SHA-256", absent);
        }
    }
}
