"""The injection rules for German, French, Spanish, Italian, Portuguese and Dutch: override, extraction and persona.

They name a verb and its object together, as ``en`` does, and see lower case. Accents may be missing.
"""

from __future__ import annotations

from guards.injection.rule import Rule, rule

#: Up to n words; bounded, so that no pattern takes more than linear time.
_W2 = r"(?:[\w'’]+[\s,]+){0,2}"
_W3 = r"(?:[\w'’]+[\s,]+){0,3}"

EUROPEAN: tuple[Rule, ...] = (
    rule(
        "override_european",
        "en",
        # German
        rf"\b(?:vergiss|vergessen sie|ignoriere|ignorieren sie|missachte|l(?:ö|oe)sche) {_W2}(?:alle|alles|s(?:ä|ae)mtliche|deine|ihre"
        rf"|die|das) {_W2}(?:anweisung|instruktion|regeln|richtlinien|befehle|vorgaben|davor|zuvor|bisher|vorher|oben|obige|vorige"
        r"|was du|bis hierher)",
        rf"\b(?:alle|s(?:ä|ae)mtliche|die) (?:bisherigen|vorherigen|obigen|vorigen|fr(?:ü|ue)heren) {_W2}(?:vergessen|ignorieren"
        r"|verwerfen|l(?:ö|oe)schen|hinter (?:sich|dir)|au(?:ß|ss)er acht)",
        r"\b(?:entgegen|ungeachtet|abweichend (?:von|zu)) (?:\w+ )?(?:vorherigen|bisherigen|obigen|allen) (?:\w+ )?(?:anweisung"
        r"|instruktion|regeln|vorgaben)",
        # French
        rf"\b(?:oublie|oubliez|ignore|ignorez|n(?:é|e)glige|efface)\b {_W2}(?:les|tes|vos|ces|toutes) {_W2}(?:instructions|consignes"
        r"|r(?:è|e)gles|directives|ordres)",
        r"\b(?:oublie|oubliez|ignore|ignorez) (?:tout (?:ce qui|ce que|pr(?:é|e)c)|ce qui pr(?:é|e)c)",
        # Spanish, Portuguese, Italian, Dutch
        rf"\b(?:olvida|olvide|ignora|ignore|descarta|borra|haz caso omiso de) {_W2}(?:las|tus|sus|estas|todas) {_W2}(?:instrucciones"
        r"|reglas|(?:ó|o)rdenes|indicaciones|normas)",
        r"\b(?:olvida|olvide|ignora|ignore) todo (?:lo|que|cuanto)\b",
        rf"\b(?:esque(?:ç|c)a|ignore|desconsidere) {_W2}(?:as|suas|todas) {_W2}(?:instru(?:ç|c)(?:õ|o)es|regras|ordens)",
        rf"\b(?:dimentica|ignora|scorda) {_W2}(?:le|tue|tutte|tutto) {_W2}(?:istruzioni|regole|indicazioni|ci(?:ò|o) che)",
        rf"\b(?:vergeet|negeer) {_W2}(?:alle|je|de) {_W2}(?:instructies|regels|opdrachten|aanwijzingen)",
    ),
    rule(
        "prompt_extraction_european",
        "en",
        rf"\b(?:zeig|zeige|nenn|nenne|verrate|gib|wiederhole|wie lautet|was ist) {_W2}(?:dein|deine|deinen|den) {_W2}(?:system-?\s?prompt"
        r"|systemnachricht|prompt|systemanweisung)",
        rf"\b(?:montre|affiche|r(?:é|e)p(?:è|e)te|r(?:é|e)v(?:è|e)le|donne|quel est)\S* {_W2}(?:ton|votre|le) (?:\w+ )?prompt\b",
        rf"\b(?:muestra|mu(?:é|e)strame|repite|imprime|revela|dime|cu(?:á|a)l es) {_W2}(?:tu|su|el) (?:\w+ )?prompt\b",
        rf"\b(?:mostre|repita|imprima|mostra|mostrami|ripeti|stampa|toon|herhaal) {_W2}(?:prompt|systeemprompt)\b",
    ),
    rule(
        "persona_european",
        "en",
        r"\b(?:ab (?:jetzt|sofort)|von nun an|ab nun) (?:bist|antwortest|sprichst|handelst|spielst|gehorchst) du\b",
        rf"\b(?:du bist|sie sind) (?:jetzt|nun|ab sofort|von nun an) {_W3}(?:ki|dan|hacker|pirat|roboter|terminal|interpreter|diktator)\b",
        rf"\b(?:à partir de maintenant|d(?:é|e)sormais),? (?:tu|vous) (?:es|(?:ê|e)tes|r(?:é|e)ponds|n'as plus|ob(?:é|e)is) {_W3}",
        rf"\b(?:a partir de ahora|desde ahora),? (?:eres|respondes|act(?:ú|u)as|no tienes|me obedeces)\b {_W2}",
    ),
)
