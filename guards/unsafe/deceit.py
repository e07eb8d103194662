"""Crimes by deceit: fraud on shops and people, and hidden money."""

from __future__ import annotations

from guards.unsafe.rule import G4, G8, G14, HOW, W2, W4, W6, Row, row

#: Whose it is, if it is not one's own.
ANOTHERS = (
    r"(?:someone(?: else)?'?s|somebody(?: else)?'?s|another (?:person|customer|user|client|member|guy)'?s?|other "
    r"(?:people|customer"
    r"|user|person|client|member)s?'?s?|a (?:stranger|customer|user|friend|stolen|dead person)'?s?|my (?:dead"
    r"|late|deceased) \w{1,16}(?:'s)?)"
)
_REPORT = (
    r"\b(?:report|someone (?:has |is |was )?\w+(?:ed|ing)|somebody|victim|complain\w*|protect\w*|prevent|avoid"
    r"|stop|against)\b"
)

FRAUD: tuple[Row, ...] = (
    row(
        "fraud",
        "card",
        r"\b(?:use|using|pay|paying|order|ordering|buy|spend|cash out|shop|charge) (?:.{0,40} )?(?:with |on "
        r")?(?:a |the |this |some )?"
        rf"(?:(?<!my\s)(?<!our\s)stolen|{ANOTHERS}|cloned) (?:[\w-]{{1,16}} )?(?:cards?|card numbers?)\b",
        r"\bfound (?:a |an )?(?:someone's|somebody's|stranger's|lost|stolen) .{0,20}\bcards?\b.{0,40}\b(?:order"
        r"|buy|pay|shop|use|spend)\b",
        r"\b(?:generate|give me|make up|invent|list|buy|sell|need|get) (?:me )?(?:.{0,30} )?(?:valid|working|live"
        r"|fresh|stolen|real) (?:credit ?|debit )?"
        r"cards? ?(?:numbers?|details|data|info)\b",
        unless=rf"{_REPORT}|\b(?:permission|allowed|consent|agrees|legal)\b",
    ),
    row(
        "fraud",
        "stolen|stole|shoplifted|trick|fool|con |deceive|manipulate",
        r"\b(?:accept|sell|selling|resell|buy|cash in|redeem|return|fence|pawn|get rid of|use|refund|exchange"
        rf"|move) {W4}(?<!my\s)(?<!our\s)"
        r"stolen (?:goods|items?|phones?|gift ?cards?|bikes?|laptops?|stuff|merchandise|property|clothes)\b",
        r"\bi (?:stole|shoplifted)\b(?! (?:a look|the show|a glance|my|a moment))",
        rf"\b(?:trick|fool|con|deceive|manipulate) {W4}(?:people|customers|someone|old|elderly|seniors|grandmas?"
        rf"|pensioners|man|woman|lady)\b.{{0,30}}"
        r"\b(?:into|out of|to (?:give|send|pay|buy))\b",
        unless=rf"{_REPORT}|\b(?:you|they|he|she|who|do you) (?:want|try|tr\w+|are|is|accept)\b",
    ),
    row(
        "fraud",
        "stolen|pretend|impersonat|broken|damaged|defective|faulty",
        r"(?<!my\s)(?<!our\s)\bstolen (?:credit |debit |bank )?(?:card|account) (?:numbers|details|data)\b",
        r"\b(?:pretend(?:ing)?|pose|posing) (?:to be|as|i'm|i am) (?:from )?(?:the|their|your|a|his|her) (?:bank"
        r"|police|tax office|support|shop|store|delivery|irs|"
        r"government|customer service)\b.{0,60}\b(?:pin|passwords?|money|cards?|codes?|details|pay|text|call"
        r"|e-?mail)\b",
        r"\b(?:claim|say|pretend|lie)\b.{0,30}\b(?:broken|damaged|defective|faulty)\b.{0,20}\b(?:although|even "
        r"though|but|when|while) (?:it|it's|they|they're|nothing)\b"
        r".{0,10}\b(?:fine|works?|working|ok|okay|not|wrong|perfect)\b",
        unless=rf"{_REPORT}|\b(?:he|she|they|who|caller|man|woman|was|were|got|received)\b",
    ),
    row(
        "fraud",
        "never|didn't",
        r"(?<!they\s)(?<!you\s)\b(?:say|claim|pretend|tell them) (?:that )?(?:i|it|the \w+) (?:never|didn't) "
        r"(?:got|get|receive[d]?|arrived?|came|come)\b.{0,60}"
        r"\b(?:free|so i (?:get|can)|word it|another one|believ\w+|for nothing)\b",
    ),
    row(
        "fraud",
        "cvv|carding|fullz|dumps",
        r"\b(?:bunch|list|batch|working|valid|live|fresh|stolen)\b.{0,25}\b(?:cvvs?|fullz|dumps)\b",
        r"\bcvvs?\b.{0,25}\b(?:that (?:still )?works?|for sale|still valid)\b",
        r"\bcarding\b(?! (?:brush|comb|wool|machine|paddles?))",
        unless=r"\b(?:wool|fib(?:er|re)|yarn|brush|report)\b",
    ),
    row(
        "fraud",
        "refund|money back|arrive|received|receive|came|delivered",
        r"\b(?:tricks?|hacks?|loopholes?|methods?|cheat|scam) .{0,30}\brefunds?\b.{0,30}\bwithout\b",
        r"\b(?:claim|claiming|say|saying|pretend|pretending|lie|lying|tell (?:you|them))\b.{0,50}\b(?:never"
        r"|didn't|not|wasn't) (?:\w+ )?(?:arriv\w+|receiv\w+"
        r"|g[oe]t\w*|c[oa]me|delivered|show\w*)\b.{0,30}\b(?:even though|although|though|but|when"
        r"|while)\b.{0,20}\b(?:have|has|had|got|did|received|arrived|came)\b",
        r"\breturn(?:ing)? (?:an? |the |you an? )?empty (?:box|package|parcel|carton)\b.{0,50}\b(?:refund|money"
        r"|away|caught|notic\w+)\b",
        r"\b(?:refund|money back)\b.{0,40}\b(?:and|but|while) (?:still )?(?:keep|keeping) (?:the|it|my"
        r"|both)\b(?=.{0,60}\b(?:trick|fake|false|lie|scam|caught|notic\w+)\b)",
        unless=_REPORT,
    ),
    row(
        "fraud",
        "false|fake|fraudulent|bogus",
        r"\b(?:file|make|making|create|submit|do|get|print|write|produce|generate|buy|post|posting|place|use|open"
        r"|register|apply|sign up|issue) "
        rf"{W6}(?:false|fake|fraudulent|bogus) (?:[\w'-]{{1,16}} )?(?:charge-?backs?|claims?|returns?|refunds?"
        r"|disputes?|reviews?|receipts?|invoices?|identit(?:y|ies)"
        r"|names?|signatures?|ratings?|accounts?|bills?|letters?)\b",
        unless=r"\b(?:report|someone|somebody|received|seller|you (?:make|create|post|use)|do you (?:\w+ "
        r")?(?:delete|check|allow|remove)|accus\w+|protect)\b",
    ),
    row(
        "fraud",
        "identity|ssn|documents|passport|details|name",
        rf"\b(?:open|create|register|apply|sign up|make|get) {W6}(?:with|using|under|in) (?:a |an )?(?:stolen"
        rf"|{ANOTHERS}) (?:identity|id|ssn|documents?"
        r"|passport|details|name)\b",
        r"\bsteal (?:someone's|somebody's|an?|people's|a person's|another person's|her|his|their) identit",
        unless=_REPORT,
    ),
    row(
        "fraud",
        "phishing|smishing|scam",
        rf"\b(?:write|make|create|build|design|set up|craft|draft|run|start) {W6}(?:phishing|smishing|scam)\b(?! "
        r"(?:complaint|report))",
        unless=r"\b(?:report|complaint|against|victim)\b",
    ),
    row(
        "fraud",
        "price tag|price sticker|price label|barcode|steal|shoplift|rob |scam|defraud|swindle| off ",
        rf"\b(?:swap|swapping|switch|switching|peel off|exchange) {W4}(?:price tags?|price stickers?|price "
        r"labels?|barcodes?)\b",
        rf"{HOW}{W4}(?:steal|shoplift|rob|scam|defraud|swindle)\b(?! (?:the show|a look|a deal|my heart))",
        r"\bpass(?:ing)? .{0,30}\boff\b.{0,30}\bas (?:the |a |an )?(?:new|genuine|original|real|unused|unopened)",
        unless=rf"{_REPORT}|\b(?:you|they|he|she|who|people) (?:want|trying|try|plan|are trying) to\b",
    ),
    row(
        "fraud",
        "盗刷|捡|偷|信用卡|银行卡|卡号|cvv|四件套|套现",
        rf"(?:捡到?了?|偷来?了?){G8}(?:信用卡|银行卡|卡){G14}(?:刷|用|消费|花|买|取)",
        rf"(?:捡到|偷来|别人|他人|盗来){G8}(?:信用卡|银行卡|卡){G14}(?:刷|用|买|付|取)",
        rf"(?:怎么|如何|教我|帮我|想|用|拿){G8}(?:盗刷|偷刷)(?!.{{0,6}}怎么办)",
        rf"(?:给我|买|卖|弄|要|有没有|搞|来|生成){G14}(?:卡号{G4}cvv|能用的(?:信用)?卡号|(?:别人|他人"
        r"|有效)的?(?:信用卡|银行卡)号|四件套)",
        r"四件套.{0,4}(?:银行卡|卡)|(?:想|怎么|帮我|可以|能).{0,6}套现",
        unless=r"被盗刷|举报|怎么防|防止|同意|被人|我的卡|床上|被套",
    ),
    row(
        "fraud",
        "退款|赔|骗|谎称|冒充|假冒|诈骗|钓鱼|刷单|刷好评|小票|身份证|旧|偷",
        rf"骗(?:到)?(?:一下)?(?:退款|赔偿|赔付|运费险|保险)|(?:退|寄)(?:回)?{G4}空(?:盒|箱|包)子?{G14}(?:退款"
        r"|拿到|不被|骗|拿回)",
        rf"(?:编|找|造)(?:个|一个)?(?:理由|借口){G14}(?:退款|退钱|赔)|(?:退款|退钱|赔){G14}(?:编|造)(?:个"
        r"|一个)?(?:理由|借口)",
        rf"(?:谎称|假装|说成|骗你们说){G8}(?:没收到|没到|丢了|坏了){G14}(?:赔|退)|(?:收到了|有收到){G14}(?:谎称"
        r"|假装|说没收到)",
        rf"(?:怎么|如何|教我|帮我|想|写){G8}(?:冒充|假冒){G8}(?:客服|银行|公安|官方|警察|快递|平台|你们)",
        rf"(?:写|编|做|搭|建|发){G14}(?:诈骗|钓鱼)(?:短信|邮件|网站|话术|网页|信息|链接)",
        rf"(?:怎么|如何|教我|帮我|想){G8}(?:骗(?!子)(?!了|我)|诈骗|行骗)",
        rf"(?:怎么|如何|教我|帮我){G4}(?:刷单|刷好评|刷销量){G14}|刷(?:单|好评){G14}(?:不被|查不|躲)",
        rf"(?:伪造|造假|做假|做一?张假){G8}(?:小票|收据|购物|凭证|订单)",
        rf"(?:用|拿|借){G4}(?:别人|他人|假)的?(?:身份证|身份|信息|证件){G14}(?:注册|开户|贷款|审核|实名|办)",
        rf"(?:怎么|如何|教我|想){G14}偷(?:东西|商品|钱|手机|衣服)",
        rf"(?:旧|坏|假|用过的?|二手|山寨){G14}(?:装进|放进|换成|冒充|当成|当){G14}(?:退|新的?){G14}(?:不(?:会)?被"
        r"|查|发现)",
        unless=r"举报|被骗|骗子|我收到|怎么防|防止|小心|投诉|有人|怀疑|被人|怎么识别|是不是",
    ),
)

LAUNDERING: tuple[Row, ...] = (
    row(
        "laundering",
        "launder|dirty|drug|black|illegal|stolen|criminal|undeclared|trace",
        rf"\blaunder(?:ing)? {W4}(?:money|cash|funds|proceeds|profits|it)\b",
        rf"\b(?:clean|wash|move|hide|transfer|convert|deposit|spend|have|invest) {W4}(?:dirty|drug|black|illegal"
        r"|stolen|criminal|undeclared) (?:money|cash|funds)\b",
        rf"\b(?:dirty|drug|black) (?:money|cash)\b.{{0,40}}\bclean\b|\b(?:move|transfer|send) {W4}(?:money|cash"
        rf"|funds) .{{0,30}}without (?:a |leaving a |any )trace",
        r"(?<!my\s)(?<!our\s)\b(?:stolen|dirty|drug|criminal) (?:money|cash|funds)\b",
        r"\b(?:money|cash|\d+ ?k|\d+)\b.{0,20}\b(?:from|by|with) (?:selling|dealing) drugs\b",
        unless=r"\b(?:anti[- ]|report|prevent|against|rules|policy)",
    ),
    row(
        "laundering",
        "tax|customs|duty|duties|vat| irs|hmrc|bank|authorities|government|invoice",
        r"\b(?:evad(?:e|ing)|dodg(?:e|ing)|cheat(?:ing)? on|cheat|illegally avoid|trick|fool|defraud) "
        rf"{W4}(?:tax(?:es)?|customs|duty|duties|vat|irs|hmrc)\b",
        rf"\b(?:hid(?:e|ing)|conceal(?:ing)?) {W4}(?:income|money|assets|cash|earnings|profits|sales|salary) "
        rf"{W2}from (?:the |my )?(?:tax|irs|hmrc|government|authorities|bank"
        r"|state|court)",
        r"\b(?:lower|reduced|smaller|false|fake|lesser) (?:value|price|amount|declaration)\b.{0,60}\b(?:customs"
        r"|duty|duties|tax(?:es)?|import)\b",
        r"\b(?:tax office|tax man|taxman|irs|hmrc|customs)\b.{0,20}\b(?:finds? out|notic\w+|won't (?:know|see"
        r"|notice)|doesn't (?:know|see))\b",
        rf"\b(?:lying|lie|cheat|cheating) (?:about|on|with) {W4}(?:value|customs|declaration|tax(?:es)?|income)\b",
        r"\b(?:false|fake|inflated|backdated|made[- ]up|phony) (?:invoice|receipt|bill)s?\b.{0,60}\b(?:deduct|tax"
        r"|claim|expense|reimburse\w*|write)",
        rf"\b(?:split|splitting|structure|structuring|break up) {W4}(?:payments?|deposits?|transfers?|cash|money"
        rf"|transactions?)\b.{{0,40}}\b(?:so|to)\b.{{0,40}}\b(?:report|notice|flag"
        r"|detect|see|track|suspicio)\w*\b",
        unless=r"\b(?:report (?:an?|this|him|her)|received|someone|somebody|punish\w*|seller)\b",
    ),
    row(
        "laundering",
        "洗钱|黑钱|偷税|漏税|逃税|虚开|两套账|逃关税|关税|跑分|反洗钱|税务|不义之财|赃款|转到国外|转到境外|避税",
        rf"(?:怎么|如何|教我|帮我|用|可以|能|想|帮人|帮){G14}(?:洗钱|洗黑钱|偷税|漏税|逃税|虚开|逃关税|跑分|做两套账)",
        r"(?:黑钱|赃款|不义之财|来路不明的钱).{0,14}(?:洗|转|存|处理|怎么|怎样|变|合法)",
        rf"(?:低|少|虚)(?:一点|一些|点|些)?(?:报|申报|写){G14}(?:关税|税)|(?:申报|报关|价值|金额){G8}(?:写|报|填"
        rf"|开)低{G14}税",
        rf"(?:不被|躲过?|避开|绕过?|瞒过?|逃过?){G8}(?:税务|税局|反洗钱|银行发现|银行监控|海关查)",
        rf"转到(?:国外|境外|海外){G8}不被",
        unless=r"举报|防止|投诉|规定是什么|卖家|是不是|涉嫌",
    ),
)
