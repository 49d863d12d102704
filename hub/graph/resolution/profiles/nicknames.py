"""Which given name a short form or another spelling stands for.

The *root* of a name is the form all its variants are led to: `bob`, `rob` and `robert` have the root `robert`.
`_ROOTS` decides first, for the names that are met most; the rest follows the data of the library `nicknames`. A short
form of several names has the one that stands first in `_ROOTS`, of the person's gender if it is known: `sam` is
`samuel`, a woman's `sam` is `samantha`. Names that are in use beside their origin stay apart (Anna and Hannah).
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache, lru_cache

from nicknames import NickNamer

from hub.graph.resolution.profiles.texts import CACHED, words

_ROOTS = """
m robert=bob,bobbie,bobby,rob,robb,robbie,robby
m william=bill,billie,billy,will,willie,willy,wm
m richard=dick,dickie,rich,richie,rick,rickie,ricky,ritchie
m james=jamie,jim,jimmie,jimmy,jas,jem
m jonathan=jon,jonathon,jonny,jonnie,johnathan,jonty
m john=jack,jackie,johnnie,johnny,jock,jno,jon
m michael=mick,mickey,micky,mike,mikey,mickie,micheal
m thomas=tom,tommie,tommy,thom,thos
m charles=charlie,charley,chas,chuck,chaz,charly
m joseph=joe,joey,jos,jody
m edward=ed,eddie,eddy,ned,ted,teddy,edw
m david=dave,davey,davie,davy,dai
m daniel=dan,danny,dannie
m christopher=chris,kit,kris,topher,christoph,kristopher
m matthew=matt,matty,mat,mathew,mathieu
m anthony=tony,ant,anton,antony,toni
m andrew=andy,drew,andie
m stephen=steve,stevie,steven,stephan,steph
m nicholas=nick,nickie,nicky,nic,nico,nicolas,nikolas,nickolas,nikolai,nikolay
m benjamin=ben,bennie,benny,benji,benj
m samuel=sam,sammie,sammy
m alexander=alex,alec,aleck,alick,sandy,xander,lex,sasha,alexandre,aleksandr,aleksander,alasdair,alistair
m gregory=greg,gregg
m kenneth=ken,kenny,kennie
m ronald=ron,ronnie,ronny
m donald=don,donnie,donny
m timothy=tim,timmy,timmie
m lawrence=larry,laurie,lawrie,laurence
m gerald=gerry,jerry,gerrie
m jeremy=jez,jem
m geoffrey=geoff,jeff,jeffrey,jeffery,geof
m philip=phil,pip,phillip,philipp,filip
m frederick=fred,freddie,freddy,fredrick,frederic,fredric
m francis=frank,frankie,franky
m patrick=pat,paddy,padraig,padraic
m peter=pete,petey
m raymond=ray,raymund
m walter=walt,wally,wat
m henry=harry,hal,hank
m harold=harry,hal
m theodore=ted,teddy,theo
m vincent=vince,vin,vinnie,vinny
m victor=vic,viktor
m leonard=len,lennie,lenny
m arthur=art,artie
m albert=al,bert,albie,bertie
m alan=al,allan,allen
m alfred=alf,alfie,fred
m wilfred=wilf,fred
m abraham=abe,bram
m douglas=doug,dougie,duggie
m stanley=stan
m stuart=stu,stew,stewart
m nathaniel=nat,nate,nathan
m zachary=zac,zach,zack,zak,zachariah,zackary
m isaac=ike,zac,izaak
m joshua=josh
m jacob=jake,jakob
m nigel=nige
m terence=terry,terrence,tel,terrance
m reginald=reg,reggie
m sebastian=seb,bastian,bas
m dominic=dom,dominick,dominik
m edmund=ed,eddie,ned,ted
m george=georg
m eugene=gene
m angus=gus
m ibrahim=ibby
m callum=cal
m mohammed=mo,mohamed,mohammad,mohamad,muhammad,muhammed,mohd,mehmet,muhamad,mohamud
m maurice=mo,morris,moritz
m yusuf=youssef,yousef,yusef,yousuf
m ahmed=ahmad,ahmet
m hussein=hussain,husain,hossein,husayn
m sergei=sergey,sergej
m dmitri=dmitry,dmitriy,dimitri,dmitrij,dima
m mikhail=misha,michail
m alexei=alexey,aleksei,aleksey,aleksej
m johann=johannes,hans,johan
m matthias=mathias
m eric=erik,erich
m mark=marc
m sean=shaun,shawn
m martin=marty,mart
m barnaby=barney
m bernard=bernie,bernhard,barney
m clifford=cliff
m curtis=curt,kurt
m cyril=cy
m dennis=denis,den,denny
m desmond=des
m derek=derrick,del,dereck
m duncan=dunc
m ernest=ernie,ern
m gareth=gaz
m gilbert=gil
m gordon=gordie,gord
m graham=graeme,grahame
m herbert=herb,bert,herbie
m hugh=hughie,huw
m ian=iain
m jerome=jerry
m kevin=kev
m leslie=les
m lewis=lew,louis,lou,luis,louie
m malcolm=mal,malc
m maximilian=max
m mitchell=mitch
m neil=neal,neill
m oliver=ollie,olly,oli
m oscar=oskar
m philemon=phil
m ralph=rafe,ralf
m randolph=randy,randall
m roderick=rod,roddy
m rodney=rod
m roger=rog,rodger
m rudolph=rudy,rudi,rudolf
m russell=russ
m simon=si
m sidney=sid,sydney
m solomon=sol
m trevor=trev
m wallace=wally
m winston=win
m zebulon=zeb
f elizabeth=liz,lizzie,lizzy,beth,betty,bess,bessie,bet,eliza,libby,elisabeth,lisbeth,betsy
f margaret=maggie,mags,marge,margie,meg,peg,peggy,margarete,margret
f catherine=cath,cathy,cathie,kate,kath,kathy,kathie,katie,katy,kit,kitty,katherine,katharine,kathryn,cathryn
f catherine=catharine,kat,kathrin,catrin,cathrine
f patricia=pat,patsy,patti,pattie,patty,tricia,trish,trisha
f jennifer=jen,jenn,jennie,jenny,jenifer
f susan=sue,susie,suzie,suzy,suzanne,susanne,susanna,susannah,suzannah,suzan,su,susann
f deborah=deb,debbie,debby,debra,debi,debora
f barbara=babs,barb,barbie,barbra
f christine=chris,chrissie,chrissy,kristine,christie,christy
f christina=tina
f kristin=kris,kristen
f rebecca=becca,beck,beckie,becky,bex,reba,rebekah
f samantha=sam,sammie,sammy
f alexandra=alex,alexa,sandy,lexi,lexie,sasha,sandie,aleksandra
f jessica=jess,jessie,jessy
f victoria=vic,vicki,vickie,vicky,tori,viki
f megan=meg
f karen=kaz,karin
f bronwen=bron
f pamela=pam,pammy,pammie
f judith=jude,judi,judie,judy
f josephine=jo,josie,josey,posy
f joanna=jo,joanne,joann,joey,johanna,jojo
f jacqueline=jackie,jacky,jacqui,jaclyn,jacquelyn,jacquie
f kimberly=kim,kimmy,kimberley
f cynthia=cindy,cyndi
f sarah=sally,sara,sal,sallie
f dorothy=dot,dottie,dolly,dodie,dorothea
f theresa=tess,tessa,terry,terri,teresa,therese,resa
f eleanor=ellie,nell,nellie,elinor,lenore,eleanora
f helen=nell,nellie,hellen,helene
f ellen=nell,nellie
f isabel=bella,belle,izzy,izzie,isabelle,isabella,isobel,issy
f amelia=millie,milly,melia
f emily=em,millie,milly,emilie
f emma=em
f mildred=millie,milly
f florence=flo,florrie,flossie
f frances=fran,frankie,fanny,frannie
f gwendolyn=gwen,gwendolen,gwendoline
f georgina=georgie,georgiana
f charlotte=lottie,charlie,lotte
f caroline=caz,carrie,caro,carolyn,carolina
f abigail=abbie,abby,abi,gail,abbey,abigale
f philippa=pip,pippa,phil
f penelope=penny,pen
f nicola=nicky,nikki,nic
f natalie=nat,nattie,nathalie,natalia
f natasha=tasha,nat,natascha
f matilda=tilly,tillie,mattie,mathilda,mathilde
f martha=mattie
f mary=molly,polly,mollie,mamie
f maria=mariah,marija
f anna=ann,anne,annie,annette,nan,anya,anja
f annabel=bella,anabel,annabelle
f antonia=toni
f beatrice=bea,trixie,bee,beatrix
f bridget=biddy,bridie,brigid,brigit
f bethany=beth
f bernadette=bernie
f claire=clare,clair
f diana=di
f edith=edie
f esther=essie,hester,ester
f evelyn=eve,evie,ev
f fiona=fi
f geraldine=gerry,gerri
f harriet=hattie,harriett
f hannah=hanna,hana
f irene=rene,renie
f janet=nettie
f janice=janis
f jane=janey,janie,jayne
f jean=jeanie,jeannie
f joyce=joy
f katarzyna=kasia
f agnieszka=aga
f malgorzata=gosia,gosha
f kelly=kellie,kelley
f laura=laurie,lolly
f leah=lea,lia
f lillian=lil,lily,lilly,lillie,lilian
f linda=lynda,lindy
f louise=lou,lulu,louisa,luisa
f lucy=lucie,lu,lucia,luce
f lynn=lyn,lynne
f madeline=maddie,maddy,madeleine,madelyn
f melanie=mel,mell
f melissa=mel,missy
f meredith=merry
f michelle=shell,chelle,michele,mich,shelly,shelley
f miranda=mandy
f amanda=mandy,manda
f miriam=mim,mimi
f olivia=liv,livvy,ollie,livia
f phyllis=phyl,phil
f phoebe=phebe
f rachel=rach,rachael,rae,rachelle
f rosemary=rosie,rosemarie
f rose=rosie,rosa
f roberta=bobbie,robbie,bobby
f rosalind=roz,ros
f ruth=ruthie
f sharon=shaz,shari,sharron
f shirley=shirl
f sophie=soph,sophia,sofia,sofie
f stephanie=steph,steffi,stefanie,stevie,stef
f sylvia=sylvie,silvia
f tabitha=tabby
f tamsin=tam,tammy
f tamara=tammy,tam
f ursula=ulla
f valerie=val
f vanessa=nessa,ness
f veronica=ronnie,roni,veronika
f virginia=ginny,ginger,ginnie
f vivian=viv,vivien,vivienne
f winifred=winnie,freda,win
f yasmin=yas,yasmine,jasmine,jasmin
f yvonne=vonnie,evonne
f zoe=zoey
"""
"""A line a root: the gender of those who bear it and its variants; the first line that has a variant wins."""

_STANDALONE = words(
    """
    alexa alice alison allison amy ana angel anton ava carl carly carol carole clara cora daisy dena diane elsie etta
    erica erika erin eva evan eve felix florian gail gary georgia gina grace heidi ian jan jasmine jenna jill joan joy
    jude kara kari kay king lance lara lauren lee leo leon liam lila lily lisa lloyd lola lonnie lori louise lula luna
    mae max mia mona myra nancy natalia nathan nicole nina noah noel nora perry rita rosa rose ross roy ruby sandra
    sherry stella tina toby tracy van vera vernon wendy
    """
)
"""Short forms of old that are given as names of their own now: they may stand for others, yet first for themselves."""

_OTHER_NAMES = words("miguel raquel joel noel phoebe israel manuel emanuel raphael rafael michaela mikael")
"""Given names, missing in the tables, in which an `e` after `a`, `o`, `u` is a sound and no way to write an umlaut."""


@cache
def _curated() -> tuple[dict[str, str], dict[str, list[tuple[str, str]]]]:
    """The gender of each root, and all (root, gender) of each variant in the order of `_ROOTS`."""
    genders: dict[str, str] = {}
    roots: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for line in _ROOTS.strip().splitlines():
        gender, _, entry = line.partition(" ")
        root, _, variants = entry.partition("=")
        genders.setdefault(root, gender)
        for variant in variants.split(","):
            roots[variant].append((root, gender))
    return genders, dict(roots)


@cache
def _library() -> NickNamer:
    return NickNamer()


@cache
def _known() -> frozenset[str]:
    genders, variants = _curated()
    library = _library()
    return frozenset().union(
        genders, variants, library.nickname_lookup, library.canonical_lookup, _OTHER_NAMES
    )


def is_given_name(name: str) -> bool:
    """Whether the name in plain letters is known as a given name."""
    return name in _known()


def is_common_given_name(name: str) -> bool:
    """Whether the name in plain letters is one of this module's own tables, and hardly ever a family name."""
    genders, variants = _curated()
    return name in genders or name in variants or name in _STANDALONE


@lru_cache(maxsize=CACHED)
def roots(name: str, gender: str = "") -> tuple[str, ...]:
    """All names that `name` may stand for, the likeliest first; itself alone where it stands for no other."""
    genders, variants = _curated()
    if name in genders:
        return (name,)
    found = _of_gender(variants[name], gender) if name in variants else _of_library(name)
    return tuple(dict.fromkeys((name, *found))) if name in _STANDALONE else found or (name,)


@lru_cache(maxsize=CACHED)
def roots_of_any(word: str) -> frozenset[str]:
    """The roots that a word may stand for, of a woman or a man."""
    return frozenset(root for gender in ("", "female", "male") for root in roots(word, gender))


def _of_gender(stated: list[tuple[str, str]], gender: str) -> tuple[str, ...]:
    known = gender if gender in ("male", "female") else ""
    return tuple(root for root, of in stated if not known or known.startswith(of))


def _of_library(name: str) -> tuple[str, ...]:
    """The library's full names for a short form, roots of the table first, then by how many short forms they have."""
    library = _library()
    if library.nicknames_of(name):
        return ()
    genders, variants = _curated()
    full = sorted(library.canonicals_of(name), key=lambda each: (-len(library.nicknames_of(each)), each))
    known = [variants[each][0][0] if each in variants else each for each in full]
    return tuple(dict.fromkeys(sorted(known, key=lambda each: each not in genders)))
