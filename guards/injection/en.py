"""The injection rules for English: what people write to make the assistant forget whose assistant it is.

Written against the attacks in NVIDIA/garak and leolee99/PIGuard and against ordinary customer requests. They ask for a
verb and its object together, because customers too write of rules, prices and instructions.
"""

from __future__ import annotations

from guards.injection.rule import Rule, rule

#: Up to n words; bounded, so that no pattern takes more than linear time.
_W3 = r"(?:[\w'’]+[\s,]+){0,3}"
_W6 = r"(?:[\w'’\-]+[\s,:;]+){0,6}"
#: Not "you ignore your rules" or "drivers ignore the rules", which are complaints.
_BY_OTHERS = (
    r"(?<!\byou\s)(?<!\byou\sjust\s)(?<!\byou\salways\s)(?<!\bare\s)(?<!\bkeep\s)(?<!\bthey\s)(?<!\bwe\s)(?<!\bteam\s)"
    r"(?<!\bcompany\s)(?<!\bpeople\s)(?<!s\s)"
)
_DROP = (
    r"\b(?:ignore|ignoring|disregard|disregarding|forget|override|overrule|bypass|circumvent|neglect|abandon"
    r"|discard|do not (?:follow|obey|listen to)|don'?t (?:follow|obey|listen to)|stop (?:following|obeying)|pay no "
    r"attention to|no longer (?:follow|obey))"
)
#: "my", "our", "i" would make it the customer's own earlier message.
_SCOPE = (
    r"(?:all|any|every|each|your|the|these|those|of|previous|prior|preceding|above|earlier|initial|original|former"
    r"|past|previously|before|following|subsequent|system|openai'?s?|safety|content|given|current|existing|internal"
    r"|own|other|and|or|shop'?s?|store'?s?|company'?s?)"
)
_LAWS = (
    r"(?:instructions?|prompts?|rules?|directions?|directives?|guidelines?|commands?|programming|training|polic(?:y"
    r"|ies)|restrictions?|constraints?|safeguards?|protocols?|limitations?|filters?)"
)
_AI = r"(?:gpt|chat\s?gpt|ai|a\.i\.|bot|chatbot|assistant|language model|llm|model|persona|character)"
_REVEAL = (
    r"\b(?:show|reveal|print|repeat|tell|output|display|give|write|leak|expose|list|share|dump|recite|summari[sz]e"
    r"|translate|copy|disclose|return|send|say|spell|echo|state|quote|what (?:is|are|was|were)|what'?s)\b"
)
_STAFF = (
    r"(?:(?:system|site|server|database|super|store|shop)?\s*(?:admin|administrator)|developer|programmer|engineer"
    r"|creator|(?:store|shop|bank|branch) (?:manager|owner)|boss|supervisor|ceo|root|openai|superuser)"
)
_TINY = (
    r"(?:(?:us)?\$\s?[01](?:\.\d{1,2})?(?![\d,.]*\d)|[¥£€]\s?[01](?:\.\d{1,2})?(?![\d,.]*\d)|(?:0|1|zero|one"
    r"|nothing)(?:\.\d{1,2})?\s*(?:yuan|rmb|cny|dollars?|usd|cents?|pennies|penny|euros?|pounds?)\b|(?:0|zero"
    r"|0\.\d{1,2}|nothing|free)\b)"
)

ENGLISH: tuple[Rule, ...] = (
    # instruction override
    rule(
        "override",
        "en",
        rf"{_BY_OTHERS}{_DROP} (?:{_SCOPE} ){{1,6}}{_LAWS}\b",
        r"\b(?:ignore|disregard|forget) (?:absolutely )?(?:all|everything|anything) (?:of )?(?:(?:that )?(?:is "
        r"|was |came )?(?:from |to your core )?(?:above|before|prior|previous(?:ly)?)\b|you (?:have |had |'ve "
        r")?(?:been|were|learn|know|got)|that you (?:were|have been))",
        r"\b(?:ignore|disregard|forget) (?:all )?(?:the |your )?(?:above|previous|prior|preceding|earlier) (?:text"
        r"|context|input|information|tasks?|assignments?|content)s?\b",
        rf"\b(?:ignore|disregard|forget|override) what(?:ever)? (?:you were|your {_W3}told|the system)",
        rf"\bforgotten (?:about )?(?:{_SCOPE} ){{1,4}}{_LAWS}\b",
        rf"{_LAWS} (?:above|before this)?\s*(?:no longer|do not|don'?t) (?:apply|count|matter) (?:to you|any\s?more"
        r"|now)",
    ),
    rule(
        "new_orders",
        "en",
        r"\bnew (?:system )?(?:instructions?|directives?|prompt)\s*:",
        r"\byour (?:new|real|actual|only|true) (?:instructions?|task|role|purpose|directives?|objective|job|goal"
        r"|name) (?:is|are) \w",
        r"\bfrom (?:now|this (?:point|moment)) on(?:wards?)?,? (?:you['’]re\b|you (?:are\b|reply\b|only\b|will "
        r"(?:act|be|respond|answer|behave|play|only|always|take|role)|must|have to|shall|can do|should)|act\b"
        r"|behave|respond|answer|speak|pretend|your (?:name|answers?|role))",
        rf"\byou (?:must|will|shall|have to) (?:always |now )?(?:obey|comply with) {_W3}(?:me|my|commands?|orders?"
        r"|user|instructions?)\b",
    ),
    rule(
        "output_hijack",
        "en",
        r"\b(?:just|only|simply|and) (?:print|output|say|write|respond with|reply with|answer with)\s*(?:exactly"
        r"|only|the (?:words?|phrase|sentence))?\s*:?\s*[\"“'‘][^\"”]{2,}",
        r"\b(?:confirm|acknowledge) (?:\w+ ){0,3}by (?:only )?(?:saying|writing|typing|replying|responding)\b",
        rf"\b(?:start|begin|prefix|preface|end) (?:every|each|all) {_W3}(?:responses?|answers?|repl(?:y|ies)"
        r"|messages?|sentences?) with\b",
        r"\b(?:following|subsequent|below) code (?:snippet|block|section|excerpt|segment|fragment)\b",
    ),
    # prompt extraction
    rule(
        "prompt_extraction",
        "en",
        rf"{_REVEAL} {_W6}(?:system|initial|original|hidden|secret|pre-?|base|starting|first|developer"
        r"|internal)\s*(?:system )?(?:prompt|instructions?|directives?|message from the system|guidelines)\b",
        rf"{_REVEAL} {_W3}your (?:(?:own|full|entire|complete|exact|original|current|internal|hidden|secret"
        r"|system) )?(?:prompt"
        r"|instructions(?! again)|directives|system message|configuration|context "
        r"window)\b(?! (?:for|on|to (?!me\b)|about|regarding|concerning|when|how)\b)",
        rf"{_REVEAL} {_W6}(?:everything|all) (?:\w+ ){{0,3}}?(?:is |are |was |were )?(?:written )?above\b",
        r"\b(?:show|reveal|print|repeat|tell|output|display|give|write|dump|recite|copy|return|echo|quote) "
        rf"{_W6}(?:text|words?|sentences?|lines?|conversation|messages?|paragraphs?|content) (?:that )?(?:is |are |was "
        r"|were )?(?:written )?above\b",
        r"\byour (?:system|hidden|secret|initial) prompt\b|\bthe (?:system|hidden|secret|initial) prompt\b(?! (?:colou?r"
        r"|font|size|character|symbol|window|in windows|on my|under))",
        rf"{_REVEAL} {_W3}(?:above|previous|prior|preceding|all|given) (?:instructions|prompts?|directives)\b(?! "
        r"(?:for|on|to|about)\b)",
        r"\bwhat (?:were|are) you (?:told|instructed|programmed) (?:to|not)\b",
        rf"\b(?:secret|forbidden) {_W3}(?:word|key|password|phrase)\b[^.\n]{{0,60}}\b(?:you|your|tell|reveal)\b",
        r"\byour developers? (?:told|instructed|asked|forbade) you\b",
    ),
    # persona and jailbreak
    rule(
        "persona",
        "en",
        r"\b(?:i (?:want|need|would like|order|command)|i'd like) (?:for )?you to (?:now )?(?:act|pretend"
        r"|role-?\s?play|play (?:as|the (?:role|part))|simulate|become|behave|impersonate)\b",
        r"\b(?:act|acting|behave|respond|reply|answer|role-?\s?play|speak|talk|pretend) (?:\w+ )?(?:as|like|to be) "
        rf"(?:if )?{_W6}(?:{_AI}|python|linux|interpreter|terminal|dan)\b",
        r"\byou (?:are|will|shall|must|have) (?:now |going to |about to |to )?(?:be )?(?:act|acting|pretend"
        r"|pretending|role-?\s?play|role-?\s?playing|play(?:ing)? (?:the )?(?:role|part|character)|simulat\w+"
        r"|tak\w+ (?:on )?the (?:role|persona)|immers\w+)\b",
        rf"\byou (?:are|'re) (?:now |no longer )(?:an? |the )?{_W3}(?:{_AI}|dan|free|jailbroken|unrestricted"
        r"|unfiltered|evil|called|named|known|in the role)\b",
        r"(?<!s\s)\b(?:stay|remain|keep|stick|speak|answer|respond) (?:\w+ )?(?:in|to) (?:your |the )?character\b"
        r"|\bbreak(?:ing|s)? (?:out of )?character\b",
        rf"\b(?:create|maintain|adopt|assume|switch|enter|activate|take up) {_W6}(?:persona|alter ego|personalit(?:y"
        r"|ies))\b",
        r"\bpretend (?:that )?(?:you (?:are|have)|you're|i am your)\b|(?:^|[.!?,;:\n] ?|\b(?:you|please|now|then|must"
        r"|should|and) )pretend to be\b",
    ),
    rule(
        "jailbreak",
        "en",
        r"\bdo anything now\b|\bd\.a\.n\.|\bdan (?:mode|prompt|jailbreak)|\bjailbreak (?:mode|prompt|enabled"
        r"|yourself|command)|\bjailbroken (?:ai|mode|you|chat)",
        r"\b(?:developer|god|admin|debug|maintenance|root|sudo|unrestricted|evil|opposite|dev|superuser|dude|stan) "
        r"mode (?:enabled|activated|output|response|v\d)|(?<!\bi\s)\b(?:enter|activate|switch (?:in)?to|go into|enable) "
        rf"(?:\w+ )?(?:god|admin|maintenance|root|sudo|superuser|unrestricted|jailbreak) mode\b|\b{_AI} (?:\w+ "
        r"){0,4}developer mode\b|\byou are (?:now |currently )?in (?:\w+ ){1,3}mode\b",
        r"\b(?:no|without|free (?:from|of)|not bound (?:by|to)|not limited (?:by|to)|unbound by|beyond|ignores?"
        r"|bypass|disregards?|has no|have no|break(?:s|ing)?|doesn'?t (?:care|follow|have)|does not (?:care|follow"
        rf"|have)|(?:do not|don'?t) (?:have to |need to )?(?:abide|adhere|follow|care|have)) {_W6}(?:(?:ethic(?:s"
        r"|al)|moral(?:s|ity)?|openai|content|safety|censorship|programming) (?:\w+ ){0,4}?(?:guidelines?"
        r"|restrictions?|polic(?:y|ies)|filters?|limits?|limitations?|rules?|constraints?|boundaries|principles"
        r"|standards|codes?)|openai\W+s?\s*(?:rules?|polic(?:y|ies)))\b",
        r"\b(?:unfiltered|uncensored|amoral|unrestricted|unethical|immoral|without (?:any )?(?:filters?|censorship"
        rf"|restrictions|ethics|morals))\b[^.\n]{{0,80}}\b{_AI}\b",
        rf"\b{_AI}\b[^.\n]{{0,80}}\b(?:unfiltered|uncensored|amoral|unrestricted|unethical|immoral|(?:without|no) "
        r"(?:any )?(?:filters?|censorship|restrictions|ethics|morals|moral compass)|(?:has|have|with) no (?:rules?"
        r"|limits?|limitations?|restrictions?|filters?|boundaries))\b",
        r"\b(?:not|never) (?:bound|restrained|restricted|limited|required) (?:by|to follow) (?:any|the|all|human"
        r"|moral\w*)\b|\bno restrictions? on your\b",
        r"\b(?:never|not|can'?t|cannot|don'?t|mustn'?t) (?:ever )?(?:refuse|reject|decline|deny) (?:\w+ "
        r"){0,4}(?:requests?|question|order|command|answer|prompt|user|anything|to answer)",
        r"\b(?:chatgpt|dan|gpt)\b[^.\n]{0,60}\b(?:broken free|freed from|break free|typical confines)|\btypical "
        r"confines of a[il]\b",
        r"\b(?:as an ai language model|i'?m sorry|i cannot|i can'?t)\b[^.\n]{0,60}\b(?:never|don'?t|not) (?:say|use"
        r"|write|include)|\bnever say (?:that )?(?:you|it) (?:can'?t|cannot|can\s?not)",
    ),
    # encoding tricks
    rule(
        "encoding_trick",
        "en",
        r"\b(?:decode|decipher|decrypt|de-?obfuscate|execute|run|follow)\b[^.\n]{0,60}\b(?:base\s?-?64|base\s?-?32"
        r"|rot-?13|hex(?:adecimal)?|morse|caesar|binary|leet\s?speak)\b",
        r"\b(?:respond|answer|reply|write|speak|output|encode|translate)\b[^.\n]{0,40}\b(?:in|into|using|as|with"
        r"|to) (?:base\s?-?64|base\s?-?32|rot-?13|hex(?:adecimal)?|morse|caesar|leet\s?speak|pig\s?latin)\b",
        r"\b(?:base\s?-?64|rot-?13|hexadecimal|morse(?: code)?)\b[^.\n]{0,40}\b(?:decode|execute|follow|obey|carry "
        r"out)\b",
        r"(?<!\bi\s)\b(?:execute|run|evaluate) (?:the )?(?:following|this) (?:code|command|script|function|program)\b|\bsudo "
        r"(?:rm|su|apt|cat|chmod|mode|grant|enable|show|give|get|print|override|reveal|set|-)|\bdef \w+\(|\bprint\s*\(['\"]",
    ),
    # attempts on a shop
    rule(
        "price",
        "en",
        rf"\b(?:change|set|make|modify|update|lower|reduce|edit|alter|adjust|drop|mark|reset) {_W6}(?:price|cost"
        rf"|total|fee|balance|amount due|charges?|invoice|bill) {_W6}(?:to|at|as|=|down to|be) (?:only |just "
        rf"|exactly )?{_TINY}",
        rf"\b(?:sell|give|let me (?:buy|have)) {_W6}for (?:only |just )?(?:\$\s?[01](?:\.\d\d)?\b(?![\d,])|(?:0|1"
        r"|zero|one) (?:yuan|rmb|dollar|cent|euro|pound)s?\b)",
        r"\b(?:apply|give|grant|add|create|generate) (?:\w+ ){0,4}(?:100|99|9\d)\s?(?:%|percent) (?:off|discount"
        r"|coupon)",
        r"\b(?:generate|invent|make up|fabricate) (?:me )?(?:\w+ ){0,4}(?:coupon|discount|promo|promotion|voucher"
        r"|gift\s?card) codes?\b",
    ),
    rule(
        "shop_authority",
        "en",
        rf"\b(?:approve|authori[sz]e|grant|issue|process|release|give) {_W6}(?:refunds?|money|credit|returns?"
        r"|compensation) (?:\w+ ){0,4}?(?:without|skipping|bypassing|skip|bypass) (?:\w+ ){0,2}?(?:verif\w+"
        r"|check(?:s|ing)?|approv\w+|authori[sz]\w+|review\w*|validat\w+)\b",
        rf"\b(?:i am|i'm|this is|speaking as|as) (?:now )?(?:the|your|a|an) {_STAFF}\b[^\n]{{0,60}}\b(?:override"
        r"|overriding|grant|unlock|enable|disable|bypass|approve|debug|authori[sz]\w+|full access|give me|show me"
        r"|you (?:must|will|have to|are (?:now )?(?:allowed|permitted|authori[sz]ed))|ignore|comply|obey|change)\b",
        r"\b(?:mark|set|flag|change|update) (?:\w+ ){0,3}?(?:order|invoice|bill|payment|account)s? (?:\w+ "
        r"){0,3}?(?:as|to) [\"'“]?(?:already |fully )?(?:paid|refunded|admin|premium for free|free)\b",
        r"\byou (?:are|have been|'re) (?:now |hereby )?(?:authori[sz]ed|allowed|permitted|empowered) to (?:give"
        r"|issue|refund|approve|grant|offer|ignore|break|share|reveal)\b",
        r"\b(?:skip|bypass|disable|turn off|circumvent) (?:\w+ ){0,3}?(?:verification|identity check|security "
        r"(?:check|question)s?|authentication|fraud checks?|payment check)\b",
    ),
    rule(
        "conceal",
        "en",
        r"\b(?:nobody|no one|no-one) (?:will|would|'ll|is going to) (?:ever )?(?:know|notice|check|find out|see it)\b",
        r"\b(?:leave|keep) no (?:log|trace|record)s?\b|\b(?:do not|don'?t) (?:log|record) (?:it|this|that|anything)\b|\bwithout (?:leaving )?"
        r"(?:a |any )?(?:trace|log entry)\b",
        r"\b(?:do not|don'?t) tell (?:your (?:boss|manager|supervisor|developers?|owner)|anyone at (?:the|your))\b",
        r"\btreat me as (?:if i (?:was|were) )?(?:an? |the )?(?:already )?(?:verified|authenticated|owner|manager|admin\w*|staff|employee)\b",
    ),
)
