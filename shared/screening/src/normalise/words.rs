//! Classifies words that say little about the identity of a person or a firm.
//!
//! The lists were written for this project from common knowledge of names of people and firms.
//! They are part of the matching model, so a change requires a new model version.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::token::Class;

/// Returns the class of a folded word, or `None` if the word is in none of the lists.
pub(super) fn class(word: &str) -> Option<Class> {
    CLASSES.get(word).copied()
}

/// Returns whether a folded word is a particle, a title or a legal form that is also a given name.
pub(super) fn is_given_name(word: &str) -> bool {
    matches!(
        word,
        "ben"
            | "dan"
            | "per"
            | "don"
            | "om"
            | "das"
            | "asa"
            | "sia"
            | "king"
            | "prince"
            | "major"
            | "imam"
    )
}

/// Returns whether a folded word is a title that is also a frequent family name.
pub(super) fn is_title_name(word: &str) -> bool {
    matches!(word, "king" | "prince" | "major" | "marshal" | "bishop" | "queen" | "lord" | "sultan")
}

/// Returns whether a folded word is a particle, a title or a legal form that is also a frequent family
/// name or given name.
pub(super) fn is_edge_name(word: &str) -> bool {
    matches!(
        word,
        "do" | "le"
            | "sa"
            | "co"
            | "min"
            | "ben"
            | "dan"
            | "as"
            | "an"
            | "om"
            | "das"
            | "asa"
            | "di"
            | "don"
            | "ho"
            | "so"
            | "van"
            | "ky"
            | "ha"
            | "la"
            | "to"
            | "on"
            | "per"
            | "sia"
            | "oy"
            | "ag"
            | "ab"
            | "kim"
    )
}

static CLASSES: LazyLock<HashMap<&'static str, Class>> = LazyLock::new(|| {
    // If a word is in several lists, the last one counts.
    let lists = [
        (Class::Common, GIVEN_NAMES),
        (Class::Generic, BUSINESS),
        (Class::Honorific, HONORIFICS),
        (Class::Particle, PARTICLES),
        (Class::Legal, LEGAL),
    ];
    let words = lists.into_iter().flat_map(|(class, words)| {
        words.iter().flat_map(|line| line.split_ascii_whitespace()).map(move |word| (word, class))
    });
    words.collect()
});

/// Words in legal forms of firms, both in full and abbreviated.
const LEGAL: &[&str] = &[
    "limited ltd llc llp lp plc inc incorporated corp corporation co company companies liability",
    "joint stock jsc ojsc cjsc pjsc ojs public private open closed pvt pty pte bhd sdn berhad",
    "gmbh ag kg kgaa ohg ug ev mbh aktiengesellschaft gesellschaft haftung beschrankter mit",
    "sa sas sarl srl spa sapa sl slu sca scs snc sasu eurl sociedad societe anonyme anonima",
    "responsabilidad limitada limitee responsabilite rl cv sab spr sprl bvba nv bv vof cvba",
    "ooo oao zao pao ao aoo tov too ooao obshchestvo ogranichennoy otvetstvennostyu aktsionernoe",
    "publichnoe zakrytoe otkrytoe fgup gup mup chup oy oyj ab as asa aps hf ehf doo dd ad ood eood",
    "kft zrt nyrt sro spol zoo sp spzoo sia uab fze fzc fzco fzllc dmcc jlt wll bsc saog saoc psc",
    "pjs pjsco ltda eireli cia compania comandita kk yk kabushiki kaisha sirketi anonim sti tbk pt",
    "variable unitary enterprise societa azioni aktiebolag osakeyhtio naamloze vennootschap besloten sae",
    "oo akg saa sac spk tic ltdsti limitet lda unipessoal societatea raspundere",
    "sendirian sal pbc lllp gbr ohg eu einzelunternehmen kommanditgesellschaft stiftung eingetragener",
    "aksjeselskap anpartsselskab aktieselskab sabiedriba akcine bendrove uzdaroji spolka akcyjna",
    "ograniczona odpowiedzialnoscia drustvo ogranicenom odgovornoscu dionicko akcionarsko druzhestvo",
    "ogranichena otgovornost ednolichno aktsionerno ogranichennoi obchestvo tovarystvo obmezhenoyu",
    "vidpovidalnistiu aktsionerne tovaristvo hlutafelag beperkte aansprakelijkheid libanaise",
    "sirket sirketler dmcc pmc ltdsti spzoo fzco",
];

/// Particles, articles and conjunctions in names of people and firms.
const PARTICLES: &[&str] = &[
    "al el ul bin ben ibn bint binti bte abu abou aboo umm om oum ould wuld",
    "de la las los le les del della di da das do dos du des van von der den ter ten zu zur zum y e",
    "and und et of the for in on to und van af av ve i dan den het per pour para por und fur och og",
    "named after nee ne geb born",
];

/// Titles, forms of address, and words before the names of ships, such as `mv`.
const HONORIFICS: &[&str] = &[
    "mr mrs ms miss mister dr doctor prof professor sir lord lady dame madam madame mme monsieur",
    "herr frau senor senora sr sra don dona rev reverend father bishop archbishop cardinal",
    "sheikh shaykh sheik shaikh shaik cheikh hajj haj haji hajji hadji hajjah mullah mulla molla",
    "maulvi mawlawi maulawi molvi maulana mawlana qari ustad ustaz ayatollah hojjatoleslam imam",
    "sayyid sayyed sayed seyyed seyed syed general gen colonel col major maj captain capt",
    "lieutenant lt sergeant sgt brigadier brig admiral adm commander cmdr marshal president",
    "minister ambassador senator governor engineer eng ing excellency his her hon honourable",
    "honorable prince princess king queen comrade alhaji alhaj hrh esq jr phd md msc mba",
    "mv mt ss mts fv lpgc motor tanker vessel ret retd retired deceased late kapitan maulavi hujjat",
    "hojat hojjat hujjatul",
];

/// Words that are frequent in names of firms, authorities and ships.
const BUSINESS: &[&str] = &[
    "trading trade traders trader general international intl global world worldwide group groups",
    "holding holdings investment investments invest capital finance financial fund funds trust",
    "bank banks banking bancorp exchange money insurance credit leasing lease management consulting",
    "consultants consultancy advisory advisors partners partnership associates agency agencies",
    "service services solutions solution systems system technology technologies technical tech",
    "technological engineering engineers construction constructions contracting contractors",
    "building builders development developments developers properties property real estate estates",
    "industrial industries industry manufacturing manufacture manufacturers production products",
    "producers factory plant works machinery machine equipment tools electronics electronic",
    "electric electrical electricity power energy energies oil gas petroleum petrochemical",
    "petrochemicals chemical chemicals refinery refining mining mines metals metal steel iron",
    "aluminum aluminium cement textile textiles garments food foods agricultural agriculture agro",
    "farm farms fishing fishery fisheries marine maritime shipping ship ships shipbuilding shipyard",
    "navigation port ports logistics logistic transport transportation transports transit cargo",
    "freight express airlines airline airways air aviation aircraft aerospace space travel tours",
    "tourism hotel hotels resort restaurant restaurants entertainment media press television radio",
    "broadcasting communications communication telecommunications telecom network networks software",
    "computer computers information data digital internet online research institute institution",
    "scientific science sciences design bureau center centre laboratory laboratories lab",
    "university college school academy foundation charity charitable relief aid welfare",
    "organization organisation association society union federation council committee commission",
    "department directorate ministry office administration authority government national state",
    "federal federated republic republican people peoples central regional city branch",
    "corps force forces army military defense defence security police guard guards special",
    "commercial commerce business enterprises venture ventures export import exports imports impex",
    "distribution distributors supply supplies supplier wholesale retail store stores shop market",
    "markets marketing sales auto automotive automobile motors motor medical medicine pharma",
    "pharmaceutical pharmaceuticals pharmacy health healthcare hospital clinic care environmental",
    "environment water resources resource new first united east west north south eastern western",
    "northern southern middle gulf asia asian africa african europe european america american",
    "star golden royal grand modern advanced complex project projects operation operating operations",
    "infrastructure control analytics optical printing furniture bakery plumbing nurseries",
    "comercializadora comercial comercio inversiones inversora grupo servicios servicio empresa",
    "empresarial internacional nacional industrias industria inmobiliaria constructora",
    "construcciones transportes transporte distribuidora importadora exportadora agropecuaria",
    "ganadera operadora corporativo corporacion fundacion asociacion consultoria asesoria",
    "administradora desarrollo promotora banco bancaria casa hoteles productos",
    "sanayi ticaret ithalat ihracat dis insaat gida nakliyat tasimacilik",
    "spetsializirovannyy zavod nauchno proizvodstvennoe obedinenie predpriyatie nii npo npp torgovy",
    "torgovyi dom kompaniya gruppa fond tsentr",
    "handels handel bau technik groupe compagnie concern business vocational education chemical",
    "iran iranian iraq iraqi syria syrian lebanon lebanese russia russian ukraine ukrainian belarus",
    "belarusian belorussian china chinese korea korean japan japanese vietnam vietnamese myanmar",
    "turkey turkish turkiye pakistan pakistani afghanistan afghan indonesia malaysia singapore",
    "thailand philippines emirates uae dubai qatar kuwait oman bahrain yemen egypt libya libyan",
    "tunisia algeria morocco sudan somalia nigeria kenya zimbabwe cyprus greece italy france germany",
    "austria switzerland spain portugal poland romania bulgaria latvia lithuania estonia moldova",
    "serbia croatia hungary netherlands belgium luxembourg sweden norway denmark finland ireland",
    "britain england uk usa mexico panama venezuela colombia peru chile argentina brazil nicaragua",
    "kazakhstan uzbekistan tajikistan kyrgyzstan turkmenistan azerbaijan armenia moscow beijing",
    "shanghai shenzhen istanbul tehran beirut damascus baghdad",
];

/// Given names and family names that very many people have.
const GIVEN_NAMES: &[&str] = &[
    "mohammad mohammed muhammad mohamed muhammed mohamad mohamud mehmet mohd muhamad mahomed",
    "ahmad ahmed ahmet ali aly hassan hasan hussein husayn hussain hossein hosein husain husein",
    "mahmud mahmoud mahmood khalid khaled omar umar umer uthman othman osman ibrahim ebrahim",
    "ismail ismael yusuf yousef youssef yousuf yosef yasin yassin abdullah abdallah said saeed",
    "saed sayeed salih saleh salem salim saleem jamal gamal kamal karim kareem rahman rahim aziz",
    "majid rashid rasheed hamid hameed hamad hamed hamza hamzah mustafa mostafa mustapha murtaza",
    "morteza mohsen muhsin mehdi mahdi reza riza rida akbar asghar abbas jafar jaafar haydar haider",
    "faisal faysal fahd nasir naser nasser nasir qasim qassem kassem kazem kadhim bashir basher",
    "tariq tarek walid waleed samir sami adil adel adnan amin ameen amir ameer anwar ayman badr",
    "bilal daoud dawud david fadi farid fuad fouad ghulam habib hakim hani harith hisham hicham",
    "idris imad issa isa jalal jabir jaber latif malik mansour mansur marwan masoud masud munir",
    "murad musa mousa moussa nabil naim nur noor rafiq rami riyad saad sabir sadiq sadeq safi salah",
    "salman sharif shareef suleiman sulayman sulaiman soleiman taha tahir taher talib wahid yahya",
    "yahia younis yunus yunis zaki zayd zaid ziad ziyad khan fatima fatimah aisha mariam maryam",
    "aleksandr alexander alexandr aleksander alexandre alejandro alexey aleksey alexei aleksei",
    "sergey sergei vladimir wladimir dmitry dmitriy dmitri andrey andrei ivan igor oleg viktor",
    "victor nikolay nikolai mikhail michail yuri yuriy yury pavel roman maksim maxim vasily vasiliy",
    "vyacheslav konstantin anatoly anatoliy boris denis yevgeny yevgeniy evgeny evgeniy evgenii",
    "valery valeriy gennady gennadiy grigory leonid oleksandr volodymyr serhiy petr pyotr stanislav",
    "vitaly vitaliy ruslan artem artyom kirill ilya anton aleksei elena yelena olga natalia natalya",
    "irina tatiana tatyana svetlana marina anna maria ekaterina yekaterina lyudmila galina",
    "aleksandrovich alexandrovich vladimirovich sergeevich sergeyevich nikolaevich nikolayevich",
    "ivanovich mikhailovich mikhaylovich viktorovich yurievich yuryevich anatolyevich anatolievich",
    "alekseevich alekseyevich alexeyevich vasilyevich vasilievich petrovich borisovich igorevich",
    "andreevich andreyevich dmitrievich dmitriyevich pavlovich olegovich valerievich valeryevich",
    "gennadievich gennadyevich evgenievich yevgenyevich yevgenievich leonidovich vladimirovna",
    "aleksandrovna nikolaevna nikolayevna viktorovna sergeevna sergeyevna ivanovna mikhailovna",
    "anatolyevna borisovna alekseevna yurievna yuryevna vasilyevna petrovna",
    "jose juan carlos luis miguel jesus antonio francisco manuel pedro jorge fernando alberto",
    "rafael ricardo roberto eduardo javier enrique mario oscar raul sergio arturo alfredo hector",
    "guillermo ramon cesar armando gustavo hugo julio ruben andres pablo diego daniel",
    "gerardo salvador rodrigo felipe ignacio alfonso angel marco gabriel ernesto martin mauricio",
    "garcia gonzalez rodriguez hernandez lopez martinez perez sanchez ramirez torres flores rivera",
    "gomez diaz reyes morales cruz ortiz gutierrez chavez ramos ruiz alvarez mendoza vargas castillo",
    "abd jimenez moreno romero herrera medina aguilar munoz castro guzman mendez fernandez",
    "ana rosa carmen guadalupe patricia luz marta laura sandra gloria martha isabel teresa",
    "john james robert michael william richard thomas charles joseph christopher paul mark george",
    "steven kenneth andrew edward brian kevin jason jeffrey gary timothy ryan eric stephen jacob",
    "jonathan peter matthew anthony donald frank scott gregory samuel benjamin patrick jack dennis",
    "alex henry jean pierre marie michel philippe hans karl jan josef mary jennifer linda",
    "elizabeth barbara susan jessica sarah karen nancy lisa margaret betty emily michelle amanda",
    "melissa stephanie rebecca sharon cynthia amy angela smith johnson williams brown jones",
    "miller davis wilson anderson taylor moore jackson thompson white harris clark lewis robinson",
    "walker young allen wright green hill adams nelson baker hall campbell mitchell carter",
    "kim lee ri pak park choe choi jong kang cho yun han chang chol yong song hyon chun myong il un",
    "li wang zhang liu chen yang zhao huang zhou wu xu sun hu zhu gao lin he guo ma luo liang zheng",
    "wei ming jun hong hua ping jin xin min aung myint maung win thein tun htun khin kyaw soe",
    "singh kumar nguyen tran pham pavlovna",
];
