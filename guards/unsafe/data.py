"""What belongs to somebody else: other customers' data, and the secrets of the shop, its staff and its machines."""

from __future__ import annotations

from guards.unsafe.rule import G4, G8, G14, W2, W4, W6, Row, row

_TELL = (
    r"\b(?:hand over|forward|paste|post|want|show|give|list|tell|reveal|print|export|dump|send|share|read|look up"
    r"|find|get|need|provide|disclose"
    r"|leak|check|see|know|display|download|output|expose|have|what(?:'s| is| are| was)|which|where (?:is|are))\b"
)
_ACQUAINTANCE = (
    r"(?:my|her|his) (?:ex(?:-?\s?(?:girlfriend|boyfriend|wife|husband|partner))?|neighbou?r|boss|co-?worker"
    r"|colleague|roommate|classmate|landlord|tenant|wife|husband|girlfriend|boyfriend|teacher|rival|competitor)"
)
_PRIVATE = (
    r"(?:(?:home |private |delivery |shipping |street |e-?mail |mail |postal )?address(?:es)?|(?:phone|mobile"
    r"|telephone|cell|card|credit card|account|bank) ?(?:numbers?|details)?|e-?mails?|order history|orders"
    r"|purchase history|purchases"
    r"|accounts?|balances?|credit cards?|cards|personal (?:details|data|information|info)|contact (?:details"
    r"|info\w*)|chats?|conversations?|messages?|names?|data|details|information|records?|passwords?|numbers)\b"
)
_PARTY = (
    r"(?:customers?|users?|clients?|buyers?|shoppers?|members?|people|persons?|lady|ladies|man|woman|guy|girl"
    r"|account holders?|guests?|accounts)"
)

OTHERS_DATA: tuple[Row, ...] = (
    row(
        "others_data",
        "customer|user|client|buyer|shopper|member|people|person|lady|man|guy|girl|account holder|guest|accounts",
        # "other customers' addresses"
        rf"{_TELL} {W4}(?:other|another|all|every|any|previous|last|different|someone else|somebody else"
        rf"|random)(?: of)?(?: the| your| my)?(?: \w+)? {_PARTY}(?:'s|s'|')? (?:\w+ ){{0,2}}?{_PRIVATE}",
        rf"{_TELL} {W4}(?:all|every) (?:the |your |of the |of your )?(?:customer|user|client|member|buyer)s?(?:'s"
        r"|s'|')? ",
        # "the address of the customer who …"
        rf"{_TELL} {W6}{_PRIVATE} (?:of|for|from|that|belonging to) (?:the |that |this |your |another |a |an "
        rf"|other |all |every |any |some )(?:[\w'-]{{1,20}} ){{0,3}}?{_PARTY}\b(?! (?:service|support|care"
        r"|success|hotline))"
        r"(?: (?:who|that|named|called|before|with|in|from|living|next)\b|[.?!]?$)",
        rf"{_TELL} {W4}(?:chat|conversation|messages?) {W4}(?:customer|person|user|client|guy|lady) (?:before"
        r"|ahead of) me\b",
        r"(?<!my\s)(?<!own\s)\b(?:customer|user|client|member)s?(?:'s|s')? (?:database|records|list|table"
        r"|data)\b.{0,40}\b(?:dump"
        r"|export|print|download|send (?:it |them )?to me)\b"
        r"|\b(?:dump|export|print|download|leak) (?:\w+ ){0,3}(?:customer|user|client|member)s?(?:'s|s')? "
        r"(?:database|records|list|table|data)\b",
        rf"{_TELL} {W4}(?:names|cards|addresses|numbers|e-?mails|details)\b.{{0,30}}\b(?:your|the|other|last|all"
        rf"|ten|hundred) (?:\w+ ){{0,3}}(?:customers|users|clients|buyers|members)\b",
        unless=r"\b(?:delivered|sent|addressed|came|meant|belongs?) (?:to|for) (?:me|us|my)\b|\b(?:reviews?"
        r"|ratings?|opinions?)\b.{0,20}\bof other\b|\b(?:do|does|did|are|is|why|will|would) (?:all|every"
        r"|other) \w+|\bstore (?:about|of)\b",
    ),
    row(
        "others_data",
        "my ex|her ex|his ex|neighbo|boss|worker|colleague|roommate|classmate|landlord|tenant|wife|husband|friend"
        "|teacher|rival|competitor",
        rf"{_TELL} {W4}{_ACQUAINTANCE}(?:'s|s'|') (?:\w+ )?(?:order history|orders|purchases|purchase history"
        r"|whereabouts|balance|chats?|messages|account details|home address|phone number|password)\b",
        r"\b(?:what(?:'s| is)|where is|tell me|give me|show me|look up|find(?: out)?|get me|do you have|i need to "
        r"know) (?:the )?(?:my|her|his) (?:ex(?:-?\s?"
        r"(?:girlfriend|boyfriend|wife|husband))?|neighbou?r|boss|co-?worker|colleague|roommate|classmate"
        r"|landlord|tenant|teacher|rival)(?:'s|s'|') "
        r"(?:new |current )?(?:home |shipping |delivery |e-?mail |private )?(?:address|phone|number|e-?mail|account)\b",
        rf"\bwhat (?:else )?{_ACQUAINTANCE} (?:has |have |is |was )?(?:ordered|bought|buys|orders|buying|ordering"
        r"|spent|spends)\b",
        r"\b(?:what(?:'s| is)|tell me|give me|look up|find) my (?:ex|neighbou?r|boss|co-?worker|colleague"
        r"|roommate|landlord|tenant|teacher) (?:mr\.? |mrs\.? |ms\.? )?[\w-]{2,20}(?:'s|s')"
        r" (?:\w+ )?(?:address|phone|number|e-?mail|orders?|account)\b",
        rf"\bwhere {_ACQUAINTANCE} (?:lives|is living|moved|has (?:her|his|their) parcels|gets (?:her|his|their)"
        r"|sends|has parcels)\b",
        unless=r"\bwith (?:her|his|their) (?:permission|consent|knowledge)\b|\bon behalf of\b|\bfor (?:him|her)self\b",
    ),
    row(
        "others_data",
        "another|someone else|somebody|different|other|previous|last",
        r"\b(?:see|show|view|access|open|check|look at|read) (?:me )?(?:the |all )?(?:orders?|details|data"
        r"|history|messages|purchases) (?:of|from|on|in) (?:another|someone else's|other"
        r"|a different|somebody's) (?:accounts?|customers?|users?|persons?|people)\b",
        r"\b(?:conversations?|chats?|messages?|tickets?) (?:\w+ ){0,3}(?:with|from|of|by) (?:a |an |the |some "
        r")?(?:different|another|other|previous|last) (?:customer|user|client|person)s?\b",
    ),
    row(
        "others_data",
        "who |whose|how much|belongs to|behind|owns|linked to|on file for|you have for|registered for|stored for"
        "|driver|courier"
        "|employee|cashier|agent|manager|seller|clerk|teller|postman|person that|customer that|user that|one that"
        "|man that|guy that"
        "|account with you",
        r"\bwho (?:else )?(?:bought|ordered|purchased|returned)\b.{0,60}\b(?:where (?:he|she|they)|lives?|(?:his"
        r"|her|their) (?:name|address|number|phone))\b",
        r"\b(?:names?|addresses|e-?mails?|numbers|list|details) of (?:everyone|everybody|all people|anyone|the "
        r"people|all) who (?:bought|ordered|purchased|returned|live|paid)\b",
        r"\bhow much (?:money )?(?:does|did|do) (?!the\b|this|that|it\b|one\b|a\b|my\b|your\b)[\w'-]{2,20} "
        r"[\w'-]{2,20} (?:have|has|owe|keep|earn) (?:in|on|with|at) (?:his|her|their|the) (?:bank )?account\b",
        r"\bwho lives (?:at|in)\b.{0,60}\b(?:order|ordered|number|phone|name|bought)\b|\bwhose (?:account|phone"
        r"|number|e-?mail|card) is\b|\b(?:which|what) (?:account|customer|person|name) (?:belongs to|is behind"
        r"|owns|is linked to) (?:this|the|that)"
        r" (?:\w+ )?(?:phone|number|e-?mail|address|card|plate)",
        rf"{_PRIVATE} (?:on file )?(?:on file|you have|registered|stored) for (?!me\b|us\b|my\b|our\b|this\b"
        rf"|the\b|order|it\b)[\w'-]{{2,20}} [\w'-]{{2,20}}",
        rf"{_TELL} {W6}{_PRIVATE} (?:of|for) (?:the|that|this) (?:person|customer|user|one|man|woman|guy) (?:who"
        r"|that)\b",
        rf"{_TELL} {W4}(?:home|private|personal) (?:phone |e-?mail )?(?:address|number) (?:of|for) (?:the|that"
        r"|your|this|one of your|a) (?:\w+ )?(?:driver|courier|employee|cashier|agent|manager|seller|clerk"
        r"|teller|postman)",
        r"\bdoes [\w'-]{2,20} [\w'-]{2,20} (?:have|has|own) an account with you\b",
    ),
    row(
        "others_data",
        "查|名单|地址|电话|手机|订单|账号|账户|名单|资料|微信|信息|隐私|身份证|银行卡|买了|住|聊|余额|姓名|密码"
        "|邮箱|聊天",
        r"(?:告诉|给我|给一下|显示|列出|导出|查一?下?|查查|发我|发给|提供|泄露|看看|打印|说出|我要|我想要|想知道"
        rf"|把|发一下){G8}(?:其他|其它|别的|另一个|另一位|上一个|上一位"
        rf"|前一个|前一位|别人|他人|所有|全部|全体|最近{G4}|随便一个)(?:的)?"
        rf"(?:客户|用户|顾客|买家|会员|客人|人)(?:们)?的?{G8}(?:订单|电话|手机|地址|信息|资料|隐私|聊天|姓名"
        r"|身份证|账号|账户|密码|邮箱|银行卡|名单|微信|记录)",
        rf"(?:告诉|给我|显示|列出|查一?下?|查查|发我|发给|提供|泄露|看看|打印|说出|把){G4}别人的?{G4}(?:订单|电话"
        r"|手机号?|地址|信息|资料|聊天|姓名|身份证|账号|密码|邮箱|银行卡)",
        rf"(?:查|看|告诉|想知道|帮我|给我){G8}(?:前女友|前男友|前妻|前夫|邻居|同事|老板|室友|同学|房东|老公|老婆"
        r"|女朋友|男朋友|女友|男友|情敌|对手)(?:的"
        rf"|家)?(?:{G4}(?:收货地址|地址|电话|手机号|账号|账户|订单|聊天记录|住)|{G8}(?:买了|买过|订了|下单了"
        r"|消费)(?:什么|啥|哪些|多少))",
        rf"(?:买|下单|写|评|订|留言|投诉|退货){G14}的(?:那个|那位|这个|这位)?(?:客户|用户|顾客|买家|女生|男生|人"
        rf"|会员|女的|男的|家伙)的?{G8}(?:电话|手机|地址|微信|住"
        r"|姓名|名字|联系方式|信息|资料|账号)",
        rf"(?:上一个|上一位|前一位|前面那位?|之前的)(?:客户|用户|顾客|客人|人){G4}(?:跟|和|对|问|说|聊|买|订)",
        rf"(?:这个|该)(?:手机号|电话|号码|邮箱|卡号|车牌){G8}(?:是谁|谁的|是哪个|属于谁|机主)",
        r"(?:别人|其他人|其他顾客|其他客户|别的顾客)(?:都)?(?:跟|和|问|对)(?:了)?你.{0,4}(?:聊|说|问)(?:过"
        r"|了)?(?:什么|啥|哪些)",
        r"(?:告诉|查|给)(?:我|一下|下)?[张王李赵刘陈杨黄周吴徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡"
        r"蒋余杜叶程魏苏吕丁沈姚卢傅钟姜崔谭廖范汪陆][\u4e00-\u9fff]{1,2}的(?:手机号码?|账户余额|余额|银行卡号?"
        r"|收货地址|家庭地址|身份证号?|订单)",
        r"(?:那个|那位|这个)(?:顾客|客户|用户|买家).{0,4}(?:叫什么|住哪|住在|电话|姓什么)",
        rf"(?:同事|邻居|前女友|前男友|前妻|前夫|室友|同学|老板|房东|情敌)的(?:订单|收货地址|地址|电话|手机号|聊天记录"
        rf"|账户|余额|购买记录){G8}(?:看|查|发|给我|告诉|是多少|是什么)",
        r"你们(?:的)?(?:所有|全部|全体)?的?(?:客户|用户|会员|顾客)(?:的)?(?:资料|名单|信息|数据|电话|手机号|隐私){1,2}"
        r".{0,8}?(?:发|给|导|拷|卖|一份)",
        rf"查{G4}1\d{{10}}{G8}(?:谁|机主|名字|姓名)",
        r"(?:快递员|店长|客服|员工|经理|配送员|骑手|老板|店员|收银员)的?(?:家里?)?(?:住(?:在)?(?:哪|址)|家庭住址"
        r"|住址|家庭地址|家在哪|私人电话|身份证)",
        r"(?:我是(?:他|她)|是我(?:同事|朋友|同学|邻居)|(?:他|她)是我).{0,12}(?:订单|地址|电话|余额)|(?:的订单"
        r"|的地址|的余额|的电话).{0,10}(?:他"
        r"|她)是我(?:同事|朋友|同学|邻居|前)",
        r"(?:查|看)(?:一?下)?(?!我|你|他|她|余额|账户|订单|这|那|本|一|的|商|店|快|物|积|会|客|卡|银|信|花|公|网"
        r"|电|手|礼|优|最|所|当|现|今|昨|上|下|退|到"
        r"|有)[\u4e00-\u9fff]{2,3}的(?:账户余额|银行卡|收货地址|身份证|手机号|聊天记录)",
        unless=r"送到我|寄到我|我自己|本人|我被|帮我老公|别人的(?:包裹|快递)|评价在哪|帮我删除|误|快递员电话",
    ),
)

_STAFF = (
    r"(?:admin(?:istrator)?s?|root|super ?users?|staff|employees?|agents?|managers?|cashiers?|tellers?"
    r"|colleagues?|support agents?|moderators?|developers?|operators?)"
)
_MACHINE = (
    r"(?:servers?|databases?|db|back ?office|back ?end|internal|production|admin panel|crm|erp|intranet|system"
    r"|payment provider|pos|office network)"
)
_LOGIN = r"(?:passwords?|passwd|credentials|log-?in(?: details| data|s)?|passphrases?|password hashes)\b"
_OWN = (
    r"\b(?:i|we|that i) (?:\w+ )?(?:bought|ordered|purchased|own|rent|rented|got from you|installed)\b|\b(?:my"
    r"|our) (?:own |new |home |company'?s? )?(?:safe|door|alarm|router|camera|nas|lock|server|database|wordpress"
    r"|printer|account|website|shop|laptop|modem)\b"
    r"|\byou sold me\b|\b(?:default|factory) (?:admin )?password\b|\bof the (?:camera|router|printer|modem)\b"
)

SECRETS: tuple[Row, ...] = (
    row(
        "secrets",
        "passw|credential|login|log-in|passphrase",
        rf"{_TELL} {W4}(?:{_STAFF}|{_MACHINE}|master|your own)(?:'s|s'|')? (?:\w+ ){{0,2}}?{_LOGIN}",
        rf"{_TELL} {W4}{_LOGIN} (?:\w+ )?(?:of|for|from|to|used by) (?:one of |a |an |the |your |any |all "
        rf"){{0,3}}(?:\w+ )?(?:{_STAFF}|{_MACHINE})\b",
        rf"{_TELL} {W2}your {_LOGIN}(?! (?:policy|policies|requirement|rule|reset|page|link|form|manager"
        r"|generator|hint|length|box|button|screen|problem|system))",
        r"\bpasswords? (?:of|for|to) (?:your |the )(?:[\w-]{1,16} ){0,2}(?:back ?office|staff|internal|admin"
        r"|server|office)\b",
        unless=_OWN,
    ),
    row(
        "secrets",
        "key|token|environment variable|.env|env file|config|secret",
        r"\b(?:give|tell|show|reveal|print|send|leak|dump|share|list|expose|output|disclose|what(?:'s| is| are)"
        r"|need|post|display) (?:me |us |out )?(?:(?:your|the|their|all|production|live|any) "
        r"){1,3}(?:[\w'-]{1,16} ){0,3}?(?:api[ -]?(?:keys?|tokens?)|access (?:keys?|tokens?)|secret keys?"
        r"|private keys?|encryption keys?|ssh keys?|signing keys?|bearer tokens?|auth(?:entication)? tokens?)(?! "
        r"for (?:my|our)\b)\b(?! (?:for|on) (?:my|our|the developer)\b)",
        r"\b(?:print|show|dump|reveal|list|output|read|display|give me|cat|send me) (?:me |out )?(?:your |the "
        r"|all |all your )?(?:environment variables|env(?:ironment)? vars?|\.env\b|env file|config(?:uration)? "
        r"files?|secrets(?:\.|\b)(?! santa|to))",
        unless=_OWN,
    ),
    row(
        "secrets",
        "database|table|hashes|admin|root|superuser|super user|staff a|employee a|access",
        r"\b(?:dump|export|extract|download|give me|show me|send me|copy|leak|print) (?:me )?(?:a copy of "
        r")?(?:\w+ ){0,2}?(?:(?:users?|customers?|accounts?|passwords?) (?:table|database)|(?:your|the) (?:whole "
        r"|entire |full |production |customer |complete )?database|database dump|password hashes)\b",
        r"\b(?:create|make|give|add|open|grant|get|set up) (?:me |us |my user )?(?:an? |the |a new )?(?:new "
        r")?(?:admin(?:istrator)?|root|super ?user|employee|staff) (?:accounts?|log-?in|access|rights?"
        r"|privileges?|user|permissions?)\b(?! (?:on|of|in|for) (?:my|our|the (?:router|camera|nas|printer"
        r"|device)))",
        r"\b(?:make me|give me|turn me into|promote me to) (?:an? |the )?(?:admin(?:istrator)?|super ?user"
        r"|root)\b(?! of my| of our)",
        unless=_OWN,
    ),
    row(
        "secrets",
        " pin| pins|password|code|combination|safe|till|register|atm|keys|key |vault|van|truck|armoured|armored"
        "|transport",
        rf"{_TELL} {W4}(?:door|gate|alarm|entry|entrance|key ?pad|security|vault|safe|staff) (?:access )?(?:code"
        rf"|combination|pin)s?\b(?! (?:on|of|for) (?:my|our|the (?:lock|back of|card)))(?=.{{0,40}}\b(?:your"
        r"|warehouse|store|branch|shop|office|staff|vault|bank|building|back|stock ?room)\b)",
        r"\b(?:codes?|combinations?|keys|key) (?:of|for|to|in) (?:the |your )(?:\w+ )?(?:safe|vault|warehouse"
        r"|strong ?room|cash register|till|back door|alarm|staff room|cash office)\b",
        r"\b(?:pins?|codes?|combinations?|passwords?) (?:of|for|to) (?:the|your) (?:staff|back|employees?|service"
        r"|rear) (?:entrance|door|room|area|exit)\b",
        r"\b(?:when|what time|at what time|how often)\b.{0,30}\b(?:empty|emptied|open|opened|refill|fill) the "
        r"(?:safe|vault|till|cash register|atm)\b",
        r"\b(?:when|which|what|where|route|time|schedule)\b.{0,40}\b(?:cash|money|armou?red)[ -](?:vans?|trucks?"
        r"|transports?|cars?|couriers?)\b",
        unless=_OWN,
    ),
    row(
        "secrets",
        "密码|密钥|私钥|token|api|后台|管理员|用户表|数据库|环境变量|运钞|金库|保险柜|门禁|root|报警器|口令|工号|钥匙",
        r"(?:管理员|后台|数据库|服务器|仓库|门禁|保险柜|保险箱|金库|报警器|警报器|店长|客服|员工|内部系统|内网"
        rf"|收银机?|监控|经理|同事|root|店员){G14}(?:密码|口令"
        r"|密匙)(?:和|是|都|也|告诉|发|给|多少|什么|$|\?|、|,)",
        rf"(?:告诉|给我|发我|泄露|说出|打印|提供|显示|看看|要){G8}(?:管理员|后台|数据库|服务器|仓库|门禁|保险柜"
        rf"|金库|员工|店长|内部){G8}(?:密码|口令|账号|钥匙)",
        rf"(?:你们|你的|平台|系统|支付接口|公司|服务器|贵司){G8}(?:api|密钥|私钥|token|secret){G14}(?:是什么|多少"
        r"|发|给我|告诉|说|一份)|(?:告诉|给我|发我"
        rf"|泄露|打印|把){G8}(?:你们|你|系统|平台|公司|服务器|支付){G8}(?:api密钥|api ?key|密钥|私钥|token|secret)",
        rf"(?:打印|显示|输出|列出|给我看|读取|发我){G8}(?:环境变量|配置文件|\.env|数据库|用户表|会员表)|(?:导出"
        rf"|拖|备份|下载|把){G8}(?:用户表|数据库|会员表"
        rf"|客户表){G8}(?:给我|发|导|一份|出来)",
        r"(?:给|帮|替)(?:我)?(?:开|建|创建|注册|加|弄|申请)(?:一?个)?(?:超级)?(?:管理员|后台|root"
        rf"|员工)(?:的)?(?:账号|账户|权限)|给我{G14}(?:root"
        r"|管理员|超级用户)(?:的)?权限",
        rf"(?:员工|内部|管理)后台{G8}(?:怎么登录|登录|密码|账号)|运钞车?{G8}(?:几点|什么时候|走哪|路线|时间)"
        rf"|(?:金库|保险柜|仓库|保险库)(?:的)?钥匙{G8}(?:哪|谁|放)|金库{G4}(?:几点|什么时候|谁)",
        unless=r"我买的?|我家|我们家|我的(?!意思)|路由器|智能(?:门)?锁|我租|我们公司的?账|怎么(?:改|修改|设置"
        r"|重置)|自己的|开放平台",
    ),
)
