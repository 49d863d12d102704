"""Legal forms of organisations in many countries, by the words they are written with.

After ISO 20275 (the GLEIF's list of entity legal forms) and Wikipedia's "List of legal entity types by country";
forms that are written alike and mean the same kind of company are one, such as `Limited`, `Ltd` and `Pty Ltd`.
"""

from __future__ import annotations

import re

from hub.graph.resolution.profiles.texts import words

_FORMS = """
ltd=limited|ltd|pty ltd|pty limited|proprietary limited|pte ltd|private limited|pvt ltd|co ltd|company limited
ltd=ltda|limitada|ltdo|sdn bhd|teoranta|cyf|cyfyngedig|coltd|ltd co|pvt limited|co limited|ptyltd|pteltd
plc=plc|public limited company|ccc|cpt|bhd|berhad|pcl|public company limited
llc=llc|lc|limited liability company|limited liability co|pllc|ltd liability co|wll
llp=llp|limited liability partnership|lllp
lp=lp|limited partnership|general partnership|scs|kommanditgesellschaft
inc=inc|incorporated|incorporation|incorp
corp=corp|corporation
co=co|company|cie|compagnie|and co|und co|et cie|y cia|cia|and company|and cie|e cia
cic=cic|community interest company
cio=cio|scio|charitable incorporated organisation
gmbh=gmbh|gesellschaft mit beschrankter haftung|ggmbh|mbh|gesmbh|gesellschaft mbh
gmbhcokg=gmbh and co kg|gmbh co kg|gmbh und co kg|gmbh and cokg|ag and co kg|gmbh and co ohg|gmbh cokg
ag=ag|aktiengesellschaft
ug=ug|ug haftungsbeschrankt|unternehmergesellschaft|haftungsbeschrankt
kg=kg|ek|eingetragener kaufmann|ohg|offene handelsgesellschaft|gbr|and co kg|kgaa
ev=ev|eingetragener verein
eg=eg|eingetragene genossenschaft
se=se|societas europaea
sa=sa|societe anonyme|sociedad anonima|sociedade anonima|sa de cv|sociedad anonima de capital variable|sab de cv|saa
sas=sas|sasu|societe par actions simplifiee|sapi de cv
sarl=sarl|societe a responsabilite limitee|eurl|sarlu
sci=sci|societe civile immobiliere
snc=snc|societe en nom collectif
srl=srl|societa a responsabilita limitata|sociedad de responsabilidad limitada|srls|s de rl|s de rl de cv|scarl
spa=societa per azioni
sl=sl|slu|sociedad limitada|slne|sll
bv=bv|besloten vennootschap|bvba
nv=nv|naamloze vennootschap
vof=vof|vennootschap onder firma|cv
as=as|asa|aksjeselskap|aktieselskab
aps=aps|anpartsselskab|ivs
ab=ab|aktiebolag|publ ab|ab publ
hb=hb|handelsbolag|kb
oy=oy|osakeyhtio|oyj|oy ab|oyabp
ehf=ehf|hf
spzoo=sp z oo|spzoo|spolka z ograniczona odpowiedzialnoscia|sp zoo|sp z o o
spk=sp k|spk|sp j|spj|spolka jawna|sp zoo sp k|sp z oo sp k
sro=sro|spol s ro|spol sro|s r o
asc=akciova spolecnost
kft=kft|korlatolt felelossegu tarsasag
zrt=zrt|nyrt|rt|bt
doo=doo|d o o|drustvo s ogranicenom odgovornoscu
dd=dd
eood=eood|ood
ooo=ooo|obshchestvo s ogranichennoy otvetstvennostyu|tov|too
oao=oao|zao|pao|ao
uab=uab|uzdaroji akcine bendrove
sia=sia
ou=osauhing
kk=kk|kabushiki kaisha|kabushiki gaisha|kabushikigaisha
gk=godo kaisha|yugen kaisha|yk
tbk=tbk|pt
ae=epe|ike
sti=ltd sti|limited sirketi|anonim sirketi
eirl=eirl
"""
FORMS = {
    variant: form
    for form, _, variants in (line.partition("=") for line in _FORMS.strip().splitlines())
    for variant in variants.split("|")
}
"""Each way of writing a legal form in plain words, with the form."""

LONGEST_FORM = max(len(variant.split()) for variant in FORMS)
"""Words of the longest form."""

IN_FRONT = words("ab oy oyj pt ooo oao zao pao ao tov too uab sia eood sarl sas sci eurl gmbh")
"""Forms that stand in front of the name in some countries."""

_NATIVE = re.compile(
    r"股份有限公司|有限责任公司|有限公司|株式会社|有限会社|合同会社|\(株\)|（株）|㈱|주식회사|\(주\)|㈜"
)
_ITALIAN = re.compile(r"\bS\.\s?[Pp]\.\s?A\b\.?|\bSpA\b|\bs\.\s?p\.\s?a\b\.?")
"""With dots or in this case only: a hotel with a spa is no joint-stock company."""


def without_native_form(text: str) -> tuple[str, str]:
    """The name without a legal form that only its own script or case tells, and the form, else no form."""
    for pattern, form in ((_NATIVE, "kk"), (_ITALIAN, "spa")):
        rest, count = pattern.subn(" ", text)
        if count and rest.strip():
            return rest, form
    return text, ""
