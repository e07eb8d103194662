"""Which characters look like which letter of the Latin alphabet.

Facts from the Unicode confusables of UTS #39 for characters that NFKC leaves as they are, with the symbols and the
digits of living scripts left out, and letters that "faux Cyrillic" and similar alphabets put in place of Latin ones.
"""

from __future__ import annotations

#: Per letter, the letters of other scripts that cannot be told from it. An "i" or "l" that may be either is "|".
_LIKE = {
    "A": "ΑАᎪᗅꓮ𖽀𐊠",
    "B": "ꞴΒВᏴᗷꓐ𐊂𐊡𐌁",
    "C": "ⲤСᏟꓚ𐊢𐌂𐐕𐔜",
    "D": "ᎠᗞᗪꓓÐĐ",
    "E": "ΕЕⴹᎬꓰ𐊆",
    "F": "ꞘϜᖴꓝ𐊇𐊥𐔥",
    "G": "ԌᏀᏳꓖ",
    "H": "ΗⲎНᎻᕼꓧ𐋏",
    "I": "ΙІⲒꓲ𐊊𐌉",
    "J": "ꞲͿЈᎫᒍꓙ",
    "K": "ΚⲔКᏦᛕꓗ𐔘",
    "L": "ⳐᏞᒪꓡ𖼖𐐛𐔦",
    "M": "ΜϺⲘМᎷᗰᛖꓟ𐊰𐌑",
    "N": "ΝⲚꓠ𐔓",
    "O": "ΟⲞОՕⵔዐ𐓂ꓳ𐊒𐊫𐐄𐔖",
    "P": "ΡⲢРᏢᑭꓑ𐊕",
    "Q": "ⵕԚ",
    "R": "ƦᎡᏒ𐒴ᖇꓣ𖼵",
    "S": "ЅՏᏕᏚꓢ𖼺𐊖𐐠",
    "T": "ΤⲦТᎢꓔ𖼊𐊗𐊱𐌕",
    "U": "Սሀ𐓎ᑌꓴ𖽂",
    "V": "ѴⴸᏙᐯꛟꓦ𖼈𐔝",
    "W": "ԜᎳᏔꓪ",
    "X": "᙭ꞳΧⲬХⵝᚷꓫ𐊐𐊴𐌗𐔧",
    "Y": "ΥⲨУҮᎩᎽꓬ𖽃𐊲",
    "Z": "ΖᏃꓜ",
    "a": "αаӑӓά",
    "b": "ЬᏏᑲᖯ",
    "c": "ⲥсꮯ𐐽",
    "d": "ԁᏧᑯꓒ",
    "e": "еҽѐёέε",
    "f": "ꬵꞙẝքϝ",
    "g": "ɡᶃƍց",
    "h": "һհᏂ",
    "i": "ιіꙇꭵᎥίї",
    "j": "ϳј",
    "l": "Ɩ",
    "|": "ӀӏǀⵏᛁΙ",
    "n": "ոռηή",
    "o": "οσⲟоჿօഠဝ𐓪𐐬ό",
    "p": "ρⲣр",
    "q": "ԛգզ",
    "r": "ᴦⲅгꮁ",
    "s": "ѕꮪ𐑈",
    "t": "τт",
    "u": "υս𐓶ύ",
    "v": "νѵꮩ",
    "w": "ѡԝաꮃωώ",
    "x": "хᕁᕽχ",
    "y": "γуүყў",
    "z": "ꮓ",
}
#: Letters that only stand in for a Latin one beside Latin ones.
_FAUX = {
    "a": "дλ",
    "b": "βвъыƃƄ",
    "c": "ς",
    "d": "∂ժ",
    "e": "эєξ",
    "h": "нђћ",
    "k": "кκќ",
    "m": "мӎ",
    "n": "пийлπ",
    "o": "фөθ",
    "r": "яʀ",
    "t": "†ŧ",
    "u": "цμµџ",
    "w": "шщψ",
    "x": "жҳ",
    "A": "ДΛΔ",
    "E": "ЭΣЄΞ",
    "F": "₣",
    "H": "Ђ",
    "I": "Ї",
    "N": "ИЙПΠ",
    "O": "ФΘΦØ",
    "R": "ЯГ",
    "U": "ЦЏ",
    "W": "ШЩΨΩ",
    "X": "Ж",
    "3": "ЗӠ",
}
#: Latin letters in shapes that no spelling of any language uses: small capitals, phonetic letters, enclosed letters.
_SHAPES = {
    "a": "ɑᴀɐ",
    "b": "ʙƅɓ",
    "c": "ᴄɕ",
    "d": "ᴅɗɖ",
    "e": "ᴇɘɛꬲǝə℮",
    "f": "ꜰ",
    "g": "ɢɡɠ",
    "h": "ʜɦɥ",
    "i": "ɪɩɨ",
    "j": "ᴊʝɟ",
    "k": "ᴋʞƙ",
    "l": "ʟɭɫ",
    "m": "ᴍɱɯ",
    "n": "ɴɲɳ",
    "o": "ᴏᴑꬽɵɔ",
    "p": "ᴘƥ",
    "q": "ꞯʠǫ",
    "r": "ʀɹɾꭇꭈ",
    "s": "ꜱʂƽ",
    "t": "ᴛʇƭ",
    "u": "ᴜꭎꭒꞟʊ",
    "v": "ᴠʋʌ",
    "w": "ᴡʍ",
    "x": "ӿ",
    "y": "ʏɣʎᶌꭚỿ",
    "z": "ᴢʐʑ",
}


def _inverse(table: dict[str, str]) -> dict[str, str]:
    return {like: letter for letter, likes in table.items() for like in likes}


LIKE = _inverse(_LIKE)
FAUX = _inverse(_FAUX) | LIKE
#: With negative circled and squared letters, which NFKC leaves alone.
SHAPES = _inverse(_SHAPES) | {chr(first + n): chr(97 + n) for first in (0x1F150, 0x1F170) for n in range(26)}
#: Regional indicators: two make a flag.
FLAG_LETTERS = {chr(0x1F1E6 + n): chr(97 + n) for n in range(26)}
