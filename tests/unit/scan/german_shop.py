"""A shop as German law and German buyers expect one: its pages by path."""

from __future__ import annotations

_AROUND = """<html lang="de"><head><title>{title} – Hafentee</title></head><body>
<nav><a href="/tees">Unsere Produkte</a> <a href="/versand">Versand und Lieferung</a> <a href="/widerruf">Widerruf</a>
<a href="/abo">Tee-Abo</a> <a href="/agb">AGB</a> <a href="/datenschutz">Datenschutz</a>
<a href="/impressum">Impressum</a> <a href="/warenkorb">Warenkorb</a></nav>
<main><h1>{title}</h1>{words}</main></body></html>"""

_PAGES = {
    "/": (
        "Hafentee",
        "<p>Wir verkaufen losen Tee aus kleinen Gärten in Assam und Darjeeling: jede Sorte in Beuteln zu 100 Gramm, "
        "frisch abgepackt, mit Erntejahr, Herkunft und einer Anleitung zum Aufgießen, die auf jeder Packung steht.</p>"
        "<p>Unsere Tees sind ohne CBD und ohne Zusätze.</p>",
    ),
    "/tees": (
        "Assam Zweite Pflückung",
        "<p>12,90 € inkl. MwSt., zzgl. Versand. Sofort lieferbar.</p><p><a href='/k'>In den Warenkorb</a></p>"
        "<p>10 % Rabatt auf die erste Bestellung. Der Gutscheincode gilt bis 31. Dezember und ist nicht kombinierbar."
        "</p>",
    ),
    "/versand": (
        "Versand und Lieferung",
        "<p>Wir versenden innerhalb von 1 bis 3 Werktagen. Die Versandkosten betragen 4,90 €, ab 50 € liefern wir "
        "kostenlos.</p><p>Wir liefern nur innerhalb Deutschlands und nach Österreich.</p>",
    ),
    "/widerruf": (
        "Widerrufsbelehrung",
        "<p>Sie haben das Recht, binnen vierzehn Tagen ohne Angabe von Gründen diesen Vertrag zu widerrufen. Nach "
        "Ihrem Widerruf erstatten wir alle Zahlungen, die wir von Ihnen erhalten haben.</p>",
    ),
    "/abo": (
        "Das Tee-Abo",
        "<p>Jeden Monat zwei Sorten für 19,90 € im Monat. Das Abo verlängert sich um je einen Monat und ist jederzeit "
        "zum Monatsende kündbar, in Textform oder über den Knopf „Verträge hier kündigen“.</p>",
    ),
    "/agb": ("Allgemeine Geschäftsbedingungen", "<p>Der Vertrag kommt mit unserer Auftragsbestätigung zustande.</p>"),
    "/datenschutz": (
        "Datenschutzerklärung",
        "<p>Verantwortlicher im Sinne der DSGVO ist die Hafentee GmbH. Wir verarbeiten personenbezogene Daten nur, um "
        "Ihre Bestellung auszuführen.</p>",
    ),
    "/impressum": (
        "Impressum",
        "<p>Hafentee GmbH, Speicherstraße 12, 20457 Hamburg. Vertreten durch die Geschäftsführerin Erika Beispiel. "
        "Telefon: 040 1234567, E-Mail: moin@hafentee.example. Handelsregister Hamburg HRB 12345, USt-IdNr. "
        "DE123456789.</p>",
    ),
}


def german_shop(*, without: tuple[str, ...] = ()) -> dict[str, str]:
    """The HTML of each page by its path; those `without` are not there, and nothing of theirs is said elsewhere."""
    return {
        path: _AROUND.format(title=title, words=words) for path, (title, words) in _PAGES.items() if path not in without
    }
