//! What the end user reads besides the human agents' words, in their language.

use handoff_contract::model::WaitEstimate;
use serde::{Deserialize, Serialize};

/// Lines in the channel. A text that is not set comes in the end user's language, from a table; one that is set comes as it is, in
/// every language. An empty one is not written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Texts {
    /// How a human agent is called whose name is not known.
    pub agent: String,
    /// A human agent takes the conversation; `{name}` is replaced.
    pub joined: Option<String>,
    /// It moves to a group or to another human agent.
    pub transferred: Option<String>,
    /// Human agents have brought it back.
    pub reopened: Option<String>,
    /// The AI agent answers again.
    pub returned: Option<String>,
    /// A ticket was filed instead.
    pub ticketed: Option<String>,
    /// No human agent can be reached.
    pub failed: Option<String>,
    /// The handoff is done, and it may take a while until a human agent joins.
    pub waiting: Option<String>,
    /// The handoff is done, and no human agent is there.
    pub nobody: Option<String>,
    /// How long others have waited, where the settings of the account ask for it; `{minutes}` is replaced.
    pub average_wait: String,
    /// How many others wait; `{count}` is replaced.
    pub others_waiting: String,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            agent: "Support".to_owned(),
            joined: None,
            transferred: None,
            reopened: None,
            returned: None,
            ticketed: None,
            failed: None,
            waiting: None,
            nobody: None,
            average_wait: "Average wait in the last hour: {minutes} min.".to_owned(),
            others_waiting: "Others who are waiting: {count}.".to_owned(),
        }
    }
}

/// One of the texts, by its place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Joined,
    Transferred,
    Reopened,
    Returned,
    Ticketed,
    Failed,
    Waiting,
    Nobody,
}

impl Texts {
    /// What is known of the wait, on one line; empty where nothing is, or nothing is to be told. Minutes are rounded up.
    pub(super) fn of_estimate(&self, estimate: &WaitEstimate) -> String {
        let average = estimate
            .average_wait_seconds
            .map(|seconds| self.average_wait.replace("{minutes}", &seconds.div_ceil(60).max(1).to_string()));
        let waiting = estimate.waiting.map(|count| self.others_waiting.replace("{count}", &count.to_string()));
        let lines = [average, waiting].into_iter().flatten().filter(|line| !line.trim().is_empty());
        lines.collect::<Vec<_>>().join(" ")
    }

    /// The text in the language of this tag, English where the table has none. None where nothing is to be written.
    pub(super) fn of(&self, line: Line, locale: Option<&str>) -> Option<&str> {
        let set = match line {
            Line::Joined => &self.joined,
            Line::Transferred => &self.transferred,
            Line::Reopened => &self.reopened,
            Line::Returned => &self.returned,
            Line::Ticketed => &self.ticketed,
            Line::Failed => &self.failed,
            Line::Waiting => &self.waiting,
            Line::Nobody => &self.nobody,
        };
        // Connections that an earlier version has stored hold its defaults.
        let set = set.as_deref().filter(|text| !FORMER_DEFAULTS.contains(text));
        Some(set.unwrap_or_else(|| words(locale).get(line as usize).copied().unwrap_or_default()))
            .filter(|text| !text.trim().is_empty())
    }
}

fn words(locale: Option<&str>) -> &'static [&'static str; LINES] {
    let language = locale.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or_default();
    // Hebrew had another code, which systems still use.
    let language = if language.eq_ignore_ascii_case("iw") { "he" } else { language };
    let found = TABLE.iter().find(|(code, _)| code.eq_ignore_ascii_case(language));
    let [(_, english), ..] = &TABLE;
    found.map_or(english, |(_, words)| words)
}

const FORMER_DEFAULTS: [&str; 6] = [
    "{name} joined the conversation.",
    "The conversation was passed on to a colleague.",
    "The support team has reopened the conversation.",
    "The support team has left the conversation.",
    "Nobody is there at the moment. The support team has got your request and will answer it.",
    "The support team cannot be reached at the moment.",
];

const LINES: usize = 8;

/// By language, English first; in the order of [`Line`].
#[rustfmt::skip]
static TABLE: [(&str, [&str; LINES]); 15] = [
    ("en", [
        "{name} joined the conversation.",
        "The conversation was passed on to a colleague.",
        "The support team has reopened the conversation.",
        "The support team has left the conversation. The AI agent answers again.",
        "Nobody is there at the moment. The support team has got your request and will answer it.",
        "The support team cannot be reached at the moment.",
        "The support team has got your request. It may take a while until somebody joins.",
        "Nobody is there at the moment. Your request waits here, and the support team answers when it is back.",
    ]),
    ("ar", [
        "انضم {name} إلى المحادثة.",
        "نُقلت المحادثة إلى زميل.",
        "أعاد فريق الدعم فتح المحادثة.",
        "غادر فريق الدعم المحادثة. يجيب وكيل الذكاء الاصطناعي من جديد.",
        "لا يوجد أحد حاليًا. وصل طلبك إلى فريق الدعم وسيجيب عنه.",
        "لا يمكن الوصول إلى فريق الدعم حاليًا.",
        "وصل طلبك إلى فريق الدعم. قد يستغرق انضمام أحدهم بعض الوقت.",
        "لا يوجد أحد حاليًا. طلبك محفوظ هنا، وسيجيب فريق الدعم عند عودته.",
    ]),
    ("de", [
        "{name} ist jetzt dabei.",
        "Die Unterhaltung wurde an jemand anderen im Team übergeben.",
        "Das Support-Team hat die Unterhaltung wieder geöffnet.",
        "Das Support-Team hat die Unterhaltung verlassen. Der KI-Agent antwortet wieder.",
        "Im Moment ist niemand da. Das Support-Team hat Ihre Anfrage und wird sie beantworten.",
        "Das Support-Team ist im Moment nicht erreichbar.",
        "Das Support-Team hat Ihre Anfrage. Es kann etwas dauern, bis jemand dazukommt.",
        "Im Moment ist niemand da. Ihre Anfrage wartet hier, und das Support-Team antwortet, sobald es zurück ist.",
    ]),
    ("es", [
        "{name} se ha unido a la conversación.",
        "La conversación ha pasado a otra persona del equipo.",
        "El equipo de soporte ha reabierto la conversación.",
        "El equipo de soporte ha salido de la conversación. El agente de IA vuelve a responder.",
        "En este momento no hay nadie. El equipo de soporte tiene su solicitud y la responderá.",
        "En este momento no se puede contactar con el equipo de soporte.",
        "El equipo de soporte tiene su solicitud. Puede tardar un poco en unirse alguien.",
        "En este momento no hay nadie. Su solicitud espera aquí y el equipo de soporte responderá cuando vuelva.",
    ]),
    ("fr", [
        "{name} a rejoint la conversation.",
        "La conversation a été confiée à un autre membre de l'équipe.",
        "L'équipe d'assistance a rouvert la conversation.",
        "L'équipe d'assistance a quitté la conversation. L'agent IA répond de nouveau.",
        "Personne n'est là pour le moment. L'équipe d'assistance a reçu votre demande et y répondra.",
        "L'équipe d'assistance est injoignable pour le moment.",
        "L'équipe d'assistance a reçu votre demande. L'arrivée de quelqu'un peut prendre un moment.",
        "Personne n'est là pour le moment. Votre demande attend ici et l'équipe d'assistance répondra à son retour.",
    ]),
    ("he", [
        "{name} הצטרף/ה לשיחה.",
        "השיחה הועברה לנציג אחר.",
        "צוות התמיכה פתח את השיחה מחדש.",
        "צוות התמיכה עזב את השיחה. סוכן ה-AI משיב שוב.",
        "אין כרגע אף אחד. הפנייה שלך הגיעה לצוות התמיכה והוא ישיב עליה.",
        "לא ניתן להשיג כרגע את צוות התמיכה.",
        "הפנייה שלך הגיעה לצוות התמיכה. ייתכן שייקח זמן עד שמישהו יצטרף.",
        "אין כרגע אף אחד. הפנייה שלך ממתינה כאן, וצוות התמיכה ישיב כשיחזור.",
    ]),
    ("hi", [
        "{name} बातचीत में शामिल हुए।",
        "बातचीत किसी सहकर्मी को सौंपी गई है।",
        "सहायता टीम ने बातचीत फिर से खोली है।",
        "सहायता टीम बातचीत से जा चुकी है। एआई एजेंट फिर से उत्तर देता है।",
        "अभी कोई उपलब्ध नहीं है। सहायता टीम को आपका अनुरोध मिल गया है और वह उत्तर देगी।",
        "अभी सहायता टीम से संपर्क नहीं हो सकता।",
        "सहायता टीम को आपका अनुरोध मिल गया है। किसी के जुड़ने में कुछ समय लग सकता है।",
        "अभी कोई उपलब्ध नहीं है। आपका अनुरोध यहाँ सुरक्षित है, और सहायता टीम लौटने पर उत्तर देगी।",
    ]),
    ("it", [
        "{name} si è unito alla conversazione.",
        "La conversazione è passata a un collega.",
        "Il team di assistenza ha riaperto la conversazione.",
        "Il team di assistenza ha lasciato la conversazione. L'agente IA risponde di nuovo.",
        "Al momento non c'è nessuno. Il team di assistenza ha ricevuto la richiesta e risponderà.",
        "Al momento il team di assistenza non è raggiungibile.",
        "Il team di assistenza ha ricevuto la richiesta. Potrebbe volerci un po' prima che qualcuno si unisca.",
        "Al momento non c'è nessuno. La richiesta resta qui e il team di assistenza risponderà al suo ritorno.",
    ]),
    ("ja", [
        "{name} が会話に参加しました。",
        "会話は別の担当者に引き継がれました。",
        "サポートチームが会話を再開しました。",
        "サポートチームは会話から退出しました。AIエージェントが再び対応します。",
        "現在、担当者は不在です。サポートチームがご依頼を受け付けました。後ほど回答します。",
        "現在、サポートチームに連絡できません。",
        "サポートチームがご依頼を受け付けました。担当者が参加するまで時間がかかることがあります。",
        "現在、担当者は不在です。ご依頼はこのままお待ちいただき、担当者が戻り次第回答します。",
    ]),
    ("ko", [
        "{name} 님이 대화에 참여했습니다.",
        "대화가 다른 상담원에게 넘어갔습니다.",
        "지원팀이 대화를 다시 열었습니다.",
        "지원팀이 대화를 떠났습니다. AI 에이전트가 다시 답합니다.",
        "지금은 상담원이 없습니다. 지원팀이 요청을 접수했으며 답변드리겠습니다.",
        "지금은 지원팀에 연결할 수 없습니다.",
        "지원팀이 요청을 접수했습니다. 상담원이 참여하기까지 시간이 걸릴 수 있습니다.",
        "지금은 상담원이 없습니다. 요청은 여기에 남아 있으며 지원팀이 돌아오면 답변드립니다.",
    ]),
    ("nl", [
        "{name} neemt nu deel aan het gesprek.",
        "Het gesprek is doorgegeven aan een collega.",
        "Het supportteam heeft het gesprek heropend.",
        "Het supportteam heeft het gesprek verlaten. De AI-agent antwoordt weer.",
        "Er is op dit moment niemand. Het supportteam heeft uw verzoek en zal het beantwoorden.",
        "Het supportteam is op dit moment niet bereikbaar.",
        "Het supportteam heeft uw verzoek. Het kan even duren voordat er iemand bij komt.",
        "Er is op dit moment niemand. Uw verzoek wacht hier en het supportteam antwoordt zodra het terug is.",
    ]),
    ("pl", [
        "{name}: dołączono do rozmowy.",
        "Rozmowę przekazano innej osobie z zespołu.",
        "Zespół wsparcia ponownie otworzył rozmowę.",
        "Zespół wsparcia opuścił rozmowę. Znów odpowiada agent AI.",
        "W tej chwili nikogo nie ma. Zespół wsparcia otrzymał zgłoszenie i na nie odpowie.",
        "Zespół wsparcia jest w tej chwili nieosiągalny.",
        "Zespół wsparcia otrzymał zgłoszenie. Dołączenie kogoś może chwilę potrwać.",
        "W tej chwili nikogo nie ma. Zgłoszenie czeka tutaj, a zespół wsparcia odpowie po powrocie.",
    ]),
    ("pt", [
        "{name} entrou na conversa.",
        "A conversa foi passada para outra pessoa da equipe.",
        "A equipe de suporte reabriu a conversa.",
        "A equipe de suporte saiu da conversa. O agente de IA volta a responder.",
        "No momento não há ninguém. A equipe de suporte recebeu sua solicitação e vai respondê-la.",
        "No momento não é possível falar com a equipe de suporte.",
        "A equipe de suporte recebeu sua solicitação. Pode demorar um pouco até alguém entrar.",
        "No momento não há ninguém. Sua solicitação espera aqui e a equipe de suporte responde quando voltar.",
    ]),
    ("tr", [
        "{name} görüşmeye katıldı.",
        "Görüşme bir ekip arkadaşına aktarıldı.",
        "Destek ekibi görüşmeyi yeniden açtı.",
        "Destek ekibi görüşmeden ayrıldı. Yapay zekâ temsilcisi yeniden yanıtlıyor.",
        "Şu anda kimse yok. Destek ekibi talebinizi aldı ve yanıtlayacak.",
        "Destek ekibine şu anda ulaşılamıyor.",
        "Destek ekibi talebinizi aldı. Birinin katılması biraz zaman alabilir.",
        "Şu anda kimse yok. Talebiniz burada bekliyor, destek ekibi dönünce yanıtlayacak.",
    ]),
    ("zh", [
        "{name} 已加入对话。",
        "对话已转给另一位同事。",
        "支持团队已重新打开对话。",
        "支持团队已离开对话，由 AI 客服继续回答。",
        "目前无人在线。支持团队已收到您的请求，会予以回复。",
        "目前无法联系支持团队。",
        "支持团队已收到您的请求，可能需要等待一会儿。",
        "目前无人在线。您的请求会保留在此，支持团队回来后会回复。",
    ]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_user_reads_their_own_language() {
        let texts = Texts::default();
        for (locale, waiting) in [
            (None, "The support team has got your request. It may take a while until somebody joins."),
            (Some("tlh"), "The support team has got your request. It may take a while until somebody joins."),
            (Some("pt-BR"), "A equipe de suporte recebeu sua solicitação. Pode demorar um pouco até alguém entrar."),
            (Some("zh_Hans"), "支持团队已收到您的请求，可能需要等待一会儿。"),
            (Some("IW"), "הפנייה שלך הגיעה לצוות התמיכה. ייתכן שייקח זמן עד שמישהו יצטרף."),
        ] {
            assert_eq!(texts.of(Line::Waiting, locale), Some(waiting));
        }
        assert_eq!(texts.of(Line::Returned, Some("en")).unwrap().matches("The AI agent answers again").count(), 1);
    }

    #[test]
    fn a_text_that_is_set_comes_as_it_is_and_an_empty_one_not_at_all() {
        let set = |text: &str| Texts { failed: Some(text.to_owned()), ..Texts::default() };
        assert_eq!(set("IncomingRequest us.").of(Line::Failed, Some("de")), Some("IncomingRequest us."));
        assert_eq!(set(" ").of(Line::Failed, Some("de")), None);
        let stored = set("The support team cannot be reached at the moment.");
        assert_eq!(stored.of(Line::Failed, Some("de")), Some("Das Support-Team ist im Moment nicht erreichbar."));
    }

    #[test]
    fn every_language_that_human_agents_can_read_is_there_for_end_users() {
        for language in freshworks_handoff::text::languages::all() {
            let found = TABLE.iter().find(|(code, _)| *code == language.code);
            let (_, words) = found.unwrap_or_else(|| panic!("{} is missing", language.code));
            assert!(words[Line::Joined as usize].contains("{name}"), "{}", language.code);
            assert!(words.iter().all(|text| !text.trim().is_empty()), "{}", language.code);
        }
    }

    #[test]
    fn only_what_is_known_of_the_wait_is_told() {
        let texts = Texts::default();
        let of = |average_wait_seconds, waiting| texts.of_estimate(&WaitEstimate { average_wait_seconds, waiting });
        assert_eq!(of(Some(61), Some(3)), "Average wait in the last hour: 2 min. Others who are waiting: 3.");
        assert_eq!(of(Some(0), None), "Average wait in the last hour: 1 min.");
        assert_eq!(of(None, Some(0)), "Others who are waiting: 0.");
        assert_eq!(of(None, None), "");
        let silent = Texts { average_wait: " ".into(), ..Texts::default() };
        let both = WaitEstimate { average_wait_seconds: Some(61), waiting: Some(3) };
        assert_eq!(silent.of_estimate(&both), "Others who are waiting: 3.");
    }
}
