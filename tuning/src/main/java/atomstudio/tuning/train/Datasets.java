package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.RgbImage;
import atomstudio.tuning.method.CounterRng;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Everything that a run is trained on and validated with.
record Datasets(Dataset subject, Optional<Dataset> prior, Optional<Dataset> heldOut) {
    /// Encodes a run's pictures and captions.
    record Maker(RunFolder folder, RunInfo info, Encoder encoder, PriorPictures priorPictures) {
        /// Empty when told to stop.
        Optional<Datasets> make(Gate gate, Journal journal, int step) throws Failure {
            Crops crops = Crops.read(folder, info.subject().pictures());
            Optional<Dataset> all = encoder.encode(new Encoder.Source("", crops, info.subject().captions(), drawing(recipe())), gate, step);
            if (all.isEmpty()) return Optional.empty();
            if (recipe().weighing().prior().isEmpty()) return Optional.of(split(all.get(), Optional.empty()));
            Optional<Crops> others = classPictures(gate, journal, step);
            if (others.isEmpty()) return Optional.empty();
            List<String> captions = Captions.ofClass(info.subject().className(), recipe()).general();
            Optional<Dataset> prior = encoder.encode(new Encoder.Source("prior ", others.get(), captions, drawing(recipe())), gate, step);
            return prior.isEmpty() ? Optional.empty() : Optional.of(split(all.get(), prior));
        }

        private Recipe recipe() {
            return info.training().recipe();
        }

        private Optional<Crops> classPictures(Gate gate, Journal journal, int step) throws Failure {
            if (!recipe().weighing().prior().orElseThrow().made()) return Optional.of(Crops.readPrior(folder, info.training().prior()));
            Framing framing = new Framing(recipe().material().crop(), info.training().size(), encoder.model().vae().downsamplingFactor());
            Optional<List<RgbImage>> made = priorPictures.get(gate, journal, step);
            return made.map(pictures -> Crops.made(pictures, framing));
        }

        private Dataset.Drawing drawing(Recipe recipe) throws Failure {
            return Dataset.Drawing.of(recipe, info.training(), encoder.model());
        }

        /// Holds a picture out where that is asked for and enough are left; which one is a function of the seed.
        private Datasets split(Dataset all, Optional<Dataset> prior) throws Failure {
            int count = all.examples().size();
            if (!recipe().has(Recipe.Feature.VALIDATE) || count < Validation.ENOUGH) return new Datasets(all, prior, Optional.empty());
            int out = new CounterRng(info.training().seed(), "held out").randint(count, 0);
            List<Dataset.Example> rest = new ArrayList<>(all.examples());
            Dataset.Example held = rest.remove(out);
            Recipe plain = recipe().with(new Recipe.Weighing(0, 0, Optional.empty()));
            return new Datasets(new Dataset(all.stream(), rest, all.wording(), all.drawing()), prior,
                    Optional.of(new Dataset("validation ", List.of(held), all.wording(), drawing(plain))));
        }
    }
}
