"""Makes han.txt and syllables.txt from the Unihan database.

Usage: python3 readings.py FOLDER

FOLDER holds Unihan_Readings.txt and Unihan_Variants.txt of the Unicode Character Database. The
tables of this folder were made from version 15.0 (see docs/adr/0011-readings.md).
"""

import itertools
import pathlib
import re
import sys
import unicodedata

HERE = pathlib.Path(__file__).parent


def properties(path):
    table = {}
    for line in open(path, encoding="utf-8"):
        if line.startswith("U+"):
            code, name, value = line.rstrip("\n").split("\t")
            table.setdefault(chr(int(code[2:], 16)), {})[name] = value
    return table


def in_use(char):
    """Returns whether a national character set of East Asia contains a character."""
    for codec in ("gb2312", "shift_jis", "euc_kr", "big5"):
        try:
            code = char.encode(codec)
        except UnicodeEncodeError:
            continue
        # The second level of Big5 begins at C940. Its characters are rare.
        if codec != "big5" or code < b"\xc9\x40":
            return True
    return False


def ascii_letters(text):
    text = unicodedata.normalize("NFD", text.replace("ü", "v"))
    return "".join(c for c in text if c.isascii() and c.isalpha()).lower()


def unique(items):
    return list(dict.fromkeys(item for item in items if item))


def mandarin(row):
    main = row.get("kMandarin", "").replace("ü", "v").replace("ǖ", "v").replace("ǘ", "v")
    main = main.replace("ǚ", "v").replace("ǜ", "v").split()
    return unique(ascii_letters(re.sub("[ǖǘǚǜ]", "ü", item)) for item in main[:2])


def cantonese(row):
    return unique(re.sub("[0-9]", "", item) for item in row.get("kCantonese", "").split())[:2]


def korean(row):
    return unique(item.split(":")[0] for item in row.get("kHangul", "").split())[:2]


# Parts of characters. The database names them as the simplified forms of whole ones.
RADICALS = "钅讠纟饣"
LONG = [("ouu", "ou"), ("ou", "o"), ("oo", "o"), ("uu", "u")]


def shorten(text):
    for long, short in LONG:
        text = text.replace(long, short)
    return text


def japanese(row):
    on = [shorten(item.lower()) for item in row.get("kJapaneseOn", "").split()][:4]
    kun = []
    for item in row.get("kJapaneseKun", "").lower().split()[:8]:
        kun.append(item)
        if len(item) > 3 and item.endswith("i") and item[-2] in "aou":
            # An adjective: takai is taka or takashi in a name.
            kun += [item[:-1], item[:-1] + "shi"]
        if len(item) > 3 and item.endswith("shii"):
            kun += [item[:-1], item[:-3]]
        if len(item) > 4 and item.endswith("ru"):
            # A verb: terasu, hiromeru.
            kun += [item[:-2], item[:-3] if item[-3] in "ei" else item[:-2]]
        elif len(item) > 3 and item.endswith("su"):
            kun += [item[:-2] + "shi", item[:-2]]
        elif len(item) > 3 and item.endswith("tsu"):
            kun += [item[:-3] + "chi"]
        elif len(item) > 3 and item.endswith("u"):
            kun += [item[:-1] + "i"]
    kun = [shorten(item) for item in kun if len(item) <= 9]
    return unique(on + kun)[:14]


def wade_giles(syllable):
    """Returns the Wade-Giles spellings of a Pinyin syllable, and others in use in Taiwan."""
    s = syllable
    initial = next((i for i in ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw") if s.startswith(i)), "")
    final = s[len(initial):]
    i = {"b": "p", "d": "t", "g": "k", "zh": "ch", "j": "ch", "q": "ch", "x": "hs", "r": "j",
         "z": "ts", "c": "ts"}.get(initial, initial)
    f = final
    if initial in ("j", "q", "x", "y") and final.startswith("u"):
        f = final  # The umlaut is rarely written.
    if initial in ("zh", "ch", "sh", "r") and final == "i":
        f = "ih"
    if initial in ("z", "c", "s") and final == "i":
        return ["tzu" if initial != "s" else "szu", "ssu" if initial == "s" else "tsu", "sze" if initial == "s" else "tze"]
    f = {"ian": "ien", "ong": "ung", "iong": "iung", "ie": "ieh", "ue": "ueh", "ve": "ueh",
         "uo": "o", "v": "u", "e": "e"}.get(f, f)
    if initial in ("g", "k", "h") and final == "e":
        f = "o"
    if initial in ("g", "k", "h", "sh") and final == "uo":
        f = "uo"
    if initial in ("g", "k") and final == "ui":
        f = "uei"
    if initial == "y":
        f = {"an": "en", "e": "eh", "ong": "ung", "ou": "u"}.get(final, f)
        if final == "i":
            return ["i", "yi"]
    if initial == "" and final == "er":
        f = "erh"
    spellings = [i + f]
    if initial == "x":
        spellings += ["sh" + f, "s" + f]
    if initial == "j" or initial == "zh":
        spellings += ["j" + f if initial == "j" else "j" + f]
    if final == "ui":
        spellings += [i + "uei", i + "uey"]
    if initial == "w" and final == "en":
        spellings += ["wun"]
    if final == "ian":
        spellings += [i + "ian", i + "ien"]
    if final == "uo":
        spellings += [i + "uo"]
    if final == "iu":
        spellings += [i + "iu", i + "iou", i + "ieu"]
    if final == "ou" and initial == "y":
        spellings += ["yu", "yew", "yow"]
    return spellings


def of_mandarin(syllable):
    spellings = [syllable, *wade_giles(syllable)]
    if "v" in syllable:
        spellings += [syllable.replace("v", "u"), syllable.replace("v", "yu")]
    if syllable.startswith("yu"):
        spellings.append("u" + syllable[2:] if len(syllable) > 2 else "yu")
    if syllable in ("xian", "mei", "li"):
        spellings.append({"xian": "shien", "mei": "may", "li": "lee"}[syllable])
    if syllable.endswith("ong") and syllable[0] == "l":
        spellings.append("loong")
    return unique(spellings)


INITIALS = {
    "": [""], "b": ["p", "b"], "p": ["p"], "m": ["m"], "f": ["f"], "d": ["t", "d"], "t": ["t"],
    "n": ["n"], "l": ["l"], "g": ["k", "g"], "k": ["k"], "ng": ["ng", ""], "h": ["h"],
    "gw": ["kw", "ku", "gw", "k"], "kw": ["kw", "ku"], "w": ["w", "v"], "z": ["ch", "ts", "tz", "j", "z", "c"],
    "c": ["ch", "ts"], "s": ["s", "sh"], "j": ["y", "i", ""],
}
FINALS = {
    "aa": ["a", "ah", "ar"], "aai": ["ai", "aai"], "aau": ["au", "aau"], "aam": ["am"], "aan": ["an", "aan"],
    "aang": ["ang"], "aap": ["ap"], "aat": ["at"], "aak": ["ak"], "ai": ["ai", "ei"], "au": ["au"],
    "am": ["am", "um"], "an": ["an", "un", "en", "in"], "ang": ["ang", "eng"], "ap": ["ap", "up"],
    "at": ["at", "ut"], "ak": ["ak", "ek", "uk"], "e": ["e", "eh"], "ei": ["ei", "ee", "i", "ay", "ey"],
    "eng": ["eng", "ang", "eang", "iang"], "ek": ["ek"], "i": ["i", "ee", "ze", "e", "sze"], "iu": ["iu", "iew", "io"],
    "im": ["im"], "in": ["in", "een"], "ing": ["ing", "eng"], "ip": ["ip"], "it": ["it"],
    "ik": ["ik", "ick", "ek"], "o": ["o", "or", "oh"], "oi": ["oi", "oy"], "ou": ["o", "ou", "ow"],
    "on": ["on"], "ong": ["ong"], "ot": ["ot"], "ok": ["ok", "uok", "oc"], "u": ["u", "oo"],
    "ui": ["ui", "uy"], "un": ["un", "oon"], "ung": ["ung", "ong"], "ut": ["ut"],
    "uk": ["uk", "ook"], "eoi": ["ui", "oi", "eoi", "eui"], "eon": ["un", "eon", "on"], "eot": ["ut"],
    "oe": ["oe", "euh"], "oeng": ["eung", "eong", "iong"], "oek": ["euk", "eok"], "yu": ["yu", "u", "ue"],
    "yun": ["yuen", "uen", "un", "yun", "ung"], "yut": ["yut", "uet"], "m": ["m"], "ng": ["ng"],
}
# Family names as families of Hong Kong, Macao, Malaysia, Singapore and the Philippines write them.
FAMILIES = {
    "陈": "tan chan chin tang", "林": "lim lam lin", "黄": "ng wee ooi oei wong uy bong", "吴": "goh ng go",
    "王": "ong wong heng", "李": "lee li lei", "张": "teo chong cheong teoh tio cheung", "刘": "low lau liew law lao",
    "蔡": "chua choi chuah chai tjoa", "杨": "yeo yong yeoh young yeung ieong", "许": "koh khoo hui co kho",
    "郑": "tay teh cheng cheang the", "谢": "chia cheah tse tze", "郭": "quek kuek kwok kuok kwek", "洪": "ang hung hong",
    "曾": "chan tsang chen chang", "廖": "liow leow liew liu", "周": "chew chow chou chau", "叶": "yap yip ip yeh",
    "徐": "chee tsui chu chui", "孙": "soon suen sun", "胡": "oh hu wu foo woo", "朱": "choo chu", "高": "ko kow kou",
    "何": "ho hoe", "罗": "lo law loh", "萧": "siow seow siu", "潘": "phua poon pun", "沈": "sim shum sham",
    "余": "yu yee yii eu", "苏": "soh so soe", "吕": "loo lui lu", "卢": "loh lo loo", "江": "kang kong",
    "戴": "tai tye", "方": "png fong hong", "魏": "gui ngai goey wee", "颜": "gan ngan", "严": "yim giam",
    "侯": "hau how", "饶": "yeow", "钟": "chung chong cheong", "邓": "tang teng", "冯": "fung foong fong pang",
    "彭": "phang pang", "董": "tung tang", "梁": "leong leung neo leung", "宋": "song soong sung", "傅": "poh fu foo",
    "温": "oon wan woon", "薛": "see sit", "丁": "ting teng", "马": "mah ma beh", "关": "kwan kuan", "欧": "au ow",
    "区": "au ou", "蒋": "chiang cheong chong", "汪": "wong ong", "田": "tien tin", "石": "shek chio shih", "龙": "loong lung",
    "赵": "chao chiu teo", "钱": "chien chin", "施": "sze see", "柯": "ko kua", "游": "yu yau yew", "袁": "yuen",
    "韩": "hon han", "崔": "chui tsui", "邱": "khoo hiew yau chiu", "莫": "mok", "麦": "mak", "倪": "ngai nee",
    "骆": "lok loke", "陆": "luk loke look", "伍": "ng woo", "甘": "kam kum", "姚": "yeo yiu yao", "贺": "ho",
}


# Readings of characters in Chinese names that differ from their usual ones.
MANDARIN_NAMES = {"曾": ["zeng"], "单": ["shan"], "解": ["xie"], "仇": ["qiu"], "查": ["zha"], "翟": ["zhai"], "盖": ["ge"], "朴": ["pu", "piao"], "尉": ["yu"], "区": ["ou"], "任": ["ren"], "乐": ["yue", "le"], "召": ["shao"], "华": ["hua"], "秘": ["bi"], "冼": ["xian"], "洗": ["xian"], "吕": ["lu", "lyu"], "叶": ["ye"], "覃": ["qin", "tan"], "员": ["yun"], "缪": ["miao"], "宁": ["ning"], "纪": ["ji"], "逄": ["pang"]}
# Given names of Hokkien and Teochew families.
HOKKIEN = {key: value for keys, value in [
    ("志", "chee chi"), ("贤", "hean hian"), ("国", "kok"), ("忠", "tiong"), ("强", "kiang keong"), ("程", "thia"),
    ("镇", "chin tin"), ("东", "tong"), ("显", "hian hien"), ("材", "chye"), ("才", "chye"), ("财", "chye"), ("文", "boon"),
    ("勋", "hun"), ("瑞", "swee sui"), ("莲", "lian"), ("泉", "chuan"), ("鼎", "teng hin"), ("基", "kee ki"), ("其", "kee"),
    ("辉", "hui fai"), ("家", "ka kah"), ("祥", "siong seong"), ("明", "meng beng bing"), ("日", "jit"), ("升", "seng"),
    ("永", "eng yong weng"), ("宏", "hong hen"), ("振", "chin"), ("顺", "soon"), ("梅", "bwee mui"), ("华", "hua wah hwa"),
    ("成", "seng cheng"), ("金", "kim kam"), ("福", "hock hok fook"), ("德", "teck tek tuck"), ("光", "kong kuan kwang"),
    ("清", "cheng chin ching"), ("春", "choon chun"), ("美", "bee mei mee"), ("英", "eng ying"), ("玉", "geok gek yoke giok"),
    ("水", "chwee chui sui"), ("山", "san suan"), ("海", "hai"), ("龙", "leong loong liong"), ("发", "huat fatt"), ("兴", "heng hin hing"),
    ("安", "ann an"), ("平", "peng ping"), ("信", "sin"), ("义", "ghee gee"), ("仁", "jin yin"), ("礼", "lay"), ("智", "ti tee"),
    ("来", "lye lai"), ("万", "ban"), ("秋", "chew chiew"), ("生", "seng sang"), ("天", "thian tian tien"), ("荣", "eng yong weng"),
    ("昌", "cheong chiang chong"), ("盛", "seng"), ("景", "keng"), ("源", "guan yuan"), ("和", "ho hoe hor"), ("利", "lee"),
    ("丰", "hong"), ("胜", "seng"), ("雄", "hiong hong"), ("伟", "wee wai"), ("良", "leong liang"), ("俊", "choon chun joon"),
    ("杰", "kiat kit"), ("坤", "khoon"), ("昆", "khoon"), ("秀", "siew siu"), ("珍", "tin chin"), ("珠", "choo"), ("月", "guek guat gek"),
    ("花", "hua"), ("娘", "neo nio"), ("兰", "lan"), ("凤", "hong"), ("宝", "poh"), ("贵", "kwee kui"), ("隆", "leong loong"), ("进", "chin"),
    ("益", "ek aik yik"), ("吉", "kiat keat"), ("庆", "kheng"), ("朝", "tiau chow teow"), ("汉", "han"), ("炎", "yam iam"), ("松", "siong song"),
    ("树", "choo su"), ("森", "sim sum"), ("川", "chuan"), ("溪", "kay keh"), ("石", "chio shek"), ("建", "kian kien"), ("立", "lip lap"),
    ("添", "thiam tiam"), ("火", "hway"), ("土", "thor"), ("谋", "boh"), ("耀", "yew yiew"), ("学", "hock hak"), ("思", "see su"),
    ("佳", "kah kia"), ("丽", "lay lee lai"), ("香", "heong hiang"), ("淑", "sok shu"), ("如", "joo"), ("心", "sim"), ("敬", "keng"),
    ("木", "bok"), ("长", "tiong teong"), ("大", "tua tai"), ("通", "thong"), ("友", "yew"), ("有", "yew"), ("本", "poon"), ("茂", "bo mow"),
    ("财", "chye choy"), ("亮", "leong"), ("佑", "yew"), ("恩", "en"), ("中", "tiong chong"),
] for key in keys}
# Readings of characters in Japanese names, beside those of other words.
JAPANESE_NAMES = {key: value for key, value in (entry.split(":") for entry in """
佐:sa,suke 武:take,bu 光:mitsu,hikaru,ko 正:masa,tadashi,sho 祐:yu,hiro,suke,masa 介:suke 俊:shun,toshi 寿:toshi,hisa,kazu,ju 泰:yasu,yutaka,tai,hiro
賢:ken,satoru,masa,satoshi,kata,yoshi 和:kazu,yamato,wa,masa 妙:tae,taeko 佳:yoshi,kei,ka 美:mi,yoshi,haru 昌:masa,aki,yoshi 之:yuki,no 利:toshi,ri 朗:ro,o,aki,akira
康:yasu,ko,yasushi 雅:masa,miyabi,ga 謙:ken,kane,yuzuru 銀:gin 次:ji,tsugu 郎:ro 国:kuni,koku 谷:ya,tani,gai 裕:hiro,yu,yutaka 洋:yo,hiro,hiroshi 井:i 出:de,ide,izu
一:ichi,kazu,hajime,i 二:ji,ni,zo 三:zo,san,mi,mitsu 四:shi,yo 五:go 六:roku 七:nana 八:hachi,ya 九:kyu 十:ju,to 太:ta,futoshi 大:dai,o,hiro,hiroshi,masaru 小:o,ko,sa
人:to,hito 仁:hitoshi,jin,masa,hito 伸:shin,nobu 信:nobu,shin,makoto 修:osamu,shu,nobu 健:ken,takeshi,tatsu 元:moto,gen,hajime 充:mitsuru,mitsu 克:katsu 公:kimi,ko,masa
典:nori,ten 兵:hei,be 亮:ryo,akira 伊:i 保:yasu,ho,tamotsu 久:hisa,kyu,hisashi 也:ya,nari 乃:no 亜:a 亨:toru,ryo 京:kyo,kei 仙:sen 代:yo,shiro 任:to
優:yu,masaru,yutaka 勇:isamu,yu,yuki 勉:tsutomu 勝:katsu,masaru,sho 博:hiro,hiroshi,haku 厚:atsu,atsushi 史:fumi,shi 司:tsukasa,shi,ji 吉:yoshi,kichi 名:na 哲:tetsu,satoshi,tetsuya 啓:kei,hiro
善:yoshi,zen 喜:yoshi,ki,nobu 嘉:yoshi,ka 四郎:shiro 圭:kei 坂:saka 基:moto,ki 堀:hori 塚:tsuka 夏:natsu 夫:o 奈:na 奥:oku 好:yoshi 妃:hi 子:ko,ne 孝:taka,takashi,ko 学:manabu,gaku 宏:hiro,hiroshi,ko
守:mori,mamoru 安:yasu,an 宗:mune,so 定:sada 実:minoru,mi,sane,makoto 宣:nobu,sen 宮:miya 寛:hiroshi,hiro,kan,yutaka 富:tomi 将:masa,sho 尚:nao,hisa,takashi 島:shima 崇:taka,takashi,munetaka 川:kawa
巧:takumi 巳:mi 市:ichi 希:ki,nozomi 平:hira,hei,taira 幸:yuki,ko,sachi,miyuki 広:hiro,hiroshi 延:nobu 弘:hiro,hiroshi,ko 強:tsuyoshi 彦:hiko 彰:akira,aki,sho 後:go 徳:nori,toku,yoshi 徹:toru,tetsu 忠:tada,tadashi,chu
志:shi,yuki 恒:tsune,hisashi 恭:yasu,kyo 恵:kei,megumi,e,yoshi 悟:satoru,go 悠:yu,haruka 慎:shin,makoto 憲:ken,nori 成:nari,shige,sei 房:fusa 拓:taku,hiroshi 政:masa,sei 敏:toshi,bin,satoshi 敦:atsu,atsushi
敬:taka,takashi,kei,yoshi 文:fumi,bun 斉:sai,hitoshi 新:shin,ara,nii,arata 方:kata 旭:asahi 昇:noboru,sho 明:aki,akira,mei 春:haru 昭:aki,akira,sho 晃:akira,ko,aki 時:toki 晴:haru 晶:aki,akira,sho 智:tomo,satoshi,chi
暁:akira,aki 有:ari,yu 朋:tomo 服:hatto 木:ki,gi 杉:sugi 村:mura 東:higashi,to,azuma 松:matsu 林:hayashi 枝:e 柴:shiba 栄:ei,sakae,hide 栗:kuri 桂:kei,katsura 梅:ume 森:mori 植:ue 楠:kusunoki
樹:ki,ju,itsuki 橋:hashi 正:masa 武:take,takeshi 殿:to 水:mizu 江:e 沙:sa 治:ji,haru,osamu 法:nori 津:tsu 浅:asa 浜:hama 浦:ura 浩:hiro,hiroshi,ko 海:umi,kai,mi 深:fuka 清:kiyo,kiyoshi,sei 渉:wataru 渡:wata
湯:yu 満:mitsu,mitsuru 源:gen,moto 滋:shige,shigeru 潤:jun 澄:sumi,kiyoshi 瀬:se 灯:to 然:zen 照:teru 熊:kuma 片:kata 牧:maki 玄:gen 玉:tama 王:o 珠:tama,ju 理:ri,osamu,masa 琢:taku 瑞:mizu,zui 瑠:ru 由:yu,yoshi
甲:ko 男:o 町:machi 登:noboru,to 百:momo 盛:mori 直:nao,tadashi,naoki 相:ai,so 真:ma,makoto,shin,masa 知:tomo,chi,satoru 石:ishi 祥:sho,yoshi 福:fuku 秀:hide,shu,hideki 秋:aki 稔:minoru 穂:ho 竹:take 竜:ryu,tatsu 章:aki,akira,sho,fumi
笠:kasa 範:nori 篤:atsu,atsushi 米:yone 糸:ito 紀:nori,ki 純:jun,atsushi 紗:sa 細:hoso 絢:aya 絵:e 維:i,kore,shige 綾:aya 緒:o 美:mi 義:yoshi,gi 翔:sho,kakeru 耕:ko 聡:satoshi,so,satoru,toshi 肇:hajime 臣:omi
良:yoshi,ryo 花:hana,ka 英:hide,ei 茂:shige,shigeru 荒:ara 華:hana,ka 萩:hagi 葉:ha,yo,ba 蓮:ren 藤:fuji,to,do 行:yuki,ko 衛:e,mamoru 裕:yu 西:nishi 要:kaname 親:chika 誠:makoto,sei,nobu 謙:ken 護:mamoru 豊:yutaka,toyo,ho
貞:sada 貴:taka,takashi,ki 資:suke 赤:aka 越:koshi,goe 足:ashi 輔:suke 輝:teru,ki 近:chika,kon 通:michi 達:tatsu,tatsuya 遠:en,to 道:michi 邦:kuni,ho 部:be 郁:iku,ka 金:kin,kane 鈴:suzu,rei 鉄:tetsu 錦:nishiki 鎌:kama 長:naga,osa,haga
門:kado,mon 関:seki 阿:a 陽:yo,haru,hi 隆:taka,takashi,ryu 雄:o,yu,takeshi 雪:yuki 青:ao 靖:yasu,yasushi 順:jun,nobu,yori 須:su 顕:aki,ken 飯:ii 養:yo 香:ka,kaori 馬:ma,ba 高:taka,ko 魚:uo 鳥:tori 鶴:tsuru 麗:rei 麻:ma,asa 黒:kuro 龍:ryu,tatsu
々:ma 辺:be,nabe 嶋:shima 嶺:mine 嶽:take 崎:saki,zaki 条:jo 原:hara,wara,ra 野:no 本:moto 田:ta,da 山:yama 上:ue,kami,e 下:shita,shimo 中:naka 内:uchi 尾:o 口:kuchi,guchi 岡:oka 沢:sawa,zawa 生:o,iku,nama,u 入:iri 土:tsuchi,do,hiji
求:moto 俵:tawara 梨:na,ri 菜:na 里:sato,ri 結:yu,yui 愛:ai,mana,a 衣:i,e 音:oto,ne 莉:ri 桜:sakura,sa 沙:sa 織:ori 詩:uta,shi 望:nozomi 葵:aoi 凛:rin 咲:saki,sa 楓:kaede 羽:ha,wa,hane 杏:an,kyo 萌:moe 遥:haruka 舞:mai 彩:aya,sai 玲:rei 千:chi,sen 万:ma,man 教:nori,kyo 厳:iwao
""".split())}


def names(char):
    return JAPANESE_NAMES.get(char, "").split(",")


def of_cantonese(syllable):
    initial = next(
        i for i in ("ng", "gw", "kw", *"bpmfdtnlgkhwzcsj", "")
        if syllable.startswith(i) and syllable[len(i):] in FINALS
    )
    final = syllable[len(initial):]
    spellings = [a + b for a, b in itertools.product(INITIALS[initial], FINALS[final])]
    return unique(s for s in spellings if s)


def main():
    folder = pathlib.Path(sys.argv[1])
    readings = properties(folder / "Unihan_Readings.txt")
    variants = properties(folder / "Unihan_Variants.txt")

    def simplified(char):
        row = variants.get(char, {})
        for name in ("kSimplifiedVariant",):
            values = [chr(int(v.split("<")[0][2:], 16)) for v in row.get(name, "").split()]
            if values and char not in values and in_use(values[0]):
                return values[0]
        return char

    # Other forms of one character, such as those of Japan: both stand for the simplified one.
    forms = {}
    for char, row in variants.items():
        for name in ("kZVariant", "kSemanticVariant"):
            for value in row.get(name, "").split():
                other = chr(int(value.split("<")[0][2:], 16))
                if simplified(other) != other and name == "kSemanticVariant":
                    forms.setdefault(char, simplified(other))
                elif name == "kZVariant":
                    forms.setdefault(char, simplified(other))
    shinjitai = dict(zip(
        "広沢桜斎辺恵浜竜渋滝蔵団国学実宝寿図徳恒悦栄経県検剣験権検沢駅択訳釈斉済剤円塩応横欧殴黒会絵海懐歓観関顔気亀帰戯犠旧拠挙尭勤区駆径恵渓継鶏芸撃欠倹圏険顕厳呉娯効広恒鉱号黒歳剤雑参桟蚕惨賛残糸歯児辞湿実写釈寿収従渋獣縦粛処緒諸将祥称焼証奨条状乗浄剰畳縄壌嬢譲醸触嘱真寝慎尽粋酔穂随髄枢数瀬声静窃摂専浅戦践銭潜繊禅祖双壮争荘捜挿巣装僧総騒増蔵臓即属続堕対体帯滞台択沢単担胆団弾断遅昼虫鋳庁聴鎮逓鉄点転伝灯当党盗稲闘独読届縄弐悩脳覇拝廃売麦発髪抜繁晩蛮秘浜瓶払仏並併辺変弁歩舗穂宝豊翻万満黙訳薬与予余誉揺様謡来頼覧竜両猟緑塁類励礼霊齢恋練錬炉労楼録湾",
        "廣澤櫻齋邊惠濱龍澁瀧藏團國學實寶壽圖德恆悅榮經縣檢劍驗權檢澤驛擇譯釋齊濟劑圓鹽應橫歐毆黑會繪海懷歡觀關顏氣龜歸戲犧舊據擧堯勤區驅徑惠溪繼鷄藝擊缺儉圈險顯嚴吳娛效廣恆鑛號黑歲劑雜參棧蠶慘贊殘絲齒兒辭濕實寫釋壽收從澁獸縱肅處緖諸將祥稱燒證奬條狀乘淨剩疊繩壤孃讓釀觸囑眞寢愼盡粹醉穗隨髓樞數瀨聲靜竊攝專淺戰踐錢潛纖禪祖雙壯爭莊搜插巢裝僧總騷增藏臟卽屬續墮對體帶滯臺擇澤單擔膽團彈斷遲晝蟲鑄廳聽鎭遞鐵點轉傳燈當黨盜稻鬪獨讀屆繩貳惱腦霸拜廢賣麥發髮拔繁晚蠻祕濱甁拂佛竝倂邊變辯步舖穗寶豐飜萬滿默譯藥與豫餘譽搖樣謠來賴覽龍兩獵綠壘類勵禮靈齡戀練鍊爐勞樓錄灣",
    ))

    def canonical(char):
        path = [char]
        while True:
            form = canonical_form(path[-1])
            if not in_use(form) or form in RADICALS or "kMandarin" not in readings.get(form, {}):
                return path[-1]
            if form in path:
                # Forms that name each other.
                return min(path[path.index(form):])
            path.append(form)

    def canonical_form(char):
        char = shinjitai.get(char, char)
        if simplified(char) != char:
            return simplified(char)
        return forms.get(char, char)

    used = [char for char in sorted(readings) if in_use(char) and "kMandarin" in readings[char]]
    rows, syllables = {}, {}
    for char in used:
        # The readings of all forms of a character are those of the form that stands for them.
        columns = rows.setdefault(canonical(char), [[], [], [], []])
        row = readings[char]
        for column, values, limit in zip(
            columns,
            [mandarin(row), cantonese(row), korean(row), japanese(row) + names(char)],
            [2, 3, 3, 18],
        ):
            column[:] = unique(column + values)[:limit]
    for sign, columns in rows.items():
        columns[0] += MANDARIN_NAMES.get(sign, [])
        for syllable in columns[0]:
            syllables[("m", syllable)] = of_mandarin(syllable)
        for syllable in columns[1]:
            syllables[("c", syllable)] = of_cantonese(syllable)
    lines = [f"{char}\t{canonical(char)}" for char in used if canonical(char) != char]
    for sign, columns in rows.items():
        southern = unique(FAMILIES.get(sign, "").split() + HOKKIEN.get(sign, "").split())
        text = "\t".join([sign, "", *(",".join(c) for c in columns), ",".join(southern)])
        lines.append(text.rstrip("\t"))
    lines.sort()
    (HERE / "han.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = [f"{system}\t{syllable}\t{','.join(s)}" for (system, syllable), s in sorted(syllables.items())]
    (HERE / "syllables.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")


main()
