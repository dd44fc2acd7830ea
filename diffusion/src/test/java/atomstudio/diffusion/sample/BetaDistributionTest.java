package atomstudio.diffusion.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class BetaDistributionTest {
    /// scipy 1.17.1, scipy.stats.beta.ppf(p, 0.6, 0.6).
    @Test
    void quantilesMatchScipy() {
        double[][] known = {{0.001, 1.855873851745199e-05}, {0.02, 0.002732982024577027}, {0.1, 0.03958440558878085},
                {0.3, 0.23401700387523572}, {0.5, 0.5000000000000001}, {0.77, 0.8461624142323502},
                {0.96, 0.9913362306152167}, {0.999, 0.9999814412614826}};
        for (double[] pair : known)
            assertEquals(pair[1], BetaDistribution.quantile(pair[0], 0.6, 0.6), 1e-12 + 1e-10 * pair[1]);
    }

    @Test
    void isUniformForShapesOfOne() {
        for (double p : new double[] {0, 0.1, 0.25, 0.5, 0.9, 1})
            assertEquals(p, BetaDistribution.quantile(p, 1, 1), 1e-12);
    }
}
