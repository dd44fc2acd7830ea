package atomstudio.app.generate;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.RgbImage;

/// Makes the pictures of a row, one a seed. For jobs; looks at the cancellation at every step.
@FunctionalInterface
public interface RowGenerator extends AutoCloseable {
    void generate(RowRequest request, RowListener listener, Cancellation cancellation) throws Failure;

    /// Frees what it keeps open, after the row that is being made.
    @Override default void close() {}

    /// Called on the job's thread.
    interface RowListener {
        /// One more step of `of` was finished; of all pictures together.
        void step(int done, int total);

        /// @param column which of the seeds
        void image(int column, GeneratedImage generated);

        /// What a picture of this row looks like so far.
        /// @param column which of the seeds
        default void preview(int column, RgbImage image) {}

        /// Something worth knowing that is no failure: a prompt that was cut, a base that differs.
        void warning(String message);
    }
}
