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

/// A request's photos and given class images, prepared for training.
/// @param captionWarnings about captions that are truncated
public record PreparedData(PreparedPhotos photos, PreparedPhotos classImages, CropPolicy cropPolicy,
        List<String> captionWarnings) {
    public static PreparedData of(TrainingRequest request, DiffusionModel model) throws Failure {
        TrainingConfig config = request.config();
        CropPolicy cropPolicy = new CropPolicy(config.data().crop(), resolution(config, model),
                model.vae().downsamplingFactor());
        Captions captions = Captions.of(request.trigger(), config);
        PreparedPhotos photos = new PhotoPreparation(config, cropPolicy, captions).prepare(request.photos());
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

    /// Without masks. Captions beside the class images are used even if those of the photos are not, as in kohya's
    /// scripts: otherwise everything else in an image would be learned as the class.
    private static PreparedPhotos classImages(TrainingConfig.PriorPreservation prior, TrainingRequest request,
            CropPolicy cropPolicy) throws Failure {
        TrainingConfig defaultConfig = TrainingConfig.of(request.method());
        try {
            PhotoFiles files = PhotoFiles.of(Path.of(prior.source()));
            boolean hasCaptions = files.photos()
                    .stream()
                    .anyMatch(photo -> files.captions().containsKey(PhotoFiles.stem(photo)));
            Captions captions = Captions.forClass(request.trigger().className(), request.config());
            PreparedPhotos classImages = new PhotoPreparation(
                    hasCaptions ? defaultConfig.with(TrainingConfig.Feature.CAPTIONS) : defaultConfig, cropPolicy,
                    captions).prepare(Path.of(prior.source()));
            return hasCaptions ? withCaptionNotice(classImages, prior.source()) : classImages;
        } catch (Failure.Unreadable e) {
            throw new Failure.Unreadable("class images: " + e.getMessage() + " (expected images of \""
                    + request.trigger().className() + "\"; auto generates them)", e);
        }
    }

    private static PreparedPhotos withCaptionNotice(PreparedPhotos classImages, String source) {
        String notice = source + ": the captions beside the class images are used";
        return new PreparedPhotos(classImages.photos(),
                Stream.concat(Stream.of(notice), classImages.warnings().stream()).toList());
    }

    private static int resolution(TrainingConfig config, DiffusionModel model) throws Failure {
        int requested = config.data().resolution();
        if (requested == TrainingConfig.UNSET) return model.defaultImageSize();
        Optional<String> problem = model.sizeProblem(requested, requested);
        if (problem.isPresent()) throw new Failure.Incompatible("resolution: " + problem.get());
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
