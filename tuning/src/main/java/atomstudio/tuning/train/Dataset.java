package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Engine;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.Noise;
import atomstudio.tuning.torch.Batch;
import java.util.ArrayList;
import java.util.List;

/// Latents of the pictures, computed once, and the captions; and which of them, how noisy, a step is trained on.
/// Everything random is a function of seed and step, so that a resumed run goes on as if it had never stopped.
record Dataset(List<Tensor> latents, List<String> captions, Wording wording, Noising noising) {
    /// Means of the pictures' latents times the scaling factor (1,4,h,w), and captions.
    static Dataset encode(List<Picture> pictures, List<String> captions, Encoding encoding) throws Failure {
        List<Tensor> latents = new ArrayList<>();
        for (Picture picture : pictures) {
            Tensor mean = encoding.engine.encode(picture.toTensor()).mean();
            for (int i = 0; i < mean.data().length; i++) mean.data()[i] *= (float) encoding.scalingFactor;
            latents.add(mean);
        }
        return new Dataset(List.copyOf(latents), List.copyOf(captions), encoding.wording, encoding.noising);
    }

    /// What pictures and captions are encoded with.
    record Encoding(Engine engine, double scalingFactor, Wording wording, Noising noising) {}

    /// The pictures of a step (counted from 0): each comes once before any comes again; timesteps are spread evenly over the batch.
    Batch batch(long seed, int step, int size) {
        Tensor[] clean = new Tensor[size];
        List<String> said = new ArrayList<>();
        Tensor[] noises = new Tensor[size];
        float[] timesteps = new float[size];
        Noise choice = new Noise(seed, "step " + step);
        for (int i = 0; i < size; i++) {
            clean[i] = latents.get(picture(seed, (long) step * size + i));
            said.add(captions.get(choice.below(captions.size(), 2L * i)));
            timesteps[i] = (int) ((i + choice.uniform(2L * i + 1)) / size * noising.schedule().size());
            noises[i] = new Tensor(clean[i].shape(), new Noise(seed, "noise " + step + " " + i).normals(clean[i].data().length));
        }
        Tensor x0 = Tensor.stack(clean);
        Tensor noise = Tensor.stack(noises);
        return new Batch(noising.noisy(x0, noise, timesteps), timesteps, wording.of(said), noising.target(x0, noise, timesteps), Tensor.filled(Shape.of(size, 1, 1, 1), 1));
    }

    /// The n-th picture of an endless sequence of shuffled rounds.
    private int picture(long seed, long n) {
        int count = latents.size();
        Noise shuffle = new Noise(seed, "round " + n / count);
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int j = shuffle.below(i + 1, i);
            order[i] = order[j];
            order[j] = i;
        }
        return order[(int) (n % count)];
    }
}
