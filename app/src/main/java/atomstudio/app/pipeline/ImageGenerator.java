package atomstudio.app.pipeline;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.DiffusionPipeline;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.GenerationBatch;
import atomstudio.diffusion.engine.LatentPreviewer;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.image.Infotext;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.NetworkFile;
import atomstudio.diffusion.onnx.TaesdPreviewer;
import atomstudio.diffusion.sample.Seed;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.tuning.adapter.FileHashes;
import atomstudio.tuning.measure.ClipMetrics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Generates images with one model, for the command line and the window. Owns the engine. One thread at a time.
public final class ImageGenerator implements AutoCloseable {
    private final DiffusionModel model;
    /// Consecutive images for which a device of an execution provider may fail before the CPU computes all.
    private static final int MAX_DEVICE_FAILURES = 2;

    private final EngineName engineName;
    private final Device chosenDevice;
    private int deviceFailures;
    private Device device;
    private Engine engine;
    private DiffusionPipeline pipeline;
    private final Consumer<String> warnings;
    private final SafetyGate safetyGate;
    private OptionalInt batchSize = OptionalInt.empty();
    private ModelHash modelHash = ModelHash.none();
    private @Nullable LatentPreviewer previewer;
    private @Nullable TaesdPreviewer taesd;

    private ImageGenerator(DiffusionModel model, Device device, EngineName engineName, Consumer<String> warnings)
            throws Failure {
        this.warnings = warnings;
        this.model = model;
        this.engineName = engineName;
        this.chosenDevice = device;
        this.device = device;
        this.engine = engineName.open(model, device);
        this.safetyGate = new SafetyGate(model, device.torchDevice());
        try {
            this.pipeline = DiffusionPipeline.of(model, engine, warnings);
        } catch (Failure e) {
            engine.close();
            throw e;
        }
    }

    /// Opens a model for sampling with all processors.
    public static ImageGenerator open(DiffusionModel model, Device device) throws Failure {
        return open(model, device, EngineName.AUTO, ignored -> {});
    }

    /// @param warnings receives a sentence when an image is generated differently, e.g. in tiles for lack of memory
    public static ImageGenerator open(DiffusionModel model, Device device, EngineName engineName,
            Consumer<String> warnings) throws Failure {
        engineName.requireSupport(device);
        try {
            return new ImageGenerator(model, device, engineName, warnings);
        } catch (Failure e) {
            if (!(device instanceof ProviderDevice)) throw e;
            warnings.accept(cpuInstead(device, e));
            return new ImageGenerator(model, Device.CPU, engineName, warnings);
        }
    }

    private static String cpuInstead(Device device, Failure e) {
        return "Device " + device.name() + " failed, so the CPU computes: " + e.getMessage();
    }

    public DiffusionModel model() {
        return model;
    }

    /// Decodes previews with a TAESD decoder from now on.
    /// @throws Failure.Incompatible if the file is not a decoder
    public void usePreviewDecoder(Path decoderFile) throws Failure {
        TaesdPreviewer decoder = TaesdPreviewer.open(NetworkFile.taesdDecoder(decoderFile, model), device.torchDevice(),
                Runtime.getRuntime().availableProcessors());
        if (taesd != null) taesd.close();
        taesd = decoder;
        previewer = decoder;
    }

    /// Decodes previews without a TAESD decoder from now on.
    public void useDefaultPreview() {
        if (taesd != null) taesd.close();
        taesd = null;
        previewer = null;
    }

    /// Turns the model's safety checker on or off, if it has one. Default: on.
    public void setSafetyFilter(SafetyFilter filter) { safetyGate.setFilter(filter); }

    /// Whether the model's files are unchanged since this was opened.
    public boolean isCurrent() {
        try {
            engine.checkFiles();
            return true;
        } catch (Failure.Unreadable changed) {
            return false;
        }
    }

    /// Denoising steps of all passes of an image.
    public int stepCount(Generation generation) throws Failure {
        return pipeline.stepCount(generation);
    }

    /// Decodes previews from latents.
    LatentPreviewer previewer() throws Failure {
        LatentPreviewer cached = previewer;
        if (cached == null) previewer = cached = LatentPreviewer.fastest(model, engine.autoencoder());
        return cached;
    }

    /// Generates one image; empty if the listener stopped it.
    public Optional<RgbImage> generate(Generation generation, StepListener listener) throws Failure {
        List<RgbImage> images = new ArrayList<>();
        generate(new GenerationBatch(generation, List.of(generation.seed())), listener,
                (row, image) -> images.add(image));
        return images.stream().findFirst();
    }

    /// Generates the images of a batch, each delivered when it is decoded. If a device of an execution provider fails,
    /// for example because its process crashed, the CPU computes the batch. The next one tries the device again; if it
    /// fails twice in a row, the CPU computes from then on.
    /// @return false if the listener stopped it
    public boolean generate(GenerationBatch batch, StepListener listener, DiffusionPipeline.ImageListener images)
            throws Failure {
        safetyGate.open();
        if (!device.equals(chosenDevice) && deviceFailures < MAX_DEVICE_FAILURES) tryChosenDevice();
        Set<Integer> delivered = new HashSet<>();
        DiffusionPipeline.ImageListener checkedImages = (row, image) -> {
            RgbImage checked = checked(image, batch.seeds().get(row));
            if (delivered.add(row)) images.onImage(row, checked);
        };
        try {
            boolean finished = pipeline.generate(batch, listener, checkedImages);
            if (device.equals(chosenDevice)) deviceFailures = 0;
            return finished;
        } catch (Failure.Unwritable e) {
            throw e; // by the listener
        } catch (Failure e) {
            if (!(device instanceof ProviderDevice)) throw e;
            deviceFailures++;
            warnings.accept(cpuInstead(device, e)
                    + (deviceFailures < MAX_DEVICE_FAILURES ? "; the next image tries the device again" : ""));
            use(Device.CPU);
            return pipeline.generate(batch, listener, checkedImages);
        }
    }

    private void tryChosenDevice() throws Failure {
        try {
            use(chosenDevice);
        } catch (Failure e) {
            deviceFailures = MAX_DEVICE_FAILURES;
            warnings.accept(cpuInstead(chosenDevice, e));
            use(Device.CPU);
        }
    }

    private void use(Device other) throws Failure {
        if (taesd == null) previewer = null; // may decode with the engine
        engine.close();
        device = other;
        engine = engineName.open(model, device);
        pipeline = DiffusionPipeline.of(model, engine, warnings);
    }

    private RgbImage checked(RgbImage image, long seed) throws Failure {
        if (!safetyGate.isBlocked(image)) return image;
        warnings.accept("The safety checker of " + model.name() + " flagged the image with seed " + Seed.format(seed)
                + ", so it is black; with the safety checker off such images are shown");
        return SafetyGate.blank(image);
    }

    /// Samples up to this many images together from now on. Default: automatic ([BatchSize]).
    public void setBatchSize(int images) { batchSize = OptionalInt.of(images); }

    /// Images that differ only in the seed, in batches of nearly equal size.
    public List<GenerationBatch> batches(Generation generation, List<Long> seeds) {
        int largest = batchSize.isEmpty() ? BatchSize.automatic(model, device, generation)
                : BatchSize.limited(Math.min(batchSize.getAsInt(), seeds.size()), model, device, generation, warnings);
        int count = Math.ceilDiv(seeds.size(), largest);
        List<GenerationBatch> batches = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int from = Math.toIntExact((long) seeds.size() * i / count);
            int to = Math.toIntExact((long) seeds.size() * (i + 1) / count);
            batches.add(new GenerationBatch(generation, seeds.subList(from, to)));
        }
        return batches;
    }

    SafetyGate safetyGate() {
        return safetyGate;
    }

    /// Metrics by the model's CLIP image encoder; empty if it has none.
    /// @throws Failure if the encoder is damaged
    public Optional<ClipMetrics> clipMetrics() throws Failure {
        return ClipMetrics.of(model, engine);
    }

    /// Adds the hash of a model in one file to the generation parameters, by which other programs identify it. It is
    /// computed once per file, in the background of the first image.
    public void computeModelHash(FileHashes hashes) {
        if (model.isSingleFile()) modelHash = ModelHash.compute(model.path(), hashes);
    }

    /// The generation parameters of an image.
    /// @param sourceImage file name of the source image
    public Infotext infotext(Generation generation, Optional<String> sourceImage) {
        return GenerationInfotext.of(generation,
                new GenerationInfotext.Provenance(model.name(), modelHash.get(), sourceImage));
    }

    @Override
    public void close() {
        if (taesd != null) taesd.close();
        safetyGate.close();
        engine.close();
    }
}
