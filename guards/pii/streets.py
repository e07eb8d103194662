"""The words of streets, as tables."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text that lists them."""
    return frozenset(text.split())


#: English types that stand after the name. These are hardly ever anything else behind a number and a name.
STRONG = words("street avenue road boulevard blvd lane ave rd highway hwy parkway pkwy crescent streets")
#: These count only in capitals.
WEAK = words(
    """
    st str dr drive ln ct court pl place way sq square ter terrace close circle cir trail trl row mews gardens grove
    hill park walk wharf quay rise view green alley plaza loop pike turnpike path bridge esplanade cove landing
    """
)
#: Types with a full stop that belongs to them.
AFTER_NAME = words("st str dr ln ct pl sq ter cir trl ave rd blvd hwy pkwy")
#: Types that stand before the name: French, Italian, Spanish, Portuguese, Polish.
BEFORE_NAME = words(
    """
    rue avenue boulevard chemin allée allee impasse quai via viale piazza piazzetta vicolo corso strada calle avenida
    plaza paseo camino carrer carretera rua praça praca travessa ulica ul aleja
    """
)
#: Types that are the ending of the name: German, Dutch, Scandinavian, Finnish.
STREET_ENDINGS = (
    "straße|strasse|str|gasse|platz|allee|weg|damm|ufer|straat|laan|gracht|plein|gatan|gata|gate|gaten|vägen|vej|veien|vegen"
    "|gade|stræde|katu|tie|kuja"
)
UNITS = "apt|apartment|suite|ste|unit|flat|floor|fl|room|rm|building|bldg"
#: Small words that no street's name holds in small letters, so that "3 items on the way" is no address.
STOP_WORDS = words(
    """
    a an the my your our their his her this that these those in on at for to by is are was were be been and or but i you
    it we they with from per of if as so not no yes please day days week weeks month months year years hour hours minute
    minutes second seconds time times item items order orders product products package packages parcel parcels percent
    euro euros dollar dollars pound pounds yuan rmb usd gbp eur pm am left more new different other down up across off
    out over under business working calendar people persons pieces pcs boxes copies box address addresses
    cm mm km kg lb lbs oz gb mb inch inches ft feet miles mile size has have had will can
    """
)
