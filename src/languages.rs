//! The labels that human agents read, as data. What people wrote is never translated.
//!
//! A conversation that was begun in one language goes on in another after the setting has changed, so markers are recognised
//! in all of them.

use crate::model::{Reason, SenderRole};
use crate::session::EndReason;

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
    pub fn is_handoff(&self, line: &str) -> bool {
        line.strip_prefix(self.handoff).is_some_and(|rest| rest.starts_with(" · "))
    }

    /// Why the AI agent hands over.
    pub fn reason_words(&self, reason: Reason) -> &'static str {
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

/// The language of a tag such as `pt-BR`; English where it is not among them.
pub fn of(tag: &str) -> &'static Language {
    let wanted = tag.split(['-', '_']).next().unwrap_or_default();
    OTHERS.iter().find(|language| language.code.eq_ignore_ascii_case(wanted)).unwrap_or(&ENGLISH)
}

/// The language that is used when none is set.
pub static ENGLISH: Language = Language {
    code: "en",
    handoff: "Handoff from the AI agent",
    continues: "Continues conversation",
    reason: "Reason",
    category: "Category",
    user: "User",
    facts: "Facts",
    summary: "Summary",
    whole_above: "the whole summary stands above",
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
static OTHERS: [Language; 5] = [
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
        for (tag, code) in
            [("de", "de"), ("pt-BR", "pt"), ("pt_PT", "pt"), ("JA", "ja"), ("en-GB", "en"), ("tlh", "en")]
        {
            assert_eq!(of(tag).code, code, "{tag}");
        }
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
            ];
            let lists = language.reasons.iter().chain(&language.roles).chain(&language.ends).chain(&language.history);
            assert!(labels.iter().chain(lists).all(|label| !label.trim().is_empty()), "{}", language.code);
            assert!(language.history[2].contains("{}") && language.history[1].contains('1'), "{}", language.code);
        }
    }
}
