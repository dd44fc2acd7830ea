package atomstudio.diffusion.engine;

import java.util.List;

/// Images sampled together: row k of every tensor belongs to seed k. They differ only in the seed.
/// @param generation of all images; its own seed is not used
public record GenerationBatch(Generation generation, List<Long> seeds) {
    public GenerationBatch {
        if (seeds.isEmpty()) throw new IllegalArgumentException("batch: expected at least one seed, found none");
        seeds = List.copyOf(seeds);
    }

    public static GenerationBatch of(Generation generation) {
        return new GenerationBatch(generation, List.of(generation.seed()));
    }

    public int size() {
        return seeds.size();
    }
}
