package atomstudio.tuning.method;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.stream.IntStream;

/// Sparse coding of the rows X: min over D, α of ½‖X − α · D‖² + λ‖α‖₁ with unit-norm atoms D, in doubles, with seeded
/// initialization and fixed iteration counts. Rows are coded independently, so that the result does not depend on the
/// number of threads.
/// Source: Beck and Teboulle 2009, "A Fast Iterative Shrinkage-Thresholding Algorithm", section 4 (codes α); Mairal et
/// al. 2009, "Online Dictionary Learning for Sparse Coding", algorithm 2 (atoms D).
final class SparseCoding {
    /// λ of Chen, Miao, Qiu 2025.
    static final double LAMBDA = 1e-3;
    private static final int ROUNDS = 10;
    private static final int ITERATIONS = 20;
    private static final int POWER_ITERATIONS = 100;
    /// Rows for dictionary learning; more would take long and change little.
    private static final int SAMPLE_ROWS = 20_000;
    private static final int CHUNK_ROWS = 4096;

    private final double[][] atoms;
    private final int atomSize;
    private final double[][] gram;
    private final double step;

    private SparseCoding(double[][] atoms, int size) {
        this.atoms = atoms;
        this.atomSize = size;
        this.gram = new double[atoms.length][atoms.length];
        for (int i = 0; i < atoms.length; i++)
            for (int j = 0; j < atoms.length; j++) gram[i][j] = dot(atoms[i], atoms[j]);
        this.step = 1 / largestEigenvalue(gram);
    }

    /// α (N, m) of rows (N, n) for atoms D (m, n).
    static Tensor codes(Tensor rows, Tensor atoms) {
        return new SparseCoding(matrix(atoms), Math.toIntExact(rows.shape().size(1))).codes(rows);
    }

    /// Learns atoms D (count, n) from rows (N, n).
    static Tensor atoms(Tensor rows, int count, CounterRng rng) {
        int size = Math.toIntExact(rows.shape().size(1));
        Tensor sample = sample(rows, rng);
        double[][] atoms = initialAtoms(count, size, rng);
        for (int round = 0; round < ROUNDS; round++)
            updateAtoms(atoms, sample, new SparseCoding(atoms, size).codes(sample));
        Tensor learned = Tensor.zeros(Shape.of(count, size));
        for (int j = 0; j < count; j++)
            for (int k = 0; k < size; k++) learned.data()[j * size + k] = (float) atoms[j][k];
        return learned;
    }

    private Tensor codes(Tensor rows) {
        int count = rows.data().length / atomSize, m = atoms.length;
        float[] codes = new float[Math.multiplyExact(count, m)];
        IntStream.range(0, (count + CHUNK_ROWS - 1) / CHUNK_ROWS).parallel().forEach(chunk -> {
            double[] x = new double[atomSize];
            for (int row = chunk * CHUNK_ROWS; row < Math.min(count, (chunk + 1) * CHUNK_ROWS); row++) {
                for (int k = 0; k < atomSize; k++) x[k] = rows.data()[row * atomSize + k];
                double[] z = code(x);
                for (int j = 0; j < m; j++) codes[row * m + j] = (float) z[j];
            }
        });
        return new Tensor(Shape.of(count, m), codes);
    }

    /// FISTA on one row.
    private double[] code(double[] x) {
        int m = atoms.length;
        double[] correlation = new double[m], z = new double[m], y = new double[m];
        for (int j = 0; j < m; j++) correlation[j] = dot(atoms[j], x);
        double t = 1;
        for (int iteration = 0; iteration < ITERATIONS; iteration++) {
            double next = (1 + Math.sqrt(1 + 4 * t * t)) / 2, momentum = (t - 1) / next;
            double[] updated = new double[m];
            for (int j = 0; j < m; j++)
                updated[j] = softThreshold(y[j] - step * (dot(gram[j], y) - correlation[j]), step * LAMBDA);
            for (int j = 0; j < m; j++) y[j] = updated[j] + momentum * (updated[j] - z[j]);
            z = updated;
            t = next;
        }
        return z;
    }

    /// Block coordinate descent: fits each atom to the residual of the others.
    private static void updateAtoms(double[][] atoms, Tensor rows, Tensor codes) {
        int m = atoms.length, size = atoms[0].length, count = codes.data().length / m;
        double[][] a = new double[m][m], b = new double[m][size];
        for (int row = 0; row < count; row++) for (int i = 0; i < m; i++) {
            double code = codes.data()[row * m + i];
            if (code == 0) continue;
            for (int j = 0; j < m; j++) a[i][j] += code * codes.data()[row * m + j];
            for (int k = 0; k < size; k++) b[i][k] += code * rows.data()[row * size + k];
        }
        for (int i = 0; i < m; i++) {
            if (a[i][i] < 1e-12) continue; // unused atom
            for (int k = 0; k < size; k++) {
                double others = 0;
                for (int j = 0; j < m; j++) others += a[i][j] * atoms[j][k];
                atoms[i][k] += (b[i][k] - others) / a[i][i];
            }
            normalize(atoms[i]);
        }
    }

    private static double[][] initialAtoms(int count, int size, CounterRng rng) {
        double[][] atoms = new double[count][size];
        float[] normals = rng.normals(count * size);
        for (int i = 0; i < count; i++) {
            for (int k = 0; k < size; k++) atoms[i][k] = normals[i * size + k];
            for (int j = i - i % size; j < i; j++) subtract(atoms[i], atoms[j]); // orthogonal in groups
            normalize(atoms[i]);
        }
        return atoms;
    }

    private static void subtract(double[] atom, double[] unit) {
        double projection = dot(atom, unit);
        for (int k = 0; k < atom.length; k++) atom[k] -= projection * unit[k];
    }

    private static void normalize(double[] atom) {
        double length = Math.sqrt(dot(atom, atom));
        if (length > 0) for (int k = 0; k < atom.length; k++) atom[k] /= length;
    }

    private static Tensor sample(Tensor rows, CounterRng rng) {
        int count = Math.toIntExact(rows.shape().size(0)), size = Math.toIntExact(rows.shape().size(1));
        if (count <= SAMPLE_ROWS) return rows;
        float[] sampled = new float[SAMPLE_ROWS * size];
        for (int i = 0; i < SAMPLE_ROWS; i++)
            System.arraycopy(rows.data(), rng.randint(count, 1_000_000L + i) * size, sampled, i * size, size);
        return new Tensor(Shape.of(SAMPLE_ROWS, size), sampled);
    }

    private static double largestEigenvalue(double[][] matrix) {
        double[] vector = new double[matrix.length];
        for (int i = 0; i < vector.length; i++) vector[i] = 1 + i * 0.1;
        double value = 1;
        for (int power = 0; power < POWER_ITERATIONS; power++) {
            double[] next = new double[vector.length];
            for (int i = 0; i < next.length; i++) next[i] = dot(matrix[i], vector);
            value = Math.sqrt(dot(next, next) / dot(vector, vector));
            normalize(next);
            vector = next;
        }
        return value * 1.01; // a step that is a little short never diverges
    }

    private static double[][] matrix(Tensor rows) {
        int count = Math.toIntExact(rows.shape().size(0)), size = Math.toIntExact(rows.shape().size(1));
        double[][] matrix = new double[count][size];
        for (int i = 0; i < count; i++) for (int k = 0; k < size; k++) matrix[i][k] = rows.data()[i * size + k];
        return matrix;
    }

    private static double softThreshold(double x, double threshold) {
        return x > threshold ? x - threshold : x < -threshold ? x + threshold : 0;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) sum += a[i] * b[i];
        return sum;
    }
}
