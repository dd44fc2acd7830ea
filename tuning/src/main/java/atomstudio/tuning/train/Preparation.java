package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What a request's folders hold, prepared for training: the subject's pictures, and the given ones of its class.
/// @param longCaptions notes on captions that are longer than what is trained on
record Preparation(Crops subject, Crops prior, Framing framing, List<String> longCaptions) {
    static Preparation of(TuneRequest request, DiffusionModel model) throws Failure {
        Recipe recipe = request.recipe();
        Framing framing = new Framing(recipe.material().crop(), size(recipe, model), model.vae().downsamplingFactor());
        Captions captions = Captions.of(request.words(), recipe);
        Crops subject = Crops.of(request.pictures(), new Crops.Reading(recipe, framing, captions));
        List<String> all = Stream.concat(subject.prepared().stream().flatMap(each -> each.name().captions().stream()), captions.general().stream()).toList();
        Optional<Recipe.Prior> given = recipe.weighing().prior().filter(prior -> !prior.made());
        return new Preparation(subject, given.isEmpty() ? new Crops(List.of(), List.of()) : prior(given.get(), request, framing), framing, Wording.notes(all, model.tokenizer()));
    }

    /// Without masks: all of each picture counts. Captions beside the pictures count, as in kohya's scripts, whether or not the subject's do: what a
    /// picture of the class shows beside the class is nothing that should be kept as the class.
    private static Crops prior(Recipe.Prior prior, TuneRequest request, Framing framing) throws Failure {
        Recipe plain = Recipe.of(request.method());
        try {
            SubjectFiles files = SubjectFiles.of(Path.of(prior.source()));
            boolean captioned = files.pictures().stream().anyMatch(picture -> files.captions().containsKey(SubjectFiles.stem(picture)));
            Captions captions = Captions.ofClass(request.words().className(), request.recipe());
            Crops crops = Crops.of(Path.of(prior.source()), new Crops.Reading(captioned ? plain.with(Recipe.Feature.CAPTIONS) : plain, framing, captions));
            return captioned ? told(crops, prior.source()) : crops;
        } catch (Failure.Unreadable e) {
            throw new Failure.Unreadable("--prior: " + e.getMessage() + " (pictures of \"" + request.words().className() + "\" are expected there; auto makes them)", e);
        }
    }

    private static Crops told(Crops crops, String source) {
        return new Crops(crops.prepared(), Stream.concat(Stream.of(source + ": the captions beside the pictures of the class are used"), crops.notes().stream()).toList());
    }

    private static int size(Recipe recipe, DiffusionModel model) throws Failure {
        int asked = recipe.material().size();
        if (asked == Recipe.OPEN) return model.defaultImageSize();
        Optional<String> problem = model.sizeProblem(asked, asked);
        if (problem.isPresent()) throw new Failure.Incompatible("--size: " + problem.get());
        return asked;
    }

    List<String> notes() {
        return Stream.of(subject.notes(), longCaptions, prior.notes()).flatMap(List::stream).toList();
    }

    void write(RunFolder run) throws Failure {
        subject.write(run.pictures(), run.masks());
        prior.write(run.prior(), run.prior());
    }
}
