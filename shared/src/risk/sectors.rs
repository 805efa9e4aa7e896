//! Lists the sectors of higher risk, each with its sources.

use crate::model::customer::RiskLevel::{self, High, Medium};

/// A publication that names a sector as one of higher risk.
#[derive(Debug)]
pub struct Source {
    /// Title of the publication.
    pub title: &'static str,
    /// Address of the publication.
    pub url: &'static str,
}

/// A sector of higher risk, with the words and codes by which an industry is recognised.
#[derive(Debug)]
pub struct Sector {
    /// Id of the sector.
    pub id: &'static str,
    /// `High` or `Medium`.
    pub risk: RiskLevel,
    /// Publications that name the sector as one of higher risk.
    pub sources: &'static [Source],
    /// English words and phrases, folded (see [`crate::model::fold`]). They match whole words, in
    /// singular and plural.
    pub phrases: &'static [&'static str],
    /// NACE Rev. 2 and ISIC Rev. 4 codes without the point. A code also matches every code that
    /// starts with it.
    pub nace: &'static [&'static str],
    /// ISO 18245 merchant category codes.
    pub mcc: &'static [&'static str],
}

const FATF: Source = Source {
    title: "FATF Recommendations 8, 14, 15 and 22 with their interpretive notes",
    url: "https://www.fatf-gafi.org/en/publications/Fatfrecommendations/Fatf-recommendations.html",
};
const SNRA: Source = Source {
    title: "EU Supranational Risk Assessment, COM(2022) 554 and SWD(2022) 344",
    url: "https://eur-lex.europa.eu/legal-content/EN/TXT/?uri=CELEX:52022DC0554",
};
const EBA: Source = Source {
    title: "EBA Guidelines on ML/TF risk factors, EBA/GL/2021/02, guideline 2.4",
    url: "https://www.eba.europa.eu/regulation-and-policy/anti-money-laundering-and-e-money/revised-guidelines-on-ml-tf-risk-factors",
};
const WOLFSBERG: Source = Source {
    title: "Wolfsberg Statement: Guidance on a Risk Based Approach for Managing Money Laundering Risks (2006)",
    url: "https://wolfsberg-group.org/resources/rba",
};

/// All sectors. The phrases are English; the codes work in any language.
#[rustfmt::skip]
pub(super) const SECTORS: &[Sector] = &[
    Sector {
        id: "gambling", risk: High, sources: &[FATF, SNRA, EBA],
        phrases: &["gambling", "casino", "betting", "bookmaker", "lottery", "lotteries", "igaming",
            "sportsbook", "slot machine", "poker", "bingo", "wagering"],
        nace: &["92"], mcc: &["7800", "7801", "7802", "7995"],
    },
    Sector {
        id: "virtual_assets", risk: High, sources: &[FATF, SNRA],
        phrases: &["crypto", "cryptocurrency", "cryptocurrencies", "virtual asset", "digital asset",
            "virtual currency", "virtual currencies", "bitcoin", "stablecoin", "vasp", "nft", "defi"],
        // 6051 also covers money orders and foreign currency, which are of high risk as well.
        nace: &[], mcc: &["6051"],
    },
    Sector {
        id: "money_services", risk: High, sources: &[FATF, SNRA, EBA],
        phrases: &["money service", "msb", "money transfer", "remittance", "hawala", "money order",
            "currency exchange", "bureau de change", "bureaux de change", "exchange office",
            "check cashing", "cheque cashing"],
        nace: &[], mcc: &["4829"],
    },
    Sector {
        id: "precious_metals_and_stones", risk: High, sources: &[FATF, SNRA, EBA, WOLFSBERG],
        phrases: &["precious metal", "precious stone", "bullion", "gold dealer", "gold trader",
            "gold trading", "gold refining", "gold refinery", "diamond", "gemstone", "jeweller",
            "jeweler", "jewellery", "jewelry"],
        nace: &["2441", "3211", "3212", "4648", "4777"], mcc: &["5094", "5944"],
    },
    Sector {
        id: "arms_and_defence", risk: High, sources: &[EBA, WOLFSBERG],
        phrases: &["arms trade", "arms trading", "arms dealer", "arms manufacturer", "weapon",
            "weaponry", "firearm", "ammunition", "munition", "armament", "military equipment",
            "defence industry", "defense industry", "defence contractor", "defense contractor"],
        nace: &["2520", "254", "304"], mcc: &[],
    },
    Sector {
        id: "trust_and_company_services", risk: High, sources: &[FATF, SNRA],
        phrases: &["company service", "corporate service provider", "company formation", "trustee",
            "trust company", "nominee", "shell company", "shell companies", "shelf company",
            "offshore company", "offshore companies", "fiduciary", "tcsp"],
        nace: &[], mcc: &[],
    },
    Sector {
        id: "investor_migration", risk: High, sources: &[SNRA],
        phrases: &["citizenship by investment", "residence by investment", "golden visa",
            "golden passport"],
        nace: &[], mcc: &[],
    },
    Sector {
        id: "art_and_antiques", risk: Medium, sources: &[SNRA, WOLFSBERG],
        phrases: &["art dealer", "art dealing", "art trade", "art gallery", "art galleries",
            "antique", "antiquities", "auction house", "auctioneer"],
        nace: &[], mcc: &["5932", "5937", "5971"],
    },
    Sector {
        id: "high_value_goods", risk: Medium, sources: &[SNRA, WOLFSBERG],
        phrases: &["luxury goods", "luxury watch", "luxury watches", "luxury car", "yacht"],
        nace: &[], mcc: &["5551"],
    },
    Sector {
        id: "cash_intensive", risk: Medium, sources: &[SNRA, EBA, WOLFSBERG],
        phrases: &["cash intensive", "car wash", "launderette", "laundromat", "nightclub",
            "night club", "nail salon", "nail bar", "pawnbroker", "pawn shop", "used car",
            "second hand car", "scrap metal", "vending machine"],
        nace: &["5630"], mcc: &["5521", "5813", "5933", "7542"],
    },
    Sector {
        id: "finance", risk: Medium, sources: &[SNRA],
        phrases: &["bank", "banking", "payment institution", "payment service", "e money",
            "electronic money", "prepaid card", "hedge fund", "private equity", "investment fund",
            "fund management", "asset management", "wealth management", "broker dealer"],
        nace: &["64", "66"], mcc: &["6012", "6211"],
    },
    Sector {
        id: "real_estate", risk: Medium, sources: &[FATF, SNRA, WOLFSBERG],
        phrases: &["real estate", "estate agent", "realtor", "property developer",
            "property development"],
        nace: &["68"], mcc: &["6513"],
    },
    Sector {
        id: "legal_and_accounting", risk: Medium, sources: &[FATF, SNRA],
        phrases: &["law firm", "lawyer", "attorney", "solicitor", "notary", "notaries", "accountant",
            "accounting", "accountancy", "tax adviser", "tax advisor"],
        nace: &["69"], mcc: &["8111", "8931"],
    },
    Sector {
        id: "non_profit", risk: Medium, sources: &[FATF, SNRA, WOLFSBERG],
        phrases: &["charity", "charities", "charitable", "non profit", "nonprofit", "ngo"],
        nace: &[], mcc: &["8398"],
    },
    Sector {
        id: "professional_football", risk: Medium, sources: &[SNRA],
        phrases: &["professional football", "football club", "football agent"],
        nace: &[], mcc: &[],
    },
    Sector {
        id: "construction", risk: Medium, sources: &[EBA],
        phrases: &["construction", "civil engineering", "building contractor"],
        nace: &["41", "42", "43"], mcc: &["1520"],
    },
    Sector {
        id: "health", risk: Medium, sources: &[EBA],
        phrases: &["pharmaceutical", "pharma", "healthcare", "health care"],
        nace: &["21", "86"], mcc: &["5122", "8062"],
    },
    Sector {
        id: "extractive", risk: Medium, sources: &[EBA],
        phrases: &["mining", "oil and gas", "oil gas", "petroleum", "quarry", "quarrying",
            "extractive"],
        nace: &["05", "06", "07", "08", "09"], mcc: &[],
    },
    Sector {
        id: "public_procurement", risk: Medium, sources: &[EBA],
        phrases: &["public procurement", "government contractor", "government contracting"],
        nace: &[], mcc: &[],
    },
];
