package atomstudio.app;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.conditions.ArchConditions.be;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.GeneralCodingRules.USE_JAVA_UTIL_LOGGING;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.ops.Ops;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/// The laws of the house that a compiler does not know. All modules are on this module's class path.
class ArchitectureTest {
    private static final JavaClasses HOUSE = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages("atomstudio");

    @Test
    void theRulesSeeAllThreeModules() {
        Set<String> modules = HOUSE.stream()
                .map(type -> type.getPackageName().split("\\.")[1])
                .collect(Collectors.toSet());
        assertEquals(Set.of("diffusion", "tuning", "app"), modules);
        assertTrue(HOUSE.stream().noneMatch(type -> type.getSimpleName().endsWith("Test")),
                "tests are not judged here");
    }

    @Test
    void onnxRuntimeStaysInItsPackage() {
        noClasses().that()
                .resideOutsideOfPackage("atomstudio.diffusion.onnx..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("ai.onnxruntime..")
                .because(
                        "native handles and exceptions of ONNX Runtime have one owner, and another runtime is one package's work")
                .check(HOUSE);
    }

    @Test
    void djlStaysInItsPackage() {
        noClasses().that()
                .resideOutsideOfPackage("atomstudio.tuning.torch..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("ai.djl..")
                .because(
                        "native handles and exceptions of PyTorch have one owner, and another trainer is one package's work")
                .check(HOUSE);
    }

    @Test
    void nodesAndStagesStayInViews() {
        noClasses().that(describe("are no views", type -> !isView(type)))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("javafx.scene..", "javafx.stage..", "atlantafx..")
                .because(
                        "view models are tested without a display, and what a screen looks like is decided in its view")
                .check(HOUSE);
    }

    @Test
    void nothingBelowTheAppKnowsTheWindowOrTheCommandLine() {
        noClasses().that()
                .resideInAnyPackage("atomstudio.diffusion..", "atomstudio.tuning..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("javafx..", "picocli..", "atomstudio.app..")
                .because("both doors open onto the same rooms")
                .check(HOUSE);
    }

    @Test
    void theCommandLineIsOneDoorAndTheWindowAnother() {
        noClasses().that()
                .resideOutsideOfPackage("atomstudio.app.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("picocli..", "atomstudio.app.cli..")
                .because(
                        "the window starts the same jobs, or the command line as a process of its own; it never calls commands")
                .check(HOUSE);
    }

    @Test
    void diffusionDoesNotKnowTuning() {
        noClasses().that()
                .resideInAPackage("atomstudio.diffusion..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("atomstudio.tuning..")
                .because("arrows point only downward")
                .check(HOUSE);
    }

    @Test
    void packagesFormNoCycle() {
        slices().matching("atomstudio.(**)")
                .should()
                .beFreeOfCycles()
                .because("a package that can be understood alone can be replaced alone")
                .check(HOUSE);
    }

    @Test
    void noNetworkNamesACarrier() {
        DescribedPredicate<JavaClass> carrier = describe("a carrier",
                type -> type.isAssignableTo(Ops.class) && !type.isEquivalentTo(Ops.class));
        noClasses().that()
                .resideInAPackage("atomstudio.diffusion.net..")
                .should()
                .dependOnClassesThat(carrier)
                .orShould()
                .dependOnClassesThat()
                .resideInAnyPackage("atomstudio.diffusion.onnx..", "atomstudio.diffusion.engine..",
                        "atomstudio.diffusion.model..")
                .because("a network is written once and runs on every carrier")
                .check(HOUSE);
    }

    @Test
    void networksDoNotKnowAdapters() {
        noClasses().that()
                .resideInAPackage("atomstudio.diffusion.net..")
                .should()
                .dependOnClassesThat(describe("about adapters", type -> type.getSimpleName().startsWith("Adapt")))
                .because("a network asks for a layer's weights and cannot tell whose they are")
                .check(HOUSE);
    }

    @Test
    void tuningMethodsDoNotKnowNetworks() {
        noClasses().that()
                .resideInAPackage("atomstudio.tuning.method..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("atomstudio.diffusion.net..", "atomstudio.diffusion.engine..",
                        "atomstudio.tuning.torch..", "atomstudio.tuning.train..")
                .because("a method maps a layer's weight to its effective weight, whatever network the layer is in")
                .check(HOUSE);
    }

    @Test
    void samplersKnowOnlyAScheduleAndADenoiser() {
        noClasses().that()
                .resideInAPackage("atomstudio.diffusion.sample..")
                .should()
                .dependOnClassesThat(resideInAnyPackage("atomstudio..")
                        .and(DescribedPredicate
                                .not(resideInAnyPackage("atomstudio.diffusion", "atomstudio.diffusion.sample..",
                                        "atomstudio.diffusion.tensor..", "atomstudio.diffusion.json.."))))
                .because("a sampler reads like its paper")
                .check(HOUSE);
    }

    @Test
    void onlyTheCommandLineSpeaksToTheTerminal() {
        noClasses().that()
                .resideOutsideOfPackage("atomstudio.app.cli..")
                .should(ACCESS_STANDARD_STREAMS)
                .because("standard output belongs to whoever reads a command's result")
                .check(HOUSE);
    }

    @Test
    void thereIsOneWayToLog() {
        noClasses().should(USE_JAVA_UTIL_LOGGING).because("the log file is SLF4J's").check(HOUSE);
    }

    @Test
    void noStaticStateChanges() {
        noFields().that()
                .areStatic()
                .should(be(describe("reassigned", field -> !field.getModifiers().contains(JavaModifier.FINAL))))
                .because("what changes has an owner that can be seen: trainer, view models, native handles")
                .check(HOUSE);
    }

    @Test
    void namesSayWhatAThingIs() {
        List.of("Utils", "Util", "Helper", "Manager", "Impl")
                .forEach(ending -> noClasses()
                        .should()
                        .haveSimpleNameEndingWith(ending)
                        .because("such a name says that its owner was not found")
                        .check(HOUSE));
    }

    @Test
    void viewsAndViewModelsAreNamedSo() {
        classes().that()
                .haveSimpleNameEndingWith("View")
                .should()
                .resideInAPackage("atomstudio.app..")
                .because("views belong to the window")
                .check(HOUSE);
    }

    @Test
    void everyPackageSaysThatNothingIsNullUnlessMarked() {
        Set<String> unmarked = HOUSE.stream()
                .map(JavaClass::getPackage)
                .filter(place -> !place.isAnnotatedWith(NullMarked.class))
                .map(JavaPackage::getName)
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(Set.of(), unmarked);
    }

    private static boolean isView(JavaClass type) {
        String outermost = type.getName().substring(type.getPackageName().length() + 1).split("\\$")[0];
        return outermost.endsWith("View") || type.getPackageName().startsWith("atomstudio.app.window");
    }
}
