"""The names that the demo's invented people carry, written for this project; any likeness is chance.

A given name is listed with the short forms under which the same person may appear elsewhere, a surname with
other spellings of it: `Müller=Mueller,Muller` is one family, typed by three clerks.
"""

from __future__ import annotations

_FEMALE = """
Abigail=Abi,Gail Agnieszka=Aga Aisha Alexandra=Alex,Sandra,Lexi Alice=Ali Amelia=Millie,Amy Amira
Anna=Annie Anneliese=Anne Antonia=Toni Beatrice=Bea,Trixie Bethany=Beth Bronwen=Bron Caroline=Caz,Carrie
Catherine=Cathy,Kate,Cath Cerys Charlotte=Lottie,Charlie Chloë=Chloe Christine=Chris,Chrissie Ciara Claire
Daphne Deborah=Debbie,Deb Demelza=Mel Diana=Di Dorothy=Dot,Dolly Edith=Edie Eilidh Eleanor=Ellie,Nell,Nora
Elizabeth=Liz,Beth,Betty,Lizzie Emily=Em,Millie Esther=Essie Fatima Fiona=Fi Florence=Flo,Florrie
Frances=Fran,Frankie Françoise=Francoise Freya Georgina=George,Georgie Grace Gwendolen=Gwen Hannah=Han
Harriet=Hattie Heather Helen=Nell Ingrid Isabel=Izzy,Bella Jacqueline=Jackie Jane=Janey Jennifer=Jenny,Jen
Jessica=Jess Joanna=Jo,Joey Josephine=Josie,Jo Judith=Judy,Jude Karen=Kaz Katarzyna=Kasia Kerensa=Kez
Laura=Lol Leila Lily=Lil Lowenna Lucy=Lu Małgorzata=Gosia,Malgorzata Margaret=Maggie,Peg,Meg Maria=Mia
Matilda=Tilly Megan=Meg Meredith=Merry Morwenna=Wenna Nadia Natasha=Tasha Niamh Olivia=Liv,Ollie
Pamela=Pam Patricia=Pat,Trish Penelope=Penny Philippa=Pippa Priya Rebecca=Becky,Becca Renée=Renee Rhiannon
Rosemary=Rosie,Rose Ruth Samantha=Sam Sarah=Sally Siobhán=Siobhan Sophie=Soph Susan=Sue,Susie Tamsin=Tam
Theresa=Terry,Tess Victoria=Vicky,Tori Winifred=Win,Freda Yasmin=Yas Zoë=Zoe
"""

_MALE = """
Aaron Ahmed Alan=Al Alexander=Alex,Sandy,Xander Andrew=Andy,Drew Angus=Gus Anthony=Tony,Ant Arthur=Art
Barnaby=Barney Benjamin=Ben Callum=Cal Charles=Charlie,Chas Christopher=Chris,Kit Colin Daniel=Dan,Danny
David=Dave,Davy Dominic=Dom Douglas=Doug Edmund=Ed,Ned Edward=Ed,Ted,Eddie Emlyn Ewan Francis=Frank
Frederick=Fred,Freddie Gareth=Gaz Geoffrey=Geoff,Jeff George Gerald=Gerry Graham Harold=Harry,Hal
Henry=Harry,Hal Hugh=Hughie Hywel Ian Ibrahim=Ibby Isaac=Zac Jack Jago James=Jim,Jamie,Jimmy Jerzy=Jurek
João=Joao John=Jack,Johnny Jonathan=Jon,Jonny Joseph=Joe,Joey Jürgen=Juergen,Jurgen Kenneth=Ken,Kenny
Kieran Lawrence=Larry,Laurie Leonard=Len,Lenny Lewis=Lew Łukasz=Lukasz,Luke Magnus Malcolm=Mal
Martin=Marty Matthew=Matt Michael=Mike,Mick,Mickey Mohammed=Mo,Mohamed Nathaniel=Nat,Nathan Neil
Nicholas=Nick,Nicky Oliver=Ollie Oskar=Oscar Owen Patrick=Paddy,Pat Paul Perran Peter=Pete Philip=Phil,Pip
Rajesh=Raj Ralph Raymond=Ray Reginald=Reg Rhys=Reece Richard=Rick,Dick,Richie Robert=Bob,Rob,Bobby
Roger=Rog Ronald=Ron,Ronnie Rory Samuel=Sam,Sammy Seán=Sean Sebastian=Seb Simon=Si Stanley=Stan
Stephen=Steve,Stevie Stuart=Stu Terence=Terry Theodore=Theo,Ted Thomas=Tom,Tommy Timothy=Tim Victor=Vic
Vincent=Vince Walter=Wally,Walt Wilfred=Wilf,Fred William=Bill,Will,Billy Yusuf=Joe Zachary=Zac,Zak
"""

_SURNAMES = """
Abbott Acheson Ahmed Ainsworth Allardyce Almeida Anning Appleyard Armitage Ashdown Bainbridge Bannerman
Barclay Barnacle Barraclough Bassett Beddoes Begum Bellamy Bevan Birtwistle Blackwood Blenkinsop Boscawen
Bowditch Bradshaw Braithwaite Bremner Brightwell Brodie Brooke=Brook,Brooks Buchanan Burnett Cadwallader
Calder Campbell Cardew Carew Carlyon Cartwright Chadwick Chatterjee Chegwin Chenoweth Clarke=Clark
Cochrane=Cochran Colquhoun Connolly=Conolly,Connelly Copplestone Cormack Coulson Craddock Crawshaw
Cruickshank Curnow Dalgleish Dangerfield Davies=Davis,Davey Dawes Delaney Desai Devereux Dewhurst Dimmock
Docherty=Doherty,Dougherty Donnelly Drummond Duckworth Dunne=Dunn Dymond Eastwood Eddystone Ellery
Entwistle Evans=Evens Fairbairn Fairweather Falconer Farquharson Featherstone Fernandes=Fernandez Finnegan
Fitzgerald=FitzGerald Flanagan Fleetwood Forsyth=Forsythe Fothergill Fraser=Frazer,Frasier
Gallagher=Gallacher Galbraith Garside Gilchrist Gillespie Godolphin Goldsworthy Goodfellow Grierson
Griffiths=Griffith Grimshaw Gupta Gwynne=Gwyn Haddock Hadley Halloran Hardcastle Hargreaves=Hargraves
Harkness Hartley Hathaway Hawkridge Heathcote Hebden Henderson Hennessy=Hennessey Heslop Higginbotham
Hocking Holdsworth Hollis Hoskins Howells=Howell Hughes=Hughs Hussain=Hussein Hutchinson=Hutchison
Ibbotson Inglis Ingram Ivanov Jaffrey Jankowska=Jankowski Jeffries=Jeffreys Jelbert Jenkins=Jenkin
Johansson=Johanson Johnston=Johnstone,Johnson Jónsdóttir=Jonsdottir Kaczmarek Kaur Kavanagh=Cavanagh Keast
Kendrick Kennedy Kerslake Khan Kilbride Kinsella Kirkbride Kitto Kowalski=Kowalska Lambourne Lanyon
Laverick Leadbetter Lemaître=Lemaitre Lethbridge Lindqvist=Lindquist Lister Llewellyn=Llewelyn,Lewellyn
Lockhart Longbottom Lovelace MacAllister=McAllister,McAlister MacDonald=McDonald,Macdonald
MacIntyre=McIntyre Mainwaring Marchbank Mariner Martínez=Martinez Mawgan McGrath=McGraw
McKenzie=MacKenzie,Mackenzie Meikle Merriweather Metcalfe=Metcalf Moffat Molloy Moncrieff Montague
Moorhouse Morgan Müller=Mueller,Muller Murchison Nancarrow Nankivell Nesbitt Netherton
Nicholls=Nichols,Nicolls Nightingale Nowak Núñez=Nunez O'Brien=OBrien,O'Brian O'Connor=OConnor
O'Shea=OShea Oakeshott Okafor Okonkwo Oldroyd Olufsen Ormerod Osborne=Osborn,Osbourne Oyelaran Padgett
Pargeter Parry Pascoe=Pasco Patel Peacock Pemberton Pendlebury Pengelly=Pengelley Penhaligon Penrose
Petherick Philpott Pickersgill Pinnock Polglase Polkinghorne Popescu Porthouse Postlethwaite Prendergast
Pritchard=Prichard Quayle Quigley Rafferty Ramsbottom Rasmussen Ravenscroft Redfern Reid=Reed,Read Renshaw
Rickard Rodda Rosewarne Rowbotham Ruddock Rutherford Sainsbury Saltmarsh Sandoval Satterthwaite Scholes
Schröder=Schroeder,Schroder Seagrave Sedgwick Shaughnessy Shelley Silva Singh Skelton Sløth=Sloth
Smith=Smyth,Smithe Spargo Stanhope Stephens=Stevens,Stephen Stirling Strachan Sutcliffe=Sutcliff Swarbrick
Symons=Simmons,Simons Tattersall Thackeray Thompson=Thomson,Tompson Thistlethwaite Thorne=Thorn Tonkin
Treloar Tregarth Tregenza Trelawny Tremayne Trevithick Turnbull Underhill Uren Uzun Venables Vercoe
Villiers Vyvyan Wadsworth Wainwright Walsh=Welsh Waterhouse Weatherby Wedgwood Whitaker=Whittaker
Whitehead Wilberforce Williams=Willams Winstanley Wolstenholme Woodhouse Wójcik=Wojcik Wrigley Yardley Yeo
Yıldız=Yildiz Youngblood Zając=Zajac Zelenko Zielińska=Zielinska,Zielinski
"""


def _table(text: str) -> dict[str, tuple[str, ...]]:
    """Each name with its other forms, in the order of the text."""
    entries = (word.partition("=") for word in text.split())
    return {name: tuple(others.split(",")) if others else () for name, _, others in entries}


FEMALE = _table(_FEMALE)
MALE = _table(_MALE)
SURNAMES = _table(_SURNAMES)
SHORT_FORMS = {**FEMALE, **MALE}
"""Short forms and respellings of every given name; empty where there is none."""
