"""English words that lie one slip beside another: no misspelling may come out as one of them."""

from __future__ import annotations

REAL_WORDS = frozenset(
    """
    abut aced ached aches aching acing addressees adopt adopted adopting adopts aging albe aline
    alined alining aloe angels anther apples arced archs arcing arcs aries arise arose arse arses
    assembles asset assets avid back backed backer backing backs baked baking band banded banding
    bands bank banked banking banks bans barbed barbing barbs bard bared baring barred barring
    bars based bases basing bass basses bated bates bath bathed bathes bathing bating bats baud
    bauds beak beaks bean beating beats become begin begun behavior behaviors behove behoved
    behoves behoving being beings belled belling bellow benefited benefiting benefitted
    benefitting best bets biased biases biasing biassed biasses biassing biding bids bight bilked
    bilking bilks billet billets bind binder binding binds binging bins bleat bled block blocked
    blocking blocks blocs blond blonder blondest blonds blow blues bluing blunder blurs blurted
    blurting boars boas bobbed bobbing bobs bodes bogs bolled bolling bolls bond bonded bonding
    bondings bonds bongo booed booing boors boos boot booted booth booting boots bore bored borer
    borers bores boring born botch botched botches botching both bothers bought bowed bowing bows
    braking bran brans bras braves bred breed bring brings brining brows browses budges buffeted
    buffeting buffets bugger bulled bulling bulls burred burring burs caches caching cads calicos
    calked calking calks camp camped camping camps canceled cancelled candied candies cane caned
    canes canvass canvassed canvasses canvassing capitol capitols caps caravaned caravaning
    caravanned caravanning card cared caress caries caring cars cart carted carting carts case
    cased cases cash cashed cashes cashing casing casings cast casting casts casual cation cations
    cats catted catting caudal cause causes cautious centred centres centring channeled channeling
    channelled channelling chap charr charred charring charrs chars charted charting chat chats
    chatted chatter chatting chid chiles chili chilies chill chilli chillies chimp chimps chin
    chink chinked chinking chinks chins chipped chipping chips choose chop chops chose cites clads
    clam clams clan clans clap claps clarifies clarify cleats click clicked clicking clicks clock
    clocked clocking clocks clod clods closes closet closets cluck clucked clucking clucks coat
    coated coating coats cock cocked cocking cocks cods coed coeds coiled coiling coils coked
    cokes coking cold collusion collusions color colored coloring colors coma comas come comer
    comers comes compete competed competes competing compiles complaint complied complies
    composted composting computes concert concerted concerts condole condoled condoles condoling
    cone coned cones coning constrict constricted constricting constricts consumes contact
    contacted contacting contacts controled controling controlled controlling cooed cooing cooked
    cooker cooking cooks cooled cooling cools coon coons coos coot coots coped copes coping cord
    corded cording cords core cored cores coring cornet cornets corning corps cosies cosiness cost
    costed costing costings costs cotes cots covert coverts coves coveted coveting covets cram
    crams crap craped craping craps crate crated crates crating crested cresting crook crooked
    crooking crooks crozier curbed curbing cure cured cures curing curios curse cursed curses
    cursing daft dairy daises dances dared dares daring dawn deadliness deafer deafest decease
    deceased deceases deceasing decent decide decided decides deciding decode decoded decodes
    decoding decoy decoyed decoying decoys deer deers defect defected defecting defection
    defections defects defied defies deice deices deign deigned deigning deigns demon demons
    derail derailed derailing derails descried descries diagramed diagraming diagrammed
    diagramming diary diced dicing digging diked diking dimer ding dings discord discorded
    discording discords dittos dive diver divers dives diving dogs dons dote doted dotes doting
    dove dram drams drier driers dries dripped dripping drips drive drives droop drooped drooping
    droops drove drover drovers droves drown duds dues duffer duffers duped duping dyer dyers
    earing ears echos eider emirs encodes endure endured endures enduring enquires ensue ensued
    ensues ensuing entitles equaled equaling equalled equalling escapee escapees ester esters
    eternal ether evens exert exerts exit exited exiting exits faces faceted faceting facetted
    facetting fact faction factions facts fagged fagging fags fail failing fails fall falling
    falls fame famed fames faming fared faring farmed farming fated father fating fats fatten
    fattened fattening fattens fatter fattest favorite favorites favors faxed faxes faxing feces
    feed feeing fees fiat fiats fiber field fiend fiends fight fights filed files filing filings
    filled filler filling fills filly finches find finer finesses fining finned finning fins
    firmed firmer firming firms firs firth fists flat flats flays fled flees flied flies fling
    flog flogged flogging flogs flopped flopping flops flows flues focused focuses focusing
    focussed focusses focussing foil foiled foiling foils fond fonder font fonts fore forgers
    forges forgoing form formed forming forms foster foxed foxes foxing fractious framed framing
    freeing fried fries from froth fulled fulling fullings fulls fund funded funding funds fury
    fussed gads gain gained gaining gains gaol gaols gaped gaping garage garbed gayer gayest gays
    genetic genetics gibes gibing gins gird girds gives gluing gobs gods gong goofs gown gradation
    gradations grass grated grater grating greed grin grins groin groins groped groping grows
    guess guise guised guises guising gust gusted gusting gusts hags handed handier handing
    handles hard hated hating hazes head hearing hearings heath heats heaves heed hells herd hies
    hipped hits hock hocked hocking hocks hods hoed hoes holing honed hones honing hoofs hoop
    hooped hooping hoops hoped hoping hopped hopping hops horned horning hose hosed hoses hosing
    hots hotting hove hows hulls huns hunted hunting hunts ideas identifies identify indebted
    indeed indemnifies indemnify indicted indicting induces inert infernal initialed initialing
    initialled initialling insect insects inset insets insetted insetting instal installs instals
    internes ions irides irises isles jibbed jibbing joined joining joins kerneled kerneling
    kernelled kernelling kids knows labeled labeling labelled labelling laced lacing laded lading
    ladings lads lager laked laking lames lams laps lash lashed lashes lashing lass later latte
    latter laud lauded lauding lauds launches layer leaded leading leads leafing leafs lean leaned
    leaning leanings leans leant leas leased leases leasing lens lets leveled leveling levelled
    levelling license licensee licensees licenses licked licking licks lied lien liens lies life
    likable liked liker likers liking limed limes liming lined liner liners lines linger lining
    liter liters litter lived livelier liveliest lively lives living loafed loafing loafs lobed
    lobes locals lock locked locking locks lode lodes lofted lofting lofts loge loges logs loin
    loins lone loner loose looses loosing loot loots loped loping lopped lopping lops lose loser
    loses losing loss losses lost loved lovelier loveliest lovely loves loving lows lucks lumped
    lunch lunched lunches lunching lusted lusting lusts lutes maims maker makers making males mall
    malls manages mange manger mangers mangos manly mans march marched marches marching markets
    mars mass math matrices matrixes mats mauled mauling mauls meat meet mere merer meres merges
    meters metes meting mikes mils mimed mimes miming mind mined mining minis minted minting
    minuets mixes mode modeled modeling modelled modelling modellings modes modifies momento moons
    moos mopped mopping mops mosses moth moths mouth mouths muddle muddled muddles muddling mules
    multiples mussed musses mussing naive naives nave naves navies nearer neater neatest neatly
    neighbors nerds nett neural nodes nods none noose noosed nooses noosing nose nosed noses
    nosier nosiest nosing nosy observes occured occuring occurred occurring overly override
    overrode overwrite overwrote owed owing pace paced paces pacing pacings packers pages pain
    pained paining pains pane panes panned panning pannings pans pant panted panting pants
    paralleled paralleling parallelled parallelling parch parched parches parching pare pared
    parent parenting parents pares paring parried parries parry parrying pars parses parted partes
    parties parting party pass patent patents path pats patted pattered pattering patters patties
    patting patty pays peal pealed pealing peals pears peas peeing pees pettier pettiest petty
    phase phased phases phasing picked picking pied pies pilled pilling pills pined pining pint
    pints piped piping pipped pipping pips pitting plan planed planing planned planning plans
    pleaded pleading plot plots ploys pluming pluses plusses pock pocked pocket pocketed pocketing
    pockets pocks podded podding pods poets point pointed pointing points poled polices poling
    poop pooped pooping poops popes popped popping pops pored poring port ported porting ports
    posed posing posses post posts potable potables potent potion potions pots potted potters
    potting power powered powering powers prated prating precious predicted predicting prefect
    prefects preset presets pried pries prod produced produces producing programmed programming
    promoted promoter promoting prompted prompting prone pros protocoled protocoling protocolled
    protocolling provably prove proved proves provides proving pubic publishes pucks pulses punned
    punning pupped pupping puree purr pusses putt putts qualifies qualify quantifies quantify
    queuing quiet quit quite quits quote rage raged rages raging raided raiding raked raking rally
    ransom raring rationals rats ratted ratting raved raves raving rayed raying reader reading
    reals realty reamed reaming receives redos reds reed reeds reef reefer reefers reefs refered
    refereed refering referred referring relay relayed relaying relays relics relied relies rely
    relying reminder reminders renal repay repaying repays reply replying requite requited
    requites requiting rescues resolves rest restated restating rests retired retires retried
    retrieves reuses revere revered reveres revering reword reworded rewording rewords rewrite
    rewrote rials rigs riled riles riling rioted rioting riots rise rises rising rocker roes roof
    roofed roofing roofs rote rots rotted rotting routes routs rubles rued rues ruing rungs rusked
    rusking rusks saber sable sables sack sacked sacking sacks sage sages said sakes sale sales
    sallow sallowed sallowing sallows samples sand sanding sands sapling saplings sapped sapping
    saps sash sashes sate sated sates sating saves sawn saying says scabs scald scam scams
    schedules scooped scooping scores scrapped seals seas seed seeded seeding seeds seeing seep
    seeping seeps sees self sell selling sells selves send sending sends sensing sent sere serves
    settees sever severs sewed sewing sews shad shads shank shard sheered sheering sheers shiner
    shipped shipping ships shirt shirts shit shits shoed shoeing shoes shoos shopped shore shored
    shores shoring shot shots shred shrining shrink shrunk siding sift sifted sifter sifting sifts
    signaled signaling signalled signalling signers signing signs sill sills silver silvers simper
    singe singed singes singing sings sins sipped sipping sips sired sires siring site sites sits
    sitting skis slice sliced slices slicing slipped slipping slips slit slits slitting sloes
    slosh sloshed sloshes sloshing snag snug soared soaring sole soled soles soling solves some
    song songs soots sopped sopping sops sore sorer sores sort sorted sorter sorting sorts sots
    soured souring sowed sower sowers sowing sown sows spams span spans spare sparer sparest
    sparred sparring spars spas spate spated spates spating specifics specifies sped speed spice
    spiced spices spicing spike spilt spit spites spits spitted spitting spore spored spores
    sporing sported sporting sprig sprigs spring sprung stagged stagging stags stake staked stakes
    staking stale staled staler stales stalest staling stalled stalling stare stared stares
    staring starred starring stars started starting stated stating statue statues stature statures
    stay stayed staying stays steaks steam steamed steaming steams steep steeps stern sterns sties
    stiff stiffed stiffing stiffs sting stinging stings stock stocked stocking stocks stole stoop
    stooped stooping stoops stores stoves stricture strictured strictures stricturing stride
    strife string striped striping strips strode strong stronger strongest strop stropped
    stropping strops strung stung stuns stye styes subbed subbing subs sucker sufficed suffices
    sufficing suffixes suits summaries sunder sunned sunning sunset sunsets swop swopped swopping
    swops symmetrics syringing tack tacked tacking tacks tailing takes taking talcs tale tales
    tall tamed taming tams tank tanked tanking tanks taped taping tapped tapping taps targeted
    targeting targetted targetting tarp tarps tasted tasting taunt taunted taunting taunts teas
    teat teats teed teeing teemed teeming teems tees tenor tenors terns than that thee their them
    then there these they thins this thong thongs those though thought throeing throes through
    tick ticked ticking ticks tics tide tided tides tiding tied tieing tier tiers ties tile tiled
    tiles tiling tilled tilling tilted tilting times tined tines ting tings tining tinned tinning
    tins tint tinted tinting tints tipped tipping tips tired tires tiring toady toed toeing toes
    togged togging togs toil toiled toilers toiling toils token tomes tons tooted tooting topped
    topping tops tors totaled totaling totalled totalling tots tough tows toyed toying traced
    tracer tracers traces tracing trail trailed trailing trails trainees trams traveled traveling
    travelled travelling tread treading treads trialing tried tries trios trough truck trucked
    trucking trucks trued trueest trues truing truss trust trying tryst trysts tubes tubing tucked
    tucking tucks tuned tuning tying unasked underlie underlies unfold unformed unmaked unwonted
    uses vale vales valve valved valves valving vernal vice vices vies volley volleys wafer
    wafered wafering wafers wail wailed wailing wails waked waking waled waling walked walking
    walks walled walling walls waned waning wans wared waring warmed warming warms warned warning
    warns warp warps wars waved waves wees weighed weighing weighings weighs were whies while
    whiles whirs whole wholes widow widowed widows wile wiled wiles wiling wised wiser wises
    wisest wising wits wives woks wont wooed wooing woos word worded wording words wore worm
    wormed worming worms worn worsed worsing wove wrap wraps wright wrights wring wringing wrings
    write writes writs wrote yeas zeros
    """.split()
)
