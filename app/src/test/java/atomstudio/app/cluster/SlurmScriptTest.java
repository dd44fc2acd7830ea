package atomstudio.app.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.cluster.SlurmCommands.QueuedTasks;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SlurmScriptTest {
    private static JobArray array(int gpus) {
        return new JobArray("studio-b", List.of("/opt/studio", "benchmark", "--out", "/data/my b"),
                Path.of("/data/my b"), 32, 8, gpus);
    }

    @Test
    void theScriptIsComplete() {
        SlurmScript script = new SlurmScript(array(1), Optional.of("gpu"), Optional.of("lab"), Optional.of("4:00:00"),
                List.of("--mem=16G"), List.of("module load java/25"));
        assertEquals("""
                #!/bin/bash
                #SBATCH --job-name=studio-b
                #SBATCH --array=0-31%8
                #SBATCH --requeue
                #SBATCH --open-mode=append
                #SBATCH --output="/data/my b/logs/%A_%a.log"
                #SBATCH --signal=TERM@120
                #SBATCH --gres=gpu:1
                #SBATCH --partition=gpu
                #SBATCH --account=lab
                #SBATCH --time=4:00:00
                #SBATCH --mem=16G

                module load java/25
                srun /opt/studio benchmark --out '/data/my b' --shard "$SLURM_ARRAY_TASK_ID/32"
                code=$?
                case "$code" in
                75|130|143)
                    if [ "${SLURM_RESTART_COUNT:-0}" -lt 100 ]; then
                        scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
                    fi ;;
                esac
                exit "$code"
                """, script.text());
    }

    /// The commands of Slurm are replaced by functions of the shell.
    @ParameterizedTest
    @CsvSource({"0,0,", "1,0,", "137,0,", "75,0,requeue 17_3", "130,99,requeue 17_3", "143,0,requeue 17_3", "75,100,"})
    @EnabledOnOs(OS.LINUX)
    void aStoppedTaskIsRequeued(int code, int restarts, @Nullable String requeue) throws Exception {
        String script = new SlurmScript(array(0), Optional.empty(), Optional.empty(), Optional.empty(), List.of(),
                List.of("srun() { return " + code + "; }", "scontrol() { echo \"$@\"; }")).text();
        ProcessBuilder bash = new ProcessBuilder("bash", "-c", script).redirectErrorStream(true);
        bash.environment()
                .putAll(Map.of("SLURM_ARRAY_JOB_ID", "17", "SLURM_ARRAY_TASK_ID", "3", "SLURM_RESTART_COUNT",
                        Integer.toString(restarts)));
        Process process = bash.start();
        assertEquals(requeue == null ? "" : requeue,
                new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip());
        assertEquals(code, process.waitFor());
    }

    @Test
    void theManifestOfKubernetesIsComplete() {
        assertEquals("""
                apiVersion: batch/v1
                kind: Job
                metadata:
                  name: studio-b
                spec:
                  completionMode: Indexed
                  completions: 32
                  parallelism: 8
                  backoffLimitPerIndex: 3
                  podReplacementPolicy: Failed
                  podFailurePolicy:
                    rules:
                    - action: Ignore
                      onPodConditions:
                      - type: DisruptionTarget
                    - action: Ignore
                      onExitCodes:
                        operator: In
                        values: [75, 130, 143]
                    - action: FailIndex
                      onExitCodes:
                        operator: In
                        values: [1, 2]
                  template:
                    spec:
                      restartPolicy: Never
                      terminationGracePeriodSeconds: 120
                      containers:
                      - name: studio
                        image: "registry/studio:1"
                        command: ["sh", "-c", "exec /opt/studio benchmark --out '/data/my b' \
                --shard \\"$JOB_COMPLETION_INDEX/32\\""]
                        resources:
                          limits:
                            nvidia.com/gpu: 2
                        volumeMounts:
                        - name: work
                          mountPath: "/data"
                      volumes:
                      - name: work
                        persistentVolumeClaim:
                          claimName: "scratch"
                """, new KubernetesJob(array(2), "registry/studio:1", "scratch", Path.of("/data")).text());
    }

    @Test
    void aJobsNameIsOneThatKubernetesTakes() {
        Path folder = Path.of("/data/" + "My_run_".repeat(10));
        JobArray array = new JobArray("studio-" + folder.getFileName(), List.of("studio"), folder, 2, 2, 0);
        assertTrue(new KubernetesJob(array, "studio:1", "scratch", folder).text()
                .contains("name: studio-my-run-my-run-my-run-my-run-my-run-my-run-my\n"));
    }

    @Test
    void wordsOfTheShellAreQuotedWhereNeeded() {
        assertEquals("a-b_1.2/c", JobArray.quoted("a-b_1.2/c"));
        assertEquals("'it'\\''s $HOME'", JobArray.quoted("it's $HOME"));
        assertEquals("''", JobArray.quoted(""));
    }

    @Test
    void theNumberOfShardsHasLimits() {
        assertEquals(3, JobArray.defaultShards(3, 8));
        assertEquals(32, JobArray.defaultShards(100, 8));
        assertEquals(1000, JobArray.defaultShards(5000, 500));
        assertEquals("at-once: expected at least 1, found 0", assertThrows(IllegalArgumentException.class,
                () -> new JobArray("a", List.of("b"), Path.of("c"), 1, 0, 0)).getMessage());
    }

    @Test
    void theQueueIsCountedByJobAndState() {
        String queue = """
                 17_0 R
                17_1 CG
                17_[2,5-8%4] PD
                17_3 CD
                17_4 F
                18_0 R
                171_0 R
                slurm: a warning
                """;
        assertEquals(new QueuedTasks(2, 5), SlurmCommands.queued("17", queue));
        assertEquals(new QueuedTasks(0, 0), SlurmCommands.queued("19", queue));
        assertEquals(new QueuedTasks(0, 1), SlurmCommands.queued("20", "20 PD\n"));
    }
}
