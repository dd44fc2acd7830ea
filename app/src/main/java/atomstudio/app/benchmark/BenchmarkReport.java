package atomstudio.app.benchmark;

import atomstudio.diffusion.Failure;

/// Writes the tables of a benchmark.
public record BenchmarkReport(BenchmarkFolder folder, BenchmarkTable table) {
    public void write() throws Failure {
        BenchmarkCsv csv = new BenchmarkCsv(table);
        BenchmarkFolder.write(folder.folder().resolve("table.csv"), csv.methods());
        BenchmarkFolder.write(folder.folder().resolve("runs.csv"), csv.runs());
        BenchmarkFolder.write(folder.folder().resolve("images.csv"), csv.images());
        BenchmarkFolder.write(folder.folder().resolve("times.csv"), csv.times());
    }
}
