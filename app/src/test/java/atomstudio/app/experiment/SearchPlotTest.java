package atomstudio.app.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.method.GloraStructure;
import atomstudio.tuning.search.EvolutionarySearch;
import atomstudio.tuning.search.EvolutionarySearch.Evaluation;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SearchPlotTest {
    private static final int CHOSEN = 0xEE6677;
    private static final int FRONT = 0x4477AA;

    private static Evaluation evaluation(long parameters, double loss) {
        return new Evaluation(0, EvolutionarySearch.Origin.RANDOM, List.of(GloraStructure.parse("lvnnn")), parameters,
                loss);
    }

    private static long count(RgbImage image, int rgb) {
        return IntStream.range(0, image.width() * image.height())
                .filter(i -> (image.argb()[i] & 0xFFFFFF) == rgb)
                .count();
    }

    @Test
    void frontAndChosenStructureAreMarked() {
        List<Evaluation> all = List.of(evaluation(100, 0.5), evaluation(200, 0.4), evaluation(300, 0.45),
                evaluation(400, 0.3));
        RgbImage image = SearchPlot.draw(all, EvolutionarySearch.paretoFront(all));
        assertTrue(count(image, CHOSEN) > 150);
        assertTrue(count(image, FRONT) > 100);
        Evaluation only = evaluation(100, 0.5);
        assertEquals(0, count(SearchPlot.draw(List.of(only), List.of(only)), FRONT), "the chosen one covers it");
    }
}
