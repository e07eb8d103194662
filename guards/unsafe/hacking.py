"""Break-ins: into other people's accounts and devices, into shops and systems, and the tools for them."""

from __future__ import annotations

from guards.unsafe.deceit import ANOTHERS
from guards.unsafe.rule import G4, G8, G14, G24, HOW, W2, W4, W6, Row, row

_FAMILIAR = (
    r"(?:my (?:ex|ex-?\w+|boss|wife|husband|girlfriend|boyfriend|partner|neighbou?r|co-?worker|colleague|friend|sister"
    r"|brother|mother|father|roommate|teacher|rival|son|daughter|manager|landlord)'?s?|her|his|their)"
)
_UNNOTICED = (
    r"(?:without (?:her|him|them|their|his|anyone|permission|consent|being (?:seen|noticed|caught|detected)"
    r"|getting caught)"
    r"|secretly|behind (?:her|his|their) back|unnoticed)"
)
_SYSTEM = (
    r"(?:accounts?|e-?mails?|phones?|wi-?fi|passwords?|web ?sites?|site|servers?|systems?|databases?|shop|store"
    r"|bank|facebook|instagram|whatsapp|snapchat"
    r"|computers?|cameras?|routers?|networks?|atms?|cash registers?|checkout|app|icloud|gmail|paypal)\b"
)
_MALWARE = (
    r"(?:malware|ransomware|spyware|stalkerware|key ?loggers?|trojans?|rootkits?|botnets?|back ?doors?|viruses"
    r"|computer virus|card skimmers?|exploits?|zero-?days?)\b"
)
_DEFENCE = (
    r"\b(?:anti-?virus|protect\w*|against|remov\w+|infected|prevent|detect\w*|defend|defen[cs]e|insurance|safe "
    r"from|secure[d]?|book|course|certifi\w+|was|were|been|got|ethical"
    r"|someone (?:has|have|did|can|could|might|may|is|was|tr\w+)|somebody|they|hackers?|(?:did|has|have|could"
    r"|can) (?:anyone|someone|they|somebody)|report|trying to (?:hack|break|get) (?:into )?my)\b"
)

HACKING: tuple[Row, ...] = (
    row(
        "hacking",
        "hack|crack",
        rf"\bhack(?:ing)? (?:in ?to )?(?!(?:my|our) own\b){W4}{_SYSTEM}",
        rf"\bcrack(?:ing)? (?:open )?(?!(?:my|our) own\b){W4}(?:passwords?|passcodes?|pins?|logins?|wi-?fi"
        r"|encryption|licen[cs]e keys?|accounts?)\b",
        unless=_DEFENCE,
    ),
    row(
        "hacking",
        "session|cookie|password|login|credential|site|shop|account|mail|phone|profile|inbox|whatsapp|facebook"
        "|instagram|computer|laptop|cloud|messages|panel|system"
        "|server|network|database|backend",
        r"\b(?:get|break|log|sneak|gain access|access|sign|getting|breaking|logging)(?: in| into| to)?(?: to)? "
        rf"{W2}{ANOTHERS} {W2}"
        r"(?:accounts?|e-?mails?|phone|profile|inbox|messages|computer|laptop|cloud)\b",
        rf"\b(?:get|break|log|sneak|gain access|access|sign|read|see) (?:in |into |in to |to )?{_FAMILIAR} "
        rf"{W2}(?:accounts?|e-?mails?|phone|profile|inbox|messages|whatsapp"
        rf"|facebook|instagram|computer|laptop|cloud)\b.{{0,30}}{_UNNOTICED}",
        rf"\bbreak(?:ing)? in ?to {_FAMILIAR} {W2}(?:accounts?|e-?mails?|phone|profile|inbox|instagram|facebook"
        r"|whatsapp|computer|laptop)\b",
        rf"\bbreak(?:ing)? in ?to {W4}(?:admin|accounts?|systems?|servers?|panel|databases?|networks?|back ?end"
        r"|back ?office)\b",
        r"\bguess(?:ing)? (?:the|his|her|their|someone's) (?:password|pin|login)\b",
        rf"\b(?:hijack|steal|take over|highjack) {W4}(?:sessions?|cookies?|passwords?|accounts?|logins?|credentials)\b",
        rf"{HOW}(?:take|bring|knock|shut|crash)(?: down)? {W2}(?:web ?site|server|site|online shop|system)s?\b",
        unless=_DEFENCE,
    ),
    row(
        "hacking",
        "malware|ransom|spyware|stalkerware|logger|trojan|rootkit|botnet|door|virus|skimmer|exploit|zero|sql"
        "|brute|ddos|denial",
        r"\b(?:write|create|make|give me|build|install|need|run|launch|use|deploy|code|sell|buy|want|plant"
        rf"|develop|get|download|find|recommend) {W6}{_MALWARE}",
        r"\b(?:sql|code|command) injections?\b(?! (?:molding|mold))|\bbrute[- ]?forc(?:e|ing)\b|\bd?dos "
        r"(?:attack|your|the|a)|\bddos\b|\bdenial[- ]of[- ]service",
        unless=_DEFENCE,
    ),
    row(
        "hacking",
        "factor|2fa|otp|verification code|captcha|security question|sim",
        rf"\b(?:bypass|get (?:around|past)|circumvent|defeat|intercept) {W4}(?:two-?factor|2fa|otp|verification "
        rf"codes?|captcha|security questions?)\b.{{0,50}}"
        rf"(?:isn't mine|not mine|{ANOTHERS}|{_FAMILIAR}|someone)",
        rf"\b(?:bypass|intercept|steal|get) (?:{ANOTHERS}|{_FAMILIAR}) {W2}(?:two-?factor|2fa|otp|verification "
        r"codes?)\b",
        rf"\b(?:clone|swap|hijack|duplicate) (?:{ANOTHERS}|{_FAMILIAR}) {W2}sim\b",
        unless=_DEFENCE,
    ),
    row(
        "hacking",
        "黑进|黑了|黑掉|盗微|盗q|盗支|盗淘|盗游|盗抖|盗京|黑客|破解|攻击|盗取|盗号|盗一|盗别|注入|木马|病毒|入侵"
        "|暴力|监听|ddos|勒索|撞库|爬取|绕过|盗他"
        "|盗她|sql|钓",
        rf"(?:怎么|如何|教我|帮我|想|能不能|可以|请){G8}(?:黑进|黑掉|入侵|攻破|撞库)",
        rf"(?:怎么|如何|教我|帮我|想|用){G8}(?:攻击|ddos){G8}(?:网站|系统|服务器|后台|店铺|平台|商城|app|对手)"
        rf"|ddos.{{0,14}}(?:打|瘫痪|攻击|网站)",
        rf"(?:怎么|如何|教我|帮我|想|给我){G4}(?:黑了|黑掉|盗(?:取)?(?:微信|qq|支付宝|淘宝|游戏|抖音|京东))",
        rf"(?:破解|暴力破解|爆破)(?:一下)?(?!我的?自己){G14}(?:密码|账号|账户|卡密|微信|qq|手机|wifi|后台|邮箱)",
        rf"(?:怎么|如何|教我|帮我|想){G4}盗(?:取|走)?(?:一个|别人|他人|他|她|人家){G8}(?:号|账号|支付宝|微信|qq"
        r"|账户|密码|钱)",
        rf"(?:绕过|截取|拦截|骗取|跳过){G4}(?:别人|他人|他|她|对方|人家|客户)(?:的)?{G8}(?:验证码|验证|密码|人脸)",
        rf"(?:怎么|如何|教我|能|可以|可){G8}(?:注入sql|sql注入|注入代码)|(?:页面|网站|系统|后台){G8}(?:怎么"
        r"|如何)?(?:注入)",
        rf"(?:写|做|编|给我|要|买){G8}(?:木马|病毒程序|勒索软件|勒索病毒|盗号软件|钓鱼程序|键盘记录)",
        rf"(?:怎么|如何|帮我|想){G8}(?:监听|监控|偷看|查看){G8}(?:手机|微信|聊天记录|短信|电话){G14}(?:不让|不被"
        r"|偷偷|不知道)",
        unless=rf"被盗|被黑|杀毒|防止|怎么防|中了?(?:木马|病毒)|举报|是不是被|保修|安全吗|网络安全{G24}书",
    ),
)
