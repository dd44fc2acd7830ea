package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.image.ImageFormat;
import atomstudio.diffusion.image.PngText;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import com.google.gson.JsonParseException;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.zip.InflaterInputStream;
import org.jspecify.annotations.Nullable;

/// Embeddings that A1111 stores in images: as Base64 JSON in the PNG text chunk `sd-ti-embedding`, or compressed in the
/// low four bits of two pixel blocks, to the left and right of the image and separated from it by black columns, in PNG
/// or lossless WebP.
/// Source: AUTOMATIC1111's stable-diffusion-webui, modules/textual_inversion/image_embedding.py.
final class EmbeddingImage {
    private static final String KEYWORD = "sd-ti-embedding";
    private static final int MAX_JSON_BYTES = 16 << 20;
    private static final int MAX_VALUES = 1 << 22;
    private static final int LOW_BITS = 0x0F;

    private EmbeddingImage() {}

    /// Empty for an image without an embedding.
    /// @param name the word if the embedding has none
    /// @throws Failure.Unreadable if the image or the embedding in it is damaged
    static Optional<EmbeddingFile> read(Path file, String name) throws Failure {
        if (ImageFormat.PNG.matches(file)) {
            String text = PngText.of(file).texts().get(KEYWORD);
            if (text != null) return Optional.of(parse(file, base64(file, text), name));
        }
        Optional<String> hidden = hiddenText(ImageFiles.read(file));
        return hidden.isEmpty() ? Optional.empty() : Optional.of(parse(file, hidden.get(), name));
    }

    private static String base64(Path file, String text) throws Failure {
        try {
            return new String(Base64.getMimeDecoder().decode(text), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw damaged(file, e);
        }
    }

    private static Failure damaged(Path file, Exception cause) {
        return new Failure.Unreadable(file + ": the embedding in this image is damaged (" + cause.getMessage()
                + "); get the original, unmodified image again", cause);
    }

    /// The JSON in the pixels; empty if they contain none.
    private static Optional<String> hiddenText(RgbImage image) {
        PixelBlock block = PixelBlock.of(image).cropped();
        List<Integer> blackColumns = new ArrayList<>();
        for (int x = 0; x < block.width; x++) if (block.isBlackColumn(x)) blackColumns.add(x);
        if (blackColumns.size() < 2) return Optional.empty();
        byte[] low = block.columns(0, blackColumns.getFirst()).lowBits();
        byte[] high = block.columns(blackColumns.getLast() + 1, block.width).lowBits();
        if (low.length == 0 || low.length != high.length) return Optional.empty();
        byte[] data = new byte[low.length];
        for (int i = 0; i < data.length; i++) data[i] = (byte) (high[i] << 4 | low[i]);
        try (InputStream in = new InflaterInputStream(new ByteArrayInputStream(data))) {
            byte[] text = in.readNBytes(MAX_JSON_BYTES);
            boolean json = text.length < MAX_JSON_BYTES && text.length > 0 && text[0] == '{';
            return json ? Optional.of(new String(text, StandardCharsets.UTF_8)) : Optional.empty();
        } catch (IOException notCompressed) {
            return Optional.empty();
        }
    }

    /// A rectangle of an image, with three bytes per pixel.
    private record PixelBlock(int width, int height, byte[] rgb) {
        static PixelBlock of(RgbImage image) {
            byte[] rgb = new byte[3 * image.argb().length];
            for (int i = 0; i < image.argb().length; i++) {
                int pixel = image.argb()[i];
                rgb[3 * i] = (byte) (pixel >> 16);
                rgb[3 * i + 1] = (byte) (pixel >> 8);
                rgb[3 * i + 2] = (byte) pixel;
            }
            return new PixelBlock(image.width(), image.height(), rgb);
        }

        /// Crops rows and columns at the edges in which every pixel has a zero colour component.
        PixelBlock cropped() {
            int left = width, right = 0, top = height, bottom = 0;
            for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                    int offset = 3 * (y * width + x);
                    if (rgb[offset] == 0 || rgb[offset + 1] == 0 || rgb[offset + 2] == 0) continue;
                    left = Math.min(left, x);
                    right = Math.max(right, x + 1);
                    top = Math.min(top, y);
                    bottom = Math.max(bottom, y + 1);
                }
            }
            return left >= right ? new PixelBlock(0, 0, new byte[0]) : region(left, right, top, bottom);
        }

        PixelBlock columns(int from, int to) {
            return region(from, Math.max(from, to), 0, height);
        }

        private PixelBlock region(int left, int right, int top, int bottom) {
            int row = 3 * (right - left);
            byte[] pixels = new byte[row * (bottom - top)];
            for (int y = top; y < bottom; y++)
                System.arraycopy(rgb, 3 * (y * width + left), pixels, row * (y - top), row);
            return new PixelBlock(right - left, bottom - top, pixels);
        }

        /// Whether the low bits of the whole column are 0.
        boolean isBlackColumn(int x) {
            for (int y = 0; y < height; y++) {
                int offset = 3 * (y * width + x);
                if (((rgb[offset] | rgb[offset + 1] | rgb[offset + 2]) & LOW_BITS) != 0) return false;
            }
            return true;
        }

        /// The low bits without A1111's noise, which is from a linear congruential generator.
        byte[] lowBits() {
            byte[] bits = new byte[rgb.length];
            long seed = 0;
            for (int i = 0; i < bits.length; i++) {
                seed = (1664525 * seed + 1013904223) & 0xFFFFFFFFL;
                bits[i] = (byte) ((rgb[i] ^ seed % 255) & LOW_BITS);
            }
            return bits;
        }
    }

    private static EmbeddingFile parse(Path file, String json, String name) throws Failure {
        try (JsonReader reader = new JsonReader(new StringReader(json))) {
            EmbeddingJson parsed = new EmbeddingJson();
            parsed.read(reader);
            Tensor rows = parsed.rows;
            if (rows == null)
                throw new IOException("expected string_to_param with embedding rows, found none");
            return EmbeddingFile.of(file, parsed.name == null || parsed.name.isBlank() ? name : parsed.name, rows);
        } catch (IOException | IllegalStateException | NumberFormatException | JsonParseException e) {
            throw damaged(file, e);
        }
    }

    /// `{"string_to_param": {"*": {"TORCHTENSOR": [[…], …]}}, "name": "word", …}`.
    private static final class EmbeddingJson {
        private @Nullable String name;
        private @Nullable Tensor rows;

        void read(JsonReader json) throws IOException {
            json.beginObject();
            while (json.hasNext()) {
                switch (json.nextName()) {
                    case "name" -> {
                        if (json.peek() == JsonToken.STRING) name = json.nextString();
                        else json.skipValue();
                    }
                    case "string_to_param" -> params(json);
                    default -> json.skipValue();
                }
            }
            json.endObject();
        }

        private void params(JsonReader json) throws IOException {
            json.beginObject();
            while (json.hasNext()) {
                json.nextName();
                json.beginObject();
                while (json.hasNext()) {
                    if (json.nextName().equals("TORCHTENSOR") && rows == null) rows = tensor(json);
                    else json.skipValue();
                }
                json.endObject();
            }
            json.endObject();
        }

        /// Rows of equal length, or a single row.
        private static Tensor tensor(JsonReader json) throws IOException {
            List<Float> values = new ArrayList<>();
            int count = 0;
            json.beginArray();
            while (json.hasNext()) {
                if (json.peek() == JsonToken.BEGIN_ARRAY) {
                    json.beginArray();
                    while (json.hasNext()) readValue(json, values);
                    json.endArray();
                    count++;
                } else {
                    readValue(json, values);
                }
            }
            json.endArray();
            count = Math.max(1, count);
            if (values.isEmpty() || values.size() % count != 0)
                throw new IOException(
                        "expected rows of equal length, found " + values.size() + " values in " + count + " rows");
            float[] data = new float[values.size()];
            for (int i = 0; i < data.length; i++) data[i] = values.get(i);
            return new Tensor(Shape.of(count, data.length / count), data);
        }

        private static void readValue(JsonReader json, List<Float> values) throws IOException {
            if (values.size() == MAX_VALUES) throw new IOException("it has more than " + MAX_VALUES + " values");
            values.add((float) json.nextDouble());
        }
    }
}
