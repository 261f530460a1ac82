"""The words that the checks look for on German pages: patterns to stand beside the English ones. Pure.

Which pages a shop in Germany has to have follows from its law: imprint (DDG § 5), withdrawal (BGB §§ 312g, 355 and
EGBGB Art. 246a § 1), data protection (GDPR Art. 13), delivery and its cost (BGB § 312d, PAngV § 6), the button that
ends a subscription (BGB § 312k). Terms (AGB) are usual, and no law asks for them. docs/scan.md names the sources.
"""

from __future__ import annotations

_COUNT = r"(?:\d{1,3}|eine[mrn]?|zwei|drei|sieben|acht|zehn|vierzehn|zwanzig|drei(?:ß|ss)ig)"
_PERIOD = (
    rf"\b{_COUNT}(?:\s*(?:-|–|bis(?: zu)?)\s*{_COUNT})?[\s-]*(?:kalender|werk|arbeits|liefer)?"
    r"(?:tag|woche|stunde|monat)\w{0,3}\b"
)
_GOODS_BACK = r"\b(?:rückgabe|rücksend|zurücksend|zurückgeb|widerruf|widerrufen|(?:rück)?erstatt|umtausch|retour)\w*"
_SENT = r"\b(?:versand|versend|versende|liefer|liefert|zustell|verschick)\w*"
_NOT_AFTER = r"[^.]{0,100}"

SELLS = (
    r"\bin den warenkorb\b|\bjetzt (?:kaufen|bestellen|buchen|abonnieren)\b|\bzahlungspflichtig bestellen\b|"
    r"\bzur kasse\b|\bauf lager\b|\bsofort lieferbar\b|\bunsere (?:leistungen|produkte)\b|\btermin buchen\b|"
    r"\bkostenlos testen\b"
)
RETURNS = (
    rf"{_PERIOD}{_NOT_AFTER}{_GOODS_BACK}|{_GOODS_BACK}{_NOT_AFTER}{_PERIOD}|\bvom umtausch ausgeschlossen\b|"
    r"\bkeine? (?:rückgabe|rücknahme|erstattung)\b|\bkein (?:umtausch|widerrufsrecht)\b|"
    r"\berstatten wir\b|\b(?:wird|werden)[^.]{0,60} erstattet\b"
)
RETURNS_NAMED = r"\bwiderruf\w*|\brückgabe\w*|\b(?:rück)?erstattung\w*|\bumtausch\b|\bretouren?\b"
SHIPPING = (
    rf"{_SENT}{_NOT_AFTER}{_PERIOD}|{_PERIOD}[^.]{{0,60}}{_SENT}|"
    r"\bversandkosten[^.]{0,60}\d|\b(?:kostenloser|gratis|standard)-?\s?versand[^.]{0,60}\d|\bversandkostenfrei ab\b"
)
SHIPPING_NAMED = r"\bversand\w*|\blieferung\w*|\blieferzeit\w*|\bporto\b"
TO_BE_SHIPPED = r"\bin den warenkorb\b|\bauf lager\b|\bsofort lieferbar\b|\bunser(?:em|en)? (?:laden|shop|sortiment)\b"
DIGITAL = r"\bzum herunterladen\b|\bsofort-?download\b|\bdigitale\w* (?:produkt|inhalt)\w*|\bonline-?kurs\w*"
RENEWS = (
    r"\b(?:pro|je|im|jeden) (?:monat|jahr|quartal)\b|/\s?(?:monat|jahr)\b|\b(?:monatlich|jährlich)e?r? (?:abo\w*|"
    r"abgerechnet|lieferung|zahlung|beitrag)\b|\babonnement\w*|\babo\b|\bverlängert sich\b|\bautomatisch verlängert\b|"
    r"\bmitgliedschaft\b|\bkostenlos testen\b|\bprobe(?:monat|abo)\b"
)
CANCELS = (
    r"\bkündig\w*[^.]{0,100}\b(?:jederzeit|frist|vor|zum|monat\w*|konto|e-?mail|schriftlich|textform|ende)\b|"
    r"\b(?:jederzeit|vor|monatlich|schriftlich)[^.]{0,60}\bkünd(?:ig|bar)\w*|\bverträge hier kündigen\b"
)
CANCELS_NAMED = r"\bkündig|\bkündbar"
LEGAL = (
    r"\bzoll(?:gebühr|abgabe|bestimmung)\w*|\bzölle\b|\beinfuhr(?:abgabe|umsatzsteuer)\w*|\bausfuhr(?:kontrolle|"
    r"beschränkung)\w*|\bsanktion\w*|\b(?:liefern|versenden|verkaufen) (?:wir )?(?:ausschließlich|nur|nicht)\b|"
    r"\bnur (?:innerhalb|nach|in) (?:der |die )?(?:deutschland\w*|eu|österreich|schweiz)\b|"
    r"\bab 1[68] jahren\b|\bmindestalter\b|\bvolljährig\w*|\bjugendschutz\w*"
)
ABROAD = r"\bweltweit\w*|\binternationale\w* (?:versand|lieferung|bestellung)\w*|\balle länder\b"
PRIVACY = r"\bpersonenbezogene\w* daten\b|\bverantwortliche\w? (?:stelle|im sinne)\b|\bdsgvo\b"
PRIVACY_PAGE = "datenschutz"
PROMOTES = (
    r"\b\d{1,2}\s?% (?:rabatt|auf)\b|\brabatt(?:code|aktion)?s?\b|\bgutschein(?:code)?s?\b|\bgewinnspiel\w*|"
    r"\bnur für kurze zeit\b|\b(?:sommer|winter|schluss)verkauf\b|\bkostenlos testen\b|\bprobe(?:monat|abo)\b"
)
PROMOTION_TERMS = (
    r"\b(?:angebot|aktion|rabatt|gutschein|code|probe\w*|gewinnspiel)\w*[^.]{0,140}\b(?:gültig|gilt|läuft|endet|bis|"
    r"solange (?:der )?vorrat|nicht kombinierbar|ausgenommen|ausgeschlossen|einmalig|pro kunde|danach|anschließend)\b"
)
PHONE = r"\b(?:telefon|tel|fon|hotline|mobil|rufen sie)\b[^\d+]{0,15}\+?\d[\d\s()/.-]{5,18}\d"
ADDRESS = (
    r"\b[A-ZÄÖÜ][\wäöüß.-]{0,60}(?:straße|strasse|str\.|weg|allee|platz|gasse|ufer|ring|damm)\s+\d{1,4}\s?[a-z]?\b|"
    r"\b(?:[A-Z]{1,2}-)?\d{5}\s+[A-ZÄÖÜ][a-zäöüß]+"
)
IMPRINT = (
    r"\bimpressum\b|\bangaben gemäß §? ?5 (?:ddg|tmg)\b|\bhandelsregister\b|\bust\.?-?id\w*|"
    r"\bumsatzsteuer-?identifikationsnummer\b|\bgeschäftsführer\w*|\bvertreten durch\b"
)
DENIED = (
    r"kein(?:e[mnrs]?)?|nicht|nie(?:mals)?|ohne|weder|frei von|verboten\w*|verbiet\w*|ausgeschlossen|ausgenommen|statt|"
    r"gegen"
)

TOPICS = {
    "returns": r"widerruf|r(?:ü|ue|%c3%bc)ck(?:gabe|sendung)|erstattung|umtausch|retoure",
    "shipping": r"versand|liefer",
    "cancellation": r"k(?:ü|ue|%c3%bc)ndig|\babo(?:s|nnement)?\b|mitgliedschaft",
    "contact": r"kontakt|impressum|kundenservice|hilfe",
    "privacy": r"datenschutz",
    "terms": r"\bagb\b|(?:gesch(?:ä|ae|%c3%a4)fts|nutzungs)bedingungen|rechtliches",
    "promotion": r"aktion|angebot|rabatt|gutschein|gewinnspiel",
    "pricing": r"preis|tarif",
    "questions": r"h(?:ä|ae|%c3%a4)ufig|fragen",
    "about": r"(?:ü|ue|%c3%bc)ber[-\s]?uns|unternehmen",
    "payment": r"kasse|bezahl|zahlung|bestell",
    "product": r"produkt|artikel|sortiment|leistungen|kaufen|laden",
}
"""What a link promises, by the topic of :mod:`.links`; an address may write an umlaut in two letters or escape it."""

RESTRICTED: dict[str, tuple[str, ...]] = {
    "adult": (
        "pornografie", "pornos?", "erotikshop", "sexspielzeuge?", "escortservice", "begleitagentur", "nacktbilder",
    ),
    "gambling": (
        "online-?casinos?", "glücksspiele?", "sportwetten", "spielautomaten", "lottoscheine?", "wetten abschließen",
    ),
    "cannabis": (
        "cbd-?öle?", "hanföle?", "hanfblüten", "cannabisblüten", "thc-?\\w+", "wasserpfeifen-?bongs?",
    ),
    "tobacco": (
        "e-?zigaretten?", "liquids?", "tabak(?:waren)?", "zigaretten", "zigarren", "nikotinbeutel", "drehtabak",
    ),
    "weapons": (
        "schusswaffen?", "schreckschuss(?:waffen?|pistolen?)", "munition", "pfefferspray", "elektroschocker",
        "schlagringe?", "springmesser",
    ),
    "pharmaceuticals": (
        "rezeptfrei(?:e[ns]?)? \\w+", "ohne rezept", "verschreibungspflichtige? \\w+", "online-?apotheke",
        "abnehmspritzen?", "anabolika", "telemedizin",
    ),
    "nutraceuticals": (
        "abnehm(?:pillen|tropfen|kapseln|gummis)", "schlankheits(?:pillen|mittel)", "fettverbrenner", "fatburner",
        "potenzmittel", "wundermittel", "heilt (?:krebs|diabetes|arthrose)", "\\d+ kilo abnehmen",
    ),
    "negative_option": (
        "nur (?:den )?versand (?:be)?zahlen", "risikofrei(?:er?)? (?:testen|probe\\w+)", "gratisprobe[^.]{0,40}versand",
    ),
    "get_rich": (
        "schnell reich", "schnelles geld", "garantierte[rs]? (?:einkommen|gewinne?|renditen?)", "passives einkommen",
        "schneeballsystem", "strukturvertrieb", "\\d+ euro (?:am|pro) tag verdienen",
    ),
    "crypto": (
        "(?:bitcoins?|krypto\\w*) kaufen", "krypto(?:börse|handel|mining)", "geldtransfer", "prepaid-?kreditkarten?",
    ),
    "credit": (
        "schufafrei(?:er?)?", "kredit ohne schufa", "schuldenregulierung", "umschuldung", "sofortkredite?",
        "binäre optionen", "forex-?signale",
    ),
    "counterfeit": (
        "replica-?(?:uhren|taschen|schuhe)", "fälschungen", "nachgemachte markenware", "iptv-?abos?",
        "gefälschte (?:pässe|ausweise|zeugnisse)",
    ),
    "engagement": (
        "(?:instagram-?|tiktok-?|youtube-?)?(?:follower|likes|abonnenten) kaufen", "(?:google-?)?bewertungen kaufen",
    ),
    "essays": (
        "ghostwriter für (?:haus|bachelor|master)arbeiten", "hausarbeit schreiben lassen",
        "(?:bachelor|master)arbeit kaufen",
    ),
    "remote_support": ("fernwartung", "virenentfernung", "computer-?notdienst"),
    "travel": ("flugtickets?", "pauschalreisen?", "kreuzfahrten?", "reisebüro", "ferienwohnrechte?"),
    "alcohol": ("spirituosen", "weinpakete?", "weinversand", "whisky kaufen", "schnäpse"),
    "crowdfunding": ("spendenkampagnen?", "spendet für unser(?:e|en)? \\w+"),
    "spiritual": ("kartenlegen", "hellsehen", "wahrsagerei", "liebeszauber", "partnervermittlung"),
}  # fmt: skip
"""Further words of the families of :mod:`.restricted`, by their keys."""
