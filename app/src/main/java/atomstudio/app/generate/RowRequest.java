package atomstudio.app.generate;

import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.Source;
import atomstudio.diffusion.engine.WeightedAdapter;
import atomstudio.diffusion.sample.SamplingSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a row of a gallery is made with. Equal orders give equal pictures.
/// @param adapter empty: the base model, whatever the strength
public record RowRequest(Path model, String prompt, Optional<Path> adapter, ImageSettings settings) {
    public RowRequest {
        if (adapter.isEmpty()) settings = settings.withAdapterWeight(1);
    }

    /// The row's own adapter and those that every row wears.
    List<ImageSettings.SelectedAdapter> adapters() {
        List<ImageSettings.SelectedAdapter> result = new ArrayList<>();
        adapter.ifPresent(file -> result.add(new ImageSettings.SelectedAdapter(file, settings.adapterWeight())));
        result.addAll(settings.adapters());
        return result;
    }

    /// The picture of a seed.
    Generation generation(long seed, List<WeightedAdapter> adapters) {
        ImageSettings.SamplerSettings samplingSettings = settings.sampling();
        ImageSettings.SourceSettings sourceSettings = settings.source();
        SamplingSettings sampling = new SamplingSettings(samplingSettings.sampler(), samplingSettings.schedule(), samplingSettings.steps(), samplingSettings.eta(), Optional.empty());
        Generation.GenerationSettings generationSettings = new Generation.GenerationSettings(sampling, samplingSettings.guidance(), samplingSettings.clipSkip(), settings.size().width(), settings.size().height());
        Source source = sourceSettings.image().<Source>map(given -> new Source.FromImage(given.image(), given.mask(), sourceSettings.denoisingStrength())).orElseGet(Source.FromNoise::new);
        Optional<Hires> hires = sourceSettings.hiresScale().isPresent() ? Optional.of(new Hires(sourceSettings.hiresScale().getAsDouble(), sourceSettings.denoisingStrength())) : Optional.empty();
        return new Generation(new Generation.PromptPair(prompt, settings.negativePrompt().strip()), generationSettings, seed, adapters, source, hires);
    }
}
