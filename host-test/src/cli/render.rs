//! Results as text for people. Pure: value in, text out.

use std::fmt::Write as _;

use jiff::Timestamp;

use handoff_host::bindings::{
    Connection, Decision, Descriptor, Erasure, Event, Finding, FindingLevel, Message, Part, PartKind, Plan, Receipt,
    Sender, SenderRole, SessionInfo, Step, Update,
};
use handoff_host::json::to_json;
use handoff_host::{CallError, CallReport, Import};

/// Rows in columns as wide as their widest cell; the last column as it comes.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter(|row| row.len() > column + 1).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:<width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Text from elsewhere on one line, without control characters: they could rewrite the terminal.
fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// An enum's value as WIT spells it.
fn word<T: serde::Serialize>(value: &T) -> String {
    to_json(value).as_str().unwrap_or_default().to_owned()
}

fn time(milliseconds: u64) -> String {
    let timestamp = i64::try_from(milliseconds).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    timestamp.map_or_else(|| milliseconds.to_string(), |timestamp| timestamp.to_string())
}

fn findings(findings: &[Finding]) -> String {
    let mut rows = Vec::new();
    for finding in findings {
        let mark = match finding.level {
            FindingLevel::Ok => "ok",
            FindingLevel::Warning => "warning",
            FindingLevel::Failure => "FAILURE",
        };
        rows.push(vec![mark.to_owned(), finding.check.clone(), plain(&finding.detail)]);
        if let Some(remedy) = &finding.remedy {
            rows.push(vec![String::new(), String::new(), format!("-> {}", plain(remedy))]);
        }
    }
    table(&rows)
}

fn steps(steps: &[Step]) -> String {
    let rows: Vec<_> = steps.iter().map(|s| vec![s.action.clone(), s.target.clone(), plain(&s.detail)]).collect();
    table(&rows)
}

fn decisions(decisions: &[Decision]) -> String {
    let row = |decision: &Decision| {
        let (subject, rule) = (decision.subject.clone(), decision.rule.clone());
        vec!["chosen".to_owned(), subject, plain(&decision.choice), format!("({rule})")]
    };
    table(&decisions.iter().map(row).collect::<Vec<_>>())
}

fn info(info: &SessionInfo) -> String {
    let mut text = format!("state: {}, with the {}\n", word(&info.state), word(&info.owner));
    if !info.conversation_ids.is_empty() {
        let _ = writeln!(text, "conversations: {}", info.conversation_ids.join(", "));
    }
    if let Some(ticket) = &info.ticket_id {
        let _ = writeln!(text, "ticket: {ticket}");
    }
    if let Some(next) = info.next_tick_at {
        let _ = writeln!(text, "next tick: {}", time(next));
    }
    text
}

/// The plugin and what it needs.
pub(super) fn descriptor(descriptor: &Descriptor) -> String {
    let mut text = format!("{} {} for {}\n", descriptor.name, descriptor.version, descriptor.vendor);
    let _ = writeln!(text, "can: {}", descriptor.capabilities.join(", "));
    let _ = writeln!(text, "webhook headers: {}", descriptor.webhook_headers.join(", "));
    let outbound = descriptor.outbound.iter();
    let rows: Vec<_> = outbound
        .map(|host| {
            let credential = host.credential.clone().unwrap_or_else(|| "no credential".to_owned());
            vec!["calls".to_owned(), host.origin.clone(), credential, plain(&host.purpose)]
        })
        .collect();
    text.push_str(&table(&rows));
    let _ = writeln!(text, "settings: a schema of {} bytes (shown with --json)", descriptor.settings_schema.len());
    text
}

/// A connection's state (one of three), and the findings. Only the first webhook shows that answers arrive.
pub(super) fn connection(connection: &Connection) -> String {
    let account = connection.account.as_deref().map(|account| format!(" to {}", plain(account))).unwrap_or_default();
    let has_no_key = connection.findings.iter().any(|finding| finding.code == "webhook-key-missing");
    // Failures first, in the order of the form.
    let failure = connection.findings.iter().find(|finding| finding.level == FindingLevel::Failure);
    let state = match (connection.connected, failure) {
        (true, _) if has_no_key => {
            format!("connected{account}, but answers of human agents do not arrive yet: no webhook public key is set")
        }
        (true, Some(failure)) => format!("connected{account}, except for one part ({})", plain(&failure.check)),
        (true, None) => format!("connected{account}"),
        (false, Some(failure)) => format!("NOT connected{account}: {}", plain(&failure.detail)),
        (false, None) => format!("NOT connected{account}"),
    };
    format!("{state}\n{}", findings(&connection.findings))
}

/// What a handoff would do.
pub(super) fn plan(plan: &Plan) -> String {
    let mut text = format!("would go {}\n{}{}", word(&plan.mode), steps(&plan.steps), findings(&plan.findings));
    text += &decisions(&plan.decisions);
    for (name, value) in &plan.fields {
        let _ = writeln!(text, "field {name}: {}", plain(value));
    }
    for (index, read) in plan.texts.iter().enumerate() {
        let _ = writeln!(text, "--- what human agents would read, {} of {} ---", index + 1, plan.texts.len());
        read.lines().for_each(|line| text.push_str(&format!("{}\n", plain(line))));
    }
    text
}

/// The result of a handoff.
pub(super) fn receipt(receipt: &Receipt) -> String {
    let mut text = format!("handed over as {} ({})\n", receipt.external_case.case_id, receipt.external_case.kind);
    if let Some(url) = &receipt.agent_url {
        let _ = writeln!(text, "human agents see it at {}", plain(url));
    }
    if let Some(estimate) = &receipt.estimate {
        let average = estimate.average_wait_seconds.map(|seconds| format!("{seconds} s on average in the last hour"));
        let waiting = estimate.waiting.map(|count| format!("{count} waiting"));
        let _ = writeln!(text, "others wait: {}", average.into_iter().chain(waiting).collect::<Vec<_>>().join(", "));
    }
    text + &steps(&receipt.steps) + &findings(&receipt.findings) + &decisions(&receipt.decisions) + &info(&receipt.info)
}

/// What was deleted, and what remains.
pub(super) fn erasure(erasure: &Erasure) -> String {
    format!("erased {}\n", erasure.steps.len()) + &steps(&erasure.steps) + &findings(&erasure.findings)
}

/// Events, one per line, and the session's state.
pub(super) fn update(update: &Update) -> String {
    let mut text: String = update.events.iter().map(event).collect();
    text.push_str(&findings(&update.findings));
    if let Some(session) = &update.info {
        text.push_str(&info(session));
    }
    text
}

fn event(event: &Event) -> String {
    let mut words = vec![time(event.at), word(&event.kind)];
    words.extend(event.outcome.as_ref().map(|outcome| format!("outcome {}", word(outcome))));
    words.extend(event.detail.as_deref().map(plain));
    match (&event.message, &event.agent) {
        (Some(message), _) => words.push(utterance(message, event.agent.as_ref())),
        (None, Some(agent)) => words.push(name(agent)),
        (None, None) => {}
    }
    words.extend(event.summary.as_deref().map(plain));
    words.push(format!("[{}]", event.id));
    words.join("  ") + "\n"
}

fn name(sender: &Sender) -> String {
    let known = sender.name.as_deref().or(sender.id.as_deref());
    known.map_or_else(|| word(&sender.role), plain)
}

fn utterance(message: &Message, agent: Option<&Sender>) -> String {
    let parts: Vec<_> = message.parts.iter().map(part).collect();
    let sender = agent.filter(|_| message.sender.role == SenderRole::HumanAgent).unwrap_or(&message.sender);
    format!("{}: {}", name(sender), parts.join(" | "))
}

fn part(part: &Part) -> String {
    let text = part.text.as_deref().map(plain).unwrap_or_default();
    if part.kind == PartKind::Text {
        return text;
    }
    let more = [part.name.as_deref(), part.url.as_deref()].into_iter().flatten().map(plain);
    let choices = part.choices.iter().flatten().map(|choice| plain(choice));
    let words: Vec<_> = std::iter::once(text).chain(more).chain(choices).filter(|word| !word.is_empty()).collect();
    format!("({}) {}", word(&part.kind), words.join(" "))
}

/// Conversation ids, one on each line.
pub(super) fn ids(ids: &[String]) -> String {
    ids.iter().map(|id| plain(id) + "\n").collect()
}

/// An error.
pub(super) fn error(error: &CallError) -> String {
    let mut text = match error {
        CallError::Plugin(error) => format!("{}: {}", word(&error.kind), plain(&error.message)),
        other => other.to_string(),
    };
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = write!(text, "\n  {name}: {value}");
        }
    };
    match error {
        CallError::Plugin(error) => {
            line("field", error.field.as_deref().map(plain));
            line("remedy", error.remedy.as_deref().map(plain));
            line("repeat after", error.retry_after_ms.map(|ms| format!("{ms} ms")));
            line("for the log", error.log.as_deref().map(plain));
            line(
                "session",
                error.session.as_ref().map(|_| "part of the work is done; pass it to the next try".to_owned()),
            );
        }
        CallError::Trap(trap) => line("where", trap.backtrace.clone()),
        CallError::Host(_) => {}
    }
    text
}

/// A call's HTTP requests and cost.
pub(super) fn report(report: &CallReport) -> String {
    let milliseconds = |duration: std::time::Duration| format!("{:.1} ms", duration.as_secs_f64() * 1e3);
    let calls = report.http.iter().map(|call| {
        let outcome = match (call.status, &call.error) {
            (Some(status), None) => status.to_string(),
            (Some(status), Some(error)) => format!("{status}, then {error}"),
            (None, error) => error.clone().unwrap_or_default(),
        };
        let sizes = format!("{} > {} bytes", call.bytes_out, call.bytes_in);
        vec![call.method.clone(), call.url.clone(), milliseconds(call.duration), sizes, outcome]
    });
    let mut text = table(&calls.collect::<Vec<_>>());
    let _ = writeln!(
        text,
        "{} requests in {}, of them {} for the instance; computed for {}; {} KiB of memory",
        report.http.len(),
        milliseconds(report.wall),
        milliseconds(report.instantiate),
        milliseconds(report.cpu),
        report.memory_bytes / 1024,
    );
    text
}

/// The plugin's imports, with forbidden ones marked.
pub(super) fn imports(imports: &[Import]) -> String {
    let mut text = String::new();
    for import in imports {
        let mark = if import.objection().is_some() { "  (NOT allowed)" } else { "" };
        let _ = writeln!(text, "{}{mark}", import.name);
        for (name, members) in [("types", &import.types), ("functions", &import.functions)] {
            if !members.is_empty() {
                let _ = writeln!(text, "  {name}: {}", members.join(", "));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests;
