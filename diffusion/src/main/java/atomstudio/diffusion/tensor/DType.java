package atomstudio.diffusion.tensor;

/// Element types of safetensors files; the names are the format's.
public enum DType {
    F64(64), F32(32), F16(16), BF16(16), F8_E4M3(8), F8_E5M2(8),
    /// Integers, signed and unsigned.
    I64(64), I32(32), I16(16), I8(8), U64(64), U32(32), U16(16), U8(8), BOOL(8),
    /// Types of the format that are not readable here.
    C64(64), F8_E8M0(8), F6_E2M3(6), F6_E3M2(6), F4(4);

    private final int bits;

    DType(int bits) {
        this.bits = bits;
    }

    /// Bits per element.
    int bits() {
        return bits;
    }

    /// Bytes per element.
    /// @throws IllegalStateException for types smaller than a byte
    public int bytes() {
        if (bits % 8 != 0) throw new IllegalStateException(this + " has " + bits + " bits");
        return bits / 8;
    }

    public boolean isFloatingPoint() {
        return this == F64 || this == F32 || this == F16 || this == BF16 || this == F8_E4M3 || this == F8_E5M2;
    }

    /// Whether elements of this type can be decoded to float32.
    public boolean isReadable() {
        return switch (this) {
            case C64, F8_E8M0, F6_E2M3, F6_E3M2, F4 -> false;
            case F64, F32, F16, BF16, F8_E4M3, F8_E5M2, I64, I32, I16, I8, U64, U32, U16, U8, BOOL -> true;
        };
    }
}
