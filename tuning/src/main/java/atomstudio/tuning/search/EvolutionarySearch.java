package atomstudio.tuning.search;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.method.CounterRng;
import atomstudio.tuning.method.GloraStructure;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/// Evolutionary search over the structures of a supernet: the best of all structures so far are the parents of the next
/// generation, half of which are mutants and half crossovers; what these leave open is random. Everything random is a
/// function of the seed, so that a search with known losses continues exactly.
/// Source: Chavan et al. 2023, section 3.4, and the authors' code: population 50, 20 generations, 10 parents, 25
/// mutants (each form with probability 0.2), 25 crossovers, structures over the budget rejected.
public final class EvolutionarySearch {
    private static final double MUTATION_PROBABILITY = 0.2;
    /// Tries per child until it is new and within the budget.
    private static final int MAX_TRIES = 10;

    /// @param population per generation
    /// @param budget     largest number of parameters
    public record Settings(int population, int generations, long budget, long seed) {
        public static final int POPULATION = 50;
        public static final int GENERATIONS = 20;

        public Settings {
            if (population < 4)
                throw new IllegalArgumentException("population: expected at least 4, found "
                        + population);
            if (generations < 1)
                throw new IllegalArgumentException("generations: expected at least 1, found "
                        + generations);
            if (budget < 1)
                throw new IllegalArgumentException("budget: expected at least 1 parameter, found " + budget);
        }

        private int parents() {
            return Math.max(2, population / 5);
        }
    }

    /// How a structure was made.
    public enum Origin { RANDOM, MUTATION, CROSSOVER }

    /// A structure with its loss.
    public record Evaluation(int generation, Origin origin, List<GloraStructure> structures, long parameters,
            double loss) {
        public Evaluation {
            structures = List.copyOf(structures);
        }
    }

    /// The loss of structures, lower is better; empty when stopped.
    @FunctionalInterface
    public interface Fitness {
        OptionalDouble loss(List<GloraStructure> structures) throws Failure;
    }

    /// Receives every evaluation.
    @FunctionalInterface
    public interface Listener {
        void evaluated(Evaluation evaluation) throws Failure;
    }

    private final StructureSpace space;
    private final Settings settings;
    private final CounterRng rng;
    private final Set<List<GloraStructure>> proposed = new HashSet<>();
    private final List<Evaluation> evaluations = new ArrayList<>();
    private long position;

    public EvolutionarySearch(StructureSpace space, Settings settings) {
        this.space = space;
        this.settings = settings;
        this.rng = new CounterRng(settings.seed, "structure search");
    }

    /// @return the evaluations in order; empty when stopped
    public Optional<List<Evaluation>> run(Fitness fitness, Listener listener) throws Failure {
        for (int generation = 0; generation < settings.generations; generation++)
            for (Proposal proposal : generation == 0 ? filled(List.of()) : children()) {
                OptionalDouble loss = fitness.loss(proposal.structures);
                if (loss.isEmpty()) return Optional.empty();
                Evaluation evaluation = new Evaluation(generation, proposal.origin, proposal.structures,
                        space.parameterCount(proposal.structures), loss.getAsDouble());
                evaluations.add(evaluation);
                listener.evaluated(evaluation);
            }
        return Optional.of(List.copyOf(evaluations));
    }

    private record Proposal(Origin origin, List<GloraStructure> structures) {}

    private List<Proposal> children() {
        List<List<GloraStructure>> parents = evaluations.stream()
                .sorted(Comparator.comparingDouble(Evaluation::loss))
                .limit(settings.parents())
                .map(Evaluation::structures)
                .toList();
        List<Proposal> children = new ArrayList<>();
        int mutants = settings.population / 2;
        for (int i = 0; i < settings.population; i++) {
            Origin origin = i < mutants ? Origin.MUTATION : Origin.CROSSOVER;
            for (int attempt = 0; attempt < MAX_TRIES; attempt++) {
                List<GloraStructure> child = origin == Origin.MUTATION
                        ? space.mutated(one(parents), MUTATION_PROBABILITY, this::next)
                        : space.crossed(one(parents), one(parents), this::next);
                if (!space.fits(child, settings.budget) || !proposed.add(child)) continue;
                children.add(new Proposal(origin, child));
                break;
            }
        }
        return filled(children);
    }

    /// With random structures up to the population; fewer if the space has no others.
    private List<Proposal> filled(List<Proposal> children) {
        List<Proposal> filled = new ArrayList<>(children);
        for (int attempt = 0; filled.size() < settings.population && attempt < MAX_TRIES * settings.population;
                attempt++) {
            List<GloraStructure> random = space.random(settings.budget, this::next);
            if (space.fits(random, settings.budget) && proposed.add(random))
                filled.add(new Proposal(Origin.RANDOM, random));
        }
        return filled;
    }

    /// Random structures within a budget.
    public static List<List<GloraStructure>> random(StructureSpace space, long budget, int count, long seed) {
        CounterRng rng = new CounterRng(seed, "random structures");
        long[] position = {0};
        List<List<GloraStructure>> structures = new ArrayList<>();
        for (int i = 0; i < count; i++) structures.add(space.random(budget, () -> rng.uniform(position[0]++)));
        return structures;
    }

    private List<GloraStructure> one(List<List<GloraStructure>> parents) {
        return parents.get((int) (next() * parents.size()));
    }

    private double next() {
        return rng.uniform(position++);
    }

    /// The evaluations with the lowest loss of all with at most as many parameters, fewest parameters first.
    public static List<Evaluation> paretoFront(List<Evaluation> evaluations) {
        List<Evaluation> front = new ArrayList<>();
        double best = Double.POSITIVE_INFINITY;
        for (Evaluation evaluation : evaluations.stream()
                .sorted(Comparator.comparingLong(Evaluation::parameters).thenComparingDouble(Evaluation::loss))
                .toList()) {
            if (evaluation.loss >= best) continue;
            best = evaluation.loss;
            front.add(evaluation);
        }
        return front;
    }
}
