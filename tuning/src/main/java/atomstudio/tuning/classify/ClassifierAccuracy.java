package atomstudio.tuning.classify;

import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.measure.BootstrapInterval;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The accuracy on labeled images.
/// @param overall share of images whose largest logit is their class's, with its interval over the images
/// @param classes of each class that has images
public record ClassifierAccuracy(BootstrapInterval overall, int images, List<ClassAccuracy> classes) {
    public record ClassAccuracy(String name, int images, int correct) {}

    /// @param labels    of the images
    /// @param predicted classes of the images
    static ClassifierAccuracy of(List<String> names, List<Integer> labels, List<Integer> predicted) {
        double[] correct = new double[labels.size()];
        int[] images = new int[names.size()], hits = new int[names.size()];
        for (int i = 0; i < correct.length; i++) {
            correct[i] = labels.get(i).equals(predicted.get(i)) ? 1 : 0;
            images[labels.get(i)]++;
            hits[labels.get(i)] += (int) correct[i];
        }
        List<ClassAccuracy> classes = new ArrayList<>();
        for (int c = 0; c < images.length; c++)
            if (images[c] > 0) classes.add(new ClassAccuracy(names.get(c), images[c], hits[c]));
        return new ClassifierAccuracy(BootstrapInterval.ofMean(correct), correct.length, List.copyOf(classes));
    }

    /// The probabilities of a row of logits.
    static double[] softmax(Tensor logits, int row) {
        int classes = Math.toIntExact(logits.shape().size(1));
        double[] probabilities = new double[classes];
        double largest = Double.NEGATIVE_INFINITY, sum = 0;
        for (int c = 0; c < classes; c++) largest = Math.max(largest, logits.data()[row * classes + c]);
        for (int c = 0; c < classes; c++)
            sum += probabilities[c] = Math.exp(logits.data()[row * classes + c] - largest);
        double total = sum;
        return Arrays.stream(probabilities).map(each -> each / total).toArray();
    }

    static int largest(double[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
        return best;
    }
}
