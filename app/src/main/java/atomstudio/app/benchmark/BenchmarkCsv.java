package atomstudio.app.benchmark;

import atomstudio.app.benchmark.BenchmarkFolder.RunFiles;
import atomstudio.app.benchmark.BenchmarkTable.Mean;
import atomstudio.app.benchmark.RunScores.ImageScores;
import atomstudio.app.benchmark.RunScores.Metric;
import atomstudio.app.benchmark.RunScores.Score;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The tables of a benchmark as CSV (RFC 4180): means per method, scores per run and per image, times per run.
record BenchmarkCsv(BenchmarkTable table) {
    /// Without times, so that equal runs give equal bytes.
    String methods() {
        List<String> header = new ArrayList<>(List.of("method", "split", "subjects", "runs", "images", "black",
                "parameters", "bytes"));
        for (Metric metric : Metric.values())
            header.addAll(List.of(metric.column(), metric.column() + "_low", metric.column() + "_high"));
        StringBuilder csv = new StringBuilder(line(header));
        for (BenchmarkTable.Row row : table.rows()) {
            List<Object> cells = new ArrayList<>(List.of(row.method(), row.split(), row.subjects(), row.runs(),
                    row.images(), row.black(), row.parameters(), row.bytes()));
            for (Metric metric : Metric.values()) {
                Mean mean = row.means().get(metric);
                if (mean == null) cells.addAll(List.of("", "", ""));
                else
                    cells.addAll(List.of(number(mean.mean()),
                            mean.interval().map(interval -> number(interval.low())).orElse(""),
                            mean.interval().map(interval -> number(interval.high())).orElse("")));
            }
            csv.append(line(cells));
        }
        return csv.toString();
    }

    String runs() {
        List<String> header = new ArrayList<>(List.of("run", "subject", "class", "live", "method", "learning_rate",
                "steps", "seed", "parameters", "bytes", "black"));
        for (Metric metric : Metric.values()) header.add(metric.column());
        header.addAll(List.of("dino_real", "clip_i_real", "encoder"));
        StringBuilder csv = new StringBuilder(line(header));
        for (RunScores scores : table.runs()) {
            BenchmarkRun run = scores.run();
            List<Object> cells = new ArrayList<>(List.of(run.name(), run.subject().name(), run.subject().className(),
                    run.subject().live(), run.method(), run.learningRate(), run.steps(), run.seed(),
                    scores.result().parameters(), scores.result().bytes(), scores.result().black()));
            for (Metric metric : Metric.values()) cells.add(score(scores.scores().get(metric)));
            cells.add(score(scores.ceiling().get(Metric.DINO)));
            cells.add(score(scores.ceiling().get(Metric.CLIP_I)));
            cells.add(scores.result().encoder());
            csv.append(line(cells));
        }
        return csv.toString();
    }

    String images() {
        StringBuilder csv = new StringBuilder(
                line(List.of("file", "subject", "method", "training_seed", "prompt", "seed", "dino", "clip_i",
                        "clip_t")));
        for (RunScores scores : table.runs()) {
            BenchmarkRun run = scores.run();
            List<String> prompts = table.settings().prompts().of(run.subject().live());
            for (ImageScores image : scores.images())
                csv.append(line(List.of(
                        "runs/" + run.name() + "/images/" + RunFiles.imageName(image.prompt(), image.seed()),
                        run.subject().name(), run.method(), run.seed(), prompts.get(image.prompt()), image.seed(),
                        optional(image.dino()), number(image.clipI()), optional(image.clipT()))));
        }
        return csv.toString();
    }

    String times() {
        StringBuilder csv = new StringBuilder(
                line(List.of("run", "training_seconds", "image_seconds", "peak_memory")));
        for (RunScores scores : table.runs()) {
            BenchmarkFolder.RunResult.RunTime time = scores.result().time();
            csv.append(line(List.of(scores.run().name(), String.format(Locale.ROOT, "%.2f", time.trainingSeconds()),
                    time.imageSeconds() == 0 ? "" : String.format(Locale.ROOT, "%.3f", time.imageSeconds()),
                    time.peakMemory())));
        }
        return csv.toString();
    }

    private static String score(@Nullable Score score) {
        return score == null ? "" : number(score.mean());
    }

    private static String optional(OptionalDouble value) {
        return value.isPresent() ? number(value.getAsDouble()) : "";
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.5f", value);
    }

    private static String line(List<?> cells) {
        return String.join(",", Stream.of(cells.toArray()).map(cell -> quoted(cell.toString())).toList()) + "\r\n";
    }

    private static String quoted(String cell) {
        return cell.matches("[^\",\\r\\n]*") ? cell : '"' + cell.replace("\"", "\"\"") + '"';
    }
}
