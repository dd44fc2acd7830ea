package atomstudio.tuning.classify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.ImageFiles;
import atomstudio.diffusion.model.ImageEncoder.ImageProcessor;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.classify.ClassFolders.LabeledImage;
import atomstudio.tuning.data.EpochSampler;
import atomstudio.tuning.method.CounterRng;
import atomstudio.tuning.torch.TorchClassifier.LabeledBatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Labeled images as normalized pixels. Up to a limit they stay in memory.
final class ImageBatches {
    static final long MAX_CACHED_VALUES = 256L << 20;

    private final List<LabeledImage> images;
    private final int classes;
    private final ImageProcessor processor;
    private final Map<Path, Tensor> cached = new HashMap<>();
    private long cachedValues;

    ImageBatches(List<LabeledImage> images, int classes, ImageProcessor processor) {
        this.images = images;
        this.classes = classes;
        this.processor = processor;
    }

    /// Of a training step: a function of seed and step alone.
    /// @param flip whether each image is mirrored with probability ½
    LabeledBatch training(long seed, int step, int size, boolean flip) throws Failure {
        EpochSampler sampler = new EpochSampler(new CounterRng(seed, "images "), size,
                Collections.nCopies(images.size(), ""), Collections.nCopies(images.size(), 1));
        List<Integer> indices = sampler.batch(step);
        CounterRng mirror = new CounterRng(seed, "flip");
        List<LabeledImage> chosen = new ArrayList<>();
        List<Tensor> pixels = new ArrayList<>();
        for (int i = 0; i < indices.size(); i++) {
            LabeledImage image = images.get(indices.get(i));
            Tensor upright = pixels(image.file());
            chosen.add(image);
            pixels.add(flip && mirror.uniform((long) step * size + i) < 0.5 ? mirrored(upright) : upright);
        }
        return batch(chosen, pixels);
    }

    /// Images `from` to `to`, in order.
    LabeledBatch range(int from, int to) throws Failure {
        List<LabeledImage> chosen = images.subList(from, to);
        List<Tensor> pixels = new ArrayList<>();
        for (LabeledImage image : chosen) pixels.add(pixels(image.file()));
        return batch(chosen, pixels);
    }

    private LabeledBatch batch(List<LabeledImage> chosen, List<Tensor> pixels) {
        Tensor target = Tensor.zeros(Shape.of(chosen.size(), classes));
        for (int i = 0; i < chosen.size(); i++) target.data()[i * classes + chosen.get(i).label()] = 1;
        return new LabeledBatch(Tensor.concatenate(pixels.toArray(Tensor[]::new)), target);
    }

    private Tensor pixels(Path file) throws Failure {
        Tensor found = cached.get(file);
        if (found != null) return found;
        Tensor pixels = processor.preprocess(ImageFiles.read(file));
        if (cachedValues + pixels.data().length <= MAX_CACHED_VALUES) {
            cachedValues += pixels.data().length;
            cached.put(file, pixels);
        }
        return pixels;
    }

    private static Tensor mirrored(Tensor pixels) {
        int width = Math.toIntExact(pixels.shape().size(3));
        Tensor mirrored = Tensor.zeros(pixels.shape());
        for (int i = 0; i < pixels.data().length; i++)
            mirrored.data()[i / width * width + width - 1 - i % width] = pixels.data()[i];
        return mirrored;
    }
}
