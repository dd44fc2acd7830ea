package atomstudio.app.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import java.util.List;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/// `--json`, for every command with a result. Use it as a picocli mixin.
final class OutputOption {
    private static final Gson INDENTED = new GsonBuilder().setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeNulls()
            .create();

    @Option(names = "--json", description = "Print the result as JSON.")
    private boolean json;

    boolean isJson() { return json; }

    /// Prints the result as one line of JSON, or as text lines.
    void print(Terminal terminal, Supplier<JsonElement> result, Supplier<List<String>> lines) {
        if (json) terminal.printResult(result.get().toString());
        else lines.get().forEach(terminal::printResult);
    }

    /// Prints the result as indented JSON, or as text lines.
    void printIndented(Terminal terminal, Supplier<JsonElement> result, Supplier<List<String>> lines) {
        if (json) terminal.printResult(INDENTED.toJson(result.get()));
        else lines.get().forEach(terminal::printResult);
    }
}
