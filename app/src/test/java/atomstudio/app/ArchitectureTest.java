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

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.ops.Ops;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/// Rules on packages, dependencies and names that the compiler does not check, for all modules.
class ArchitectureTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("-tests.jar"))
            .importPackages("atomstudio");
    private static final Pattern SINGLE_WORD = Pattern.compile("\\p{Lu}\\p{Ll}*");
    /// Parts of README's layout: a table row of a module, code in backticks, `diffusion/sample`, `sample`.
    private static final Pattern README_MODULE = Pattern.compile("^\\| `(diffusion|tuning|app)/`");
    private static final Pattern README_CODE = Pattern.compile("`([^`]+)`");
    private static final Pattern README_PATH = Pattern.compile("(?:diffusion|tuning|app)(?:/[a-z]+)+");
    private static final Pattern README_WORD = Pattern.compile("[a-z]+");

    @Test
    void rulesCoverAllThreeModules() {
        Set<String> modules = CLASSES.stream()
                .map(type -> type.getPackageName().split("\\.")[1])
                .collect(Collectors.toSet());
        assertEquals(Set.of("diffusion", "tuning", "app"), modules);
        assertTrue(CLASSES.stream().noneMatch(type -> type.getSimpleName().endsWith("Test")),
                "test classes are not checked");
    }

    @Test
    void onlyTheOnnxPackageUsesOnnxRuntime() {
        noClasses().that()
                .resideOutsideOfPackage("atomstudio.diffusion.onnx..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("ai.onnxruntime..")
                .because("native handles and exceptions of ONNX Runtime belong to one package, which can be replaced")
                .check(CLASSES);
    }

    @Test
    void onlyTheTorchPackageUsesDjl() {
        noClasses().that()
                .resideOutsideOfPackage("atomstudio.tuning.torch..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("ai.djl..")
                .because("native handles and exceptions of PyTorch belong to one package, which can be replaced")
                .check(CLASSES);
    }

    @Test
    void onlyViewsUseNodesAndStages() {
        noClasses().that(describe("are not views", type -> !isView(type)))
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("javafx.scene..", "javafx.stage..", "atlantafx..", "org.kordamp..")
                .because("view models are tested without a display")
                .check(CLASSES);
    }

    @Test
    void modulesBelowAppUseNeitherWindowNorCommandLine() {
        noClasses().that()
                .resideInAnyPackage("atomstudio.diffusion..", "atomstudio.tuning..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("javafx..", "picocli..", "atomstudio.app..")
                .because("window and command line share the modules below")
                .check(CLASSES);
    }

    @Test
    void onlyTheCommandLineUsesPicocli() {
        noClasses().that()
                .resideOutsideOfPackage("atomstudio.app.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("picocli..", "atomstudio.app.cli..")
                .because(
                        "the window starts the same jobs, or the command line as a child process, not commands")
                .check(CLASSES);
    }

    @Test
    void diffusionDoesNotDependOnTuning() {
        noClasses().that()
                .resideInAPackage("atomstudio.diffusion..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("atomstudio.tuning..")
                .because("dependencies point downward only")
                .check(CLASSES);
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("atomstudio.(**)")
                .should()
                .beFreeOfCycles()
                .because("a package without cycles can be understood and replaced alone")
                .check(CLASSES);
    }

    @Test
    void networksDoNotDependOnBackends() {
        DescribedPredicate<JavaClass> backend = describe("a backend",
                type -> type.isAssignableTo(Ops.class) && !type.isEquivalentTo(Ops.class));
        noClasses().that()
                .resideInAPackage("atomstudio.diffusion.net..")
                .should()
                .dependOnClassesThat(backend)
                .orShould()
                .dependOnClassesThat()
                .resideInAnyPackage("atomstudio.diffusion.onnx..", "atomstudio.diffusion.engine..",
                        "atomstudio.diffusion.model..")
                .because("a network is written once for all backends")
                .check(CLASSES);
    }

    @Test
    void networksDoNotDependOnAdapters() {
        noClasses().that()
                .resideInAPackage("atomstudio.diffusion.net..")
                .should()
                .dependOnClassesThat(describe("adapters", type -> type.getSimpleName().startsWith("Adapt")))
                .because("a network gets effective weights from its backend, with or without adapters")
                .check(CLASSES);
    }

    @Test
    void tuningMethodsDoNotDependOnNetworks() {
        noClasses().that()
                .resideInAPackage("atomstudio.tuning.method..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("atomstudio.diffusion.net..", "atomstudio.diffusion.engine..",
                        "atomstudio.tuning.torch..", "atomstudio.tuning.train..")
                .because("a method maps the weight of a layer to its effective weight in any network")
                .check(CLASSES);
    }

    @Test
    void samplersDependOnlyOnTensorsAndJson() {
        noClasses().that()
                .resideInAPackage("atomstudio.diffusion.sample..")
                .should()
                .dependOnClassesThat(resideInAnyPackage("atomstudio..")
                        .and(DescribedPredicate
                                .not(resideInAnyPackage("atomstudio.diffusion", "atomstudio.diffusion.sample..",
                                        "atomstudio.diffusion.tensor..", "atomstudio.diffusion.json.."))))
                .because("a sampler is a function of schedule and denoiser, as in its paper")
                .check(CLASSES);
    }

    @Test
    void onlyTheCommandLineUsesStandardStreams() {
        noClasses().that()
                .resideOutsideOfPackage("atomstudio.app.cli..")
                .should(ACCESS_STANDARD_STREAMS)
                .because("standard output holds the result of a command")
                .check(CLASSES);
    }

    @Test
    void loggingUsesSlf4j() {
        noClasses().should(USE_JAVA_UTIL_LOGGING).because("the log file is configured for SLF4J").check(CLASSES);
    }

    @Test
    void staticFieldsAreFinal() {
        noFields().that()
                .areStatic()
                .should(be(describe("reassigned", field -> !field.getModifiers().contains(JavaModifier.FINAL))))
                .because("mutable state belongs to the trainer, view models and native handles")
                .check(CLASSES);
    }

    @Test
    void noClassHasAVagueName() {
        List.of("Utils", "Util", "Helper", "Manager", "Impl")
                .forEach(ending -> noClasses()
                        .should()
                        .haveSimpleNameEndingWith(ending)
                        .because("such a name does not describe the class")
                        .check(CLASSES));
    }

    @Test
    void viewsAreInTheApp() {
        classes().that()
                .haveSimpleNameEndingWith("View")
                .should()
                .resideInAPackage("atomstudio.app..")
                .because("views belong to the window")
                .check(CLASSES);
    }

    @Test
    void everyPackageIsNullMarked() {
        Set<String> unmarked = CLASSES.stream()
                .map(JavaClass::getPackage)
                .filter(packageInfo -> !packageInfo.isAnnotatedWith(NullMarked.class))
                .map(JavaPackage::getName)
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(Set.of(), unmarked);
    }

    @Test
    void noSingleWordNameIsUsedInTwoPackages() {
        Map<String, Set<String>> packagesByName = new TreeMap<>();
        for (JavaClass type : CLASSES) {
            if (type.isTopLevelClass() && SINGLE_WORD.matcher(type.getSimpleName()).matches())
                packagesByName.computeIfAbsent(type.getSimpleName(), name -> new TreeSet<>())
                        .add(type.getPackageName());
        }
        assertTrue(packagesByName.containsKey("Tensor"), packagesByName::toString);
        packagesByName.values().removeIf(packages -> packages.size() == 1);
        assertEquals(Map.of(), packagesByName, "one word has one meaning");
    }

    /// In README's section "Layout", `atomstudio.x` and `module/x` are packages, and a word in a table row that starts
    /// with a module's folder is a package of this module.
    @Test
    void packagesInTheReadmeExist() throws IOException {
        Set<String> packages = new TreeSet<>();
        for (String line : Files.readString(Shared.root().resolve("README.md"))
                .replaceFirst("(?s).*?\n## Layout\n", "")
                .replaceFirst("(?s)\n## .*", "")
                .lines()
                .toList()) {
            Matcher module = README_MODULE.matcher(line);
            String modulePackage = module.find() ? "atomstudio." + module.group(1) : "";
            for (Matcher code = README_CODE.matcher(line); code.find();) {
                String text = code.group(1);
                if (text.startsWith("atomstudio.")) packages.add(text);
                else if (README_PATH.matcher(text).matches()) packages.add("atomstudio." + text.replace('/', '.'));
                else
                    if (README_WORD.matcher(text).matches() && !modulePackage.isEmpty())
                        packages.add(modulePackage + "." + text);
            }
        }
        assertTrue(packages.contains("atomstudio.diffusion.sample"), packages::toString);
        packages.removeIf(ArchitectureTest::exists);
        assertEquals(Set.of(), packages, "packages of README.md that do not exist");
    }

    private static boolean exists(String packageName) {
        return Stream.of("diffusion", "tuning", "app", "packaging")
                .map(module -> Shared.root().resolve(module + "/src/main/java").resolve(packageName.replace('.', '/')))
                .anyMatch(Files::isDirectory);
    }

    private static boolean isView(JavaClass type) {
        String outermost = type.getName().substring(type.getPackageName().length() + 1).split("\\$")[0];
        return outermost.endsWith("View") || type.getPackageName().startsWith("atomstudio.app.window")
                || type.getPackageName().equals("atomstudio.app.controls");
    }
}
