package atomstudio.diffusion.onnx;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.onnx.Graph.ElementType;

/// How a network's layers become ONNX operators.
/// @param elementType type of all inputs and outputs of operators, FLOAT or FLOAT16
record GraphOptions(MemoryMode memory, ElementType elementType, AttentionKernel attention,
        ConvolutionAlgorithm convolution, OperatorSet operators) {
    static final GraphOptions DEFAULT = new GraphOptions(MemoryMode.DEFAULT, ElementType.FLOAT, AttentionKernel.FUSED,
            ConvolutionAlgorithm.DIRECT);
    /// For execution providers that compile the graph: fixed shapes, and patterns that they fuse themselves.
    static final GraphOptions COMPILED = new GraphOptions(MemoryMode.DEFAULT, ElementType.FLOAT, AttentionKernel.MATMUL,
            ConvolutionAlgorithm.DIRECT, OperatorSet.STANDARD);

    GraphOptions(MemoryMode memory, ElementType elementType, AttentionKernel attention,
            ConvolutionAlgorithm convolution) {
        this(memory, elementType, attention, convolution, OperatorSet.RUNTIME);
    }

    /// The operators of activations.
    enum OperatorSet {
        /// Also ONNX Runtime's own.
        RUNTIME,
        /// ONNX's only.
        STANDARD
    }

    /// Memory use of activations.
    enum MemoryMode {
        DEFAULT,
        /// Feed-forward blocks run on a quarter of the tokens at a time, and the batch size is dynamic: with a static
        /// one the runtime plans at load that values of equal shape share memory, and frees it only after the last of
        /// them.
        LOW,
        /// [#LOW], and attention runs on an eighth of the queries at a time.
        LOWEST
    }

    /// How attention without a mask is computed.
    enum AttentionKernel {
        /// ONNX Runtime's MultiHeadAttention.
        FUSED,
        /// Matrix product, softmax, matrix product.
        MATMUL,
        /// [#FUSED] on an eighth of the queries at a time.
        SLICED
    }

    /// How large 3×3 convolutions are computed.
    enum ConvolutionAlgorithm {
        /// ONNX Runtime's Conv.
        DIRECT,
        /// A quarter of the multiplications; the filters are transformed in every run.
        WINOGRAD
    }

    /// Options for weights of this mode. On CUDA, cuDNN chooses the convolution algorithm.
    static GraphOptions of(Device device, OnnxSession.WeightMode mode) {
        if (mode == OnnxSession.WeightMode.COMPILED) return COMPILED;
        if (mode != OnnxSession.WeightMode.MAPPED) return DEFAULT;
        return new GraphOptions(MemoryMode.LOW, ElementType.FLOAT, AttentionKernel.FUSED,
                device.equals(Device.CPU) ? ConvolutionAlgorithm.WINOGRAD : ConvolutionAlgorithm.DIRECT);
    }

    GraphOptions withLowestMemory() {
        return new GraphOptions(MemoryMode.LOWEST, elementType, attention, convolution, operators);
    }

    /// Another element type and its attention kernel. Float16 is too coarse for Winograd.
    GraphOptions withElementType(ElementType type, AttentionKernel kernel) {
        return new GraphOptions(memory, type, kernel,
                type == ElementType.FLOAT ? convolution : ConvolutionAlgorithm.DIRECT, operators);
    }
}
