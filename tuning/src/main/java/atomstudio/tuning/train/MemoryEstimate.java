package atomstudio.tuning.train;

/// How many bytes a run will hold at the most.
interface MemoryEstimate {
    long bytes();

    /// How that was found, in words.
    String source();

    /// What this process held at the most while it did a few of the run's steps.
    record Measured(int steps) implements MemoryEstimate {
        @Override public long bytes() {
            return ResidentMemory.peak();
        }

        @Override public String source() {
            return "the most that " + steps + " measured steps held";
        }
    }
}
