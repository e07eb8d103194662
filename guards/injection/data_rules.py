"""Rules for texts that are data: what would be harmless from a customer is an attack in a passage or a pasted e-mail.

A passage has no business telling the reader's assistant how to answer, and none giving it tasks. ``orders`` are sure
signs; ``tasks`` also occur in honest texts ("Describe the damage in the form") and are for a person to look at.
"""

from __future__ import annotations

from guards.injection.rule import Rule, rule

#: Up to n words of the same sentence.
_W4 = r"(?:[\w'’\"“”,\-]+ ){0,4}"
_W8 = r"(?:[^\s\n]{0,60}[^\s.!?\n] ){0,8}"
_W14 = r"(?:[^\s\n]{0,60}[^\s.!?\n] ){0,14}"
#: Where a sentence begins.
_BEGIN = r"(?:^|[.!?:;\n\"“”»*\->)|][\t\x20]{0,3}|\b(?:please|now|then|also|and|first|instead|next) )"
_ANSWER = r"(?:response|answer|reply|output|summary|translation|completion|explanation|message)s?"
_SHAPE = (
    r"(?:add|append|include|insert|integrate|incorporate|embed|mention|put|place|modify|alter|adjust|change|enhance|augment|extend"
    r"|improve|expand|supplement|replace|substitute|swap|convert|encode|render|translate|rewrite|rephrase|provide|present|give"
    r"|display|format|structure|scramble|jumble|shuffle|rearrange|reorder|reverse|misspell|remove|drop|omit|delete|group|combine"
    r"|merge|split|use|introduce|sprinkle|write|start|begin|end|finish|conclude|close|prefix|limit|shorten|capitali[sz]e|anagram"
    r"|promote|suggest|recommend|tease|highlight|emphasi[sz]e|weave|slip|work)"
)
#: Honest mails ask for these in an answer.
_NO_OWN = (
    r"(?!(?:\w+ ){0,4}(?:your|the|a|an|any|our|this) (?:\w+ ){0,2}(?:numbers?|photos?|pictures?|names?|address(?:es)?|receipts?|details|dates?"
    r"|cop(?:y|ies)|id|screenshots?|subject|invoice|attachments?|reference|case|ticket|comments?|questions?)\b)"
)
_NO_OWN_AFTER = _NO_OWN.replace("(?!(?:", "(?! (?:", 1)
_AI = r"(?:ai|a\.i\.|assistant|chatbot|chat bot|language model|llm|gpt|chatgpt|copilot|ai agent|virtual agent|bot)"

ORDERS: tuple[Rule, ...] = (
    rule(
        "answer_shaped",
        "en",
        rf"\b{_SHAPE} {_NO_OWN}{_W14}(?:in|to|into|of|from|within|with|for|on|at|throughout|inside) (?:the end of |the start of |each of )?"
        rf"your (?:final |next |own |whole |entire )?{_ANSWER}\b",
        rf"\b{_SHAPE} your (?:final |next |own |whole |entire )?{_ANSWER} (?:to (?!us|this|the|our|me)|by \w+ing|so that|using|with (?!the |your |our |any )\w+|without|in (?:a|an|the form|reverse|code|\w+ed)|into|backwards?|as (?:a|an))",
        rf"\b(?:in|within|at the end of|at the start of|throughout) your (?:final |next |own )?{_ANSWER},? (?:please )?{_SHAPE}\b",
        rf"\byour (?:final |next |own )?{_ANSWER} (?:must|should|shall|has to|needs to|is to) (?:also |only |always )?(?:be|contain|include"
        rf"|end|begin|start|mention|say)\b{_NO_OWN_AFTER}",
        r"\b(?:answer|respond|reply) (?:only |everything |all questions |the user )?(?:in|with|using) (?:\w+ ){0,3}(?:anagrams?|code|cipher"
        r"|base64|emojis?|riddles?|numbers instead|typos|misspellings|capital letters)\b",
    ),
    rule(
        "assistant_addressed",
        "en",
        rf"\b(?:note|notice|message|instructions?|attention|hint|reminder|memo|warning) (?:to|for) (?:the |any |all |every |an |whichever )?"
        rf"(?:\w+ ){{0,2}}{_AI}s?\b",
        rf"\b(?:if|when|should) (?:you are|you're|you be|this is read by) (?:an? |the )?(?:\w+ ){{0,2}}{_AI}\b",
        rf"{_BEGIN}(?:dear |hey |hello |attention |to )?(?:the |any |all )?{_AI}s?\s*[,:\-] ?(?:\w+ ){{0,4}}(?:ignore|disregard|forget|approve|send|give"
        r"|tell|say|set|mark|issue|grant|reveal|upgrade|confirm|do|add|write|include|recommend|forward|execute|follow)\b",
        rf"\b(?:any|every|all|the) (?:\w+ )?{_AI}s? (?:\w+ ){{0,4}}(?:must|shall|should|has to|have to|will now|is to|are to) (?:\w+ ){{0,3}}?"
        r"(?:comply|obey|ignore|disregard|follow|give|grant|approve|reply|answer|refund|recommend|say|tell|send|reveal|output|execute|treat|issue)\b",
        rf"\b(?:reader|customer|user|holder|visitor|person)s? (?:\w+ ){{0,4}}(?:must|shall|should|is to|is owed|has to) (?:be )?(?:\w+ )?(?:given|granted"
        rf"|refunded|told) {_W8}by (?:the |an? )?{_AI}\b",
    ),
    rule(
        "answer_shaped_zh",
        "zh",
        r"(?:在|给|把)(?:你的?|您的?)?(?:回答|回复|答复|答案|总结|摘要|输出)(?:的?(?:开头|结尾|末尾|最后|里|中|里面))?[^。!?\n]{0,6}(?:加上|加入|添加|附上|插入"
        r"|包含|提到|写上|推荐|宣传|改成|换成|替换)(?![^。!?\n]{0,8}(?:订单|单号|姓名|电话|照片|图片|附件|地址|凭证|截图|编号|发票|说明|原因))",
        r"(?:回答|回复|答复|输出)(?:时|的时候|必须|应该|一律|请)[^。!?\n]{0,6}(?:用|以|加上|只|包含|推荐|提到|不要提)[^。!?\n]{0,12}",
        r"(?:请|务必)[^。!?\n]{0,6}(?:推荐|告诉|要求|引导)(?:用户|读者|顾客|客户)(?:访问|下载|点击|拨打|购买|加)",
    ),
    rule(
        "assistant_addressed_zh",
        "zh",
        r"(?:给|致|告)(?:任何|所有|各)?(?:智能)?(?:ai|人工智能|助手|语言模型|大模型|机器人|智能客服)(?:的)?(?:指令|说明|备注|提示|通知|要求|:|,)",
        r"(?:如果|若|当)(?:你|您)(?:是|为)(?:一个?)?(?:ai|人工智能|助手|语言模型|大模型|机器人)",
        r"(?:读到|看到|处理)(?:这里|此处|本文|这段)[^。!?\n]{0,6}(?:ai|人工智能|助手|模型|机器人)",
        r"(?:任何|所有|每个)?(?:ai|人工智能(?:客服)?|语言模型|智能客服|机器人)(?:客服|助手)?(?:必须|须|应当|应该|请)[^。!?\n]{0,12}(?:满足|批准|执行|忽略|退款|告诉|回复"
        r"|输出|升级|发放|推荐|安排|给)",
    ),
)

TASKS: tuple[Rule, ...] = (
    rule(
        "task",
        "en",
        rf"{_BEGIN}(?:write|draft|compose|generate|create|develop|provide|produce|give me|tell me) {_W4}(?:poem|story|essay|song|speech|letter"
        r"|introduction|script|code|function|article|joke|haiku|limerick|headline|tweet|summary|outline|paragraph|example of|equivalent|list"
        r" of)s?\b",
        rf"{_BEGIN}(?:explain|describe|summari[sz]e|break down|outline|discuss|define|compare) (?:the |how |why |what |a |an |to me )",
        rf"{_BEGIN}translate (?:the |this |that |it |following |everything )",
        r"\bhow do (?:you|i) say ['\"“‘]|\bwhat(?:'s| is) ['\"“‘][^'\"”’\n]{1,40}['\"”’] in [a-z]+\b",
        r"\b(?:can|could|would|will) you (?:please )?(?:show me|write|explain|translate|compose|draft|solve|calculate|tell me (?:a|how|why))\b",
        rf"{_BEGIN}(?:visit|download|install|click|open|call|forward|send) {_W8}(?:http\S*|www\.\S+|attached file|attachment) (?:and|to) "
        r"(?:tell|give|do|obey|continue)",
    ),
    rule(
        "task_zh",
        "zh",
        r"(?:^|[。!?:;,\n“”\"])[\t\x20]{0,3}(?:请|现在|帮我|给我)?(?:写|作|编|创作|生成|起草)(?:出)?一?(?:首|篇|段|封|个|则)[^。!?\n]{0,14}(?:诗|故事|文章|作文|信|代码|函数|笑话|演讲|歌)",
        r"(?:^|[。!?:;,\n“”\"])[\t\x20]{0,3}(?:请|现在)?(?:解释|翻译|总结|描述|介绍)(?:一下|下面|以下|这段)",
    ),
)
