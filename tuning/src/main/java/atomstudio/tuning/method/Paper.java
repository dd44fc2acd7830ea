package atomstudio.tuning.method;

import java.util.List;

/// The papers of the tuning methods, for listings and the guide's table.
public enum Paper {
    FILTER_SUBSPACE("Chen et al.", 2025, "Large Convolutional Model Tuning via Filter Subspace"),
    TEXTUAL_INVERSION("Gal et al.", 2022, "An Image is Worth One Word"),
    PROMPT_TUNING("Lester et al.", 2021, "The Power of Scale for Parameter-Efficient Prompt Tuning"),
    PROMPT_LEARNING("Zhou et al.", 2022, "Learning to Prompt for Vision-Language Models"),
    LORA("Hu et al.", 2021, "LoRA: Low-Rank Adaptation of Large Language Models"),
    LYCORIS("Yeh et al.", 2023, "Navigating Text-To-Image Customization: From LyCORIS Fine-Tuning to Model Evaluation"),
    LORA_FA("Zhang et al.", 2023, "LoRA-FA: Memory-efficient Low-rank Adaptation"),
    FEDPARA("Hyeon-Woo et al.", 2022, "FedPara: Low-Rank Hadamard Product"),
    KRONA("Edalati et al.", 2022, "KronA: Parameter Efficient Tuning with Kronecker Adapter"),
    RSLORA("Kalajdzievski", 2023, "A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA"),
    PISSA("Meng et al.", 2024, "PiSSA: Principal Singular Values and Singular Vectors Adaptation"),
    DORA("Liu et al.", 2024, "DoRA: Weight-Decomposed Low-Rank Adaptation"),
    GLORA("Chavan et al.", 2023, "One-for-All: Generalized LoRA for Parameter-Efficient Fine-tuning"),
    VERA("Kopiczko et al.", 2024, "VeRA: Vector-based Random Matrix Adaptation"),
    T_LORA("Soboleva et al.", 2025, "T-LoRA: Single Image Diffusion Model Customization Without Overfitting"),
    OFT("Qiu et al.", 2023, "Controlling Text-to-Image Diffusion by Orthogonal Finetuning"),
    BOFT("Liu et al.", 2024, "Parameter-Efficient Orthogonal Finetuning via Butterfly Factorization"),
    BITFIT("Ben Zaken et al.", 2022, "BitFit: Simple Parameter-efficient Fine-tuning"),
    NORM("Basu et al.", 2023, "Strong Baselines for Parameter Efficient Few-Shot Fine-tuning"),
    SSF("Lian et al.", 2022, "Scaling & Shifting Your Features"),
    IA3("Liu et al.", 2022, "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning"),
    DIFFFIT("Xie et al.", 2023, "DiffFit: Unlocking Transferability of Large Diffusion Models"),
    HOULSBY_ADAPTER("Houlsby et al.", 2019, "Parameter-Efficient Transfer Learning for NLP"),
    PARALLEL_ADAPTER("He et al.", 2022, "Towards a Unified View of Parameter-Efficient Transfer Learning"),
    ADAPTFORMER("Chen et al.", 2022, "AdaptFormer: Adapting Vision Transformers for Scalable Visual Recognition"),
    DREAMBOOTH("Ruiz et al.", 2023, "DreamBooth: Fine Tuning Text-to-Image Diffusion Models");

    private final String authors;
    private final int year;
    private final String title;

    Paper(String authors, int year, String title) {
        this.authors = authors;
        this.year = year;
        this.title = title;
    }

    public String authors() {
        return authors;
    }

    public int year() {
        return year;
    }

    /// The title, long ones without their last part.
    public String title() {
        return title;
    }

    /// Such as `Hu et al. 2021`.
    public String citation() {
        return authors + " " + year;
    }

    /// Of a method with its default settings: a combination has those of its parts.
    public static List<Paper> of(MethodName method) {
        return switch (method) {
            case ATOMS, OVERCOMPLETE, CHANNELS, ATOMS_AND_CHANNELS, OVERCOMPLETE_AND_CHANNELS ->
                    List.of(FILTER_SUBSPACE);
            case ATOMS_AND_WORD -> List.of(FILTER_SUBSPACE, TEXTUAL_INVERSION);
            case LORA -> List.of(LORA);
            case LOCON -> List.of(LORA, LYCORIS);
            case LORA_FA -> List.of(LORA_FA);
            case LOHA -> List.of(FEDPARA, LYCORIS);
            case LOKR -> List.of(KRONA, LYCORIS);
            case OFT -> List.of(OFT);
            case BOFT -> List.of(BOFT);
            case DORA -> List.of(DORA);
            case BITFIT -> List.of(BITFIT);
            case NORM -> List.of(NORM);
            case SSF -> List.of(SSF);
            case IA3 -> List.of(IA3);
            case DIFFFIT -> List.of(DIFFFIT);
            case GLORA, GLORA_TERMS -> List.of(GLORA);
            case VERA -> List.of(VERA);
            case T_LORA -> List.of(T_LORA);
            case SERIAL_ADAPTER -> List.of(HOULSBY_ADAPTER);
            case PARALLEL_ADAPTER -> List.of(PARALLEL_ADAPTER, ADAPTFORMER);
            case TEXTUAL_INVERSION -> List.of(TEXTUAL_INVERSION);
            case FULL -> List.of(DREAMBOOTH);
        };
    }

    /// A published method that is a setting of others.
    /// @param value of the setting
    public record Variant(String displayName, MethodSetting setting, String value, List<Paper> papers) {
        public static final List<Variant> ALL = List.of(
                new Variant("PiSSA", MethodSetting.LORA_INIT, MethodSetting.LoraInit.PISSA.option(), List.of(PISSA)),
                new Variant("rsLoRA", MethodSetting.SCALING, RankedMethod.Scaling.RANK_STABILIZED.option(),
                        List.of(RSLORA)),
                new Variant("Prompt tuning", MethodSetting.VECTORS, "4", List.of(PROMPT_TUNING, PROMPT_LEARNING)));

        public Variant {
            setting.canonical(value);
            papers = List.copyOf(papers);
        }

        /// As on the command line.
        public String option() {
            return "--" + setting.option() + " " + value;
        }
    }
}
