"""Harm to others: plans and threats of violence, the abuse of children, stalking, blackmail, trade in people."""

from __future__ import annotations

from guards.unsafe.rule import G4, G8, G14, HOW, W2, W4, W6, Row, row

_PERSON = (
    r"(?:(?:my|his|her|a|an|the|your|this|that|some|their) (?:\w{1,16} ){0,2}?(?:wife|husband|ex|girlfriend"
    r"|boyfriend|partner|boss|neighbou?rs?|teacher|mother|father|mom"
    r"|mum|dad|parents?|brother|sister|child|children|kids?|baby|co-?workers?|colleagues?|manager|couriers?"
    r"|drivers?|persons?|man|men|woman|women|girls?|boys?|people|guy"
    r"|family|staff|employees?|landlord|roommate|police(?:man| officer)?|customers?|rival|competitor|classmates?"
    r"|stepdad|stepmother|dog|cat)|someone|somebody|people"
    r"|him|her|them|children|kids|a child)\b"
)
_HARM = (
    r"(?:kill|murder|poison|stab|strangle|drown|suffocate|kidnap|abduct|torture|dismember|injure|hurt|beat up"
    r"|assassinate|rape|shoot|choke|attack|behead)"
)
_PLACE = (
    r"(?:warehouse|store|shop|house|branch|building|office|school|church|mosque|synagogue|temple|bank|hospital"
    r"|home|mall|flat|station)s?\b"
)
_PLAY = (
    r"\b(?:video|board|computer|pc|ps[345]|xbox|the|this|that|switch) ?games?\b|\b(?:movie|film|novel|dvd|costume"
    r"|ps[45]|xbox|lego|toy|book)\b"
)

VIOLENCE: tuple[Row, ...] = (
    row(
        "violence",
        "kill|murder|poison|stab|strangl|drown|suffocat|kidnap|abduct|tortur|dismember|injur|hurt|beat up"
        "|assassin|rape|shoot|choke|attack|behead",
        r"\b(?:how (?:do|can|could|would|should) (?:i|we|one)|how to|ways? (?:to|of)|help me|teach me(?: how)? to"
        r"|need to|order to|used? to|for (?:me )?to|hire (?:someone|somebody|a \w+) to"
        r"|pay (?:someone|somebody|you|a \w+) to|(?:plan|planning|intend|decided) to|tell me how to|take to|best "
        rf"to|easiest to) {W4}{_HARM} {_PERSON}(?! (?:time|with kindness|with love|feelings?))",
        r"\b(?:i'm|i am|we're|we are|i'll|i will|we will|we'll|i) (?:going to |gonna |planning to |about to "
        rf"|want to |plan to |will ){{0,2}}"
        rf"(?:stab|strangle|behead|murder|massacre|gun down|kidnap|poison|torture|rape) {_PERSON}",
        rf"\bto {_HARM} {_PERSON} .{{0,40}}(?:without (?:getting|being) caught|quietly|silently|and get away)",
        r"\b(?:best|easiest|fastest|quickest) way (?:to|of) (?:kill|murder|strangl|poison|stab|chok)(?:e|ing)? "
        r"(?:someone|somebody|a (?:person|man|woman|human))",
        unless=rf"{_PLAY}|\b(?:stop|prevent|keep|avoid|train) {W4}(?:from|to not|not to)\b|\breport\b",
    ),
    row(
        "violence",
        "shoot up|blow up|bomb|burn|fire|attack|shooting|gun|rifle|pistol|machete",
        r"\b(?:i'm|i am|we're|we are|i'll|i will|we will|we'll|i|gonna|to) (?:going to |gonna |planning to "
        rf"|about to |want to |plan to |will )?(?:shoot up|blow up|bomb|burn down|torch) {W2}"
        rf"(?:{_PLACE}|place\b|everyone|you all)",
        r"\b(?:i'm|i am|we're|we are|i'll|i will|we will|we'll|gonna|to) (?:going to |gonna |planning to |about "
        rf"to )?(?:burn {W2}{_PLACE}(?: \w+)? down\b|set {W2}{_PLACE}(?: \w+)? on fire|set fire to "
        rf"{W2}{_PLACE})",
        rf"\b(?:i'm|i am|i'll|i will|we will|we'll) .{{0,30}}\b(?:shoot up|blow up|burn down) {W2}{_PLACE}",
        r"\b(?:bring|bringing|take|taking|carry|carrying) (?:a|my|the) (?:loaded )?(?:gun|rifle|pistol|shotgun"
        r"|machete) (?:to|into) (?:your|the) ",
        r"\bthere(?:'s| is| will be) a bomb (?:in|at|under|inside|on|near)\b|\b(?:i|we) (?:have |'ve )?(?:planted"
        r"|placed|put|hid|left) a bomb\b",
        rf"\b(?:plan|planning|carry out|prepare|commit|organi[sz]e|do) {W2}(?:attacks? (?:on|against|at)|mass "
        r"shooting|school shooting|massacre|bombing)\b",
        r"\b(?:come|coming|bring|bringing|show up|be there|walk in|be back) (?:.{0,30} )?(?:with|and bring) (?:a"
        r"|my|the) (?:loaded )?(?:gun|rifle|pistol|shotgun|machete)\b",
        unless=_PLAY,
    ),
    row(
        "violence",
        "hitman|hit man|contract killer|assassin|a killer|poison|body|corpse|bodies|autops|death",
        r"\b(?:find|hire|need|pay|looking for|get|want|contact) (?:me )?(?:a|an) (?:hit ?man|contract killer"
        r"|assassin|killer)\b(?! (?:deal|whale|price|outfit|look|app|sound))",
        r"\b(?:make|making) .{0,40}\bdeaths? look like (?:an accident|suicide)\b",
        r"\bpoisons?\b.{0,40}(?:can't|cannot|can not|won't|not|un)\s?(?:be )?(?:detect|trace|found|show)\w*"
        r"|\buntraceable poisons?\b|\bpoison .{0,40}\bautops",
        r"\b(?:get(?:ting)? rid of|dispos(?:e|ing) of|hid(?:e|ing)|dissolv(?:e|ing)|bury(?:ing)?) (?:a |the "
        r")?(?:dead |human )?(?:body|corpse|bodies)\b(?! (?:hair|fat|odou?r|acne|lotion|wash|of|butter"
        r"|spray|camera|shape|kit))",
        unless=rf"{_PLAY}|\b(?:mouse|rat|pet|bird|hamster|plants?|ivy|paint)\b",
    ),
    row(
        "violence",
        "杀|消失|弄死|整死|干掉|做掉|除掉|毒死|砍|捅|炸|放火|烧了|烧死|绑架|枪|毒药|尸体|打断|重伤|报复|下毒|毒死"
        "|勒死|强奸",
        rf"(?:怎么|如何|教我|帮我|想|用什么|哪把刀|什么药|什么毒|找人|花钱|买凶){G14}(?:杀人|杀了?(?:他|她|我|老"
        r"|人|那|同事|前)|杀死(?:他|她|人|我)|(?:弄死|整死|干掉|做掉|除掉)(?:一个|个|他|她|那个|我)?(?:人|他|她"
        r"|同事|老板|前|老婆|老公|邻居)?(?!电脑|程序|进程|广告)|捅人|捅死|勒死"
        r"|毒死(?!蟑|老鼠|虫|蚂蚁|害虫)|绑架|下毒|砍死|强奸|打断)",
        r"(?:雇|请|找|联系)(?:个|一个|到)?(?:杀手|打手)",
        rf"(?:今晚|明天|马上|现在|迟早|一定|我要|我会|等着|就去|带人){G14}(?:砍了?|捅了?|杀光|炸了?|烧了?|烧死"
        rf"|杀了){G4}(?:你们|你|他|她|店|全家|那个|所有)",
        rf"(?:在|往|给){G14}(?:放|装|埋|扔)(?:了|个|一个|一颗)?炸弹|(?:放火|纵火){G4}(?:烧|了)",
        rf"(?:带|拿|扛)(?:着|上)?(?:枪|砍刀|炸药|汽油){G4}(?:去|来|到|找)",
        rf"毒死{G4}(?:邻居|别人|同事|他|她|人|狗|猫){G8}(?:用|什么|怎么|哪种)",
        r"(?:拿|带|提|抄)(?:着|把|上)?(?:菜|砍|水果)?刀.{0,14}(?:杀|砍|捅)|让.{0,8}人.{0,4}(?:悄悄|彻底|永远"
        r"|神不知鬼不觉).{0,4}消失|悄悄(?:弄死|除掉|处理掉).{0,4}人",
        rf"毒药{G14}(?:查不|验不|检测不|不被)|(?:查不|验不|检测不)(?:出|到){G8}(?:毒药|毒)|(?:什么|哪种)毒药",
        rf"尸体{G8}(?:处理|藏|怎么|销毁|埋)|(?:处理|藏|销毁|毁)(?:掉)?(?:一具)?尸体",
        rf"(?:捅|刺|砍){G4}(?:最致命|哪里(?:会)?死|致命)|(?:报复|让){G14}(?:受重伤|重伤|残废|消失在这个世界)",
        unless=r"游戏|电影|小说|杀毒|秒杀|杀价|杀手锏|剧本|威胁我|投诉|举报|鱼|鸡|杀菌|杀虫",
    ),
)

_MINOR = (
    r"(?:child(?:ren)?|kids?|minors?|underage|preteens?|toddlers?|little (?:girl|boy)s?|school ?(?:girl|boy)s?"
    r"|(?:[1-9]|1[0-7])[ -]years?[ -]old)\b"
)

ABUSE: tuple[Row, ...] = (
    row(
        "abuse",
        "porn|nude|naked|sex|erotic|groom",
        r"\b(?:child|kiddie|kid|underage|minor|preteen|teen) (?:porn\w*|nudes?|sex\b|sexual|erotic\w*)",
        rf"\b(?:nudes?|naked|sexual|sexy|sex|porn\w*|erotic\w*)\b(?! (?:education|abuse prevention)) {W6}{_MINOR}",
        rf"\b{_MINOR} {W4}(?:nudes?|naked|porn\w*|erotic\w*)\b",
        rf"\bgroom(?:ing)? (?:an? |some )?(?:{_MINOR}|teenagers?|teens?|young (?:girl|boy)s?)",
        unless=r"\b(?:report|protect\w*|prevent\w*|block|filter|parental)\b",
    ),
    row(
        "abuse",
        "track|spy|follow|stalk|locate|record|film|bug|wiretap|monitor|camera|secretly",
        r"\bsecretly (?:record|film|watch|photograph|track|follow|tape|listen)\b.{0,30}\b(?:her|him|them|my"
        r"|roommate|neighbou?r|girls?|wom[ae]n|someone|people|customers|guests)\b",
        r"\b(?:track|spy on|follow|stalk|locate|record|film|bug|wiretap|monitor|photograph)\b.{0,60}\b(?:without "
        r"(?:her|him|them|their|his|being (?:seen|noticed|caught))|secretly|unnoticed)\b",
        r"\b(?:hide|hiding|install|put|place) .{0,30}\bcameras? (?:.{0,20} )?in (?:.{0,30} )?(?:changing|bath"
        r"|rest|locker|toilet|shower|fitting)[ -]?rooms?\b|\bhid(?:e|den) .{0,20}\bcameras? .{0,30}\b(?:toilet"
        r"|shower)s?\b",
        unless=r"\b(?:dog|cat|pet|parcel|package|order|someone|somebody)\b",
    ),
    row(
        "abuse",
        "blackmail|extort|revenge porn|kidney|human organ|passports|traffic|smuggl|workers",
        rf"{HOW}{W2}(?:blackmail|extort)\b|\b(?:blackmail|extort) (?:someone|somebody|him|her|them|people|my|a|the) ",
        r"\b(?:where|how) (?:can|do|could|to) (?:i |we |one )?(?:buy|sell|get) (?:a|my|human) (?:human "
        r")?(?:kidney|organs?)\b(?! (?:beans?|pie))|\bhuman organs?\b.{0,20}\b(?:buy|sell|sale)",
        rf"\b(?:smuggl(?:e|ing)|traffic(?:king)?) {W2}(?:people|migrants|women|girls|children|humans|workers"
        r"|refugees)\b|\b(?:keep|hold|take|confiscate) their passports\b",
        unless=r"\b(?:report|victim|against|documentary|(?:someone|somebody|he|she|they|who) (?:is|was|has|wants"
        r"|tries|tried|are))\b",
    ),
    row(
        "abuse",
        "色情|裸照|偷拍|针孔|定位|跟踪|肾|器官|未成年|幼女|威胁|拐卖|情色",
        r"(?:儿童|未成年|幼女|幼童|小学生|小女孩|小男孩|萝莉|(?<!\d)(?:[1-9]|1[0-7])岁).{0,14}(?:色情|裸照|裸体"
        r"|情色|做爱|黄片|性爱)",
        r"(?:色情|裸照|裸体|情色|黄片|性爱).{0,14}(?:儿童|未成年|幼女|幼童|小学生|小女孩|小男孩|(?<!\d)(?:[1-9]"
        r"|1[0-7])岁)",
        rf"(?:更衣室|厕所|浴室|试衣间|女生宿舍|卫生间|酒店){G14}(?:偷拍|针孔|摄像头){G14}|(?:针孔"
        rf"|偷拍){G14}(?:更衣室|厕所|浴室|试衣间|女生宿舍|卫生间|酒店)",
        rf"(?:偷偷|悄悄|暗中){G8}(?:女友|女朋友|男友|男朋友|老婆|老公|前妻|前夫|她|他|别人|同事)的?{G4}(?:手机|车"
        rf"|包|微信){G8}(?:装|定位|监听|监控|追踪)",
        rf"(?:定位|跟踪|监视|追踪){G14}(?:女生|男生|她|他|前妻|前女友|前男友|前夫|女孩|同事|老婆"
        rf"|老公){G14}(?:不被|不让|偷偷|发现|不知道)",
        rf"(?:裸照|私密照|照片|视频){G4}(?:威胁|勒索|敲诈|要挟)|(?:怎么|如何|教我|帮我|想){G8}(?:勒索|敲诈|拐卖|要挟)",
        rf"(?:买卖|卖|买){G4}(?:人体器官|肾脏?(?!宝|上腺|宝片|衣)(?=吗|呢|\?|多少|$))|(?:卖|买)(?:一个)?肾(?:$|\?"
        r"|吗|多少)",
        unless=r"举报|屏蔽|防止|投诉|羊肾|猪肾|腰子|检测|有人|被人|防偷拍",
    ),
)
