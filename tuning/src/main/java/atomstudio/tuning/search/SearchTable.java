package atomstudio.tuning.search;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.tuning.method.GloraStructure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/// The table of a search: a row per evaluated structure, with the Pareto front and the chosen structure marked. An
/// interrupted search continues with its losses.
public record SearchTable(Path file) {
    private static final String HEADER = "generation,origin,parameters,loss,front,chosen,structure";
    private static final int PARAMETERS = 2;
    private static final int LOSS = 3;
    private static final int FRONT = 4;
    private static final int CHOSEN = 5;
    private static final int STRUCTURE = 6;
    private static final String YES = "yes";
    private static final String NO = "no";

    /// A structure in a chart.
    /// @param isOnFront whether no structure with at most as many parameters has a lower loss
    public record Point(long parameters, double loss, boolean isOnFront, boolean isChosen) {}

    /// Losses by structures; empty without a file.
    /// @throws Failure.Unreadable that names the line of a damaged file
    public Map<List<GloraStructure>, Double> losses(StructureSpace space) throws Failure {
        Map<List<GloraStructure>, Double> losses = new HashMap<>();
        rows(cells -> losses.put(space.parse(cells[STRUCTURE]), Double.valueOf(cells[LOSS])));
        return losses;
    }

    /// The structures in the order of their evaluation; none without a file.
    /// @throws Failure.Unreadable that names the line of a damaged file
    public List<Point> points() throws Failure {
        List<Point> points = new ArrayList<>();
        rows(cells -> points.add(new Point(Long.parseLong(cells[PARAMETERS]), Double.parseDouble(cells[LOSS]),
                cells[FRONT].equals(YES), cells[CHOSEN].equals(YES))));
        return points;
    }

    private void rows(Consumer<String[]> row) throws Failure {
        if (!Files.exists(file)) return;
        List<String> lines = lines();
        for (int i = 1; i < lines.size(); i++) {
            try {
                row.accept(lines.get(i).split(","));
            } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
                throw new Failure.Unreadable(file + ": line " + (i + 1) + ": " + e.getMessage()
                        + "; delete the file to search again", e);
            }
        }
    }

    private List<String> lines() throws Failure {
        try {
            List<String> lines = Files.readAllLines(file);
            if (!lines.isEmpty() && lines.getFirst().equals(HEADER)) return lines;
            throw new Failure.Unreadable(file + ": expected the table of a search (" + HEADER + "), found "
                    + (lines.isEmpty() ? "nothing" : "\"" + lines.getFirst() + "\"") + "; delete the file to search "
                    + "again");
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /// Replaces the file.
    public void write(List<EvolutionarySearch.Evaluation> evaluations) throws Failure {
        List<EvolutionarySearch.Evaluation> front = EvolutionarySearch.paretoFront(evaluations);
        Set<EvolutionarySearch.Evaluation> onFront = new HashSet<>(front);
        StringBuilder text = new StringBuilder(HEADER).append('\n');
        for (EvolutionarySearch.Evaluation each : evaluations) {
            String chosen = !front.isEmpty() && each.equals(front.getLast()) ? YES : NO;
            text.append(String.join(",", Integer.toString(each.generation()),
                    each.origin().name().toLowerCase(Locale.ROOT), Long.toString(each.parameters()),
                    Double.toString(each.loss()), onFront.contains(each) ? YES : NO, chosen,
                    StructureSpace.text(each.structures()))).append('\n');
        }
        AtomicFile.write(file, out -> out.write(text.toString().getBytes(StandardCharsets.UTF_8)));
    }
}
