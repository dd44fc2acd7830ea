package atomstudio.tuning.adapter;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Adapter;
import atomstudio.diffusion.tensor.DType;
import atomstudio.diffusion.tensor.SafetensorsWriter;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import atomstudio.diffusion.tensor.TensorInfo;
import atomstudio.tuning.method.TextualInversion;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A textual inversion as other programs write it: rows (n,C) of the text encoder's table and the word that stands
/// for them. A1111 takes the file's name for the word and calls the rows `emb_params` or `string_to_param.*`;
/// diffusers calls them by the word.
/// Source: Gal et al. 2022, "An Image is Worth One Word"; the formats as AUTOMATIC1111's stable-diffusion-webui and
/// diffusers read them.
/// @param hash hexadecimal SHA-256 of the numbers
public record EmbeddingFile(String word, Tensor rows, String hash) implements AdapterSource {
    private static final int MAX_ROWS = 1 << 16;
    private static final String EMB_PARAMS = "emb_params";
    private static final String STRING_TO_PARAM = "string_to_param.";
    /// Ids that the first files of this kind have beside the rows.
    private static final String STRING_TO_TOKEN = "string_to_token.";

    /// Whether an open file can be an embedding: one tensor of at most a few rows, or those of the models that have
    /// two text encoders.
    public static boolean matches(TensorFile file) {
        return !AdapterFile.matches(file) && (rows(file).size() == 1 || file.has("clip_g") || file.has("clip_l"));
    }

    private static List<TensorInfo> rows(TensorFile file) {
        return file.tensors().values().stream().filter(info -> !info.name().startsWith(STRING_TO_TOKEN)).toList();
    }

    /// @param name the word where the file has none
    /// @throws Failure.Incompatible when it is for models of another kind
    /// @throws Failure.Unreadable when its rows are no numbers
    static EmbeddingFile of(TensorFile file, String name) throws Failure {
        if (file.has("clip_g") || file.has("clip_l")) {
            throw new Failure.Incompatible(file.file()
                    + ": is an embedding for Stable Diffusion XL, whose two text encoders have rows of their own; expected one for Stable Diffusion 1.x or 2.x");
        }
        return of(file, rows(file).getFirst(), name);
    }

    /// The same of one tensor among others.
    static EmbeddingFile of(TensorFile file, TensorInfo info, String name) throws Failure {
        boolean empty = info.shape().elements() == 0;
        if (empty || info.shape().rank() < 1 || info.shape().rank() > 2 || !info.dtype().isFloatingPoint()
                || info.shape().size(0) > MAX_ROWS && info.shape().rank() == 2) {
            throw new Failure.Unreadable(file.file() + ": expected " + (empty ? "at least one row" : "rows")
                    + " of a text encoder's table, found " + SafeText.of(info.name()) + " " + info.dtype() + " "
                    + info.shape()
                    + "; files that this program can use are what it made itself, embeddings, and LoRA, LoCon, LoHa and LoKr of other programs");
        }
        Tensor tensor = file.read(info.name());
        for (float value : tensor.data())
            if (!Float.isFinite(value))
                throw new Failure.Unreadable(
                        file.file() + ": its rows hold " + value + "; the file is damaged, get it again");
        Tensor rows = tensor.shape().rank() == 2 ? tensor : tensor.reshape(Shape.of(1, tensor.shape().size(0)));
        boolean isUnnamed = info.name().equals(EMB_PARAMS) || info.name().startsWith(STRING_TO_PARAM);
        String word = isUnnamed ? name : BundledEmbeddings.token(info).orElse(info.name());
        if (word.isBlank())
            throw new Failure.Unreadable(file.file()
                    + ": expected a word that the rows stand for, found a tensor without a name; rename the file to the word and the tensor to "
                    + EMB_PARAMS);
        return new EmbeddingFile(word, rows, new Sha256().add(file.bytes(info.name())).hex());
    }

    /// The same of rows that lie in no file of tensors.
    /// @param file names them in messages
    /// @param rows (n,C)
    static EmbeddingFile of(Path file, String word, Tensor rows) throws Failure {
        for (float value : rows.data())
            if (!Float.isFinite(value))
                throw new Failure.Unreadable(file + ": its rows hold " + value + "; the file is damaged, get it again");
        ByteBuffer bytes = ByteBuffer.allocate(4 * rows.data().length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(rows.data());
        return new EmbeddingFile(word, rows, Sha256.of(bytes.array()));
    }

    private int rowCount() {
        return Math.toIntExact(rows.shape().size(0));
    }

    @Override
    public Adapter toAdapter(String name, DiffusionModel model) throws Failure {
        requireFits(model);
        Map<String, Tensor> values = Map.of(AdapterFile.EMBEDDING_ROWS, rows,
                TextualInversion.TOKEN_EMBEDDING + ".start", Tensor.zeros(rows.shape()));
        return new Adapter(name, hash, new TextualInversion(rowCount()), values,
                Optional.of(new Adapter.EmbeddingToken(word, rowCount())));
    }

    @Override
    public void requireFits(DiffusionModel model) throws Failure {
        long width = rows.shape().size(1);
        if (width != model.textEncoder().hiddenSize()) {
            throw new Failure.Incompatible("the embedding \"" + SafeText.of(word) + "\" has " + width
                    + " numbers a row, the text encoder of " + model.name() + " " + model.textEncoder().hiddenSize()
                    + "; expected one made for such a model (768: Stable Diffusion 1.x, 1024: 2.x)");
        }
        int maxRows = model.textEncoder().maxTokens() - 2;
        if (rowCount() > maxRows)
            throw new Failure.Incompatible(
                    "the embedding \"" + SafeText.of(word) + "\" has " + rowCount() + " rows; expected at most the "
                            + maxRows + " that the text encoder of " + model.name() + " reads at a time");
    }

    @Override
    public String triggerWords() {
        return word;
    }

    @Override
    public String triggerWord() {
        return word;
    }

    @Override
    public byte[] bytes(DType dtype) {
        return SafetensorsWriter.toBytes(Map.of(word, rows), Map.of(), dtype);
    }

    @Override
    public long parameterCount() {
        return rows.data().length;
    }
}
