package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingRequest;
import atomstudio.tuning.run.RunFolder;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What a request's folders hold, prepared for training: the subject's pictures, and the given ones of its class.
/// @param captionWarnings notes on captions that are longer than what is trained on
public record PreparedData(PreparedPhotos photos, PreparedPhotos classImages, CropPolicy cropPolicy,
        List<String> captionWarnings) {
    public static PreparedData of(TrainingRequest request, DiffusionModel model) throws Failure {
        TrainingConfig config = request.config();
        CropPolicy cropPolicy = new CropPolicy(config.data().crop(), resolution(config, model),
                model.vae().downsamplingFactor());
        Captions captions = Captions.of(request.trigger(), config);
        PreparedPhotos photos = PreparedPhotos.prepare(request.photos(),
                new PreparedPhotos.ReadOptions(config, cropPolicy, captions));
        List<String> captionTexts = Stream
                .concat(photos.photos().stream().flatMap(each -> each.info().captions().stream()),
                        captions.defaults().stream())
                .toList();
        Optional<TrainingConfig.PriorPreservation> given = config.loss()
                .priorPreservation()
                .filter(prior -> !prior.isGenerated());
        return new PreparedData(photos,
                given.isEmpty() ? new PreparedPhotos(List.of(), List.of())
                        : classImages(given.get(), request, cropPolicy),
                cropPolicy, TextConditioning.warnings(captionTexts, model.tokenizer()));
    }

    /// Without masks: all of each picture counts. Captions beside the pictures count, as in kohya's scripts, whether
    /// or not the subject's do: what a picture of the class shows beside the class is nothing that should be kept as
    /// the class.
    private static PreparedPhotos classImages(TrainingConfig.PriorPreservation prior, TrainingRequest request,
            CropPolicy cropPolicy) throws Failure {
        TrainingConfig defaultConfig = TrainingConfig.of(request.method());
        try {
            PhotoFiles files = PhotoFiles.of(Path.of(prior.source()));
            boolean hasCaptions = files.photos()
                    .stream()
                    .anyMatch(picture -> files.captions().containsKey(PhotoFiles.stem(picture)));
            Captions captions = Captions.forClass(request.trigger().className(), request.config());
            PreparedPhotos classImages = PreparedPhotos.prepare(Path.of(prior.source()),
                    new PreparedPhotos.ReadOptions(
                            hasCaptions ? defaultConfig.with(TrainingConfig.Feature.CAPTIONS) : defaultConfig,
                            cropPolicy, captions));
            return hasCaptions ? withCaptionNotice(classImages, prior.source()) : classImages;
        } catch (Failure.Unreadable e) {
            throw new Failure.Unreadable("--prior: " + e.getMessage() + " (pictures of \""
                    + request.trigger().className() + "\" are expected there; auto makes them)", e);
        }
    }

    private static PreparedPhotos withCaptionNotice(PreparedPhotos classImages, String source) {
        return new PreparedPhotos(
                classImages.photos(), Stream
                        .concat(Stream.of(source + ": the captions beside the pictures of the class are used"),
                                classImages.warnings().stream())
                        .toList());
    }

    private static int resolution(TrainingConfig config, DiffusionModel model) throws Failure {
        int requested = config.data().resolution();
        if (requested == TrainingConfig.UNSET) return model.defaultImageSize();
        Optional<String> problem = model.sizeProblem(requested, requested);
        if (problem.isPresent()) throw new Failure.Incompatible("--size: " + problem.get());
        return requested;
    }

    public List<String> warnings() {
        return Stream.of(photos.warnings(), captionWarnings, classImages.warnings()).flatMap(List::stream).toList();
    }

    public void write(RunFolder run) throws Failure {
        photos.write(run.photos(), run.masks());
        classImages.write(run.classImages(), run.classImages());
    }
}
