package atomstudio.app.generate;

import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.Picture;

/// Makes the pictures of a row, one a seed. For jobs; looks at the cancellation at every step.
@FunctionalInterface
public interface RowMaker extends AutoCloseable {
    void make(RowOrder order, Listener listener, Cancellation cancellation) throws Failure;

    /// Frees what it keeps open, after the row that is being made.
    @Override default void close() {}

    /// Called on the job's thread.
    interface Listener {
        /// One more step of `of` was finished; of all pictures together.
        void step(int done, int of);

        /// @param column which of the seeds
        void picture(int column, Made made);

        /// What a picture of this row looks like so far.
        /// @param column which of the seeds
        default void emerging(int column, Picture look) {}

        /// Something worth knowing that is no failure: a prompt that was cut, a base that differs.
        void warning(String message);
    }
}
