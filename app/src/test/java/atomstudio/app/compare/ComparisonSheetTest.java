package atomstudio.app.compare;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.compare.Comparison.ComparisonRow;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.measure.ClipScores;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.properties.HasName;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ComparisonSheetTest {
    private static RgbImage sheet(Comparison comparison) throws Failure {
        return ComparisonSheet.draw(ComparisonExamples.showing(comparison), ComparisonExamples.gallery(comparison));
    }

    /// The box that holds all pixels of a colour: x, y, width, height, and how many there are.
    private static int[] extent(RgbImage sheet, int rgb) {
        int left = Integer.MAX_VALUE;
        int top = Integer.MAX_VALUE;
        int right = -1;
        int bottom = -1;
        int count = 0;
        for (int y = 0; y < sheet.height(); y++) {
            for (int x = 0; x < sheet.width(); x++) {
                if ((sheet.argb()[y * sheet.width() + x] & 0xFFFFFF) != rgb) continue;
                left = Math.min(left, x);
                top = Math.min(top, y);
                right = Math.max(right, x);
                bottom = Math.max(bottom, y);
                count++;
            }
        }
        return new int[] {left, top, right - left + 1, bottom - top + 1, count};
    }

    @Test
    void everyPictureStandsInItsRowAndColumn() throws Failure {
        Comparison comparison = ComparisonExamples.comparison(List.of("a {} in the snow", "a {} on the beach"),
                List.of(0L, 1L));
        RgbImage sheet = sheet(comparison);
        int lastBottom = 0;
        for (int row = 0; row < 3; row++) {
            int lastRight = 0;
            int top = -1;
            for (int prompt = 0; prompt < 2; prompt++) {
                for (long seed = 0; seed < 2; seed++) {
                    int[] box = extent(sheet, ComparisonExamples.colour(row, prompt, seed));
                    assertTrue(box[2] == box[3] && box[4] > box[2] * box[3] * 0.97,
                            "one square of its colour: " + List.of(box[0], box[1], box[2], box[3], box[4]));
                    assertTrue(box[0] > lastRight, "right of the one before");
                    assertTrue(box[1] > lastBottom, "below the row before");
                    assertTrue(top < 0 || top == box[1], "beside its row");
                    lastRight = box[0] + box[2];
                    top = box[1];
                }
            }
            lastBottom = top + 100;
        }
        assertTrue(extent(sheet, 0xFF8000)[4] > 90 * 90, "the subject");
    }

    /// A title of two lines had pushed the last lines of a row's head into the next row.
    @Test
    void theHeadOfARowWithATitleOfTwoLinesEndsAboveTheNextRow() throws Failure {
        Comparison plain = ComparisonExamples.comparison(List.of("a {}"), List.of(0L));
        ClipScores measures = new ClipScores("CLIP", OptionalDouble.of(0.5), OptionalDouble.of(0.1),
                OptionalDouble.of(0.5));
        ComparisonRow wide = new ComparisonRow("overcomplete+channels+textual-inversion", "runs/a", 1, 1, 100,
                Optional.of(measures));
        Comparison comparison = plain.with(List.of(plain.rows().get(0), wide, plain.rows().get(2)));
        RgbImage sheet = sheet(comparison);
        int lines = 0;
        for (int y = 4; y < sheet.height(); y++) {
            if (!head(sheet, y, 0xDDE2E8)) continue;
            lines++;
            for (int above = 1; above <= 4; above++)
                assertTrue(head(sheet, y - above, 0xFFFFFF),
                        "nothing is drawn " + above + " pixels above the line at " + y);
        }
        assertEquals(3, lines);
    }

    /// Whether all pixels of a row of pixels have a colour, in the column where heads stand.
    private static boolean head(RgbImage sheet, int y, int rgb) {
        for (int x = 60; x < 280; x++) if ((sheet.argb()[y * sheet.width() + x] & 0xFFFFFF) != rgb) return false;
        return true;
    }

    @Test
    void titlesAreDrawnWithoutAnyFontOfTheSystem() throws Failure {
        RgbImage sheet = sheet(ComparisonExamples.comparison(List.of("a {}"), List.of(0L)));
        int[] ink = extent(sheet, 0x1F2328);
        assertEquals(48, ink[0], 6, "the title and the rows' names begin at the margin");
        assertTrue(ink[4] > 500, "pixels of ink: " + ink[4]);
        noClasses().should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.awt.Font")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.awt.FontMetrics")
                .orShould()
                .callMethodWhere(JavaCall.Predicates.target(HasName.Predicates.name("drawString")))
                .because("a bare machine has no fontconfig, and Java's own text drawing fails there")
                .check(new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests())
                        .importPackages("atomstudio.app.compare", "atomstudio.app.experiment",
                                "atomstudio.diffusion.image"));
    }

    @Test
    void manyColumnsGoOnBelow() throws Failure {
        List<Long> seeds = LongStream.range(0, 3).boxed().toList();
        Comparison comparison = ComparisonExamples.comparison(List.of("a", "b", "c", "d", "e"), seeds);
        ComparisonSheet.SheetLayout bands = ComparisonSheet.SheetLayout.of(comparison);
        assertEquals(2, bands.bands().size());
        assertEquals(List.of(2, 3), bands.bands().stream().map(List::size).toList());
        RgbImage sheet = sheet(comparison);
        assertTrue(extent(sheet, ComparisonExamples.colour(0, 4, 2))[1]
                > extent(sheet, ComparisonExamples.colour(2, 0, 0))[1], "the second band is below the first");
    }

    @Test
    void manySeedsOfOnePromptGoOnBelow() {
        ComparisonSheet.SheetLayout bands = ComparisonSheet.SheetLayout
                .of(ComparisonExamples.comparison(List.of("a"), LongStream.range(0, 25).boxed().toList()));
        assertEquals(3, bands.bands().size());
        assertEquals(25, bands.bands().stream().flatMap(List::stream).mapToInt(span -> span.seeds().size()).sum());
    }

    @Test
    void aSheetStopsGrowingAndSaysSo() {
        List<String> prompts = LongStream.range(0, 300).mapToObj(i -> "prompt " + i).toList();
        assertEquals(180,
                ComparisonSheet.SheetLayout.of(ComparisonExamples.comparison(prompts, List.of(0L))).omittedPrompts());
    }

    @Test
    void equalComparisonsGiveEqualSheets() throws Failure {
        Comparison comparison = ComparisonExamples.comparison(List.of("a {}"), List.of(0L));
        assertEquals(sheet(comparison), sheet(comparison));
    }
}
