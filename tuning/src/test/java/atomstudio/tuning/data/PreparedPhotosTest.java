package atomstudio.tuning.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The user's folder: photos, masks and captions.
class PreparedPhotosTest {
    @TempDir
    Path folder;

    @BeforeEach
    void anImage() throws Exception {
        put("car.png", RgbImage.filled(64, 48, 0x336699));
    }

    private void put(String name, RgbImage picture) throws Failure {
        PngWriter.write(folder.resolve(name), picture, Map.of());
    }

    private PreparedPhotos read(TrainingConfig.CropMode crop, TrainingConfig.Feature... features) throws Failure {
        TrainingConfig config = TrainingConfig.of(MethodSettings.of(MethodName.ATOMS)).with(features);
        return new PhotoPreparation(config, new CropPolicy(crop, 32, 8), new Captions("sks car", "")).prepare(folder);
    }

    private Failure failure(TrainingConfig.CropMode crop, TrainingConfig.Feature... features) {
        return assertThrows(Failure.class, () -> read(crop, features));
    }

    private static RgbImage half(int width, int height) {
        int[] argb = new int[width * height];
        for (int i = 0; i < argb.length; i++) argb[i] = i % width < width / 2 ? 0xFFFFFFFF : 0xFF000000;
        return new RgbImage(width, height, argb);
    }

    @Test
    void masksAreNeverPhotos() throws Exception {
        put("car-mask.png", half(64, 48));
        PreparedPhotos unused = read(TrainingConfig.CropMode.CENTRE);
        assertEquals(1, unused.photos().size());
        assertTrue(
                unused.photos().getFirst().mask().isEmpty() && unused.warnings().getFirst().contains("turn on masks"),
                unused.warnings()::toString);
        assertTrue(read(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.MASKS).photos()
                .getFirst()
                .mask()
                .isPresent());
    }

    @Test
    void maskWeightsHaveMeanOne() throws Exception {
        put("car-mask.png", half(64, 48));
        Tensor weights = read(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.MASKS).photos()
                .getFirst()
                .mask()
                .orElseThrow()
                .latentWeights(8);
        assertEquals(List.of(1L, 1L, 4L, 4L), List.of(weights.shape().size(0), weights.shape().size(1),
                weights.shape().size(2), weights.shape().size(3)));
        for (int i = 0; i < 16; i++)
            assertEquals(i % 4 < 2 ? 2 : 0, weights.data()[i], 0.1, "white on the left, black on the right");
        double sum = 0;
        for (float weight : weights.data()) sum += weight;
        assertEquals(16, sum, 1e-4);
    }

    @Test
    void usesTheAlphaChannelWithoutAMaskFile() throws Exception {
        int[] argb = new int[64 * 48];
        for (int i = 0; i < argb.length; i++) argb[i] = i / 64 < 24 ? 0xFF112233 : 0x00112233;
        put("car.png", new RgbImage(64, 48, argb));
        Tensor weights = read(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.MASKS).photos()
                .getFirst()
                .mask()
                .orElseThrow()
                .latentWeights(8);
        assertEquals(2, weights.data()[0], 0.1);
        assertEquals(0, weights.data()[15], 0.1);
    }

    @Test
    void rejectsMaskOfAnotherSize() throws Exception {
        put("car-mask.png", half(32, 48));
        String message = failure(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.MASKS).getMessage();
        assertTrue(message.contains("car-mask.png") && message.contains("64x48") && message.contains("32x48")
                && message.contains("car.png"), message);
    }

    @Test
    void skipsMaskWithoutPhoto() throws Exception {
        put("boat-mask.png", half(64, 48));
        put("car-mask.png", half(64, 48));
        List<String> warnings = read(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.MASKS).warnings();
        assertTrue(
                warnings.size() == 1 && warnings.getFirst().contains("boat-mask.png: skipped, a mask without a photo"),
                warnings::toString);
    }

    @Test
    void rejectsEmptyMask() throws Exception {
        put("car-mask.png", RgbImage.filled(64, 48, 0));
        String message = failure(TrainingConfig.CropMode.WHOLE, TrainingConfig.Feature.MASKS).getMessage();
        assertTrue(message.contains("car-mask.png: everything is masked out"), message);
    }

    @Test
    void rejectsMaskThatIsEmptyWithinTheCentreSquare() throws Exception {
        int[] argb = new int[64 * 48];
        for (int i = 0; i < argb.length; i++) argb[i] = i % 64 < 6 ? 0xFFFFFFFF : 0xFF000000;
        put("car-mask.png", new RgbImage(64, 48, argb));
        assertTrue(failure(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.MASKS).getMessage()
                .contains("crop: whole"));
        assertEquals(1, read(TrainingConfig.CropMode.WHOLE, TrainingConfig.Feature.MASKS).photos().size());
    }

    @Test
    void rejectsMasksOptionWithoutMasks() {
        assertTrue(failure(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.MASKS).getMessage()
                .contains("NAME-mask.png"));
    }

    @Test
    void rejectsFolderWithOnlyMasks() throws Exception {
        Files.move(folder.resolve("car.png"), folder.resolve("car-mask.png"));
        assertTrue(failure(TrainingConfig.CropMode.CENTRE).getMessage().contains("only masks"));
    }

    @Test
    void readsOneCaptionPerLine() throws Exception {
        put("other.png", RgbImage.filled(64, 48, 0x993366));
        Files.writeString(folder.resolve("car.txt"), "a red {} in the rain\n\n{} from above\n");
        PreparedPhotos prepared = read(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.CAPTIONS);
        assertEquals(List.of("a red sks car in the rain", "sks car from above"),
                prepared.photos().get(0).info().captions());
        assertEquals(List.of(), prepared.photos().get(1).info().captions());
        assertTrue(prepared.warnings().size() == 1 && prepared.warnings().getFirst().contains("other.png")
                && prepared.warnings().getFirst().contains("\"a sks car\""), prepared.warnings()::toString);
    }

    @Test
    void warnsOfCaptionsWithoutTheTriggerWord() throws Exception {
        Files.writeString(folder.resolve("car.txt"), "a red car");
        List<String> warnings = read(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.CAPTIONS).warnings();
        assertTrue(warnings.getFirst().contains("car.txt") && warnings.getFirst().contains("{}"), warnings::toString);
    }

    @Test
    void rejectsEmptyAndUnreadableCaptions() throws Exception {
        Files.writeString(folder.resolve("car.txt"), " \n");
        assertTrue(failure(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.CAPTIONS).getMessage()
                .contains("car.txt: expected a caption, found only blank text"));
        Files.write(folder.resolve("car.txt"), "café {}".getBytes(StandardCharsets.ISO_8859_1));
        assertTrue(failure(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.CAPTIONS).getMessage()
                .contains("UTF-8"));
        Files.delete(folder.resolve("car.txt"));
        assertTrue(failure(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.CAPTIONS).getMessage()
                .contains("NAME.txt"));
    }

    @ParameterizedTest @CsvSource({"64,48", "48,64", "300,100", "100,101", "77,33", "1024,8"})
    void wholePhotosKeepTheirAspectRatio(int width, int height) {
        int[] argb = new int[width * height];
        for (int i = 0; i < argb.length; i++)
            argb[i] = 0xFF000000 | 255 * (i % width) / (width - 1) << 16 | 255 * (i / width) / (height - 1) << 8;
        RgbImage framed = new CropPolicy(TrainingConfig.CropMode.WHOLE, 64, 8).apply(new RgbImage(width, height, argb));
        assertTrue(framed.width() % 8 == 0 && framed.height() % 8 == 0);
        double pixels = (double) framed.width() * framed.height() / (64 * 64);
        assertTrue(pixels > 0.5 && pixels < 1.6, "about as many pixels as the square: " + framed);
        int left = framed.argb()[0] >> 16 & 0xFF;
        int top = framed.argb()[0] >> 8 & 0xFF;
        int last = framed.argb().length - 1;
        double cutAcross = (left + 255 - (framed.argb()[last] >> 16 & 0xFF)) / 255.0;
        double cutDown = (top + 255 - (framed.argb()[last] >> 8 & 0xFF)) / 255.0;
        double rounding = 4.0 / Math.min(framed.width(), framed.height())
                + 4.0 / Math.max(framed.width(), framed.height());
        assertTrue(cutAcross <= rounding + 0.1 && cutDown <= rounding + 0.1,
                "cut " + cutAcross + " across, " + cutDown + " down of " + framed);
    }

    @Test
    void randomCropsKeepTheShorterSide() {
        RgbImage framed = new CropPolicy(TrainingConfig.CropMode.RANDOM, 32, 8).apply(RgbImage.filled(96, 48, 1));
        assertEquals(List.of(64, 32), List.of(framed.width(), framed.height()));
        assertEquals(64,
                new CropPolicy(TrainingConfig.CropMode.RANDOM, 32, 8).apply(RgbImage.filled(960, 48, 1)).width(),
                "no longer than two squares");
    }

    @ParameterizedTest @CsvSource({"car-masklabel.png", "car_mask.png", "car.mask.png", "car-mask.webp", "car-Mask.PNG",
            "car.png_mask.jpg"})
    void recognizesMaskNamesOfOtherPrograms(String name) throws Exception {
        put("other.png", half(64, 48));
        // The format is detected from the first bytes, not from the extension.
        Files.move(folder.resolve("other.png"), folder.resolve(name));
        assertEquals(1, read(TrainingConfig.CropMode.CENTRE).photos().size(), "masks are not photos");
        PreparedPhotos prepared = read(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.MASKS);
        assertEquals(1, prepared.photos().size());
        assertEquals(0.5, prepared.photos().getFirst().mask().orElseThrow().coverage(), 0.01);
        assertEquals(List.of(), prepared.warnings());
    }

    @Test
    void skipsConditioningImagesAndUsesOneMask() throws Exception {
        put("car-condlabel.png", half(64, 48));
        put("car-masklabel.png", half(64, 48));
        put("car-mask.png", RgbImage.filled(64, 48, 0xFFFFFF));
        PreparedPhotos prepared = read(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.MASKS);
        assertEquals(1, prepared.photos().size());
        assertEquals(0.5, prepared.photos().getFirst().mask().orElseThrow().coverage(), 0.01, "OneTrainer's own");
        assertTrue(
                prepared.warnings()
                        .stream()
                        .anyMatch(note -> note.contains("car-condlabel.png: skipped, a conditioning image")),
                prepared.warnings()::toString);
        assertTrue(
                prepared.warnings()
                        .stream()
                        .anyMatch(
                                note -> note.contains("car-mask.png: skipped, a second mask beside car-masklabel.png")),
                prepared.warnings()::toString);
    }

    @Test
    void doesNotTrainOnTheMasksOfTheCase() throws Exception {
        Path photoFolder = Shared.file("cases/masks-trained-as-pictures/pictures");
        List<Path> taken = PhotoFiles.of(photoFolder).photos();
        for (Path picture : taken) assertTrue(!picture.getFileName().toString().contains("mask"), taken::toString);
        assertEquals(List.of(), PhotoFiles.of(photoFolder).ignoredCompanions());
    }

    @Test
    void readsCaptionsWithByteOrderMarks() throws Exception {
        for (String charset : new String[] {"UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"}) {
            Files.write(folder.resolve("car.txt"), "\uFEFFa café {}\r\n\uFEFF{} 雪\n".getBytes(charset));
            assertEquals(List.of("a café sks car", "sks car 雪"),
                    read(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.CAPTIONS).photos()
                            .getFirst()
                            .info()
                            .captions(),
                    charset);
        }
    }

    @Test
    void rejectsBinaryCaptions() throws Exception {
        byte[][] others = {"a {}".getBytes(StandardCharsets.UTF_16LE), "a {}".getBytes(StandardCharsets.UTF_16BE),
                "a {}".getBytes("UTF-32LE"), {'a', 0, 'b'}, {(byte) 0x89, 'P', 'N', 'G'}, {'a', 1, 2, 3},
                "\u001B[31m{}".getBytes(StandardCharsets.UTF_8), {(byte) 0xFF, (byte) 0xFE, 'a'}};
        for (byte[] bytes : others) {
            Files.write(folder.resolve("car.txt"), bytes);
            assertTrue(failure(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.CAPTIONS).getMessage()
                    .contains("car.txt: expected text in UTF-8"), java.util.Arrays.toString(bytes));
        }
        for (String nothing : new String[] {"", "\uFEFF", "\u200B", " \u00A0\n\u200D\u2060", "\u3164",
                "\u2800\uFE0F"}) {
            Files.writeString(folder.resolve("car.txt"), nothing);
            assertTrue(failure(TrainingConfig.CropMode.CENTRE, TrainingConfig.Feature.CAPTIONS).getMessage()
                    .contains("car.txt: expected a caption, found only blank text"), nothing);
        }
    }

    @Test
    void readsOrRejectsTheCaptionCases() throws Exception {
        List<List<String>> captions = new java.util.ArrayList<>();
        for (String name : new String[] {"bom", "plain"}) {
            TrainingConfig config = TrainingConfig.of(MethodSettings.of(MethodName.ATOMS))
                    .with(TrainingConfig.Feature.CAPTIONS);
            PreparedPhotos prepared = new PhotoPreparation(config,
                    new CropPolicy(TrainingConfig.CropMode.CENTRE, 32, 8), new Captions("sks car", ""))
                    .prepare(Shared.file("cases/caption-bom/" + name));
            captions.add(prepared.photos().getFirst().info().captions());
        }
        assertEquals(captions.get(0), captions.get(1));
        for (String name : new String[] {"caption-of-nothing-visible", "caption-utf16-without-mark"}) {
            for (Path caption : PhotoFiles.of(Shared.file("cases/" + name + "/pictures")).captions().values()) {
                assertThrows(Failure.Unreadable.class, () -> new Captions("sks car", "").read(caption),
                        caption.toString());
            }
        }
    }
}
