package atomstudio.tuning.search;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.tuning.method.GloraStructure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// The table of a search: a row per evaluated structure, with the Pareto front and the chosen structure marked. An
/// interrupted search continues with its losses.
public record SearchTable(Path file) {
    private static final String HEADER = "generation,origin,parameters,loss,front,chosen,structure";
    private static final int LOSS = 3;
    private static final int STRUCTURE = 6;

    /// Losses by structures; empty without a file.
    /// @throws Failure.Unreadable that names the line of a damaged file
    public Map<List<GloraStructure>, Double> losses(StructureSpace space) throws Failure {
        Map<List<GloraStructure>, Double> losses = new HashMap<>();
        if (!Files.exists(file)) return losses;
        List<String> lines = lines();
        for (int i = 1; i < lines.size(); i++) {
            String[] cells = lines.get(i).split(",");
            try {
                losses.put(space.parse(cells[STRUCTURE]), Double.valueOf(cells[LOSS]));
            } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
                throw new Failure.Unreadable(file + ": line " + (i + 1) + ": " + e.getMessage()
                        + "; delete the file to search again", e);
            }
        }
        return losses;
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
            String chosen = !front.isEmpty() && each.equals(front.getLast()) ? "yes" : "no";
            text.append(String.join(",", Integer.toString(each.generation()),
                    each.origin().name().toLowerCase(Locale.ROOT), Long.toString(each.parameters()),
                    Double.toString(each.loss()), onFront.contains(each) ? "yes" : "no", chosen,
                    StructureSpace.text(each.structures()))).append('\n');
        }
        AtomicFile.write(file, out -> out.write(text.toString().getBytes(StandardCharsets.UTF_8)));
    }
}
