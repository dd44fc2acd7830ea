package atomstudio.app.cluster;

import com.google.gson.JsonPrimitive;
import java.nio.file.Path;
import java.util.Locale;

/// The manifest of an Indexed Job on Kubernetes, for `kubectl apply -f`. A pod that was evicted or stopped is
/// replaced without counting as a failure; exit codes 1 and 2 end its index. Source: Kubernetes 1.33, "Pod failure
/// policy" and "Backoff limit per index".
/// @param container image with the program
/// @param claim     persistent volume claim, writable from many nodes
/// @param mount     where it is mounted: the path that the data set, the model and the folder have here
public record KubernetesJob(JobArray array, String container, String claim, Path mount) {
    /// Pods are named after the job, with their index, in at most 63 characters.
    private static final int MAX_NAME_LENGTH = 52;
    private static final String TEMPLATE = """
            apiVersion: batch/v1
            kind: Job
            metadata:
              name: %s
            spec:
              completionMode: Indexed
              completions: %d
              parallelism: %d
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
                    values: %s
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
                    image: %s
                    command: ["sh", "-c", %s]
            %s        volumeMounts:
                    - name: work
                      mountPath: %s
                  volumes:
                  - name: work
                    persistentVolumeClaim:
                      claimName: %s
            """;

    /// @throws IllegalArgumentException if pods would not find the folder
    public KubernetesJob {
        if (!array.folder().startsWith(mount))
            throw new IllegalArgumentException("mount: expected a folder that contains --out (" + array.folder()
                    + "), found " + mount);
    }

    public String text() {
        String gpus = array.gpus() == 0 ? ""
                : "        resources:\n          limits:\n            nvidia.com/gpu: " + array.gpus() + "\n";
        return TEMPLATE.formatted(name(), array.shards(),
                Math.min(array.atOnce(), array.shards()), JobArray.STOPPED, quoted(container),
                quoted("exec " + array.commandLine("JOB_COMPLETION_INDEX")), gpus, quoted(mount.toString()),
                quoted(claim));
    }

    private String name() {
        String name = array.name().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9-]", "-");
        return name.substring(0, Math.min(name.length(), MAX_NAME_LENGTH)).replaceAll("-+$", "");
    }

    /// A JSON string is a YAML string.
    private static String quoted(String text) {
        return new JsonPrimitive(text).toString();
    }
}
