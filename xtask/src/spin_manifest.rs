//! Our manifests against what Spin's loader takes. Spin is in no registry, so its rules stand in `fixtures/spin/manifest-rules.json`, with the
//! places where they were read; what is computed here must agree with the examples of Spin's own tests.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use toml::{Table, Value};

#[derive(Deserialize)]
struct Rules {
    releases: Vec<Release>,
    fields: BTreeMap<String, Vec<String>>,
    required: BTreeMap<String, Vec<String>>,
    known_ports: BTreeMap<String, u16>,
    hosts_taken: Vec<String>,
    hosts_refused: Vec<String>,
}

#[derive(Deserialize)]
struct Release {
    version: String,
    empty_default: EmptyDefault,
}

/// What becomes of an allowed host that is empty with the default values of its variables.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum EmptyDefault {
    /// The manifest is not loaded.
    Refused,
    /// It allows nothing.
    Skipped,
}

impl Rules {
    fn read() -> Self {
        serde_json::from_str(include_str!("../../fixtures/spin/manifest-rules.json")).unwrap()
    }

    /// Why a host is none.
    fn host(&self, text: &str) -> Result<(), String> {
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(|| format!("`{text}` has no scheme"))?;
        let (host, port) = rest.rsplit_once(':').unwrap_or((rest, ""));
        let (port, path) = port.split_once('/').unwrap_or((port, ""));
        if !path.is_empty() {
            return Err(format!("`{text}` has a path"));
        }
        let is_number = |text: &str| text.parse::<u16>().is_ok();
        match port {
            "" if !self.known_ports.contains_key(scheme) => return Err(format!("`{text}` has no port")),
            "" | "*" => {}
            _ if port
                .split_once("..")
                .map_or_else(|| is_number(port), |(from, to)| is_number(from) && is_number(to)) => {}
            _ => return Err(format!("`{text}`: `{port}` is no port")),
        }
        if scheme != "*" && !scheme.chars().all(char::is_alphabetic) {
            return Err(format!("`{text}`: `{scheme}` is no scheme"));
        }
        let is_network = host
            .split_once('/')
            .is_some_and(|(address, bits)| address.parse::<std::net::IpAddr>().is_ok() && bits.parse::<u8>().is_ok());
        if host == "*" || is_network {
            return Ok(());
        }
        let host = host.trim_end_matches('/');
        let name = host.strip_prefix("*.").unwrap_or(host);
        let is_part = |part: char| part.is_ascii_alphanumeric() || "-._".contains(part);
        let is_address = name.starts_with('[') && name.ends_with(']');
        if name.is_empty() || !(is_address || name.chars().all(is_part)) {
            return Err(format!("`{text}`: `{host}` is no host"));
        }
        Ok(())
    }

    fn table<'a>(&self, kind: &str, table: &'a Table, faults: &mut Vec<String>) -> &'a Table {
        let unknown = table.keys().filter(|key| !self.fields[kind].contains(key));
        faults.extend(unknown.map(|key| format!("{kind}: unknown field `{key}`")));
        let missing = self.required.get(kind).into_iter().flatten().filter(|key| !table.contains_key(*key));
        faults.extend(missing.map(|key| format!("{kind}: `{key}` is missing")));
        table
    }

    /// Why this release does not load this manifest.
    fn faults(&self, manifest: &str, empty_default: EmptyDefault) -> Vec<String> {
        let manifest: Table = toml::from_str(manifest).unwrap();
        let mut faults = Vec::new();
        self.table("manifest", &manifest, &mut faults);
        self.table("application", sub(&manifest, "application"), &mut faults);
        if manifest.get("spin_manifest_version") != Some(&Value::Integer(2)) {
            faults.push("spin_manifest_version must be 2".to_owned());
        }
        let variables = sub(&manifest, "variables");
        for (name, variable) in variables {
            let variable = self.table("variable", variable.as_table().unwrap_or(&EMPTY), &mut faults);
            let is_required = variable.get("required").and_then(Value::as_bool).unwrap_or_default();
            if is_required == variable.contains_key("default") {
                faults.push(format!("variable `{name}` must be required or have a default"));
            }
            faults.extend((!is_id(name, '_')).then(|| format!("`{name}` cannot name a variable")));
        }
        let components = sub(&manifest, "component");
        for trigger in sub(&manifest, "trigger").values().flat_map(|all| all.as_array().into_iter().flatten()) {
            let component = trigger.get("component").and_then(Value::as_str).unwrap_or_default();
            if !components.contains_key(component) {
                faults.push(format!("a trigger names the component `{component}`, which is none"));
            }
        }
        for (name, component) in components {
            let component = self.table("component", component.as_table().unwrap_or(&EMPTY), &mut faults);
            faults.extend((!is_id(name, '-')).then(|| format!("`{name}` cannot name a component")));
            if component.contains_key("build") {
                self.table("build", sub(component, "build"), &mut faults);
            }
            for (name, template) in sub(component, "variables") {
                faults.extend((!is_id(name, '_')).then(|| format!("`{name}` cannot name a variable")));
                let template = template.as_str().unwrap_or_default();
                faults.extend(with_defaults(template, variables).err());
            }
            for host in component.get("allowed_outbound_hosts").and_then(Value::as_array).into_iter().flatten() {
                let host = host.as_str().unwrap_or_default();
                match with_defaults(host, variables) {
                    Err(fault) => faults.push(fault),
                    // Known when it is set.
                    Ok(None) => {}
                    Ok(Some(filled)) => {
                        let is_skipped = empty_default == EmptyDefault::Skipped
                            && host.contains("{{")
                            && ["", "http://", "https://"].contains(&filled.as_str());
                        faults.extend(self.host(&filled).err().filter(|_| !is_skipped));
                    }
                }
            }
        }
        faults
    }
}

static EMPTY: LazyLock<Table> = LazyLock::new(Table::new);

fn sub<'a>(table: &'a Table, key: &str) -> &'a Table {
    table.get(key).and_then(Value::as_table).unwrap_or(&EMPTY)
}

/// Words of lower-case letters and digits, which begin with a letter, with this between them.
fn is_id(text: &str, between: char) -> bool {
    let is_part = |part: char| part.is_ascii_lowercase() || part.is_ascii_digit();
    text.split(between).all(|word| word.starts_with(|it: char| it.is_ascii_lowercase()) && word.chars().all(is_part))
}

/// A template with the default values of its variables; none where one has no default. Refuses a variable that is not declared.
fn with_defaults(template: &str, variables: &Table) -> Result<Option<String>, String> {
    let (mut filled, mut rest) = (Some(String::new()), template);
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").ok_or_else(|| format!("`{template}` has no `}}}}`"))?;
        let variable = variables.get(name.trim()).ok_or_else(|| format!("`{template}` names no variable"))?;
        filled = filled.zip(variable.get("default").and_then(Value::as_str)).map(|(text, value)| text + before + value);
        rest = after;
    }
    Ok(filled.map(|text| text + rest))
}

fn manifest(name: &str) -> String {
    std::fs::read_to_string(crate::process::root().join("spin").join(name)).unwrap()
}

const ALL: [&str; 2] = ["spin.toml", "spin-hosted.toml"];

#[test]
fn every_release_of_spin_loads_the_manifests() {
    let rules = Rules::read();
    assert!(rules.releases.len() > 10 && rules.releases[0].version == "3.4.0");
    for name in ALL {
        for release in &rules.releases {
            let faults = rules.faults(&manifest(name), release.empty_default);
            assert!(faults.is_empty(), "{name} on Spin {}: {faults:?}", release.version);
        }
    }
}

/// The manifest as it was, which no release loaded.
#[test]
fn a_host_that_is_empty_by_default_is_refused_by_releases_and_skipped_by_main() {
    let rules = Rules::read();
    for unset in ["\"https://unset.invalid\"", "\"redis://unset.invalid\""] {
        let emptied = manifest("spin.toml").replace(unset, "\"\"");
        assert!(!rules.faults(&emptied, EmptyDefault::Refused).is_empty());
        assert_eq!(rules.faults(&emptied, EmptyDefault::Skipped), [""; 0]);
    }
}

#[test]
fn what_the_loader_refuses_is_a_fault() {
    let rules = Rules::read();
    let whole = manifest("spin.toml");
    for (from, to, fault) in [
        ("sqlite_databases =", "sqlite_database =", "component: unknown field `sqlite_database`"),
        ("required = true,", "", "variable `api_token` must be required or have a default"),
        ("\"{{ alert_host }}\"", "\"{{ alert_hosts }}\"", "`{{ alert_hosts }}` names no variable"),
        ("\"https://*.freshdesk.com\"", "\"*.freshdesk.com\"", "`*.freshdesk.com` has no scheme"),
        ("component = \"bridge\"", "component = \"bridges\"", "a trigger names the component `bridges`, which is none"),
        ("source =", "sauce =", "component: `source` is missing"),
        ("\npublic_url = { default", "\npublic-url = { default", "`public-url` cannot name a variable"),
    ] {
        let broken = whole.replacen(from, to, 1);
        assert_ne!(broken, whole, "{from}");
        let faults = rules.faults(&broken, EmptyDefault::Refused);
        assert!(faults.iter().any(|one| one == fault), "{fault}: {faults:?}");
    }
}

#[test]
fn hosts_are_taken_and_refused_as_by_the_tests_of_spin() {
    let rules = Rules::read();
    for host in &rules.hosts_taken {
        assert_eq!(rules.host(host), Ok(()));
    }
    for host in &rules.hosts_refused {
        assert!(rules.host(host).is_err(), "{host}");
    }
}

/// One source: what an operator reads in one of them holds for the other.
#[test]
fn the_manifest_for_hosted_spin_differs_in_the_store_and_the_build_alone() {
    // As CI builds and tries it.
    assert!(manifest("spin-hosted.toml").contains(&crate::spin::HOSTED.join(" ")));
    let lines = |name: &str| -> Vec<String> {
        let text = manifest(name);
        let (_, text) = text.split_once("spin_manifest_version").unwrap();
        text.lines().map(str::to_owned).collect()
    };
    let [usual, hosted] = ALL.map(lines);
    let only = |of: &[String], not_in: &[String]| -> Vec<String> {
        of.iter()
            .filter(|line| !not_in.contains(line))
            .map(|line| line.split(" = ").next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        only(&usual, &hosted),
        [
            "# A Redis that several hosts share: redis://host:port, or rediss://host:port for TLS. Unset: the embedded database of this host.",
            "redis_url",
            "source",
            "sqlite_databases",
            "command"
        ]
    );
    assert_eq!(
        only(&hosted, &usual),
        [
            "# The Redis that holds the state: redis://host:port, or rediss://host:port for TLS.",
            "redis_url",
            "source",
            "command"
        ]
    );
}
