package atomstudio.app.compare;

import static atomstudio.app.text.Texts.count;
import static atomstudio.app.text.Texts.text;

import atomstudio.app.dataset.Subject;
import atomstudio.app.generate.FileVersions;
import atomstudio.app.generate.ImageSettings;
import atomstudio.app.generate.RowGenerator;
import atomstudio.app.generate.SubjectPrompt;
import atomstudio.diffusion.sample.Guidance;
import atomstudio.diffusion.sample.Seed;
import java.nio.file.Path;

/// What determines the image of a cell besides the model: rows and columns are changes of it.
/// @param strength of the adapter; without effect for the base model
public record CellOrder(ComparedAdapter adapter, double strength, SubjectPrompt prompt, long seed,
        ImageSettings settings) {
    /// What is the same in all cells.
    /// @param model the model's path
    /// @param files versions of the model and adapter files
    public record CellContext(Path model, RowGenerator.Rendering rendering, Subject subject, FileVersions files) {}

    /// The request of the image generator; equal for cells that differ in the seed alone.
    RowGenerator.RowRequest request(CellContext context) {
        ImageSettings withStrength = settings.withSeeds(new ImageSettings.Seeds(0, 1)).withAdapterWeight(strength);
        return new RowGenerator.RowRequest(context.model, prompt.text(adapter.phrase(context.subject)), adapter.file(),
                withStrength, context.rendering, context.files);
    }

    /// The same cell of the base model.
    CellOrder ofBaseModel() {
        return new CellOrder(new ComparedAdapter.BaseModel(), 1, prompt, seed, settings);
    }

    /// One change of an order, such as a value of an axis.
    public sealed interface CellChange {
        CellOrder apply(CellOrder order);

        String title();
    }

    public record SetAdapter(ComparedAdapter adapter) implements CellChange {
        @Override
        public CellOrder apply(CellOrder order) {
            return new CellOrder(adapter, order.strength, order.prompt, order.seed, order.settings);
        }

        @Override
        public String title() {
            return adapter.title();
        }
    }

    /// A checkpoint of the row's run.
    public record SetCheckpoint(ComparedAdapter.OfRun adapter) implements CellChange {
        @Override
        public CellOrder apply(CellOrder order) {
            return new SetAdapter(adapter).apply(order);
        }

        @Override
        public String title() {
            return adapter.checkpoint().map(ComparedAdapter.RunCheckpoint::title).orElseGet(adapter::title);
        }
    }

    public record SetStrength(double strength) implements CellChange {
        @Override
        public CellOrder apply(CellOrder order) {
            return new CellOrder(order.adapter, strength, order.prompt, order.seed, order.settings);
        }

        @Override
        public String title() {
            return text("compare.strength", ImageSettings.number(strength));
        }
    }

    public record SetPrompt(PromptVariant variant) implements CellChange {
        @Override
        public CellOrder apply(CellOrder order) {
            return new CellOrder(order.adapter, order.strength, variant.prompt(), order.seed, order.settings);
        }

        @Override
        public String title() {
            return variant.label();
        }
    }

    public record SetSeed(long seed) implements CellChange {
        @Override
        public CellOrder apply(CellOrder order) {
            return new CellOrder(order.adapter, order.strength, order.prompt, seed, order.settings);
        }

        @Override
        public String title() {
            return text("compare.seed", Seed.format(seed));
        }
    }

    public record SetSteps(int steps) implements CellChange {
        @Override
        public CellOrder apply(CellOrder order) {
            ImageSettings settings = order.settings;
            return order.with(settings.withSampling(settings.sampling().withSteps(steps)));
        }

        @Override
        public String title() {
            return count("compare.steps", steps);
        }
    }

    public record SetGuidance(double scale) implements CellChange {
        @Override
        public CellOrder apply(CellOrder order) {
            ImageSettings settings = order.settings;
            Guidance guidance = new Guidance(scale, settings.sampling().guidance().rescale());
            return order.with(settings.withSampling(settings.sampling().with(guidance)));
        }

        @Override
        public String title() {
            return text("compare.guidance", ImageSettings.number(scale));
        }
    }

    private CellOrder with(ImageSettings changed) {
        return new CellOrder(adapter, strength, prompt, seed, changed);
    }
}
