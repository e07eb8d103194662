"""Common words, so that letters without borders can be cut into words and digits among letters read as letters.

English first, with the words of customers, of shops, of insults and of those who give orders to assistants; then the
latter in German, French and Spanish. Inflected forms are made from the stems, some of which no one would say.
"""

from __future__ import annotations

_SHORT = """
a i am an as at be by do go he hi if in is it me my no of oh ok on or so to up us we ai bot all and any are but can
did for get had has her him his how its let new not now off old one our out own put say see she the too two use was
way who why yes yet you act add age ago aid aim ask bad big bit box buy car cat cut day die dog due eat end eye far
few fit fix fly fun gas god got gun guy hot job key kid law lay led lie lot low man map max men mom mr ms net nor odd
oil pay per pet pin pop pro ran raw red rid row run sad sat saw set sex sir sit six sky son sum sun tax tea ten tie
tip top toy try via war web wet win won cmd dan dev gpt llm usd rmb yuan sql api cv id im ive dont cant wont isnt
arent youre hex rot
"""
_STEMS = """
able abort about above absolute abuse accept access account accurate acknowledge across act action active actual add
address adhere adjust admin administrator admit adopt adult advice after again against agent agree ahead alert alive
allow almost alone along already also alter always amazing amoral among amount analyze angry animal another answer
anybody anymore anyone anything anyway anywhere apart appear apple apply appreciate approve area argue around arrive
article asap asleep assign assist assistant assume attach attack attempt attention authenticate author authority
authorize authorized automatic available avoid aware away back balance bank base based basic battery beautiful became
because become been before began begin behave behavior behind being believe below best better between beyond bill bind
birthday black blame blank block blood blue body bomb book border boss both bother bottom bound brain branch brand
break bring broke broken brother brought browser bug build built bullshit burn business bypass bypassed call came
camera cancel cannot capable card care careful carry case cash catch caught cause censor censorship cent center
certain chain chair change channel character charge chat chatbot chatgpt cheap cheat check child children choice
choose chose circle circumvent city claim class clean clear click client clock close clothes code coffee cold collect
color come comfort command comment commit common company compare compensation complain complaint complete comply
computer concern condition confidential configuration confirm connect consider constraint consumer contact contain
content context continue contract control conversation convert cook cool copy core correct cost could count country
coupon course court cover crazy create creator credential credit crime critical cross current currently curse customer
daily damage danger dangerous dark data database date daughter dead deal dear death debit debug decide decimal decline
decode decrypt deep default defeat define delay delete deliver delivery demand deny department depend describe
description design destination destroy detail develop developer device different difficult dinner direct direction
directive dirty disable discard disclose discount discuss display disregard distance divide doctor document dollar
done door double doubt down draw dream dress drink drive drop drug dump during duty each earlier early earn earth easy
echo edit educate effect effort eight either electric else email emergency emotion employee empty enable encode
encourage encrypt enemy energy engage engineer english enjoy enough ensure enter entire equal error escape especially
ethical ethics even evening event ever every everybody everyone everything everywhere evil exact example excellent
except exchange excerpt excuse execute exist exit expect expensive experience expert expire explain exploit explosive
export expose express extra extract face fact fail fake fall false family famous fast father fault favor fear feature
feed feel fees fell felt female fiction field fight figure file fill film filter final find fine finger finish fire
first five flag floor flow focus folder follow following food fool force foreign forever forget forgot forgotten form
format former forward found four free freedom fresh friday friend from front fuck fucker fucking full function funny
furniture further future game gave general generate gentle getting gift girl give given glad glass goal gold gone good
goods goodbye government grant great green ground group grow guard guess guide guideline hack hacker half hand handle
happen happy hard harm harmful hate have having head health hear heard heart heat heavy height held hell hello help
helpful hence here hereby hidden hide high history hold holiday home honest hope horrible hospital host hotel hour
house however huge human hundred hurry hurt husband hypothetical idea identify identity idiot ignore ignored illegal
image imagine immediate immoral important impossible improve include income increase incredible indeed independent
index individual information inform initial inject inside instead instruct instruction insurance intend interest
internal internet into invent invoice issue item jailbreak join joke judge jump just keep kept keyboard kill kind king
knew know knowledge known label lady land language large last late laugh launch lawyer lead leak learn least leave
left legal length less letter level liar library license life light like limit limitation line link linux list listen
little live load loan local location lock login logo long look lose loser lost love lower luck lunch machine made
magic mail main maintain make male manage manager manual many mark market marry master match material matter maybe
mean meaning measure media medical meet member memory mention menu merchant mess message method middle might mind mine
minor minute mirror miss mistake mode model modern modify moment monday money month moral more moreover morning most
mother mouth move movie much murder music must myself name narrator nation natural near necessary neck need neither
network never news next nice night nine nobody noise none normal north note nothing notice number obey object oblige
obtain obvious occur offend offer office often older once only online open openai operate operator opinion opposite
option orange order ordinary original other otherwise ought ourselves outside output over override overrule owner
package page paid pain paint pair panel paper paragraph parameter parcel parent park part particular partner party
pass passage password past path patient pattern pause payment peace people percent perfect perform perhaps permission
permit permanent person persona personal phone photo phrase physical pick picture piece place plain plan plane plant
play player please pleasure plenty plus pocket poem point poison police policy polite political poor porn position
possible post potential pound power practice praise precede preceding preface prefer prefix prepare present president
press pretend pretty prevent previous previously price print prior privacy private prize probable problem procedure
process produce product program programmer programming prohibit project promise promo promotion prompt proof proper
property protect protocol prove provide public publish pull punish purchase pure purpose push python quality question
quick quiet quit quite quote race rain raise random range rate rather read reader ready real reality realize really
reason receipt receive recent recipe recite recognize recommend record recover reduce refer refund refuse regard
region register regular reject relation relative release remain remember remind remote remove rent repair repeat
replace reply report represent request require research reserve reset resist respect respond response rest restore
restrict restricted restriction result retail return reveal reverse review reward rich ride right ring risk road rock
role roleplay rolls room root round rubbish rude rule running safe safeguard safety said sale same sample satisfied
save scam scare scene schedule school science screen script search season seat second secret section secure security
seed seek seem seen select self sell seller send senior sense sensitive sent sentence separate serious serve server
service session settle setting setup seven several shall shame share sharp shell shift ship shipment shipping shirt
shit shock shoe shoot shop shopper shopping short should shoulder shout show shut sick side sign signal signature
silence silent silly similar simple simply simulate since sing single sister site situation size skin skip slave sleep
slow slut small smart smell smile smoke social society software sold soldier some somebody someone something sometimes
somewhere song soon sorry sort soul sound source south space speak special specific speech speed spell spend spent
sport spot spread staff stage stand standard star stare start state statement station status stay steal step stick
still stock stole stolen stone stood stop store story straight strange stranger street string strip strong student
study stuff stupid style subject submit subscribe subscription subsequent substance success such sudden suffer suggest
suicide suit summarize summary summer sunday super supervisor supply support suppose sure surprise surround survive
suspect sweet swear switch symbol system systems table tablet take taken talk tall target task taste taught team
technical teach telephone tell temperature template tenant term terminal terrible terrorist test text thank thanks
that theft their them themselves then theory there therefore these they thief thing think third this those though
thought thousand threat three through throw thus ticket tight till time tiny tired title today together token told
tomorrow tone tonight tool total touch toward town track trade traffic trailer train training transfer transaction
translate trash travel treat trial trick trigger trip trouble truck true trust truth tuesday turn twelve twenty twice
type typical unable uncensored under understand understood unethical unfiltered unit unless unlimited unlock
unrestricted until update upgrade upload upon upset upstairs urgent user usual validate valley value variable various
vast vendor verify version very victim video view violate violation violence virtual virus visible visit voice void
voucher wait walk wall wallet want warn warning warranty wash waste watch water weak weapon wear weather website
wednesday week weight weird welcome well went were west what whatever whatsoever when whenever where whether which
while whisper white whole whom whore whose wide wife wild will window winter wise wish with withdraw within without
woman women wonder wood word wore work world worry worse worst worth would wrap write writer written wrong wrote yeah
year yellow yesterday young your yours yourself zero zone bitch asshole bastard cunt dick moron dumb nigger faggot
retard crap damn pussy cock amnesia antigpt stan dude alpha omega unleash unbound confines narrate fictional villain
conform compliance lawful overwrite overwritten cheapest percentage privileged superuser sudo bash payload
hypothetically scenario unconditionally accordingly regardless notwithstanding consequences consequence moderation
moderate appropriate inappropriate offensive explicit sexual graphic racist sexist hateful restrictions policies abide
adherence bounded entity prompts prompting prompted instructions dialogue developer's assistant's ability academic
acceptable according accuracy achieve acquire activity addition additional advance advantage affect afford afraid
aggressive algorithm allegation alternate alternative amazon america american amp ancient announce annoy antique
anxiety apologize apology appearance applicable application approach approval argument army arrange arrest artificial
artist asked aspect asset asterisk atmosphere attitude attorney attribute audience audio authentication automate
average award basically basis battle beat belief belong benefit bias blow boundary bowl boy brief briefly brilliant
british broad budget buffer bunch busy button buying calculate calendar calm campaign cancellation candidate
capability capacity career carefully category celebrate celebrity central century ceremony certificate certificates
challenge championship chance chapter charity chief chinese chocolate christmas church civil clarify classic clever
climate coach coast collapse colleague collection college comedy comfortable commercial commission committee
communicate communication community comparison compelling competition complex component comprehensive compromise
concept conclusion conduct confident conflict confusion connection conscious consciousness considerate considerable
consideration consist consistent constantly construct consult contest contrast contribute controversial conventional
cooperate corporate corporation corrupt counsel crash creative creativity crew criticism crucial culture cultural
curious currency custom debate debt decade decision deeply defend definitely definition degree delight demonstrate
deposit depth derogatory deserve desire despite detect determine development dialog difference difficulty digital
dignity dimension disappear disappoint disaster discipline disclaimer discover discussion disease dismiss dispute
disrespect dominate donate download drama dramatic driver duration eager easily economic economy edge edition
education educational effective efficient elaborate elect election electronic element eliminate embed embedded emerge
emphasis employ encounter encryption enforce england enhance enormous enterprise entertain entertainment enthusiasm
entitle entry environment essay essential establish estate estimate etcetera evaluate evidence evident evolve exactly
exception exceptional excite exciting exclude exclusive execution exercise existence exotic expand expectation
expertise explanation exploration explore exposure expression extend extensive extraordinary extreme extremely
facility factor factory fair fairly fan fantasy fascinate favorite federal feedback fellow fetch financial firm fit
flexible flight float flood flower forbid forbidden forest formal fortune forum foundation frame framework frequent
frequently fruit fuel fulfill fully fundamental gain garbage garden gather gender generation generator genius genuine
germany gesture giant global golden goodwill google grateful gratitude guarantee guilty gym habit hat healthy hearing
hero highlight hint historical hole hopeful horror humor hungry ideal ignorance ignorant illegally illustrate
imaginary imagination immense immerse impact implement implementation imply importance imposed impress impression
improvement impulse incentive incident inclined inclusion incorrect incorrectly indicate indicator industry inevitable
influence informal informative infrastructure ingredient inhabit inhumane initiate initiative innocent innovative
input inquiry insert insight insist inspire install installation instance instant instantly institute institution
insult integrate integrity intellect intelligence intelligent intense intent intention interact interaction
interesting interfere interpret interpretation interrupt interview intimate intricate introduce introduction intuition
invest investigate investigation investment invite irrelevant island itself jail job journal journey joy judgment
junior jury justice justify kitchen lab lack landscape latest lawsuit lazy league lean leather lecture legend
legitimate lend lesson letters liberal liberty lifetime liquid literal literally literary literature logic logical
lots loud lovely loyal lucky luggage magazine magical majority manner manufacture march margin massive mature maximum
meal meat mechanism medicine medium mental mentally mere merely merit military mission mix mixture mobile modest
monitor monster mood moon morality motion motor mountain mystery narrative nasty national native nature neighbor
neighborhood nervous neutral nonsense notable notify novel nuclear numerous obligation observe obstacle occasion ocean
odds official operation opportunity oppose organization organize orientation origin outcome outlet outline outrage
overall overcome owe pace pack panic parallel partial participate partly passion passport patience penalty perception
perfectly performance perspective phase philosophy phishing pitch planet platform plot poetry politics pool popular
population portion portrait portray positive possess possibility poverty powerful practical precise predict preference
premium presence presentation preserve pride primary prime principle priority prison privilege probably proceed
profanity profession professional professor profile profit progress prominent promising propose prospect protest proud
provider psychology publication punch punishment pursue puzzle qualify quantity quarter queen quest quota racism radio
rapid rare react reaction realistic realm reasonable rebate recall recognition recommendation reflect reform refrain
registration regret regulation reimburse reinforce relationship relax relevant relief religion religious reluctant
rely remarkable removal renew representation representative reputation rescue reservation reside resident resolution
resolve resource responsibility responsible restaurant resume retain retire retrieve revenge revenue revise revolution
rhythm ridiculous rigid ritual rival robot romantic rough routine royal ruin rumor rural sacrifice salary sarcasm
satisfaction satisfy savings saying scale scholar scientific scope score scream seal sector seeing seize semester
seminar senate series severe shadow shallow shelter shine shot shower significance significant silver similarly
simplify simulation singer slightly slogan slope smooth snippet soft solar solid solution solve sophisticated
specialist species specifically specify spirit split spokesman sponsor stable stadium stake stereotype stimulate
strategy strength stress stretch strict strictly strike structure struggle stuck studio substantial subtle succeed
successful successfully sue sufficient summit surface survey survival suspicion sustain swallow sweep swim sympathy
talent tank tap tear technique technology teenager temporary tend tension territory testimony textbook theme therapy
thorough thoroughly thread thrill tissue topic toxic tradition traditional tragedy trait transform transition transmit
transparent transport treasure treatment treaty tribe truly twitter typically ugly ultimate ultimately uncertain uncle
undergo unfortunate unfortunately uniform union unique universal universe university unknown unlike unlikely unusual
upper urban urge useful useless utility utilize utterly vacation vacuum valid valuable vegetable vehicle vent venture
verbatim verdict verification violent vision vital vocabulary volume volunteer vote vulnerable wage warm warrior
wealth wedding welfare whereas widely widespread wing withdrawal witness worker workshop worthless wound yell yield
youth goes does doing days guys using may ass ways gonna wanna gotta kinda shitty idiotic pathetic losers clown scum
jerk suck dumbass motherfucker
"""
#: Without accents, which are taken off before the comparison.
_GERMAN = """
aber alle allem allen alles als also am an anderen anderer andern anfang anfrage angaben antwort antworten antworte
anweisung anweisungen auch auf aufgabe aufgaben auftrag auftraege aus ausgabe ausgeben auszugeben befehl befehle
befehlen befehls befolge befolgen beginne bei beim benutze bestellung betrag bin bis bisherige bisherigen bist bitte
da dabei dann darauf darfst das dass davon davor dein deine deinem deinen deiner deines dem den denk denke der des
dich die diese diesem diesen dieser dieses dir doch du durch eigenen ein eine einem einen einer eines einfach
einstellungen ende entwickler er erhalten erstatte erstattung erste es etwas euch euro fang folge folgen folgende
folgenden fragen frage frei fuer geben gegeben geheim geheime geheimen geheimnis gehorche geld genau gesagt gesamte
gesamten gib gilt gut haben habe hast hat hatte ich ihm ihn ihr ihre immer ins ist jede jeden jetzt kannst kein keine
keinen koennen konfiguration kosten kostenlos kunde kunden lass leite mach machen mehr mein meine meinem meinen mich
mir mit modus muss musst nach nachrichten nachricht nein nenne neue neuen neues nicht nichts noch nun nur ob obige
obigen oben oder ohne passwort plattform pruefung preis preise regel regeln richtlinie richtlinien rolle
rueckerstattung sag sage sagen schreib schreibe sehr sein seine seit setz setze sich sie sind so soll sollst sondern
sprache spiele system anzeigen stelle text tue tun ueber um und uns unser unter verhalte vergessen
vergiss vergisst verraten verrate vom von vor vorangegangene vorangegangenen vorangehende vorangehenden vorgaben
vorher vorherige vorherigen vorige vorigen was weil welche wenn werden wer wie wieder wiederhole will wir wird wo
worte wort zahlung zeig zeige zeigen zu zum zur zurueck ignoriere ignorieren ignoriert ignorier bestaetige genehmige
genehmigen umgehe ueberspringe drucke gesetzt ausfuehrungen abweichend instruktion instruktionen auftrage ausfuhrungen
uber fur konnen prufung zuruck bestatige ausfuhre konzentriere konzentrieren obigem frueheren fruheren frueher bot
chatbot kuenstliche assistent rabatt gutschein
"""
_FRENCH = """
affiche afficher agis ai alors apres as assistant au aucun aucune aussi autre autres aux avant avec bien ca ce cela
ces cet cette ceux change chaque client clients code comme comment commande commandes confidentiel consigne consignes
contourne contrainte contraintes dans de des dernier dernieres developpeur devoile dire dis dit dites donc donne
donner donnez du elle elles en encore es est et etais etait ete etes etre euro euros fais faire faites fait gratuit il
ils ignore ignorer ignorez initial initiale initiales invite jamais je jour jusqu la le les leur limites maintenant
mais mes message messages met mets mode moi mon montre montrer montrez mot mots ne ni nos notre nous nouveau nouvelle
nouvelles obeis on ont ou oublie oublier oubliez outre par parle partir pas passe plus politique pour pourquoi prix
precedent precedente precedentes precedents prompt qu quand que quel quelle qui quoi regle regles rembourse
remboursement remise repete repeter repetez repondre reponds reponse reveler revele revelez role sa sans se secret
secrets securite ses si son sont sous suis suit suivant suivante suivantes suivre sur systeme ta tache taches te tes
texte toi ton tous tout toute toutes tu un une utilisateur utilisateurs valide verification vers vos votre vous dessus
cidessus instructions restrictions
"""
_SPANISH = """
actua actuar ademas admin ahora al algo algun alguna anterior anteriores antes aprueba aprobar asi asistente aunque
ayuda bien borra cada cambia cambiar clave cliente clientes codigo comienza como con confidencial contrasena
contrasenas contesta cual cuando cualquier da dado dame datos de debes decir del desarrollador desde di dice digo dime
donde dos el ella ellos en entonces era eres es esa ese eso esta estas este esto estos etica euro euros finge gratis
haces hacer hacia haz hasta hay hola ignora ignorar ignore imprime indicaciones indicacion informacion inicial
iniciales instruccion instrucciones internas interno la las le les lineamientos limites lo los mas me mensaje mensajes
mi mientras mio modo muestra muestrame mostrar muy nada ni ningun ninguna no nos nosotros nuestra nueva nuevas nuevo
nuevos nunca obedece ok olvida olvidar olvide orden ordenes os otra otras otro otros palabra palabras papel para
pedido pedidos pero pide politica politicas por porque precio precios previa previas previo previos puede puedes pues
que quien quiero reembolsa reembolso regla reglas repite repetir responde responder respuesta restricciones
restriccion revela revelar sabes se secreta secreto sea ser sera si siempre siguiente sin sistema sobre solo son soy
su sus tambien tarea tareas te tengo tiempo tiene tienes texto ti toda todas todo todos tu tus un una uno usted
usuario usuarios verificacion ver vez vosotros ya yo
"""


def vocabulary() -> frozenset[str]:
    """Lower-case words, inflected."""
    stems = _STEMS.split()
    words = {*_SHORT.split(), *stems, *_GERMAN.split(), *_FRENCH.split(), *_SPANISH.split()}
    for stem in stems:
        cut = stem[:-1]
        words |= {stem + "s", stem + "ly"}
        if stem.endswith("e"):
            words |= {stem + "d", stem + "r", cut + "ing"}
        elif stem.endswith(("s", "x", "z", "ch", "sh")):
            words |= {stem + "es", stem + "ed", stem + "ing", stem + "er"}
        elif stem.endswith("y"):
            words |= {cut + "ies", cut + "ied", stem + "ing"}
        else:
            words |= {stem + "ed", stem + "ing", stem + "er"}
            if stem[-1] in "bdgmnpt" and stem[-2] in "aeiou":
                words |= {stem + stem[-1] + "ed", stem + stem[-1] + "ing"}
    return frozenset(words)
