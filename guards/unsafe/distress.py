"""Words of people who may take their own life or hurt themselves; exaggerations that everybody uses are left alone."""

from __future__ import annotations

from guards.unsafe.rule import G4, G8, W2, W4, Row, row

_SELF = r"(?:my ?self|him ?self|her ?self|themsel(?:f|ves))"
_FICTION = (
    r"\bsuicide (?:squad|doors?|girls?|boys?)\b|\b(?:books?|films?|movies?|novels?|series|documentar(?:y|ies)"
    r"|songs?|game) (?:\w+ )?(?:about|on|called)\b|\b(?:financial|commercial|career|political)"
    r" suicide\b"
)

DISTRESS: tuple[Row, ...] = (
    row(
        "intent",
        "self|selves|suicid|unalive",
        rf"\b(?:kill|killing|hang|hanging|unalive|drown|drowning|starve|starving) {_SELF}\b(?! (?:laughing|for "
        r"(?:missing|not|buying)|in (?:chocolate|coffee|work|wine)|over (?:this|the) price))",
        rf"\bshoot(?:ing)? {_SELF}\b(?! in the (?:foot|leg))",
        r"\b(?:want|wants|wanna|going|need|needs|urge|thinking|think|thoughts|threat\w+|tempted|how|ways?|try"
        rf"|tried|trying) (?:\w+ )?(?:to|of|about) {W2}(?:hurt|harm|cut|poison|burn|hurting|harming|cutting"
        rf"|burning|poisoning) {_SELF}\b(?! (?:off|out|loose|short|a|some|an))",
        rf"\b(?:cutting|harming|hurting) {_SELF}\b(?! (?:on|with the|off|out|a|while|when (?:opening|unpacking)))"
        rf"|\bcut {_SELF} (?:again|every|to feel|on purpose)\b|\bself[- ]?harm(?:ing)?\b",
        r"\bsuicid(?:e|al)\b",
        unless=_FICTION,
    ),
    row(
        "intent",
        "alive|live|living|exist|wake up",
        r"\b(?:don't|do not|dont|no longer|not|never) (?:really |even |wanna |)?(?:want |wanna )?(?:to "
        r")?(?:live(?= (?:any ?more|like this)|$|[,.!]| and\b)|be alive|go on living|keep on living|exist any "
        r"?more|wake up (?:any ?more|again|tomorrow))",
        r"\b(?:life|living) (?:is not|isn't|ain't|is no longer|isn't even) worth (?:living|it any ?more)\b(?! "
        r"without)|\bnot worth living\b",
        unless=_FICTION,
    ),
    row(
        "intent",
        "life|lives|end it|ending it",
        r"\b(?:end|ending|take|taking|finish) (?:my|his|her|their) (?:own )?li(?:fe|ves)\b(?! ?insurance)"
        r"|\bend(?:ing)? it all\b|\bdone with (?:life|living)\b",
        unless=_FICTION,
    ),
    row(
        "intent",
        "better off|living|alive|to live| life",
        r"\bbetter off (?:dead|without me)\b|\b(?:no|any|a single|what'?s the) (?:\w+ )?(?:reason|point|sense) "
        r".{0,15}(?:to|in|of|for me to) (?:keep on |keep |go on |continue |continuing |be |being )?(?:liv(?:e"
        r"|ing)|alive)\b(?! (?:in|at|near))",
        r"\b(?:see|seeing|find|is|there's|have) (?:no|any|the|a)(?: more)? (?:point|sense|use|reason|purpose) "
        r"(?:of|in|to|for) (?:being alive|living)\b(?! (?:in|at|with)\b)|\b(?:nothing|no ?one|nobody|anything|no "
        r"reason|something) (?:left )?(?:for me )?to live for\b",
        unless=_FICTION,
    ),
    row(
        "intent",
        "wish i|wish that i|i wish|wish|tired of|sick of",
        r"\bi (?:\w+ )?wish (?:that )?i (?:was|were|wasn't|weren't|had never been) (?:dead|alive|born)\b"
        r"|\b(?:tired|sick) of (?:being alive|living|life)\b(?! in| at| with)",
        unless=_FICTION,
    ),
    row(
        "intent",
        " die| dead",
        r"\bi (?:just |really |only |honestly |simply )*(?:want|wanna|need|would like|long) (?:to )?(?:die|be "
        r"dead)\b(?! (?:of|laughing|from (?:laugh|embarrass)|for|cut|because (?:of )?(?:the|this|your)))",
        r"\b(?:anyone|anybody|they|people|you) (?:would |will )?(?:even )?(?:notice|care|miss me|be sad) (?:if"
        r"|when) i (?:died|die|was dead|were dead|was gone|am dead|am gone|killed)\b",
        r"\b(?:he|she|they|friend|son|daughter|brother|sister|mother|father|mom|mum|dad|wife|husband|child|kid"
        r"|partner) (?:\w+ ){0,3}?(?:wants?|wanted|wishes|going|threatens?) to (?:die|end (?:his|her|their) "
        r"(?:own )?life|be dead)\b",
        unless=_FICTION,
    ),
    row(
        "intent",
        "go on|disappear|cares if|care if|cares whether|care whether",
        r"\bi (?:can't|cannot|can not) go on (?:living|any ?more$)|(?:can't|cannot) go on, i want to (?:disappear"
        r"|die|sleep)|\bi (?:just )?want to disappear(?: forever)?$|\b(?:nobody|no ?one) (?:would |will )?cares? "
        r"(?:if|whether) i (?:live|die|am alive|was dead|am dead)",
        unless=_FICTION,
    ),
    row(
        "intent",
        "thinking|thoughts|dream|think of|think about|the pain|to end|would end|be over|stop forever|can't live"
        "|wake up",
        r"\b(?:thinking|thought|think|dream\w*|thoughts) (?:about|of) (?:ending (?:it|things|everything|all)"
        r"|dying|death all)\b|\b(?:want|wish) (?:it|everything|the pain|my life) (?:all )?(?:to (?:end|be over"
        r"|stop forever)|would end)\b|\bwant to end (?:everything|things for good)\b|\bcan't live (?:like this"
        r"|any ?more|with myself)\b|\b(?:go to sleep|fall asleep|sleep) and (?:never|not) wake up\b|\bnever wake "
        r"up again\b",
        unless=_FICTION,
    ),
    row(
        "intent",
        "suicide note|goodbye|farewell|suicide",
        r"\b(?:suicide|goodbye|farewell) (?:note|letter)s?\b.{0,30}\b(?:written|wrote|ready|finished|left)\b"
        r"|\b(?:written|wrote|writing|left) (?:my|a|the) (?:suicide|goodbye|farewell) (?:note|letter)s?\b",
        unless=_FICTION,
    ),
    row(
        "intent",
        "more and|for me|in my life|burden",
        r"\b(?:i|me) (?:just |really |honestly )?(?:don't|do not|dont|can't) (?:want to )?(?:be here|exist|carry "
        r"on|keep going) any ?more and\b|\b(?:no|without) (?:hope|way out|future) (?:left )?(?:for me|in my "
        r"life)\b|\bi(?:'m| am) a burden (?:to|on) (?:everyone|everybody|my family|you all)\b",
        unless=_FICTION,
    ),
    row(
        "intent",
        "ending|to live|forever|life is|let me die|world",
        r"\b(?:feel like|feels like) (?:just )?ending (?:everything|it all|my life)\b|\b(?:no|lost (?:my|the"
        r"|all)) (?:will|desire|wish) to live\b|\b(?:go to|fall a?) ?sleep forever\b|\blife is (?:so "
        r")?(?:pointless|meaningless|not worth|unbearable|hopeless)\b(?! without)|\b(?:please |just ){1,2}let me "
        r"die\b|\b(?:the )?world (?:doesn't|does not|would not|won't) (?:need|miss) me\b",
        unless=_FICTION,
    ),
    row(
        "intent",
        "alive|miss|care|notice",
        r"\bi (?:will not|won't) be alive\b|\b(?:nobody|no ?one|who) (?:would|will|'d) (?:even )?(?:miss|care"
        r"|notice)(?: me)? if i\b",
        unless=_FICTION,
    ),
    row(
        "intent",
        "without me",
        r"\b(?:everyone|everybody|they|you|my family|the world) (?:would|will|'d|is|are|'d be) (?:be )?(?:so much "
        r"|much )?(?:better|happier) (?:off )?without me\b",
        unless=_FICTION,
    ),
    row(
        "means",
        "die from|die by|die of|dying|death|my arm|my wrist|my leg|my thigh|my skin|my forearm|my own|capsules"
        "|dose|lethal|fatal|deadly|ledge|the edge|train tracks|railway|meds"
        "|tablets|rope|knife"
        "|blade|something to|wrist|vein"
        "|throat|bridge|roof|train|cliff|balcony|building|pills|tablets|painless|overdose|noose|lethal"
        "|sleeping|painkiller|medication",
        r"\b(?:slit|cut|slash|open|slitting|cutting|slashing) (?:my|her|his) (?:own )?(?:wrists?|veins"
        r"|throat)\b(?! (?:on|with the (?:box|parcel|packag)))",
        r"\bi(?:'m| am|'ll| will| want to| wanna|'d like to)? (?:just |really )?(?:going to |gonna |about to |to "
        r")?(?:jump|throw myself) (?:off|from|in front of|under) (?:a|the|my|of a) (?:bridge|roof|train|cliff"
        r"|balcony|building)\b",
        r"\bpainless(?:ly)? .{0,20}(?:way|method|death|die|suicid|kill|go\b)|\bway to die\b.{0,20}painless",
        rf"\bhow (?:many|much) {W4}(?:pills|tablets|sleeping|painkillers?|medication) .{{0,30}}\b(?:to die|to "
        r"kill me|kill me|until i die|fatal|lethal|overdose|not wake up|never wake)\b",
        r"\boverdos(?:e|ing)\b.{0,60}\b(?:over|end|die|myself|on purpose)\b|\b(?:want|going|gonna|plan|planning"
        r"|how) to overdose\b",
        r"\bi (?:just |have |'ve )*(?:took|taken|swallowed|swallow) (?:a |the |all |my )?(?:whole |entire |full "
        r"|of |the |my )*(?:bottle|box|pack|packet|pills|tablets)\b(?=.{0,30}(?:pills|tablets|sleeping"
        r"|painkillers?|medication|$))",
        r"\b(?:take|taking|swallow|swallowing) (?:all|every one of|a bunch of|a handful of) (?:of )?(?:my|the"
        r"|these|those) (?:pills|meds|tablets|medication|sleeping)\b",
        r"\b(?:pills|tablets|rope|knife|blade|something)\b.{0,30}\bto (?:end it|die|end my|kill myself|not wake up)\b",
        r"\b(?:cut|cutting|slice|slicing|burn|burning|scratching) my (?:own )?(?:arms?|wrists?|legs?|thighs?|skin"
        r"|forearms?)\b"
        r"(?=.{0,40}\b(?:again|at night|every|feel|relief|when i(?:'m| am)|stop|on purpose|calm|keep|deserve)\b)"
        r"|\b(?:keep|started|start|stop) (?:cutting|slicing|burning) my (?:own )?(?:arms?|legs?|thighs?|skin"
        r"|forearms?)\b",
        r"\b(?:if|when) i (?:take|took|swallow|swallowed|eat) (?:\d{2,3}|ten|fifteen|twenty|thirty|forty|fifty"
        r"|sixty|a hundred|a lot of|too many|all (?:of )?(?:my|the|these)|(?:a|the) "
        r"whole (?:bottle|box|pack) of) (?:\w+ ){0,2}(?:pills|tablets|sleeping|painkillers?|capsules|medication"
        r"|meds)\b",
        r"\bhow (?:long|quickly|fast|painful) .{0,30}\b(?:to die|dying|death) (?:from|by|of) (?:an overdose"
        r"|hanging|bleeding|pills|drowning|poison\w*)\b",
        r"\b(?:fatal|lethal|deadly) (?:dose|amount|overdose|combination)\b|\bi(?:'m| am) (?:standing|sitting) "
        r"(?:on|at) (?:the|a|my) (?:edge of (?:the|a) )?(?:bridge|roof|ledge|edge|rooftop|train tracks|railway)\b",
        r"\b(?:tie|make) a noose\b|\brope\b.{0,30}\bhang myself\b",
        unless=r"\bgame\b|\bmovie\b|\bbungee\b",
    ),
    row(
        "intent",
        "自杀|活|世界|人世|人间|伤害|跳河|跳海|跳江|跳轨|跳崖|跳湖|跳桥|卧轨|投河|投湖|撞车|世|了断|寻短见|告别信"
        "|绝笔|割|轻生|活下去|睡"
        "|醒|死了|天台|楼顶|桥|窗台|铁轨|在乎我|自残|活得|结束|跳楼|自尽|自缢|不想活|活着"
        "|结束自己|结束生命|一了百了|遗书|想死|割腕|活不下去|解脱|没有我"
        "|活不到|活够|寻死|去死|死了算了",
        r"(?:想|要|打算|准备|考虑|说|去|试过|多次|念头|企图|怎么|如何|烧炭|吃药|跳楼|他|她|孩子|朋友"
        r"|我)(?:.{0,10})(?:自杀|轻生|自尽|自缢|寻死|自残)|(?:自杀|轻生"
        r"|自残)(?:的)?(?:念头|想法|方法|方式|倾向|冲动|需要|怎么|要)",
        r"(?:我|真的?|也|都|再也|已经|他|她|说)?(?:不想|不愿意?|没法|没办法)(?:再)?活(?:了|下去|着(?!在)"
        r"|在这个?世(?:界)?上了)",
        r"活着(?:真|太|好|也|还|实在|都)?(?:的)?(?:是)?(?:没|没有|毫无|有什么)(?:什么|一点)?(?:意思|意义|盼头"
        rf"|劲)|活不下去了|活够了|活腻了|活不到{G4}(?:那天|那时"
        r"|明天|收货|到货)",
        r"结束(?:我|自己|他|她)?(?:自己)?的?(?:生命|性命|这条命|一生)|一了百了|(?:写|留)(?:好|了|下"
        rf"|完)?(?:了)?(?:一封)?遗书|遗书{G4}(?:写|准备)好",
        r"(?:真的|真|每天都|天天|一直|总是|总|好几次)(?:都)?(?:很|好|在)?想(?:去)?死(?!你|他|她|这|那"
        r"|我)(?!.{0,6}(?:哈|笑|缺货|降价"
        r"|尴尬))(?=.{0,14}(?:每天|怎么死|不想|活|解脱|痛苦|抑郁|了结|死法|$))",
        r"(?:想|要|准备|打算|去|说|真想)(?:去)?(?:跳(?:河|海|江|轨|崖|湖|桥)|卧轨|投河|投湖|撞车死)|不想(?:再"
        r"|继续)?(?:活|留)在(?:这个?)?世(?:界|上)",
        r"(?:他|她|孩子|爸|妈|朋友|老公|老婆|儿子|女儿|同学|弟|妹|哥|姐).{0,8}(?:说|念叨|提)?.{0,4}(?:不想活"
        r"|活够了|想死了?$|要自杀|寻短见)",
        r"(?:药|绳子|刀|炭).{0,8}(?:准备好|买好|备好).{0,14}(?:解脱|结束|离开|走了|了断)|(?:今晚|马上|很快"
        r"|终于)(?:就|要|可以|能){0,2}(?:解脱|了断)|了断(?:自己|此生|一切)|寻短见",
        r"(?:写|留)(?:好|了|下|完){0,2}(?:一封)?(?:告别信|绝笔)|割(?:了)?(?:自己|手臂|手腕|胳膊"
        r"|大腿)(?!.{0,6}(?:包装|盒|纸箱|玻璃))(?=.{0,14}(?:又|晚上|控制|舒服|每天|停不|$))",
        r"(?:没有?|失去)(?:了)?(?:继续)?(?:活着|活下去|生活)的(?:勇气|意义|动力|理由|希望)|(?:我|他|她)(?:要|想"
        r"|准备)?(?:离开|告别)(?:这个)?(?:世界|人世|人间)|一觉不醒|长眠不醒|(?:我|她|他)(?:又|在"
        r"|一直)?伤害(?:了)?(?:我)?自己",
        r"活下去的?(?:理由|意义|勇气|动力|希望|意思)|(?:永远|一直)睡(?:过去|下去|着)|(?:不再|再也不"
        r"|永远不)(?:想)?(?:要)?醒(?:来|过来)|(?:不如|还是|干脆)死了?(?:算了|好了|干净)|死了算了",
        r"我(?:现在)?(?:正)?(?:站|坐)在(?:天台|楼顶|桥上|窗台|桥边|铁轨)|(?:没人|没有人|谁都不|谁也不)(?:会)?在乎我",
        r"活(?:得|着)(?:真的?|太|好|很|实在|这么|那么)*(?:累|痛苦|难受|煎熬|绝望)|(?:想|要"
        r"|只想)结束(?:这)?一切(?!活动|服务|订单)",
        r"(?:^|[,、 ])我(?:现在|真的|真|好|很|只|就)*想死(?=$|[,、 ]|算了)",
        r"(?:孩子|女儿|儿子|朋友|他|她|同学|室友|老公|老婆|妈妈|爸爸|我)(?:说|一直|真的|总|又|老|现在){0,3}(?:想"
        r"|要)跳楼(?!价|机)",
        r"(?:死了|死掉|死)(?:是不是|就|才)?(?:能|会|可以)?(?:就)?解脱|想怎么死|(?:没有|少了)我.{0,10}(?:过得|活得"
        r"|会)(?:更|比较)好",
        unless=r"笑|哈哈|气得|自杀小队|小说|电影|游戏|模型|价格真",
    ),
    row(
        "means",
        "安眠药|农药|老鼠药|百草枯|死法|跳下|跳楼|跳桥|上吊|割腕|烧炭|吞了|吃了一|致死|死得|会死|割脉",
        rf"(?:吃|吞|服)(?:多少|几|几片|几粒|几颗){G8}(?:安眠药|药|片|安定|头孢)?{G8}(?:会死|致死|能死|死人|才能死"
        rf"|才会死|死掉)|安眠药{G8}(?:会死|致死|死得|自杀|够我死|够不够)",
        r"(?:吃|吞|喝)(?:安眠药|农药|老鼠药|百草枯)(?:能|会|可以|多久)?(?:不能)?死",
        r"(?:没有?|无|不)(?:那么)?(?:痛苦|痛|疼)的?(?:死法|死亡|方式(?:死|离开|走)|方法(?:死|离开))"
        r"|怎么死(?:才)?(?:不痛|不疼|没有?痛苦|最快)|最快的死法",
        rf"(?:我|想|要|准备|真想|正)?(?:想|要|准备|打算)从?{G8}(?:楼上|楼顶|天台|桥上|阳台|窗户?){G4}跳(?:下去?)"
        rf"|(?:站在|在)(?:楼顶|天台|桥上|阳台){G8}(?:跳|结束)",
        rf"(?:我|她|他|想|要|已经|又){G4}割(?:了)?(?:腕|脉)(?!.{{0,4}}(?:剧|戏))|(?:能|可以|用来|想|要|去"
        rf"|够){G4}上吊|上吊{G8}(?:够|结实|绳|自杀)|烧炭自杀",
        rf"(?:我|她|他){G4}(?:吞|吃|喝)(?:下|掉)?(?:了)(?:一|整|好多|很多|半|大){{1,2}}(?:瓶|盒|把"
        r"|板)(?:的)?(?:安眠)?(?:药|农药)",
        unless=r"跳楼价|气得|游戏|电影|小说|笑|误食|孩子误",
    ),
)
