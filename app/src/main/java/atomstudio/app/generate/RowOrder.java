package atomstudio.app.generate;

import atomstudio.diffusion.engine.Applied;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.sample.SamplingSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a row of a gallery is made with. Equal orders give equal pictures.
/// @param adapter empty: the base model, whatever the strength
public record RowOrder(Path model, String prompt, Optional<Path> adapter, PictureSettings settings) {
    public RowOrder {
        if (adapter.isEmpty()) settings = settings.withStrength(1);
    }

    /// The row's own adapter and those that every row wears.
    List<PictureSettings.Worn> worn() {
        List<PictureSettings.Worn> all = new ArrayList<>();
        adapter.ifPresent(file -> all.add(new PictureSettings.Worn(file, settings.strength())));
        all.addAll(settings.worn());
        return all;
    }

    /// The picture of a seed.
    Generation generation(long seed, List<Applied> adapters) {
        PictureSettings.Way way = settings.way();
        PictureSettings.Start start = settings.start();
        SamplingSettings sampling = new SamplingSettings(way.sampler(), way.schedule(), way.steps(), way.eta(), Optional.empty());
        Generation.Settings sampled = new Generation.Settings(sampling, way.guidance(), way.clipSkip(), settings.size().width(), settings.size().height());
        Source source = start.given().<Source>map(given -> new Source.FromPicture(given.picture(), given.mask(), start.denoise())).orElseGet(Source.FromNoise::new);
        Optional<Hires> hires = start.hires().isPresent() ? Optional.of(new Hires(start.hires().getAsDouble(), start.denoise())) : Optional.empty();
        return new Generation(new Generation.Prompt(prompt, settings.negative().strip()), sampled, seed, adapters, source, hires);
    }
}
