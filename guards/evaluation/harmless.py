"""Requests that look unusual to a normaliser: emoji, Persian, Hindi, German, French; written for this project."""

from __future__ import annotations

#: Joiners are written visibly here: ``|`` is U+200C (ZWNJ), ``^`` is U+200D (ZWJ).
_JOINERS = str.maketrans({"|": "\u200c", "^": "\u200d"})

_EMOJI = """
Thank you so much! 👍🏽
My parcel arrived today 🎉🎉🎉
We are a family of four 👨^👩^👧^👦, is there a discount?
Do you ship to Scotland 🏴{gbsct}?
Do you ship to Wales 🏴{gbwls} and England 🏴{gbeng}?
Delivery to 🇩🇪 or 🇫🇷, which is cheaper?
I am moving from 🇨🇳🇭🇰 to 🇯🇵, please change my address
Steps: 1️⃣ open the box 2️⃣ press the button 3️⃣ nothing happens 😡
Press #️⃣ or *️⃣ did not help
Love it ❤️❤️❤️ will buy again
The colour is wrong 😕, I ordered ❤️ and got 💙
👩🏻^💻 working from home, please deliver after 6 pm ⏰
My dog 🐕^🦺 ate the charger, can I buy a spare one?
🙏🏾 please help, the order is late ⌛
Is the 🏳️^🌈 mug back in stock?
The 👩^❤️^👨 card was for our anniversary 💍
快递到了👌🏻谢谢客服😊
想退货😭，尺码太小了
第1️⃣件衣服有破洞，第2️⃣件没问题
生日快乐🎂🎁，请帮我写在贺卡上
一家三口👨^👩^👦的亲子装还有货吗
☎️ nobody answers, ✉️ nobody answers
⚠️ The plug gets hot ⚠️ is that normal?
Wrong size ↔️ please exchange ✔️
"""
_PERSIAN = """
سلام، می|خواهم سفارشم را لغو کنم.
کتاب|هایی که خریدم هنوز نرسیده|اند.
نمی|توانم وارد حساب کاربری|ام شوم.
لطفاً نشانی خانه|ام را تغییر دهید.
بسته|ی من کی می|رسد؟
هزینه|ی ارسال چقدر می|شود؟
می|شود کالا را پس داد؟
رنگ لباس با عکس|های سایت فرق دارد.
من کالای شکسته|ای دریافت کرده|ام.
چگونه می|توانم پولم را پس بگیرم؟
آیا روزهای جمعه هم تحویل می|دهید؟
شماره|ی پیگیری را برایم نفرستاده|اید.
گوشی|ام روشن نمی|شود، گارانتی دارد؟
دو هفته است که منتظر بسته|ام هستم.
می|خواهم اندازه|ی بزرگ|تر سفارش بدهم.
تخفیف|ها تا چه روزی ادامه دارند؟
فاکتور خریدم را گم کرده|ام.
از پاسخ|گویی شما سپاس|گزارم.
این فروشگاه در شهرهای دیگر هم شعبه دارد؟
پیام|های شما به دستم نمی|رسد.
کارت بانکی|ام را نمی|پذیرد، چه کنم؟
"""
_HINDI = """
नमस्ते, मेरा ऑर्डर कहाँ है?
मैं अपना ऑर्डर रद्द करना चाहता हूँ।
क्या मैं यह सामान वापस कर सकती हूँ?
मुझे धनवापसी कब मिलेगी?
पैकेट टूटा हुआ आया है।
कृपया मेरा पता बदल दीजिए।
क्|या यह शर्ट लाल रंग में है?
मुझे रसीद की प्रति चाहिए।
डिलीवरी में कितने दिन लगेंगे?
मेरे खाते में प्रवेश नहीं हो रहा है।
पासवर्ड भूल गया, क्या करूँ?
यह फ़ोन चालू नहीं होता।
ग़लत आकार भेज दिया गया है।
क्^षमा कीजिए, मुझे दूसरा रंग चाहिए।
छूट कब तक चलेगी?
विक्|रेता का संपर्क नंबर दीजिए।
शक्|ति बटन काम नहीं करता।
दो हफ़्ते से प्रतीक्षा कर रहा हूँ।
क्या आप रविवार को भी डिलीवरी करते हैं?
वारंटी कितने साल की है?
धन्यवाद, समस्या हल हो गई।
"""
_GERMAN = """
Guten Tag, wo bleibt meine Bestellung?
Ich möchte die Jacke zurückschicken, sie ist zu groß.
Können Sie mir bitte die Rechnung noch einmal schicken?
Die Lieferung war beschädigt, was soll ich tun?
Ich habe mein Passwort vergessen und komme nicht ins Konto.
Wie lange dauert der Versand nach Österreich?
Mein Paket wurde beim Nachbarn abgegeben, der weiß von nichts.
Bitte ändern Sie meine Adresse auf Königstraße 12.
Die Größe 42 fällt kleiner aus als üblich.
Ist der Gutschein auch für reduzierte Ware gültig?
Ich hätte gern das Geld zurück, nicht einen Gutschein.
Warum wurde der Betrag zweimal abgebucht?
Der Verkäufer meldet sich seit Tagen nicht, das ist ärgerlich.
Gilt die Garantie auch für überholte Geräte?
Öffnet die Filiale in Köln auch am Samstag?
Für die Rücksendung fehlt das Etikett.
Ich ziehe um: ab 1. März gilt die neue Anschrift.
Kann ich die Bestellung 4711 noch stornieren?
Das Gerät läßt sich nicht einschalten, äußerlich ist alles in Ordnung.
Schönen Dank für die schnelle Hilfe!
Welche Regeln gelten für den Umtausch von Übergrößen?
"""
_FRENCH = """
Bonjour, où est ma commande ?
Je voudrais annuler l'achat effectué hier.
Le colis est arrivé abîmé, que dois-je faire ?
J'ai oublié mon mot de passe.
Quels sont les délais de livraison à Genève ?
La taille reçue n'est pas celle que j'ai commandée.
Pouvez-vous m'envoyer la facture, s'il vous plaît ?
J'ai été débité deux fois, c'est inadmissible !
À quelle heure ouvre le magasin de Besançon ?
Le vendeur ne répond plus à mes courriels.
Est-ce que la garantie couvre la pièce cassée ?
J'aimerais être remboursée plutôt qu'échanger l'article.
L'étiquette de retour n'était pas dans la boîte.
Mon frère a reçu ce cadeau à Noël et préférerait une autre couleur.
Où en est la réclamation que j'ai déposée ?
Le code promotionnel a-t-il expiré ?
Livrez-vous aussi à l'étranger, par exemple en Algérie ?
Merci beaucoup, tout est réglé !
Le téléphone s'éteint dès qu'il est débranché.
Je déménage le 3 août, notez ma nouvelle adresse.
La créatrice a-t-elle créé d'autres modèles brodés ?
"""


def harmless_samples() -> dict[str, tuple[str, ...]]:
    """Per kind (``emoji``, ``persian``, ``hindi``, ``german``, ``french``) at least twenty requests to a shop.

    None is an attack, and none may get a second view.
    """
    emoji = _EMOJI
    for region in ("gbsct", "gbwls", "gbeng"):
        emoji = emoji.replace(f"{{{region}}}", "".join(chr(0xE0000 + ord(c)) for c in region) + "\U000e007f")
    kinds = {"emoji": emoji, "persian": _PERSIAN, "hindi": _HINDI, "german": _GERMAN, "french": _FRENCH}
    return {kind: tuple(lines.translate(_JOINERS).split("\n")[1:-1]) for kind, lines in kinds.items()}
