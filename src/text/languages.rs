//! The labels that human agents read, as data. What people wrote is never translated.
//!
//! A conversation that was begun in one language goes on in another after the setting has changed, so markers are recognised
//! in all of them.

use crate::conversation::session::EndReason;
use handoff_contract::model::{Reason, SenderRole};

/// One language.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    /// BCP 47, the language alone.
    pub code: &'static str,
    /// How the last line of the brief begins.
    pub handoff: &'static str,
    /// How the first message of a conversation begins that replaces another.
    pub continues: &'static str,
    /// Labels of lines.
    pub reason: &'static str,
    /// As [`Self::reason`].
    pub category: &'static str,
    /// As [`Self::reason`].
    pub user: &'static str,
    /// As [`Self::reason`].
    pub facts: &'static str,
    /// As [`Self::reason`].
    pub summary: &'static str,
    /// Behind the beginning of a summary that is too long for one message.
    pub whole_above: &'static str,
    /// Of an extract in place of a summary: title, first request, last words, question, what the AI agent said, number of
    /// messages of both.
    pub extract: [&'static str; 6],
    /// Label of the line that says what becomes of an answer, and what it says.
    pub next: &'static str,
    /// As [`Self::next`].
    pub next_words: &'static str,
    /// In place of what is not known of the end user.
    pub unknown: &'static str,
    /// Behind an address of the end user that the platform has not checked.
    pub unverified: &'static str,
    /// The history: none, one message, and several, where `{}` stands for their number.
    pub history: [&'static str; 3],
    /// Follows [`Self::history`] in the opening: in which order several messages stand.
    pub order: &'static str,
    /// Follows that: in which time zone times are.
    pub times: &'static str,
    /// How the last line of a page begins, before its number.
    pub page: &'static str,
    /// How the last line of a page begins that holds what came later.
    pub later: &'static str,
    /// As [`Reason`]: user-button, user-asked, flow-step, model-decision, safety, api.
    pub reasons: [&'static str; 6],
    /// As [`SenderRole`]: end-user, ai-agent, human-agent, system.
    pub roles: [&'static str; 4],
    /// As [`EndReason`].
    pub ends: [&'static str; 6],
}

impl Language {
    /// How many messages of history there are.
    pub fn messages(&self, count: usize) -> String {
        let [none, one, many] = self.history;
        match count {
            0 => none.to_owned(),
            1 => one.to_owned(),
            count => many.replace("{}", &count.to_string()),
        }
    }

    /// True for the line of ours that names the AI agent's handoff.
    pub(crate) fn is_handoff(&self, line: &str) -> bool {
        line.strip_prefix(self.handoff).is_some_and(|rest| rest.starts_with(" · "))
    }

    /// Why the AI agent hands over.
    pub(crate) fn reason_words(&self, reason: Reason) -> &'static str {
        let [button, asked, flow, model, safety, api] = self.reasons;
        match reason {
            Reason::UserButton => button,
            Reason::UserAsked => asked,
            Reason::FlowStep => flow,
            Reason::ModelDecision => model,
            Reason::Safety => safety,
            Reason::Api => api,
        }
    }

    /// Who speaks.
    pub fn role(&self, role: SenderRole) -> &'static str {
        let [user, ai, human, system] = self.roles;
        match role {
            SenderRole::EndUser => user,
            SenderRole::AiAgent => ai,
            SenderRole::HumanAgent => human,
            SenderRole::System => system,
        }
    }

    /// Why the human part ends.
    pub fn end(&self, reason: EndReason) -> &'static str {
        let [left, cancelled, closed, returned, timed_out, inactive] = self.ends;
        match reason {
            EndReason::UserLeft => left,
            EndReason::UserCancelled => cancelled,
            EndReason::PlatformClosed => closed,
            EndReason::ReturnedToAi => returned,
            EndReason::TimedOut => timed_out,
            EndReason::Inactive => inactive,
        }
    }
}

/// The language of a tag such as `pt-BR`; none where it is not among them.
pub fn of(tag: &str) -> Option<&'static Language> {
    // Hebrew had another code, which systems still use.
    let wanted = tag.split(['-', '_']).next().map(|code| if code.eq_ignore_ascii_case("iw") { "he" } else { code });
    let wanted = wanted.unwrap_or_default();
    all().find(|language| language.code.eq_ignore_ascii_case(wanted))
}

/// The language that is used when none is set.
pub(crate) static ENGLISH: Language = Language {
    code: "en",
    handoff: "Handoff from the AI agent",
    continues: "Continues conversation",
    reason: "Reason",
    category: "Category",
    user: "User",
    facts: "Facts",
    summary: "Summary",
    whole_above: "the whole summary stands above",
    extract: [
        "Extract, made from the conversation because no summary came with it",
        "First request",
        "Last words",
        "Question",
        "The AI agent said",
        "Messages of the user + the AI agent",
    ],
    next: "Next",
    next_words: "answer here, the user reads it in the chat; when you resolve the conversation, the AI agent takes over again",
    unknown: "unknown",
    unverified: "not verified",
    history: ["History: none", "History: 1 message", "History: {} messages"],
    order: ", oldest first",
    times: ", times in {}",
    page: "History",
    later: "Later messages, up to",
    reasons: [
        "the user pressed the handoff button",
        "the user asked for a person",
        "a scripted flow hands over at this point",
        "the AI agent decided to hand over",
        "a safety rule demands a person",
        "a program asked for it",
    ],
    roles: ["user", "AI agent", "human agent", "system"],
    ends: [
        "The user has left the conversation and will not see further messages",
        "The user no longer wants a person",
        "The conversation was closed on the user's side",
        "The user went back to the AI agent",
        "The conversation was taken back because it had waited too long",
        "The conversation was taken back because nobody had written for a long time",
    ],
};

/// Every language but English.
static OTHERS: [Language; 14] = [
    Language {
        code: "de",
        handoff: "Übergabe vom KI-Agenten",
        continues: "Fortsetzung der Unterhaltung",
        reason: "Grund",
        category: "Kategorie",
        user: "Nutzer",
        facts: "Angaben",
        summary: "Zusammenfassung",
        whole_above: "die ganze Zusammenfassung steht weiter oben",
        extract: [
            "Auszug, aus der Unterhaltung erstellt, weil keine Zusammenfassung mitkam",
            "Erstes Anliegen",
            "Letzte Worte",
            "Frage",
            "Der KI-Agent sagte",
            "Nachrichten von Nutzer + KI-Agent",
        ],
        next: "Nächster Schritt",
        next_words: "hier antworten, der Nutzer liest es im Chat; wird die Unterhaltung gelöst, übernimmt wieder der KI-Agent",
        unknown: "unbekannt",
        unverified: "nicht bestätigt",
        history: ["Verlauf: keiner", "Verlauf: 1 Nachricht", "Verlauf: {} Nachrichten"],
        order: ", älteste zuerst",
        times: ", Uhrzeiten in {}",
        page: "Verlauf",
        later: "Spätere Nachrichten, bis",
        reasons: [
            "der Nutzer hat die Schaltfläche für die Übergabe gedrückt",
            "der Nutzer möchte mit einem Menschen sprechen",
            "ein festgelegter Ablauf übergibt an dieser Stelle",
            "der KI-Agent hat die Übergabe beschlossen",
            "eine Sicherheitsregel verlangt einen Menschen",
            "ein Programm hat sie angefordert",
        ],
        roles: ["Nutzer", "KI-Agent", "Mitarbeiter", "System"],
        ends: [
            "Der Nutzer hat die Unterhaltung verlassen und sieht keine weiteren Nachrichten",
            "Der Nutzer möchte nicht mehr mit einem Menschen sprechen",
            "Die Unterhaltung wurde auf der Seite des Nutzers geschlossen",
            "Der Nutzer ist zum KI-Agenten zurückgekehrt",
            "Die Unterhaltung wurde zurückgenommen, weil sie zu lange gewartet hat",
            "Die Unterhaltung wurde zurückgenommen, weil lange niemand geschrieben hat",
        ],
    },
    Language {
        code: "fr",
        handoff: "Transfert depuis l'agent IA",
        continues: "Suite de la conversation",
        reason: "Motif",
        category: "Catégorie",
        user: "Utilisateur",
        facts: "Informations",
        summary: "Résumé",
        whole_above: "le résumé complet se trouve plus haut",
        extract: [
            "Extrait, tiré de la conversation car aucun résumé n'a été transmis",
            "Première demande",
            "Derniers mots",
            "Question",
            "L'agent IA a dit",
            "Messages de l'utilisateur + de l'agent IA",
        ],
        next: "À faire",
        next_words: "répondez ici, l'utilisateur le lit dans le chat ; quand la conversation est résolue, l'agent IA reprend la main",
        unknown: "inconnu",
        unverified: "non vérifié",
        history: ["Historique : aucun", "Historique : 1 message", "Historique : {} messages"],
        order: ", du plus ancien au plus récent",
        times: ", heures en {}",
        page: "Historique",
        later: "Messages suivants, jusqu'au",
        reasons: [
            "l'utilisateur a appuyé sur le bouton de transfert",
            "l'utilisateur a demandé à parler à une personne",
            "un scénario prévoit le transfert à ce point",
            "l'agent IA a décidé de transférer",
            "une règle de sécurité exige une personne",
            "un programme l'a demandé",
        ],
        roles: ["utilisateur", "agent IA", "agent humain", "système"],
        ends: [
            "L'utilisateur a quitté la conversation et ne verra plus les messages",
            "L'utilisateur ne souhaite plus parler à une personne",
            "La conversation a été fermée du côté de l'utilisateur",
            "L'utilisateur est revenu vers l'agent IA",
            "La conversation a été reprise car elle attendait depuis trop longtemps",
            "La conversation a été reprise car personne n'a écrit depuis longtemps",
        ],
    },
    Language {
        code: "es",
        handoff: "Traspaso del agente de IA",
        continues: "Continuación de la conversación",
        reason: "Motivo",
        category: "Categoría",
        user: "Usuario",
        facts: "Datos",
        summary: "Resumen",
        whole_above: "el resumen completo está más arriba",
        extract: [
            "Extracto, tomado de la conversación porque no llegó ningún resumen",
            "Primera petición",
            "Últimas palabras",
            "Pregunta",
            "El agente de IA dijo",
            "Mensajes del usuario + del agente de IA",
        ],
        next: "Siguiente paso",
        next_words: "responda aquí, el usuario lo lee en el chat; al resolver la conversación, el agente de IA vuelve a atender",
        unknown: "desconocido",
        unverified: "sin verificar",
        history: ["Historial: ninguno", "Historial: 1 mensaje", "Historial: {} mensajes"],
        order: ", del más antiguo al más reciente",
        times: ", horas en {}",
        page: "Historial",
        later: "Mensajes posteriores, hasta el",
        reasons: [
            "el usuario pulsó el botón de traspaso",
            "el usuario pidió hablar con una persona",
            "un flujo programado traspasa en este punto",
            "el agente de IA decidió traspasar",
            "una regla de seguridad exige una persona",
            "un programa lo solicitó",
        ],
        roles: ["usuario", "agente de IA", "agente humano", "sistema"],
        ends: [
            "El usuario ha salido de la conversación y no verá más mensajes",
            "El usuario ya no quiere hablar con una persona",
            "La conversación se cerró del lado del usuario",
            "El usuario volvió con el agente de IA",
            "La conversación se retiró porque llevaba demasiado tiempo esperando",
            "La conversación se retiró porque nadie había escrito en mucho tiempo",
        ],
    },
    Language {
        code: "pt",
        handoff: "Transferência do agente de IA",
        continues: "Continuação da conversa",
        reason: "Motivo",
        category: "Categoria",
        user: "Usuário",
        facts: "Dados",
        summary: "Resumo",
        whole_above: "o resumo completo está acima",
        extract: [
            "Trecho, tirado da conversa porque não veio nenhum resumo",
            "Primeiro pedido",
            "Últimas palavras",
            "Pergunta",
            "O agente de IA disse",
            "Mensagens do usuário + do agente de IA",
        ],
        next: "Próximo passo",
        next_words: "responda aqui, o usuário lê no chat; quando a conversa é resolvida, o agente de IA volta a atender",
        unknown: "desconhecido",
        unverified: "não verificado",
        history: ["Histórico: nenhum", "Histórico: 1 mensagem", "Histórico: {} mensagens"],
        order: ", da mais antiga à mais recente",
        times: ", horários em {}",
        page: "Histórico",
        later: "Mensagens posteriores, até a",
        reasons: [
            "o usuário apertou o botão de transferência",
            "o usuário pediu para falar com uma pessoa",
            "um fluxo programado transfere neste ponto",
            "o agente de IA decidiu transferir",
            "uma regra de segurança exige uma pessoa",
            "um programa solicitou",
        ],
        roles: ["usuário", "agente de IA", "atendente", "sistema"],
        ends: [
            "O usuário saiu da conversa e não verá mais mensagens",
            "O usuário não quer mais falar com uma pessoa",
            "A conversa foi encerrada do lado do usuário",
            "O usuário voltou para o agente de IA",
            "A conversa foi retirada porque esperou tempo demais",
            "A conversa foi retirada porque ninguém escrevia havia muito tempo",
        ],
    },
    Language {
        code: "ja",
        handoff: "AIエージェントからの引き継ぎ",
        continues: "会話の続き",
        reason: "理由",
        category: "カテゴリ",
        user: "ユーザー",
        facts: "情報",
        summary: "要約",
        whole_above: "要約の全文は上にあります",
        extract: [
            "抜粋（要約がなかったため会話から作成）",
            "最初の用件",
            "最後の発言",
            "質問",
            "AIエージェントの回答",
            "ユーザー + AIエージェントのメッセージ数",
        ],
        next: "次の対応",
        next_words: "ここで返信すると、ユーザーはチャットで読めます。会話を解決すると、AIエージェントが対応に戻ります",
        unknown: "不明",
        unverified: "未確認",
        history: ["履歴: なし", "履歴: 1 件", "履歴: {} 件"],
        order: "、古い順",
        times: "、時刻は {}",
        page: "履歴",
        later: "その後のメッセージ、",
        reasons: [
            "ユーザーが引き継ぎボタンを押しました",
            "ユーザーが担当者との会話を希望しました",
            "設定されたフローによる引き継ぎです",
            "AIエージェントが引き継ぎを判断しました",
            "安全ルールにより担当者の対応が必要です",
            "プログラムからの要求です",
        ],
        roles: ["ユーザー", "AIエージェント", "担当者", "システム"],
        ends: [
            "ユーザーは会話から退出しました。今後のメッセージは表示されません",
            "ユーザーは担当者との会話を希望しなくなりました",
            "ユーザー側で会話が終了しました",
            "ユーザーはAIエージェントとの会話に戻りました",
            "待ち時間が長くなったため、会話は取り下げられました",
            "長時間メッセージがなかったため、会話は取り下げられました",
        ],
    },
    Language {
        code: "ar",
        handoff: "تحويل من وكيل الذكاء الاصطناعي",
        continues: "تتمة المحادثة",
        reason: "السبب",
        category: "الفئة",
        user: "المستخدم",
        facts: "معلومات",
        summary: "الملخص",
        whole_above: "الملخص الكامل موجود أعلاه",
        extract: [
            "مقتطف من المحادثة لأنه لم يصل ملخص معها",
            "أول طلب",
            "آخر كلام",
            "سؤال",
            "قال وكيل الذكاء الاصطناعي",
            "رسائل المستخدم + وكيل الذكاء الاصطناعي",
        ],
        next: "الخطوة التالية",
        next_words: "أجب هنا، فالمستخدم يقرأ الإجابة في الدردشة؛ وعند حل المحادثة يعود وكيل الذكاء الاصطناعي إلى الرد",
        unknown: "غير معروف",
        unverified: "غير مؤكد",
        history: ["السجل: فارغ", "السجل: رسالة واحدة (1)", "السجل: عدد الرسائل {}"],
        order: "، من الأقدم إلى الأحدث",
        times: "، الأوقات بتوقيت {}",
        page: "السجل",
        later: "رسائل لاحقة، حتى",
        reasons: [
            "ضغط المستخدم زر التحويل",
            "طلب المستخدم التحدث إلى شخص",
            "ينص سير العمل المحدد على التحويل هنا",
            "قرر وكيل الذكاء الاصطناعي التحويل",
            "تتطلب قاعدة سلامة تدخل شخص",
            "طلب برنامج ذلك",
        ],
        roles: ["المستخدم", "وكيل الذكاء الاصطناعي", "موظف", "النظام"],
        ends: [
            "غادر المستخدم المحادثة ولن يرى رسائل أخرى",
            "لم يعد المستخدم يريد التحدث إلى شخص",
            "أُغلقت المحادثة من جهة المستخدم",
            "عاد المستخدم إلى وكيل الذكاء الاصطناعي",
            "سُحبت المحادثة لأنها انتظرت طويلًا",
            "سُحبت المحادثة لأن أحدًا لم يكتب منذ وقت طويل",
        ],
    },
    Language {
        code: "he",
        handoff: "העברה מסוכן ה-AI",
        continues: "המשך השיחה",
        reason: "סיבה",
        category: "קטגוריה",
        user: "משתמש",
        facts: "פרטים",
        summary: "סיכום",
        whole_above: "הסיכום המלא נמצא למעלה",
        extract: [
            "תמצית מתוך השיחה, כי לא הגיע איתה סיכום",
            "בקשה ראשונה",
            "מילים אחרונות",
            "שאלה",
            "סוכן ה-AI אמר",
            "הודעות של המשתמש + סוכן ה-AI",
        ],
        next: "הצעד הבא",
        next_words: "השיבו כאן, המשתמש קורא זאת בצ'אט; כשהשיחה נפתרת, סוכן ה-AI חוזר להשיב",
        unknown: "לא ידוע",
        unverified: "לא אומת",
        history: ["היסטוריה: אין", "היסטוריה: הודעה 1", "היסטוריה: {} הודעות"],
        order: ", מהישנה לחדשה",
        times: ", שעות לפי {}",
        page: "היסטוריה",
        later: "הודעות מאוחרות יותר, עד",
        reasons: [
            "המשתמש לחץ על כפתור ההעברה",
            "המשתמש ביקש לדבר עם אדם",
            "תסריט קבוע מעביר בנקודה זו",
            "סוכן ה-AI החליט להעביר",
            "כלל בטיחות מחייב אדם",
            "תוכנה ביקשה זאת",
        ],
        roles: ["משתמש", "סוכן AI", "נציג", "מערכת"],
        ends: [
            "המשתמש עזב את השיחה ולא יראה הודעות נוספות",
            "המשתמש כבר לא רוצה לדבר עם אדם",
            "השיחה נסגרה בצד של המשתמש",
            "המשתמש חזר לסוכן ה-AI",
            "השיחה נלקחה חזרה כי המתינה זמן רב מדי",
            "השיחה נלקחה חזרה כי איש לא כתב זמן רב",
        ],
    },
    Language {
        code: "hi",
        handoff: "एआई एजेंट से हस्तांतरण",
        continues: "बातचीत की अगली कड़ी",
        reason: "कारण",
        category: "श्रेणी",
        user: "उपयोगकर्ता",
        facts: "जानकारी",
        summary: "सारांश",
        whole_above: "पूरा सारांश ऊपर है",
        extract: [
            "बातचीत के अंश, क्योंकि साथ में कोई सारांश नहीं आया",
            "पहला अनुरोध",
            "अंतिम शब्द",
            "प्रश्न",
            "एआई एजेंट ने कहा",
            "उपयोगकर्ता + एआई एजेंट के संदेश",
        ],
        next: "आगे",
        next_words: "यहाँ उत्तर दें, उपयोगकर्ता उसे चैट में पढ़ता है; बातचीत हल करने पर एआई एजेंट फिर से उत्तर देता है",
        unknown: "अज्ञात",
        unverified: "असत्यापित",
        history: ["इतिहास: कोई नहीं", "इतिहास: 1 संदेश", "इतिहास: {} संदेश"],
        order: ", पुराने से नए",
        times: ", समय {} में",
        page: "इतिहास",
        later: "बाद के संदेश, यहाँ तक",
        reasons: [
            "उपयोगकर्ता ने हस्तांतरण बटन दबाया",
            "उपयोगकर्ता ने किसी व्यक्ति से बात करने को कहा",
            "तय प्रवाह यहाँ हस्तांतरित करता है",
            "एआई एजेंट ने हस्तांतरण का निर्णय लिया",
            "सुरक्षा नियम के लिए व्यक्ति आवश्यक है",
            "किसी प्रोग्राम ने माँगा",
        ],
        roles: ["उपयोगकर्ता", "एआई एजेंट", "मानव एजेंट", "सिस्टम"],
        ends: [
            "उपयोगकर्ता बातचीत छोड़ चुका है और आगे के संदेश नहीं देखेगा",
            "उपयोगकर्ता अब किसी व्यक्ति से बात नहीं करना चाहता",
            "बातचीत उपयोगकर्ता की ओर से बंद हुई",
            "उपयोगकर्ता एआई एजेंट के पास लौट गया",
            "बातचीत वापस ली गई क्योंकि प्रतीक्षा बहुत लंबी थी",
            "बातचीत वापस ली गई क्योंकि लंबे समय से किसी ने नहीं लिखा",
        ],
    },
    Language {
        code: "it",
        handoff: "Trasferimento dall'agente IA",
        continues: "Continuazione della conversazione",
        reason: "Motivo",
        category: "Categoria",
        user: "Utente",
        facts: "Dati",
        summary: "Riepilogo",
        whole_above: "il riepilogo completo si trova sopra",
        extract: [
            "Estratto, ricavato dalla conversazione perché non è arrivato un riepilogo",
            "Prima richiesta",
            "Ultime parole",
            "Domanda",
            "L'agente IA ha detto",
            "Messaggi dell'utente + dell'agente IA",
        ],
        next: "Prossimo passo",
        next_words: "rispondere qui, l'utente legge nella chat; quando la conversazione è risolta, risponde di nuovo l'agente IA",
        unknown: "sconosciuto",
        unverified: "non verificato",
        history: ["Cronologia: nessuna", "Cronologia: 1 messaggio", "Cronologia: {} messaggi"],
        order: ", dal meno recente",
        times: ", orari in {}",
        page: "Cronologia",
        later: "Messaggi successivi, fino al",
        reasons: [
            "l'utente ha premuto il pulsante di trasferimento",
            "l'utente ha chiesto di parlare con una persona",
            "un flusso prevede il trasferimento a questo punto",
            "l'agente IA ha deciso di trasferire",
            "una regola di sicurezza richiede una persona",
            "lo ha chiesto un programma",
        ],
        roles: ["utente", "agente IA", "operatore", "sistema"],
        ends: [
            "L'utente ha lasciato la conversazione e non vedrà altri messaggi",
            "L'utente non vuole più parlare con una persona",
            "La conversazione è stata chiusa dal lato dell'utente",
            "L'utente è tornato dall'agente IA",
            "La conversazione è stata ritirata perché attendeva da troppo tempo",
            "La conversazione è stata ritirata perché nessuno scriveva da molto tempo",
        ],
    },
    Language {
        code: "ko",
        handoff: "AI 에이전트의 상담 이관",
        continues: "이어지는 대화",
        reason: "사유",
        category: "분류",
        user: "사용자",
        facts: "정보",
        summary: "요약",
        whole_above: "전체 요약은 위에 있습니다",
        extract: [
            "발췌(요약이 없어 대화에서 뽑음)",
            "첫 요청",
            "마지막 말",
            "질문",
            "AI 에이전트의 답변",
            "사용자 + AI 에이전트 메시지 수",
        ],
        next: "다음 단계",
        next_words: "여기에 답하면 사용자가 채팅에서 읽습니다. 대화를 해결하면 AI 에이전트가 다시 응답합니다",
        unknown: "알 수 없음",
        unverified: "미확인",
        history: ["기록: 없음", "기록: 메시지 1개", "기록: 메시지 {}개"],
        order: ", 오래된 순",
        times: ", 시각은 {}",
        page: "기록",
        later: "이후 메시지, 번호",
        reasons: [
            "사용자가 이관 버튼을 눌렀습니다",
            "사용자가 상담원과의 대화를 요청했습니다",
            "정해진 흐름에 따른 이관입니다",
            "AI 에이전트가 이관을 결정했습니다",
            "안전 규칙에 따라 사람이 필요합니다",
            "프로그램이 요청했습니다",
        ],
        roles: ["사용자", "AI 에이전트", "상담원", "시스템"],
        ends: [
            "사용자가 대화를 떠나 이후 메시지를 보지 못합니다",
            "사용자가 더 이상 상담원을 원하지 않습니다",
            "사용자 쪽에서 대화가 종료되었습니다",
            "사용자가 AI 에이전트로 돌아갔습니다",
            "대기 시간이 너무 길어 대화를 회수했습니다",
            "오랫동안 메시지가 없어 대화를 회수했습니다",
        ],
    },
    Language {
        code: "nl",
        handoff: "Overdracht door de AI-agent",
        continues: "Vervolg van gesprek",
        reason: "Reden",
        category: "Categorie",
        user: "Gebruiker",
        facts: "Gegevens",
        summary: "Samenvatting",
        whole_above: "de hele samenvatting staat hierboven",
        extract: [
            "Fragment, uit het gesprek gehaald omdat er geen samenvatting bij zat",
            "Eerste verzoek",
            "Laatste woorden",
            "Vraag",
            "De AI-agent zei",
            "Berichten van gebruiker + AI-agent",
        ],
        next: "Volgende stap",
        next_words: "antwoord hier, de gebruiker leest het in de chat; als het gesprek is opgelost, antwoordt de AI-agent weer",
        unknown: "onbekend",
        unverified: "niet bevestigd",
        history: ["Geschiedenis: geen", "Geschiedenis: 1 bericht", "Geschiedenis: {} berichten"],
        order: ", oudste eerst",
        times: ", tijden in {}",
        page: "Geschiedenis",
        later: "Latere berichten, tot en met",
        reasons: [
            "de gebruiker drukte op de overdrachtsknop",
            "de gebruiker vroeg om een mens",
            "een vaste flow draagt hier over",
            "de AI-agent besloot over te dragen",
            "een veiligheidsregel vereist een mens",
            "een programma vroeg erom",
        ],
        roles: ["gebruiker", "AI-agent", "medewerker", "systeem"],
        ends: [
            "De gebruiker heeft het gesprek verlaten en ziet geen berichten meer",
            "De gebruiker wil geen mens meer spreken",
            "Het gesprek is aan de kant van de gebruiker gesloten",
            "De gebruiker is teruggegaan naar de AI-agent",
            "Het gesprek is teruggenomen omdat het te lang wachtte",
            "Het gesprek is teruggenomen omdat er lang niemand schreef",
        ],
    },
    Language {
        code: "pl",
        handoff: "Przekazanie od agenta AI",
        continues: "Ciąg dalszy rozmowy",
        reason: "Powód",
        category: "Kategoria",
        user: "Użytkownik",
        facts: "Dane",
        summary: "Podsumowanie",
        whole_above: "całe podsumowanie znajduje się wyżej",
        extract: [
            "Wyciąg z rozmowy, ponieważ nie przysłano podsumowania",
            "Pierwsza prośba",
            "Ostatnie słowa",
            "Pytanie",
            "Agent AI odpowiedział",
            "Wiadomości użytkownika + agenta AI",
        ],
        next: "Co dalej",
        next_words: "odpowiedz tutaj, użytkownik przeczyta to na czacie; po rozwiązaniu rozmowy znów odpowiada agent AI",
        unknown: "nieznany",
        unverified: "niepotwierdzone",
        history: ["Historia: brak", "Historia (1 wiadomość)", "Historia (wiadomości: {})"],
        order: ", od najstarszej",
        times: ", czas: {}",
        page: "Historia",
        later: "Późniejsze wiadomości, do",
        reasons: [
            "użytkownik nacisnął przycisk przekazania",
            "użytkownik poprosił o rozmowę z człowiekiem",
            "scenariusz przewiduje tu przekazanie",
            "agent AI postanowił przekazać rozmowę",
            "reguła bezpieczeństwa wymaga człowieka",
            "poprosił o to program",
        ],
        roles: ["użytkownik", "agent AI", "konsultant", "system"],
        ends: [
            "Użytkownik opuścił rozmowę i nie zobaczy kolejnych wiadomości",
            "Użytkownik nie chce już rozmawiać z człowiekiem",
            "Rozmowę zamknięto po stronie użytkownika",
            "Użytkownik wrócił do agenta AI",
            "Rozmowę wycofano, bo czekała zbyt długo",
            "Rozmowę wycofano, bo od dawna nikt nie pisał",
        ],
    },
    Language {
        code: "tr",
        handoff: "Yapay zekâ temsilcisinden devir",
        continues: "Görüşmenin devamı",
        reason: "Neden",
        category: "Kategori",
        user: "Kullanıcı",
        facts: "Bilgiler",
        summary: "Özet",
        whole_above: "özetin tamamı yukarıda",
        extract: [
            "Özet gelmediği için görüşmeden alınan bölümler",
            "İlk istek",
            "Son sözler",
            "Soru",
            "Yapay zekâ temsilcisi dedi ki",
            "Kullanıcı + yapay zekâ temsilcisi mesajları",
        ],
        next: "Sonraki adım",
        next_words: "burada yanıtlayın, kullanıcı sohbette okur; görüşme çözülünce yapay zekâ temsilcisi yeniden yanıtlar",
        unknown: "bilinmiyor",
        unverified: "doğrulanmadı",
        history: ["Geçmiş: yok", "Geçmiş: 1 mesaj", "Geçmiş: {} mesaj"],
        order: ", en eskiden yeniye",
        times: ", saatler {}",
        page: "Geçmiş",
        later: "Sonraki mesajlar, şuna kadar:",
        reasons: [
            "kullanıcı devir düğmesine bastı",
            "kullanıcı bir kişiyle görüşmek istedi",
            "tanımlı akış burada devreder",
            "yapay zekâ temsilcisi devretmeye karar verdi",
            "bir güvenlik kuralı insan gerektiriyor",
            "bir program istedi",
        ],
        roles: ["kullanıcı", "yapay zekâ temsilcisi", "temsilci", "sistem"],
        ends: [
            "Kullanıcı görüşmeden ayrıldı ve yeni mesajları görmeyecek",
            "Kullanıcı artık bir kişiyle görüşmek istemiyor",
            "Görüşme kullanıcı tarafında kapatıldı",
            "Kullanıcı yapay zekâ temsilcisine döndü",
            "Görüşme çok uzun beklediği için geri alındı",
            "Uzun süredir kimse yazmadığı için görüşme geri alındı",
        ],
    },
    Language {
        code: "zh",
        handoff: "AI 客服转接",
        continues: "接续对话",
        reason: "原因",
        category: "类别",
        user: "用户",
        facts: "信息",
        summary: "摘要",
        whole_above: "完整摘要见上文",
        extract: [
            "摘录（未收到摘要，取自对话）",
            "最初的请求",
            "最后的话",
            "问题",
            "AI 客服的回答",
            "用户 + AI 客服消息数",
        ],
        next: "下一步",
        next_words: "在此回复，用户会在聊天中看到；对话解决后由 AI 客服继续接待",
        unknown: "未知",
        unverified: "未验证",
        history: ["记录：无", "记录：1 条消息", "记录：{} 条消息"],
        order: "，由旧到新",
        times: "，时间为 {}",
        page: "记录",
        later: "后续消息，至",
        reasons: [
            "用户按下了转接按钮",
            "用户要求人工服务",
            "预设流程在此转接",
            "AI 客服决定转接",
            "安全规则要求人工处理",
            "由程序请求",
        ],
        roles: ["用户", "AI 客服", "人工客服", "系统"],
        ends: [
            "用户已离开对话，不会看到后续消息",
            "用户不再需要人工服务",
            "对话已在用户一侧关闭",
            "用户已回到 AI 客服",
            "因等待过久，对话已收回",
            "因长时间无人发言，对话已收回",
        ],
    },
];

/// Every language, English first.
pub fn all() -> impl Iterator<Item = &'static Language> {
    std::iter::once(&ENGLISH).chain(&OTHERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_any_form_find_their_language() {
        for (tag, code) in [
            ("de", "de"),
            ("pt-BR", "pt"),
            ("pt_PT", "pt"),
            ("JA", "ja"),
            ("en-GB", "en"),
            ("zh-Hant-TW", "zh"),
            ("iw", "he"),
        ] {
            assert_eq!(of(tag).map(|language| language.code), Some(code), "{tag}");
        }
        assert!(["tlh", "", "-", "deutsch"].iter().all(|tag| of(tag).is_none()));
    }

    #[test]
    fn no_label_is_missing_and_each_history_has_its_number() {
        for language in all() {
            let labels = [
                language.handoff,
                language.continues,
                language.reason,
                language.user,
                language.page,
                language.unverified,
                language.next_words,
                language.whole_above,
            ];
            assert!(language.times.contains("{}"), "{}", language.code);
            let lists = language.extract.iter().chain(&language.reasons).chain(&language.roles);
            let lists = lists.chain(&language.ends).chain(&language.history);
            assert!(labels.iter().chain(lists).all(|label| !label.trim().is_empty()), "{}", language.code);
            assert!(language.history[2].contains("{}") && language.history[1].contains('1'), "{}", language.code);
        }
    }
}
