package atomstudio.app.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.app.provider.WheelMetadata.RuntimeVersions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WheelMetadataTest {
    @ParameterizedTest
    @CsvSource(textBlock = """
            >=1.23.0, 1.29.0, true
            >=1.30,   1.29.0, false
            <1.29.1,  1.29.0, true
            <=1.29,   1.29.0, true
            >1.29,    1.29.0, false
            ~=1.27.1, 1.29.0, false
            ~=1.27,   1.29.0, true
            ==1.29.*, 1.29.3, true
            ==1.29,   1.29.3, false
            !=1.29.*, 1.29.3, false
            !=1.29,   1.29.3, true
            >=1.9,    1.29.0, true
            """)
    void versionsAreComparedAsInPython(String specifier, String version, boolean included) {
        assertEquals(included, new RuntimeVersions(List.of(specifier)).includes(version));
    }

    @Test
    void allSpecifiersMustHold() {
        RuntimeVersions versions = new RuntimeVersions(List.of(">=1.23", "<1.30"));
        assertEquals(List.of(true, false, false),
                List.of(versions.includes("1.29.0"), versions.includes("1.30.0"), versions.includes("1.22.9")));
        assertEquals(true, new RuntimeVersions(List.of()).includes("1.29.0"));
    }
}
