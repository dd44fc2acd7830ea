package atomstudio.diffusion.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Decodes little-endian elements of any readable type to float32.
final class TensorDecoder {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private TensorDecoder() {}

    static Tensor toFloat32(MemorySegment data, DType dtype, Shape shape) {
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (dtype) {
                case F32 -> Float.intBitsToFloat(data.get(INT, 4L * i));
                case F16 -> Float.float16ToFloat(data.get(SHORT, 2L * i));
                case BF16 -> Float.intBitsToFloat(data.get(SHORT, 2L * i) << 16);
                case F64 -> (float) Double.longBitsToDouble(data.get(LONG, 8L * i));
                case F8_E4M3 -> float8(data.get(ValueLayout.JAVA_BYTE, i));
                case F8_E5M2 -> Float.float16ToFloat((short) (data.get(ValueLayout.JAVA_BYTE, i) << 8));
                case I64 -> data.get(LONG, 8L * i);
                case I32 -> data.get(INT, 4L * i);
                case I16 -> data.get(SHORT, 2L * i);
                case I8 -> data.get(ValueLayout.JAVA_BYTE, i);
                case U64 -> unsigned(data.get(LONG, 8L * i));
                case U32 -> data.get(INT, 4L * i) & 0xFFFF_FFFFL;
                case U16 -> data.get(SHORT, 2L * i) & 0xFFFF;
                case U8, BOOL -> data.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
                case C64, F8_E8M0, F6_E2M3, F6_E3M2, F4 ->
                        throw new IllegalArgumentException("elements of type " + dtype + " cannot be read");
            };
        }
        return new Tensor(shape, values);
    }

    /// Float8 E4M3: one sign bit, four exponent bits (bias 7), three mantissa bits. No infinities; NaN has all
    /// exponent and mantissa bits set.
    /// Source: Micikevicius et al. 2022, "FP8 Formats for Deep Learning", table 1; PyTorch's float8_e4m3fn.
    private static float float8(byte bits) {
        int exponent = bits >> 3 & 0xF;
        int mantissa = bits & 7;
        if (exponent == 0xF && mantissa == 7) return Float.NaN;
        float magnitude = exponent == 0 ? mantissa * 0x1p-9f : Math.scalb(1 + mantissa / 8f, exponent - 7);
        return bits < 0 ? -magnitude : magnitude;
    }

    private static float unsigned(long bits) {
        return bits >= 0 ? bits : 2f * (bits >>> 1 | bits & 1);
    }
}
