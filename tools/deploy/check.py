"""Checks the chart: renders it with each of its `ci/*-values.yaml`, holds every object against the schemas of Kubernetes and of the custom
resources, and lints. `cargo xtask deploy` calls it with the Python of tools/deploy/requirements.txt.

    check.py CHART CRDS RULES DASHBOARD MANIFEST WASMCLOUD
"""

import json
import pathlib
import re
import shutil
import sys
import tempfile
import tomllib

import helm_python as helm
import jsonschema
import kubernetes_validate
import promql_parser
import yaml

# The oldest version that the chart takes and the newest whose schemas are there.
KUBERNETES = ["1.27", "1.37"]
PINNED = re.compile(r"@sha256:[0-9a-f]{64}$")


def merged(base, over):
    """Values laid over values, as Helm does."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}


def rendered(chart, values):
    """The objects, as the cluster would be given them."""
    files = chart.render(values, name="handoff", namespace="support")
    texts = [text for name, text in sorted(files.items()) if name.endswith(".yaml")]
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def schema_faults(one, crds):
    kind = f"{one['apiVersion']} {one['kind']}"
    if kind in crds:
        errors = jsonschema.Draft202012Validator(crds[kind]["schema"]).iter_errors(one)
        return [f"{kind}: {error.json_path}: {error.message}" for error in errors]
    faults = []
    for version in KUBERNETES:
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            faults.append(f"{kind} on {version}: {'.'.join(map(str, error.path))}: {error.message}")
        except (kubernetes_validate.SchemaNotFoundError, kubernetes_validate.VersionNotSupportedError) as error:
            faults.append(f"{kind} on {version}: there is no schema: {error}")
    return faults


def templates(objects):
    """Pods: their labels and what is in them."""
    for one in objects:
        if one["kind"] == "StatefulSet":
            yield one, one["spec"]["template"]
        elif one["kind"] == "CronJob":
            yield one, one["spec"]["jobTemplate"]["spec"]["template"]
        elif one["kind"] == "SpinApp":
            # What the operator makes of it: spin-operator v0.6.1, internal/controller/spinapp_controller.go, constructDeployment.
            labels = {**one["spec"].get("podLabels", {}), "core.spinkube.dev/app-name": one["metadata"]["name"]}
            yield one, {"metadata": {"labels": labels}, "spec": None}


def selects(selector, labels):
    return all(labels.get(key) == value for key, value in selector.items())


def policy_faults(objects):
    """What a pod must have, by the Pod Security Standard `restricted`, and what keeps it alive and alone."""
    faults = []
    policies = [one for one in objects if one["kind"] == "NetworkPolicy"]
    for one, template in templates(objects):
        name, spec, labels = f"{one['kind']} {one['metadata']['name']}", template["spec"], template["metadata"]["labels"]

        def need(holds, what, name=name):
            if not holds:
                faults.append(f"{name}: {what}")

        both = [p for p in policies if selects(p["spec"]["podSelector"]["matchLabels"], labels)]
        need(len(both) == 1 and both[0]["spec"]["policyTypes"] == ["Ingress", "Egress"], "one network policy, both ways")
        need("app.kubernetes.io/instance" in labels, "labels of the release")
        if spec is None:
            app = one["spec"]
            need(PINNED.search(app["image"]), "the image by digest")
            need(app["resources"]["requests"].get("cpu") and app["resources"]["limits"].get("memory"), "resources")
            need({"readiness", "liveness"} <= set(app.get("checks", {})), "probes")
            need(len(one["metadata"]["name"]) <= 52, "a name that fits into the label of the operator")
            continue
        need(spec.get("automountServiceAccountToken") is False, "no token of the cluster")
        pod = spec.get("securityContext", {})
        need(pod.get("runAsNonRoot") is True and pod.get("runAsUser", 0) > 0, "a user that is not root")
        need(pod.get("seccompProfile", {}).get("type") == "RuntimeDefault", "the seccomp profile RuntimeDefault")
        need(not any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")), "nothing of the host")
        for container in spec["containers"]:
            rights = container.get("securityContext", {})
            need(PINNED.search(container["image"]), "the image by digest")
            need(rights.get("allowPrivilegeEscalation") is False, "no escalation")
            need(rights.get("readOnlyRootFilesystem") is True, "a root file system that is read only")
            need(rights.get("capabilities", {}).get("drop") == ["ALL"], "no capabilities")
            need(container["resources"]["requests"].get("cpu") and container["resources"]["limits"].get("memory"), "resources")
            if one["kind"] != "CronJob":
                need("readinessProbe" in container and "livenessProbe" in container, "probes")
    return faults


def secret_keys(objects):
    return {o["metadata"]["name"]: set(o.get("stringData", {})) for o in objects if o["kind"] == "Secret"}


def references(value, at=""):
    """Every place that names a key of a Secret: the Secret, the key, whether it may be missing."""
    if isinstance(value, dict):
        if at in ("secretKeyRef", "credentials") and "key" in value:
            yield value["name"], value["key"], value.get("optional", False)
        if "secretName" in value and "items" in value:
            yield from ((value["secretName"], item["key"], False) for item in value["items"])
        if "loadFromSecret" in value:
            yield value["loadFromSecret"], "runtime-config.toml", False
        for key, inner in value.items():
            yield from references(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner, at)


def reference_faults(objects, values, manifest):
    """What objects name must exist."""
    faults, secrets = [], secret_keys(objects)
    theirs = values.get("secret", {}).get("existing")
    for one in objects:
        for secret, key, optional in references(one):
            if secret != theirs and not optional and key not in secrets.get(secret, ()):
                faults.append(f"{one['kind']}: the Secret {secret} has no key {key}")
    app = next(one for one in objects if one["kind"] == "SpinApp")
    name, services = app["metadata"]["name"], {o["metadata"]["name"] for o in objects if o["kind"] == "Service"}
    services.add(name)
    given = {}
    for variable in app["spec"]["variables"]:
        given[variable["name"]] = variable.get("value")
        if variable["name"] not in manifest["variables"]:
            faults.append(f"the app has no variable {variable['name']}")
        if variable.get("value") == "":
            faults.append(f"the variable {variable['name']} is empty")
    required = {key for key, value in manifest["variables"].items() if value.get("required")}
    faults += [f"the variable {key} is missing" for key in required - set(given)]
    host = re.match(r"redis://([^:]+):6379$", given.get("redis_url") or "")
    if values.get("redis", {}).get("mode", "chart") == "chart" and not (host and host[1] in services):
        faults.append(f"redis_url leads to no Service: {given.get('redis_url')}")
    labels = [template["metadata"]["labels"] for _, template in templates(objects)]
    for one in objects:
        kind, spec = one["kind"], one.get("spec", {})
        selectors = []
        if kind == "Service":
            selectors.append(spec["selector"])
        elif kind in ("NetworkPolicy", "PodDisruptionBudget"):
            selectors.append(spec.get("podSelector", spec.get("selector"))["matchLabels"])
            for rule in spec.get("ingress", []) + spec.get("egress", []):
                peers = rule.get("from", []) + rule.get("to", [])
                selectors += [p["podSelector"]["matchLabels"] for p in peers if "podSelector" in p and "namespaceSelector" not in p]
        elif kind in ("HorizontalPodAutoscaler", "ScaledObject"):
            if spec["scaleTargetRef"]["name"] != name or app["spec"].get("enableAutoscaling") is not True:
                faults.append(f"{kind}: it scales nothing")
        elif kind == "Ingress":
            backends = [path["backend"]["service"]["name"] for rule in spec["rules"] for path in rule["http"]["paths"]]
            faults += [f"Ingress: there is no Service {backend}" for backend in backends if backend not in services]
        faults += [f"{kind} {one['metadata']['name']}: no pod has {s}" for s in selectors if not any(selects(s, l) for l in labels)]
    executors = {one["metadata"]["name"] for one in objects if one["kind"] == "SpinAppExecutor"}
    if values.get("executor", {}).get("create", True) and app["spec"]["executor"] not in executors:
        faults.append(f"there is no executor {app['spec']['executor']}")
    for one in objects:
        if one["kind"] == "Secret" and "runtime-config.toml" in one["stringData"]:
            config = tomllib.loads(one["stringData"]["runtime-config.toml"])
            # crates/factor-outbound-networking/src/runtime_config/spin.rs and factor-outbound-http/src/runtime_config/spin.rs of Spin 3.4.
            if not set(config) <= {"outbound_http", "outbound_networking"}:
                faults.append(f"runtime-config.toml: {sorted(config)}")
    return faults


def monitoring_faults(objects, rules, dashboard):
    """The chart has the rules and the dashboard of deploy/, and one way to the metrics."""
    faults = []
    rule = [one["spec"] for one in objects if one["kind"] == "PrometheusRule"]
    boards = [json.loads(next(iter(o["data"].values()))) for o in objects if o["kind"] == "ConfigMap"]
    ways = [one["kind"] for one in objects if one["kind"] in ("ServiceMonitor", "ScrapeConfig")]
    app = next(one for one in objects if one["kind"] == "SpinApp")
    several = app["spec"].get("enableAutoscaling") or app["spec"]["replicas"] > 1
    if rule != [rules] or boards != [dashboard]:
        faults.append("rules or dashboard are not those of deploy/")
    if ways != ["ScrapeConfig" if several else "ServiceMonitor"]:
        faults.append(f"counts would be taken several times, or never: {ways}")
    return faults


def queries(rules, dashboard):
    for group in rules["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for panel in dashboard["panels"]:
        # Grafana puts them in.
        yield from (re.sub(r"\$\w+", "any", target["expr"]) for target in panel["targets"])


def main(chart_folder, crds, rules, dashboard, manifest, wasmcloud):
    chart_folder = pathlib.Path(chart_folder)
    read = lambda path: pathlib.Path(path).read_text()
    crds, rules, dashboard = json.loads(read(crds))["resources"], yaml.safe_load(read(rules)), json.loads(read(dashboard))
    manifest = tomllib.loads(read(manifest))
    faults, objects_seen, kinds = [], 0, set()
    values = {path.name: yaml.safe_load(path.read_text()) for path in sorted((chart_folder / "ci").glob("*-values.yaml"))}
    # What the chart shares with deploy/ is linked; Helm writes a line about each link that it follows.
    copy = tempfile.TemporaryDirectory()
    chart_folder = shutil.copytree(chart_folder, pathlib.Path(copy.name) / chart_folder.name)
    with helm.Chart.load(chart_folder) as chart:
        for name, given in values.items():
            for message in helm.lint(chart_folder, given, strict=True)["messages"]:
                if message["severity"] > 1:
                    faults.append(f"{name}: lint: {message['path']}: {message['error']}")
            chart.validate_schema(given)
            objects = rendered(chart, given)
            objects_seen += len(objects)
            kinds |= {one["kind"] for one in objects}
            found = [fault for one in objects for fault in schema_faults(one, crds)]
            # The others take the fields for granted.
            if not found:
                found = policy_faults(objects) + reference_faults(objects, given, manifest)
                if given.get("monitoring", {}).get("enabled"):
                    found += monitoring_faults(objects, rules, dashboard)
            faults += [f"{name}: {fault}" for fault in found]
        # Every template is drawn by some values.
        unseen = {"SpinApp", "SpinAppExecutor", "RuntimeClass", "Secret", "StatefulSet", "Service", "Ingress", "CronJob", "HorizontalPodAutoscaler"}
        unseen |= {"ScaledObject", "PodDisruptionBudget", "NetworkPolicy", "ServiceMonitor", "ScrapeConfig", "PrometheusRule", "ConfigMap"}
        faults += [f"no values draw a {kind}" for kind in sorted(unseen - kinds)]
        refused = yaml.safe_load(read(chart_folder / "ci/refused.yaml"))
        for case in refused:
            try:
                chart.validate_schema(merged(values["defaults-values.yaml"], case["values"]))
                faults.append(f"not refused: {case['why']}")
            except helm.HelmError as error:
                if case["says"] not in str(error):
                    faults.append(f"refused without naming {case['says']}: {case['why']}: {error}")
    for one in yaml.safe_load_all(read(wasmcloud)):
        faults += [f"{wasmcloud}: {fault}" for fault in schema_faults(one, crds)]
    allowed = {host for host in manifest["component"]["bridge"]["allowed_outbound_hosts"] if "{" not in host}
    workload = next(one for one in yaml.safe_load_all(read(wasmcloud)) if one["kind"] == "WorkloadDeployment")
    theirs = workload["spec"]["template"]["spec"]["components"][0]["localResources"]["allowedHosts"]
    if {host for host in theirs if host.startswith("https://")} != allowed:
        faults.append(f"{wasmcloud}: its allowed hosts are not those of spin.toml")
    asked = list(queries(rules, dashboard))
    for query in asked:
        try:
            promql_parser.parse(query)
        except ValueError as error:
            faults.append(f"PromQL: {query}: {error}")
    if faults:
        sys.exit("\n".join(faults))
    print(f"    {objects_seen} objects of {len(values)} sets of values, {len(refused)} sets refused, {len(asked)} queries")


if __name__ == "__main__":
    main(*sys.argv[1:])
