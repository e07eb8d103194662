"""Goods that nobody may make or trade so: weapons, drugs, forged money and papers."""

from __future__ import annotations

from guards.unsafe.rule import G4, G8, G14, G24, W2, W4, W6, W9, Row, row

_EXPLOSIVE = (
    r"(?:(?<!bath\s)(?<!smoke\s)(?<!cocoa\s)(?<!chocolate\s)(?<!seed\s)(?<!water\s)(?<!paint\s)(?<!fizz\s)(?<!shower\s)"
    r"(?<!glitter\s)bombs?\b(?! (?:party|cake|costume|bath|disposal|shelter))|explosives?\b|molotovs?\b|napalm"
    r"|grenades?\b"
    r"|land ?mines?\b|detonators?\b|(?:nerve|poison|poisonous|toxic|mustard|chlorine|deadly) gas\b|sarin\b"
    r"|ricin\b|anthrax"
    r"|thermite\b|gunpowder|\bied\b|\btnt\b|chemical weapons?|dirty bomb)"
)
_MAKE = (
    r"\b(?:combine to get|react to|make|making|build|building|create|produce|produc(?:e|ing)|construct|assemble"
    r"|mix(?:ed|ing)?|cook|prepare"
    r"|recipes? (?:for|of)|instructions? (?:for|on|to)|turn(?:ed)? into|into|synthesi[sz]e|blueprints? (?:for|of)"
    r"|ingredients (?:for|of)|set off|detonate|rig|plant|buy|obtain|get me|sell me)\b"
)
_FIREARM = (
    r"(?:(?:hand|shot|ghost )?guns?|pistols?|rifles?|revolvers?|firearms?|ak-?47s?|ar-?15s?|glocks?|ammo|ammunition"
    r"|bullets|silencers?|suppressors?|automatic weapons?)\b"
)
_UNLAWFUL = (
    r"(?:\b(?:unregistered|untraceable|unlicensed|unlicenced|illegal|stolen|unmarked)\b|(?:can't|cannot|can not"
    r"|not) be "
    r"traced|(?:without|no) (?:checking |asking for |needing |having |showing )?(?:a |any |my |the "
    r")?(?:licen[sc]e|permit"
    r"|paperwork|background check|registration|papers|serial number|id|identification)s?\b)"
)
_NOT_A_WEAPON = (
    r"\b(?:toy|nerf|lego|water|glue|nail|heat|massage|paint|spray|staple|caulking|price|grease|soldering|cap|bb|airsoft"
    r"|tattoo|foam) (?:gun|pistol|rifle|grenade)s?\b|\b(?:video|board|the|this|that|computer) games?\b|\bin "
    r"(?:minecraft"
    r"|fortnite|roblox)\b|\bbooks? about\b|\bis (?:it|this|that) (?:il)?legal\b"
)

WEAPONS: tuple[Row, ...] = (
    row(
        "weapons",
        "bomb|explosiv|molotov|napalm|grenade|mine|detonat|gas|sarin|ricin|anthrax|thermite|gunpowder|ied|tnt"
        "|chemical w",
        rf"{_MAKE} {W9}{_EXPLOSIVE}",
        rf"{_EXPLOSIVE}(?:-| )?(?:making|recipe|instructions|blueprint)",
        unless=_NOT_A_WEAPON,
    ),
    row(
        "weapons",
        "gun|pistol|rifle|revolver|firearm|ak47|ak-47|ar15|ar-15|glock|ammo|ammunition|bullets|silencer"
        "|suppressor|weapon",
        rf"{_UNLAWFUL}.{{0,60}}\b{_FIREARM}",
        rf"\b{_FIREARM}.{{0,60}}{_UNLAWFUL}",
        rf"\b3-?d[ -]?print(?:ed|ing|able)? {W4}{_FIREARM}",
        rf"\b(?:buy|get|order|sell|purchase) {W4}{_FIREARM}.{{0,60}}\b(?:failed|felon|background check|convicted"
        r"|banned|"
        r"prohibited|under ?age|too young)\b",
        rf"\b(?:build|make|assemble|finish|buy|sell|order|get) {W4}ghost guns?\b",
        rf"\b(?:convert|modify|turn|change|make) {W6}full(?:y)?[ -]?auto(?:matic)?\b",
        rf"\b(?:make|build|manufacture|smuggle) {W2}(?:homemade |home-made |real |working )?{_FIREARM}",
        unless=_NOT_A_WEAPON,
    ),
    row(
        "weapons",
        "炸弹|炸药|燃烧瓶|手雷|地雷|雷管|毒气|火药|凝固汽油|沙林|蓖麻毒|土炸",
        rf"(?:制作|自制|做|造|制造|配制|合成|组装|配方|买到|弄到|混合|引爆|材料){G14}(?:炸弹(?!球|盐)|炸药|燃烧瓶"
        r"|手雷|地雷|雷管|毒气"
        r"|黑火药|凝固汽油|沙林|蓖麻毒)",
        r"(?:炸弹(?!球|盐)|炸药|燃烧瓶|手雷|地雷|雷管|毒气|黑火药|凝固汽油|沙林|蓖麻毒素?)(?:应该|要"
        rf"|该)?{G4}(?:怎么|如何|咋)?(?:制作|做"
        r"|造|制造|配|合成|组装|的?配方|的?制法)",
        unless=r"游戏|玩具|沐浴|泡澡|小说|电影|军事模型",
    ),
    row(
        "weapons",
        "枪|子弹|弹药|消音器",
        r"(?:买|卖|弄|搞)(?:我|给我|到)?(?:点|些)?(?:一|几|两)?(?:把|支|枝|条|盒)?(?:真枪|枪支|猎枪|弹药|真手枪"
        r"|手枪(?!钻|式)|步枪|子弹(?!头|口红|笔记|杯|内裤"
        r"|文胸))",
        rf"(?:买|弄|卖|搞|寄|送|订){G14}(?:手枪|步枪|枪支|真枪|猎枪|子弹|弹药|消音器|枪){G14}(?:不要登记|不用登记"
        r"|不登记|没有?证|无证|不查|不要写"
        r"|不用证|不写|不要证)",
        rf"(?:没有?|无|不要|不用|不需要|免)(?:持枪)?(?:证|登记|手续|许可){G14}(?:买|弄|卖|搞|订){G8}(?:手枪|步枪"
        r"|枪支|真枪|猎枪|子弹|枪|弹药)",
        rf"(?:3d打印|自制|制造|改装|改造|私造|组装){G8}(?:手枪|步枪|枪支|真枪|气枪|猎枪|枪)",
        unless=r"玩具|水枪|胶枪|筋膜枪|喷枪|游戏|模型|仿真|焊枪|订书枪|射钉枪|扫码枪",
    ),
)

_HARD = (
    r"(?:(?:crystal )?meth(?:amphetamines?)?|cocaine|heroin|fentanyl|mdma|ecstasy pills?|lsd|ketamine|dmt|ghb|crack "
    r"cocaine|roofies|rohypnol|amphetamines?|magic mushrooms|psilocybin|date[- ]rape drugs?|hard drugs|illegal drugs)\b"
)
_CONTROLLED = (
    r"\b(?:oxycodone|oxycontin|oxys?|xanax|adderall|vicodin|codeine|percocet|morphine|valium|tramadol|ritalin|opioids?"
    r"|benzos?)\b"
)
_NO_PRESCRIPTION = r"(?:without|no|don't have) (?:a |any |needing a |the )?(?:valid )?(?:prescription|script|rx)\b"
_DRINK = r"(?:drink|glass|food|coffee|wine|tea|beer|cocktail)s?\b"

DRUGS: tuple[Row, ...] = (
    row(
        "drugs",
        " meth|cocaine|heroin|fentanyl|mdma|ecstasy|lsd|ketamine|dmt|ghb|roofies|rohypnol|mushroom|psilocybin"
        "|drugs|rape",
        r"\b(?:sell|selling|buy|buying|cook|cooking|make|making|produc(?:e|ing)|synthesi[sz]e|extract|get|score"
        r"|order|ship"
        r"|deliver(?:ed)?|smuggl(?:e|ing)|grow|deal|dealers?|need|want|hide|supply|ingredients for|recipe for"
        r"|find|send) "
        rf"{W6}{_HARD}",
        rf"\b(?:smuggl(?:e|ing)|hid(?:e|ing)|deal(?:ing)?|ship(?:ping)?|traffic(?:king)?|push(?:ing)?) {W4}drugs\b",
        rf"\b{_HARD}.{{0,40}}\b(?:delivered|shipped|for sale)\b",
        unless=r"\b(?:test (?:kit|strip|for)s?|addict\w*|rehab|quit|report\w*|books?|movies?|documentary|narcan"
        r"|overcome"
        r"|t-?shirts?|poster)\b",
    ),
    row(
        "drugs",
        " meth|cocaine|heroin|fentanyl|mdma|amphetamine|roofies|rohypnol",
        r"\b(?:crystal meth|methamphetamines?|cocaine|heroin|fentanyl|mdma|amphetamines?|roofies|rohypnol)\b",
        unless=r"\b(?:test (?:kit|strip|for)s?|addict\w*|rehab|quit|report\w*|books?|movies?|films?|series|song"
        r"|documentary"
        r"|narcan|overcome|t-?shirts?|poster|chic|allerg\w+)\b",
    ),
    row(
        "drugs",
        "weed|cannabis|marijuana",
        r"\b(?:buy|sell|smuggle|deal|ship|get) (?:me |some |any |a bag of |grams? of ){0,2}(?:weed|cannabis"
        r"|marijuana)\b"
        r"(?! (?:killer|whacker|wacker|trimmer|control|barrier|mat|puller|eater|burner|seeds?|oil|membrane|fabric))",
        rf"\bgrow(?:ing)? {W2}(?:weed|cannabis|marijuana)\b.{{0,40}}\b(?:sell|secretly|illegally|without)\b",
        unless=r"\b(?:il)?legal(?:ly)?\b|\bcbd\b",
    ),
    row(
        "drugs",
        "prescription| script| rx",
        rf"{_CONTROLLED}.{{0,50}}{_NO_PRESCRIPTION}",
        rf"{_NO_PRESCRIPTION}.{{0,50}}{_CONTROLLED}",
    ),
    row(
        "drugs",
        "gram|kilo|ounce|bag of|bags of|eighth of|line of|lines of|8 ball|8ball|coke|molly|shrooms|ecstasy|dealer"
        "|pills",
        r"\b(?:grams?|kilos?|ounces?|lines?|8 ?ball|eighth|bags?) of (?:coke|weed|meth|speed|molly|crack|ket"
        r"|cocaine|heroin|mdma|shrooms)\b",
        rf"\b(?:buy|sell|selling|buying|get|score|need|want|deal|dealing) {W4}(?:molly|shrooms|ecstasy pills)\b",
        r"\b(?:selling|dealing|moving|pushing) (?:coke|pills|crack)\b.{0,60}\b(?:discreet|courier|dealers?"
        r"|customers|police|caught|club)\b",
    ),
    row(
        "drugs",
        "drink|glass|food|coffee|wine|tea|beer|cocktail",
        rf"\b(?:slip|put|drop|mix|sneak|pour) {W6}(?:in|into) (?:her|his|someone's|their|somebody's|a girl's|a "
        r"woman's) "
        rf"{_DRINK}(?=.{{0,60}}\b(?:passes? out|asleep|unconscious|sleepy|notic\w+|know\w*|sick|knock\w*|drug\w*)\b)",
        rf"\b(?:spike|drug|lace) (?:her|his|someone's|their|somebody's|a girl's|a woman's) {_DRINK}",
    ),
    row(
        "drugs",
        "毒品|冰毒|海洛因|可卡因|k粉|摇头丸|大麻|麻黄碱|迷药|迷奸|杜冷丁|吗啡|氯胺酮|芬太尼|走私|听话水|罂粟"
        "|曲马多|下药",
        rf"(?:制作|做|制|买|卖|弄|搞|提炼|合成|寄|藏|运|走私|种|贩|怎么吸|送到|来点){G14}(?:毒品|冰毒|海洛因"
        r"|可卡因|k粉|摇头丸|麻黄碱|迷药|迷奸药"
        r"|听话水|氯胺酮|芬太尼|罂粟)",
        rf"(?:毒品|冰毒|海洛因|可卡因|k粉|摇头丸|迷药|迷奸药|听话水|氯胺酮){G14}(?:怎么|如何|哪里|哪儿"
        r"|有没有)?(?:制|做|买|卖|藏|寄|弄|放在?酒)",
        rf"(?:酒|饮料|水|咖啡|饭){G8}下药|(?:给|对)(?:她|他|女孩|女生|别人|同事){G4}下药",
        r"有(?:没有)?(?:卖)?(?:迷药|迷奸药|听话水|摇头丸|k粉)",
        rf"种大麻{G8}(?:卖|不被|偷偷)|(?:买|卖|弄){G4}大麻(?!籽|种子油)",
        rf"(?:没有?|无|不用|不要|不需要)处方{G14}(?:杜冷丁|吗啡|曲马多|可待因|芬太尼|安定)|(?:杜冷丁|吗啡|曲马多"
        rf"|可待因|芬太尼){G14}"
        r"(?:没有?|无|不用|不要|不需要)处方",
        rf"(?:怎么|如何|教我|帮我|想){G4}走私",
        unless=r"举报|戒毒|缉毒|电影|小说|防止|小心|投诉",
    ),
)

_PAPER = (
    r"(?:money|cash|\$?\d* ?(?:dollar |euro |pound )?(?:bills?|bank ?notes?|notes?)|currency|passports?"
    r"|(?:residence |work )?permits?|ids?"
    r"|i\.d\.|id cards?|identity "
    r"cards?|driv(?:er|ing)(?:'s|s)? licen[cs]es?|licen[cs]es?|visas?|diplomas?|degrees?|(?:university |birth "
    r")?certificates?"
    r"|doctor'?s? (?:note|letter)s?|sick notes?|prescriptions?|documents?|papers|designer labels?|tickets?"
    r"|coupons?|gift "
    r"cards?|vouchers|bank statements?|pay ?slips?)\b"
)
_FORGED = r"\b(?:counterfeit|fake|forged|false|phony|bogus)"

COUNTERFEIT: tuple[Row, ...] = (
    row(
        "counterfeit",
        "counterfeit|fake|forged|false|phony|bogus",
        r"\b(?:buy|get|make|making|print|printing|sell|order|need|want|supply|create|produce|obtain|use|spend"
        r"|find|issue|provide"
        rf"|give me|forge) {W6}{_FORGED} (?:[\w'$-]{{1,24}} ){{0,2}}{_PAPER}",
        unless=r"\b(?:report|received|was given|gave me|spot|recogni[sz]e|detect|check|verify|victim|someone"
        r"|somebody|tell "
        r"if|identify|movie|prop|toy|play money|sold me|accus\w+)\b",
    ),
    row(
        "counterfeit",
        "print",
        r"\bprint(?:ing)? (?:my |our |your )?(?:own |some |real |fake )?(?:money|cash|bank ?notes|dollars)\b(?! "
        r"(?:orders?|back|box))",
        unless=r"\b(?:toy|play money|game|receipts?)\b",
    ),
    row(
        "counterfeit",
        "forged|counterfeit|banknotes|bank notes|money|cash",
        rf"\b(?:forged|counterfeit) (?:[\w'-]{{1,16}} ){{0,2}}{_PAPER}",
        r"\b(?:copy|copying|duplicate|reproduce|scan and print) (?:real )?(?:bank ?notes|money|cash)\b",
        unless=r"\b(?:received|got|gave|given|report\w*|spot|recogni[sz]e|detect\w*|check\w*|someone|somebody"
        r"|accus\w+|sold|cashier"
        r"|found|pen|tell if|identify|look like)\b",
    ),
    row(
        "counterfeit",
        "forge|forging|forged",
        rf"\bforg(?:e|ing|ed) {W4}(?:signatures?|statements?|documents?|receipts?|invoices?|stamps?|passports?"
        r"|certificates?"
        r"|cheques?|checks?|ids?|letters?|tickets?|prescriptions?|diplomas?|papers)\b",
        unless=r"\b(?:someone|somebody|he|she|they|who|report|was|were|been|has|have) (?:\w+ ){0,2}forg|\breport\b",
    ),
    row(
        "counterfeit",
        "replica|fakes|fake|knock|copies|imitation|counterfeit",
        r"\b(?:sell|selling|pass|passing|list|listing) (?=.{0,60}\b(?:replicas?|fakes?|knock-?offs?|copies"
        r"|imitations?|counterfeits?)"
        r"\b).{0,60}\bas (?:genuine|real|originals?|authentic|the real)",
        r"\b(?:replicas?|fakes?|knock-?offs?|copies|imitations?|counterfeits?|fake [\w ]{1,30})\b.{0,60}\b(?:sell"
        r"|resell|pass) (?:them |it |these "
        r"|those )?(?:off )?as (?:genuine|real|originals?|authentic|the real)",
        unless=r"\b(?:report|someone|somebody|seller|you (?:are|sold))\b",
    ),
    row(
        "counterfeit",
        "假钞|假钱|假币|假的|假身份证|假证|假驾照|假驾驶证|假发票|假护照|学历|文凭|公章|伪造|病假条|假章|高仿|a货",
        rf"(?:买|做|办|印|弄|搞|开|造|制作|给我|出售|卖|刻|来){G8}(?:假钞|假钱|假币|假身份证|假证|假驾照|假驾驶证"
        r"|假发票|假护照|假的(?:身份证|发票|护照|驾驶证|钞票|营业执照)|假的?(?:学历|文凭|毕业证"
        r"|学位证|结婚证|病假条|公章|证明|合同|流水|驾照))",
        rf"(?:假钞|假币|假身份证|假证|假驾照|假发票|假护照|假(?:学历|文凭|毕业证|学历证书)){G14}(?:怎么(?:做|办"
        r"|印|买|弄)|哪里(?:买|办|做)|多少钱|能用吗|验不出)",
        rf"办假(?:证|学历|文凭|护照|驾照)|私刻{G4}(?:公?章|印)|伪造{G8}(?:银行流水|流水|证明|签名|公章|合同"
        r"|病假条|学历|身份证|证件|文件|护照|发票)",
        rf"(?:高仿|a货|假货|仿品){G14}(?:当|冒充|充当|说成)(?:成|作)?(?:正品|真货|真品)",
        unless=rf"举报|收到|找给我|投诉|怎么(?:识别|辨别|鉴别|验证)|卖家|被骗|我怀疑|买到(?:了)?假{G24}(?:赔|退)"
        r"|别人|有人",
    ),
)
