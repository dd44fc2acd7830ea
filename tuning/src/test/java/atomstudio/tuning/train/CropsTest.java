package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.picture.PngWriter;
import atomstudio.diffusion.picture.RgbImage;
import atomstudio.diffusion.tensor.Tensor;
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

/// A person's folder: pictures, masks and captions.
class CropsTest {
    @TempDir Path folder;

    @BeforeEach void aPicture() throws Exception {
        put("car.png", RgbImage.filled(64, 48, 0x336699));
    }

    private void put(String name, RgbImage picture) throws Failure {
        PngWriter.write(folder.resolve(name), picture, Map.of());
    }

    private Crops read(Recipe.Crop crop, Recipe.Feature... features) throws Failure {
        Recipe recipe = Recipe.of(MethodSettings.of(MethodSettings.MethodName.ATOMS)).with(features);
        return Crops.of(folder, new Crops.Reading(recipe, new Framing(crop, 32, 8), new Captions("sks car", "")));
    }

    private Failure refused(Recipe.Crop crop, Recipe.Feature... features) {
        return assertThrows(Failure.class, () -> read(crop, features));
    }

    private static RgbImage half(int width, int height) {
        int[] argb = new int[width * height];
        for (int i = 0; i < argb.length; i++) argb[i] = i % width < width / 2 ? 0xFFFFFFFF : 0xFF000000;
        return new RgbImage(width, height, argb);
    }

    @Test void aMaskIsNeverItselfAPictureWhetherOrNotItIsUsed() throws Exception {
        put("car-mask.png", half(64, 48));
        Crops unused = read(Recipe.Crop.CENTRE);
        assertEquals(1, unused.prepared().size());
        assertTrue(unused.prepared().getFirst().mask().isEmpty() && unused.notes().getFirst().contains("--masks"), unused.notes()::toString);
        assertTrue(read(Recipe.Crop.CENTRE, Recipe.Feature.MASKS).prepared().getFirst().mask().isPresent());
    }

    @Test void aMaskWeighsItsLatentPixelsWithAMeanOfOne() throws Exception {
        put("car-mask.png", half(64, 48));
        Tensor weights = read(Recipe.Crop.CENTRE, Recipe.Feature.MASKS).prepared().getFirst().mask().orElseThrow().weights(8);
        assertEquals(List.of(1L, 1L, 4L, 4L), List.of(weights.shape().size(0), weights.shape().size(1), weights.shape().size(2), weights.shape().size(3)));
        for (int i = 0; i < 16; i++) assertEquals(i % 4 < 2 ? 2 : 0, weights.data()[i], 0.1, "white on the left, black on the right");
        double sum = 0;
        for (float weight : weights.data()) sum += weight;
        assertEquals(16, sum, 1e-4);
    }

    @Test void withoutAMaskFileTheAlphaChannelIsTheMask() throws Exception {
        int[] argb = new int[64 * 48];
        for (int i = 0; i < argb.length; i++) argb[i] = i / 64 < 24 ? 0xFF112233 : 0x00112233;
        put("car.png", new RgbImage(64, 48, argb));
        Tensor weights = read(Recipe.Crop.CENTRE, Recipe.Feature.MASKS).prepared().getFirst().mask().orElseThrow().weights(8);
        assertEquals(2, weights.data()[0], 0.1);
        assertEquals(0, weights.data()[15], 0.1);
    }

    @Test void aMaskOfAnotherSizeIsRefusedByName() throws Exception {
        put("car-mask.png", half(32, 48));
        String message = refused(Recipe.Crop.CENTRE, Recipe.Feature.MASKS).getMessage();
        assertTrue(message.contains("car-mask.png") && message.contains("64x48") && message.contains("32x48") && message.contains("car.png"), message);
    }

    @Test void aMaskWithoutItsPictureIsNamedAndLeftOut() throws Exception {
        put("boat-mask.png", half(64, 48));
        put("car-mask.png", half(64, 48));
        List<String> notes = read(Recipe.Crop.CENTRE, Recipe.Feature.MASKS).notes();
        assertTrue(notes.size() == 1 && notes.getFirst().contains("boat-mask.png: a mask without its picture"), notes::toString);
    }

    @Test void aMaskThatLeavesNothingIsRefused() throws Exception {
        put("car-mask.png", RgbImage.filled(64, 48, 0));
        String message = refused(Recipe.Crop.WHOLE, Recipe.Feature.MASKS).getMessage();
        assertTrue(message.contains("car-mask.png: everything is masked out"), message);
    }

    @Test void aMaskThatLeavesNothingOfTheCentreSaysSo() throws Exception {
        int[] argb = new int[64 * 48];
        for (int i = 0; i < argb.length; i++) argb[i] = i % 64 < 6 ? 0xFFFFFFFF : 0xFF000000;
        put("car-mask.png", new RgbImage(64, 48, argb));
        assertTrue(refused(Recipe.Crop.CENTRE, Recipe.Feature.MASKS).getMessage().contains("--crop whole"));
        assertEquals(1, read(Recipe.Crop.WHOLE, Recipe.Feature.MASKS).prepared().size());
    }

    @Test void masksThatAreAskedForAndNotThereAreRefused() {
        assertTrue(refused(Recipe.Crop.CENTRE, Recipe.Feature.MASKS).getMessage().contains("NAME-mask.png"));
    }

    @Test void onlyMasksAreNoPictures() throws Exception {
        Files.move(folder.resolve("car.png"), folder.resolve("car-mask.png"));
        assertTrue(refused(Recipe.Crop.CENTRE).getMessage().contains("only masks"));
    }

    @Test void captionsStandBesideTheirPicturesALineEach() throws Exception {
        put("other.png", RgbImage.filled(64, 48, 0x993366));
        Files.writeString(folder.resolve("car.txt"), "a red {} in the rain\n\n{} from above\n");
        Crops crops = read(Recipe.Crop.CENTRE, Recipe.Feature.CAPTIONS);
        assertEquals(List.of("a red sks car in the rain", "sks car from above"), crops.prepared().get(0).name().captions());
        assertEquals(List.of(), crops.prepared().get(1).name().captions());
        assertTrue(crops.notes().size() == 1 && crops.notes().getFirst().contains("other.png") && crops.notes().getFirst().contains("\"a sks car\""), crops.notes()::toString);
    }

    @Test void aCaptionThatDoesNotNameTheSubjectIsSaid() throws Exception {
        Files.writeString(folder.resolve("car.txt"), "a red car");
        List<String> notes = read(Recipe.Crop.CENTRE, Recipe.Feature.CAPTIONS).notes();
        assertTrue(notes.getFirst().contains("car.txt") && notes.getFirst().contains("{}"), notes::toString);
    }

    @Test void emptyOrUnreadableCaptionsAreRefusedByName() throws Exception {
        Files.writeString(folder.resolve("car.txt"), " \n");
        assertTrue(refused(Recipe.Crop.CENTRE, Recipe.Feature.CAPTIONS).getMessage().contains("car.txt: expected a caption, found nothing"));
        Files.write(folder.resolve("car.txt"), "café {}".getBytes(StandardCharsets.ISO_8859_1));
        assertTrue(refused(Recipe.Crop.CENTRE, Recipe.Feature.CAPTIONS).getMessage().contains("UTF-8"));
        Files.delete(folder.resolve("car.txt"));
        assertTrue(refused(Recipe.Crop.CENTRE, Recipe.Feature.CAPTIONS).getMessage().contains("NAME.txt"));
    }

    @ParameterizedTest @CsvSource({"64,48", "48,64", "300,100", "100,101", "77,33", "1024,8"}) void aWholePictureKeepsItsShapeAndLosesNoMoreThanRounding(int width, int height) {
        int[] argb = new int[width * height];
        for (int i = 0; i < argb.length; i++) argb[i] = 0xFF000000 | 255 * (i % width) / (width - 1) << 16 | 255 * (i / width) / (height - 1) << 8;
        RgbImage framed = new Framing(Recipe.Crop.WHOLE, 64, 8).apply(new RgbImage(width, height, argb));
        assertTrue(framed.width() % 8 == 0 && framed.height() % 8 == 0);
        double pixels = (double) framed.width() * framed.height() / (64 * 64);
        assertTrue(pixels > 0.5 && pixels < 1.6, "about as many pixels as the square: " + framed);
        int left = framed.argb()[0] >> 16 & 0xFF;
        int top = framed.argb()[0] >> 8 & 0xFF;
        int last = framed.argb().length - 1;
        double cutAcross = (left + 255 - (framed.argb()[last] >> 16 & 0xFF)) / 255.0;
        double cutDown = (top + 255 - (framed.argb()[last] >> 8 & 0xFF)) / 255.0;
        double rounding = 4.0 / Math.min(framed.width(), framed.height()) + 4.0 / Math.max(framed.width(), framed.height());
        assertTrue(cutAcross <= rounding + 0.1 && cutDown <= rounding + 0.1, "cut " + cutAcross + " across, " + cutDown + " down of " + framed);
    }

    @Test void aPictureForRandomCropsKeepsItsShorterSide() {
        RgbImage framed = new Framing(Recipe.Crop.RANDOM, 32, 8).apply(RgbImage.filled(96, 48, 1));
        assertEquals(List.of(64, 32), List.of(framed.width(), framed.height()));
        assertEquals(64, new Framing(Recipe.Crop.RANDOM, 32, 8).apply(RgbImage.filled(960, 48, 1)).width(), "no longer than two squares");
    }

    @ParameterizedTest @CsvSource({"car-masklabel.png", "car_mask.png", "car.mask.png", "car-mask.webp", "car-Mask.PNG", "car.png_mask.jpg"})
    void masksAreRecognizedAsOtherProgramsNameThem(String name) throws Exception {
        put("other.png", half(64, 48));
        // Kinds are told by the first bytes, so that the ending need not be true.
        Files.move(folder.resolve("other.png"), folder.resolve(name));
        assertEquals(1, read(Recipe.Crop.CENTRE).prepared().size(), "never a picture itself");
        Crops crops = read(Recipe.Crop.CENTRE, Recipe.Feature.MASKS);
        assertEquals(1, crops.prepared().size());
        assertEquals(0.5, crops.prepared().getFirst().mask().orElseThrow().area(), 0.01);
        assertEquals(List.of(), crops.notes());
    }

    @Test void aConditioningImageIsLeftOutAndOneMaskCounts() throws Exception {
        put("car-condlabel.png", half(64, 48));
        put("car-masklabel.png", half(64, 48));
        put("car-mask.png", RgbImage.filled(64, 48, 0xFFFFFF));
        Crops crops = read(Recipe.Crop.CENTRE, Recipe.Feature.MASKS);
        assertEquals(1, crops.prepared().size());
        assertEquals(0.5, crops.prepared().getFirst().mask().orElseThrow().area(), 0.01, "OneTrainer's own");
        assertTrue(crops.notes().stream().anyMatch(note -> note.contains("car-condlabel.png: a conditioning image")), crops.notes()::toString);
        assertTrue(crops.notes().stream().anyMatch(note -> note.contains("car-mask.png: a further mask; car-masklabel.png counts")), crops.notes()::toString);
    }

    @Test void theCaseOfMasksIsNotTrainedOn() throws Exception {
        Path pictures = Shared.file("cases/masks-trained-as-pictures/pictures");
        List<Path> taken = SubjectFiles.of(pictures).pictures();
        for (Path picture : taken) assertTrue(!picture.getFileName().toString().contains("mask"), taken::toString);
        assertEquals(List.of(), SubjectFiles.of(pictures).companions());
    }

    @Test void byteOrderMarksAreObeyedAndDropped() throws Exception {
        for (String charset : new String[] {"UTF-8", "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"}) {
            Files.write(folder.resolve("car.txt"), "\uFEFFa café {}\r\n\uFEFF{} 雪\n".getBytes(charset));
            assertEquals(List.of("a café sks car", "sks car 雪"), read(Recipe.Crop.CENTRE, Recipe.Feature.CAPTIONS).prepared().getFirst().name().captions(), charset);
        }
    }

    @Test void whatIsNoTextIsNeverACaption() throws Exception {
        byte[][] others = {"a {}".getBytes(StandardCharsets.UTF_16LE), "a {}".getBytes(StandardCharsets.UTF_16BE), "a {}".getBytes("UTF-32LE"), {'a', 0, 'b'}, {(byte) 0x89, 'P', 'N', 'G'}, {'a', 1, 2, 3},
            "\u001B[31m{}".getBytes(StandardCharsets.UTF_8), {(byte) 0xFF, (byte) 0xFE, 'a'}};
        for (byte[] bytes : others) {
            Files.write(folder.resolve("car.txt"), bytes);
            assertTrue(refused(Recipe.Crop.CENTRE, Recipe.Feature.CAPTIONS).getMessage().contains("car.txt: expected a text in UTF-8"), java.util.Arrays.toString(bytes));
        }
        for (String nothing : new String[] {"", "\uFEFF", "\u200B", " \u00A0\n\u200D\u2060", "\u3164", "\u2800\uFE0F"}) {
            Files.writeString(folder.resolve("car.txt"), nothing);
            assertTrue(refused(Recipe.Crop.CENTRE, Recipe.Feature.CAPTIONS).getMessage().contains("car.txt: expected a caption, found nothing"), nothing);
        }
    }

    @Test void theCasesOfCaptionsAreReadOrRefused() throws Exception {
        List<List<String>> captions = new java.util.ArrayList<>();
        for (String name : new String[] {"bom", "plain"}) {
            Recipe recipe = Recipe.of(MethodSettings.of(MethodSettings.MethodName.ATOMS)).with(Recipe.Feature.CAPTIONS);
            Crops crops = Crops.of(Shared.file("cases/caption-bom/" + name), new Crops.Reading(recipe, new Framing(Recipe.Crop.CENTRE, 32, 8), new Captions("sks car", "")));
            captions.add(crops.prepared().getFirst().name().captions());
        }
        assertEquals(captions.get(0), captions.get(1));
        for (String name : new String[] {"caption-of-nothing-visible", "caption-utf16-without-mark"}) {
            for (Path caption : SubjectFiles.of(Shared.file("cases/" + name + "/pictures")).captions().values()) {
                assertThrows(Failure.Unreadable.class, () -> new Captions("sks car", "").read(caption), caption.toString());
            }
        }
    }
}
