"""English words that lie one slip beside another: no misspelling may come out as one of them."""

from __future__ import annotations

REAL_WORDS = frozenset(
    """
    abut aced ached aches aching acing addressees adopt adopted adopting adopts adventuress aging
    aline alined alining aloe angels anther ants apples arced archs arcing arcs aries arise arose
    arse arses assembles asset assets avid babes back backed backer backing backs bail bailed
    bailing bails baked bakes baking baled baling balked balking balks band banded banding bands
    bank banked banking banks bans barbed barbing barbs bard bards bared baring barred barring
    bars based bases basing bass basses bated bates bath bathed bathes bathing bating bats baud
    bauds baying bead beads beak beaks bean beating beats beaver become begin begun behavior
    behaviors behove behoved behoves behoving being beings belled belling bellow benefited
    benefiting benefitted benefitting best bets biased biases biasing biassed biasses biassing
    biding bids bight biles bilked bilking bilks billet billets bind binder binding binds binging
    bins bits bleat bled block blocked blocking blocks blocs blond blonder blondest blonds blow
    blues bluing blunder blurs blurted blurting boars boas bobbed bobbing bobs bodes bogs bold
    bolder boldest boll bolled bolling bolls bond bonded bonding bondings bonds bongo booed booing
    booms boors boos boot booted booth booting boots bore bored borer borers bores boring born
    botch botched botches botching both bothers bought bowed bowing bows brace braced braces
    bracing braked braking bran brans bras braves bred breed bride brides bring brings brining
    brows browses budges buffeted buffeting buffets bugger bulled bulling bulls burred burring
    burs bush bushes bushing caches caching cads calicos calked calking calks camp camped camping
    camps cams canceled cancelled candied candies cane caned canes canvass canvassed canvasses
    canvassing capitol capitols caps caravaned caravaning caravanned caravanning card cared caress
    caries caring carries cars cart carted carting carts case cased cases cash cashed cashes
    cashing casing casings cast caste castes casting casts casual cation cations cats catted
    catting caudal cause causes cautious centred centres centring channeled channeling channelled
    channelling chap char charges charr charred charring charrs chars charted charting chat chats
    chatted chatter chatting chid chiles chili chilies chill chilli chillies chimp chimps chin
    chink chinked chinking chinks chins chipped chipping chips choir choirs choose chop chops
    chose cites clads clam clams clan clans clap claps clarifies clarify cleats click clicked
    clicking clicks clock clocked clocking clocks clod clods closes closet closets cluck clucked
    clucking clucks coat coated coating coats cock cocked cocking cocks cods coed coeds coiled
    coiling coils coked cokes coking cold collated collating collusion collusions color colored
    coloring colors coma comas come comer comers comes compete competed competes competing
    compiles complaint complied complies composted composting computes concert concerted concerts
    condole condoled condoles condoling cone coned cones coning constrict constricted constricting
    constricts consumes contact contacted contacting contacts controled controling controlled
    controlling cooed cooing cooked cooker cooking cooks cooled cooling cools coon coons coos coot
    coots coped copes coping cord corded cording cords core cored cores coring cornet cornets
    corning corps cosies cosiness cost costed costing costings costs cotes cots covert coverts
    coves coveted coveting covets cram crams crap craped craping craps crate crated crates crating
    crested cresting crook crooked crooking crooks crozier cubs cues curbed curbing cure cured
    curer cures curing curios curse cursed curses cursing cutter daft dairy daises dances dared
    dares daring dawn deadliness deafer deafest decease deceased deceases deceasing decent decide
    decided decides deciding decode decoded decodes decoding decoy decoyed decoying decoys deer
    deers defect defected defecting defection defections defects defied defies deice deices deign
    deigned deigning deigns demon demons derail derailed derailing derails descried descries
    diagramed diagraming diagrammed diagramming diary diced dicing dies digging diked diking dimer
    diner diners ding dings discord discorded discording discords discus discuses dittos dive
    diver divers dives diving dogs dons dote doted dotes doting dove dram drams drier driers dries
    dripped dripping drips drive drives droop drooped drooping droops drove drover drovers droves
    drown duds dues duets duffer duffers duped duping dyer dyers earing ears echos eider emirs
    encodes endure endured endures enduring enquires ensue ensued ensues ensuing entitles equaled
    equaling equalled equalling eras escapee escapees ester esters eternal ether evens exert
    exerts exit exited exiting exits faces faceted faceting facetted facetting fact faction
    factions facts fagged fagging fags fail failing fails fall falling falls fame famed fames
    faming fared faring farmed farming fated father fating fats fatten fattened fattening fattens
    fatter fattest favorite favorites favors faxed faxes faxing feces feed feeing fees fiat fiats
    fiber field fiend fiends fight fights filed files filing filings filled filler filling fills
    filly finches find finer finesses fining finned finning fins firmed firmer firming firms firs
    firth fists flat flats flays fled flees flied flies fling flog flogged flogging flogs flopped
    flopping flops flows flues focused focuses focusing focussed focusses focussing foil foiled
    foiling foils fond fonder font fonts fore forgers forges forgoing form formed forming forms
    foster foxed foxes foxing fractious framed framing freeing fried fries from froth fulled
    fulling fullings fulls fund funded funding funds fury fussed gads gain gained gaining gains
    gaol gaols gaped gaping garage garbed gassed gasses gassing gayer gayest gays genetic genetics
    gibes gibing gins gird girds gives gluing gobs gods gong goofs gown gradation gradations grads
    grass grated grater grating greed grin grins groin groins groped groping gross grossed grosses
    grossing grows guess guise guised guises guising gust gusted gusting gusts hags hail hails
    handed handier handing handles harbor harbored harboring harbors hard hardy hares hated hating
    hats hazes head hearing hearings heath heats heaves heed hells herd hies hipped hits hock
    hocked hocking hocks hods hoed hoes holing honed hones honesty honing hoofs hoop hooped
    hooping hoops hoped hoping hopped hopping hops horned horning hose hosed hoses hosing hots
    hotting hove hows hulls huns hunted hunting hunts ideas identifies identify indebted indeed
    indemnifies indemnify indicted indicting induces inert infernal initialed initialing
    initialled initialling insect insects inset insets insetted insetting instal installs instals
    internes ions irides irises isles jibbed jibbing joined joining joins kerneled kerneling
    kernelled kernelling kids knows labeled labeling labelled labelling laced lacing laded lades
    lading ladings ladles lads laked laking lames lams laps lash lashed lashes lashing lass later
    latte latter laud lauded lauding lauds launches layer leaded leading leads leafing leafs lean
    leaned leaning leanings leans leant leas leased leases leasing lens lets leveled leveling
    levelled levelling license licensee licensees licenses licked licking licks lied lien liens
    lies life likable liked liker likers liking limed limes liming limpet lined liner liners lines
    lining lips liter liters litter lived livelier liveliest lively lives living loafed loafing
    loafs lobed lobes locals lock locked locking locks lode lodes lofted lofting lofts loge loges
    logs loin loins lone loose looses loosing loot loots loped loping lopped lopping lops lose
    loser loses losing loss losses lost loved lovelier loveliest lovely loves loving lows lucks
    lumped lumping lumps lunch lunched lunches lunching lusted lusting lusts lutes maims maker
    makers makes making males mall malls manages mange manger mangers mangos manly mans march
    marched marches marching markers markets mars mass math matrices matrixes mats mauled mauling
    mauls meat medial medials meet mere merer meres merges meters metes meting mikes milked
    milking milks mils mimed mimes miming mind mined mining minis minted minting minuets mixes
    mode modeled modeling modelled modelling modellings modem modems modes modifies molder molls
    momento moons moos mopped mopping mops mosses moth moths mouth mouths muddle muddled muddles
    muddling mules mulled mulling mulls multiples mussed musses mussing naive naives nave naves
    navies nearer neater neatest neatly needed needing needless neighbor neighbored neighboring
    neighbors nerds nett neural nodes nods none noose noosed nooses noosing nose nosed noses
    nosier nosiest nosing nosy observes occured occuring occurred occurring overly override
    overrode overwrite overwrote owed owing pace paced paces pacing pacings packers pages pain
    pained paining pains pane panes panned panning pannings pans pant panted panting pants
    paralleled paralleling parallelled parallelling parch parched parches parching pare pared
    parent parenting parents pares paring parried parries parry parrying pars parses parted partes
    parties parting party pass patent patents path pats patted pattered pattering patters patties
    patting patty payed paying pays peal pealed pealing peals pears peas peeing pees pettier
    pettiest petty phase phased phases phasing picked picking pied pies pilled pilling pills pined
    pining pint pints piped piping pipped pipping pips pitting plan planed planing planned
    planning plans plated plating pleaded pleading plot plots ploy ploys pluming pluses plusses
    plying pock pocked pocket pocketed pocketing pockets pocks podded podding pods poets point
    pointed pointer pointers pointing points poled polices poling poop pooped pooping poops popes
    popped popping pops pored poring port ported porting ports posed posing posses post posts
    potable potables potent potion potions pots potted potters potting pouting power powered
    powering powers prated prating precious predicted predicting prefect prefects preset presets
    pried pries prod produced produces producing programmed programming promoted promoter
    promoting prompted prompting prone pros protocoled protocoling protocolled protocolling
    provably prove proved proves provides proving pubic publishes pucks pulses punned punning
    pupped pupping puree purr pusses putt putts qualifies qualify quantifies quantify queuing
    quiet quit quite quits quote rabbis rage raged rages raging raided raiding raked raking rally
    ransom raring rationals rats ratted ratting raved raves raving rayed raying reader reading
    reals realty reamed reaming receives redos reds reed reeds reef reefer reefers reefs refered
    refereed refering referred referring relay relayed relaying relays relics relied relies rely
    relying reminder reminders renal repay repaying repays reply replying requite requited
    requites requiting rescues resolves rest restated restating rests retired retires retried
    retrieves reuses revere revered reveres revering reword reworded rewording rewords rewrite
    rewrote rials ridding rids rigs riled riles riling rioted rioting riots rise rises rising
    rivets rocker rods roes rood roods roof roofed roofing roofs roost roosted roosting roosts
    rote rots rotted rotting routes routs rover rovers roves rubles rued rues ruing rungs rusked
    rusking rusks saber sable sables sack sacked sacking sacks sage sages said sakes sale sales
    sallow sallowed sallowing sallows samples sand sanding sands sapling saplings sapped sapping
    saps sash sashes sate sated sates sating saves sawn saying says scabs scald scam scams
    schedules scooped scooping scores scrapped scrapping scraps seals seas seed seeded seeding
    seeds seeing seep seeped seeping seeps sees self sell selling sells selves send sender sending
    sends sensing sent sere serous serves settees sever severs sewed sewing sews shad shads shank
    shard shed sheered sheering sheers shied shies shine shiner shinned shinning shins shipped
    shipping ships shirt shirts shit shits shod shoe shoed shoeing shoes shone shooed shoos
    shopped shopping shops shore shored shores shoring short shorts shot shots showing shows shred
    shrining shrink shrunk siding sift sifted sifter sifting sifts signaled signaling signalled
    signalling signers signing signs sill sills silver silvers simmer simmered simmering simmers
    simper sine sines singe singed singes singing sings sinned sinning sins sipped sipping sips
    sired sires siring site sites sits sitting skims skippers skis slice sliced slices slicing
    slipped slipping slips slit slits slitting sloes slosh sloshed sloshes sloshing smugger
    smuggest snag snigger snug soared soaring sodas sole soled soles soling solves some song songs
    soots sopped sopping sops sore sorer sores sort sorted sorting sorts sots soured souring sowed
    sower sowers sowing sown sows spams span spans spare sparer sparest sparred sparring spars
    spas spate spated spates spating specifics specifies sped speed spice spiced spices spicing
    spike spilt spit spites spits spitted spitting spore spored spores sporing sported sporting
    sprig sprigs spring sprung stagged stagging stags stake staked stakes staking stale staled
    staler stales stalest staling stalled stalling star stare stared stares staring starred
    starring stars started starting stated stating statue statues stature statures stay stayed
    staying stays steaks steam steamed steaming steams steep steeps step steps stern sterns sties
    stiff stiffed stiffing stiffs sting stinging stings stir stirs stock stocked stocking stocks
    stole stoop stooped stooping stoops stores stoves stricture strictured strictures stricturing
    stride strife string striped striping strips strode strong stronger strongest strop stropped
    stropping strops strung study stung stuns stye styes subbed subbing subs sucker sufficed
    suffices sufficing suffixes suggest suits summaries sunder sung sunned sunning sunset sunsets
    supper suppers swop swopped swopping swops symmetrics syringing tack tacked tacking tacks
    tailing takes taking talcs tale tales tall tamed taming tams tank tanked tanking tanks taped
    taping tapped tapping taps targeted targeting targetted targetting tarp tarps tasted tasting
    taunt taunted taunting taunts teas teat teats teed teeing teemed teeming teems tees tenor
    tenors terns than that thee their them then there these they thins this thong thongs those
    though thought throeing throes throned throning through tick ticked ticking ticks tics tide
    tided tides tiding tied tieing tier tiers ties tile tiled tiles tiling tilled tilling tilted
    tilting times tined tines ting tings tining tinned tinnier tinniest tinning tinny tins tint
    tinted tinting tints tipped tipping tips tired tires tiring toady toed toeing toes togged
    togging togs toil toiled toilers toiling toils token tolled tolling tolls tomes tons tooted
    tooting topped topping tops torn tors totaled totaling totalled totalling tots tough toweled
    toweling towelled towelling tows toyed toying traced tracer tracers traces tracing trail
    trailed trailing trails trainees trams traveled traveling travelled travelling tread treading
    treads trialing tried tries trios trough truck trucked trucking trucks trued trueest trues
    truing truss trust trying tryst trysts tubas tubes tubing tucked tucking tucks tuned tuning
    tying unasked underlie underlies unfold unformed unmaked unwonted uses vale vales valve valved
    valves valving vernal vice vices vies volley volleys wafer wafered wafering wafers wail wailed
    wailing wails waked waking waled wales waling walked walking walks walled walling walls waned
    waning wans wared waring warmed warming warms warned warning warns warp warps wars waved waves
    wees weighed weighing weighings weighs were whies while whiles whirs whole wholes widow
    widowed widows wile wiled wiles wiling wised wiser wises wisest wising wits wives woke woks
    wondering wont wooed wooing woos word worded wording words worm wormed worming worms worn
    worsed worsing wove wrap wraps wright wrights wring wringing wrings write writes writs wrote
    yeas zeros
    """.split()
)
