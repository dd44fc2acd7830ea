package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.data.Captions;
import atomstudio.tuning.data.CropPolicy;
import atomstudio.tuning.data.Dataset;
import atomstudio.tuning.data.DatasetEncoder;
import atomstudio.tuning.data.PreparedPhotos;
import atomstudio.tuning.method.CounterRng;
import atomstudio.tuning.run.ControlPoint;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The datasets of a run: photos, class images, and the photo held out for validation.
record TrainingDatasets(Dataset photos, Optional<Dataset> classImages, Optional<Dataset> heldOut) {
    /// Encodes a run's images and captions.
    record DatasetBuilder(RunFolder folder, RunInfo info, DatasetEncoder encoder, ClassImages classImages) {
        /// Empty when stopped.
        Optional<TrainingDatasets> build(ControlPoint controlPoint, EventSink events, int step) throws Failure {
            PreparedPhotos photos = PreparedPhotos.readRun(folder, info.subject().photos());
            Optional<Dataset> all = encoder.encode(new DatasetEncoder.EncoderInput("", photos,
                    info.subject().defaultCaptions(), batchSampling(config())), controlPoint, step);
            if (all.isEmpty()) return Optional.empty();
            if (config().loss().priorPreservation().isEmpty()) return Optional.of(split(all.get(), Optional.empty()));
            Optional<PreparedPhotos> classPhotos = loadClassImages(controlPoint, events, step);
            if (classPhotos.isEmpty()) return Optional.empty();
            List<String> captions = Captions.forClass(info.subject().className(), config()).defaults();
            Optional<Dataset> classDataset = encoder.encode(
                    new DatasetEncoder.EncoderInput("prior ", classPhotos.get(), captions, batchSampling(config())),
                    controlPoint, step);
            return classDataset.isEmpty() ? Optional.empty() : Optional.of(split(all.get(), classDataset));
        }

        private TrainingConfig config() {
            return info.config().requested();
        }

        private Optional<PreparedPhotos> loadClassImages(ControlPoint controlPoint, EventSink events, int step)
                throws Failure {
            if (!config().loss().priorPreservation().orElseThrow().isGenerated())
                return Optional.of(PreparedPhotos.readClassImages(folder, info.config().classImages()));
            CropPolicy cropPolicy = new CropPolicy(config().data().crop(), info.config().resolution(),
                    encoder.model().vae().downsamplingFactor());
            Optional<List<RgbImage>> generated = classImages.load(controlPoint, events, step);
            return generated.map(images -> PreparedPhotos.ofGenerated(images, cropPolicy));
        }

        private Dataset.BatchSampling batchSampling(TrainingConfig config) throws Failure {
            return Dataset.BatchSampling.of(config, info.config(), encoder.model());
        }

        /// With validation and enough photos, holds one out, chosen by the seed.
        private TrainingDatasets split(Dataset all, Optional<Dataset> classDataset) throws Failure {
            int count = all.examples().size();
            if (!config().has(TrainingConfig.Feature.VALIDATE) || count < Validation.MIN_PHOTOS)
                return new TrainingDatasets(all, classDataset, Optional.empty());
            int heldOutIndex = new CounterRng(info.config().seed(), "held out").randint(count, 0);
            List<Dataset.TrainingExample> remaining = new ArrayList<>(all.examples());
            Dataset.TrainingExample heldOut = remaining.remove(heldOutIndex);
            TrainingConfig validationConfig = config().withPlainLoss();
            return new TrainingDatasets(new Dataset(all.rngStream(), remaining, all.textConditioning(), all.sampling()),
                    classDataset,
                    Optional.of(new Dataset("validation ", List.of(heldOut), all.textConditioning(),
                            batchSampling(validationConfig))));
        }
    }
}
