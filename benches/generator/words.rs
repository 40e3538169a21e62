//! The words of the corpus: names of servers, databases, roles and extensions, numbers, and the time.
//!
//! A placeholder's name and a random number generator come in; a plausible value goes out. Noise and findings
//! use the same words, so no value distinguishes them. [`Clock`] returns the log's time, which only goes
//! forward.

use super::rng::Rng;

const DATABASES: [&str; 8] =
    ["orders", "billing", "analytics", "hr", "crm-prod", "legacy_crm", "shop_eu", "ERP"];
const SERVERS: [&str; 5] = [
    "contoso-src.postgres.database.azure.com",
    "src-orders-01.contoso.internal",
    "pg-onprem-01",
    "10.4.0.7",
    "db1.contoso.com:5432",
];
const USERS: [&str; 6] = ["mig_svc", "migadmin", "app_orders", "repl", "ctsadmin", "etl@contoso-src"];
const ROLES: [&str; 4] = ["dba@contoso.com", "orders-app", "reporting", "dba_team"];
const EXTENSIONS: [&str; 9] =
    ["pg_trgm", "postgres_fdw", "uuid-ossp", "hstore", "citext", "pg_cron", "timescaledb", "postgis", "age"];
const COLLATIONS: [&str; 5] =
    ["de_DE.utf8", "sv_SE", "en-US-x-icu", "Finnish_Finland.1252", "English_United States.1252"];
const TABLES: [&str; 6] =
    ["public.orders", "public.order_line", "sales.Invoices", "mart.reading", "hr.badge", "public.coupon"];
const LANGUAGES: [&str; 4] = ["plperlu", "plpython3u", "pltcl", "plr"];
const COLUMNS: [&str; 4] = ["last_name", "ShipCity", "label", "name"];
const PERMISSIONS: [&str; 3] = ["SELECT", "SELECT, UPDATE", "INSERT"];
const WAL_LEVELS: [&str; 2] = ["replica", "minimal"];
const VERSIONS: [&str; 5] = ["9.5", "11", "12", "14.11", "3.4.2"];

/// Returns a value for the placeholder `name` of the catalogue or of the noise.
pub fn value(name: &str, rng: &mut Rng) -> String {
    let text = |choice: &&str| (*choice).to_string();
    match name {
        "database" => text(rng.pick(&DATABASES)),
        "server" => text(rng.pick(&SERVERS)),
        "user" | "other_user" => text(rng.pick(&USERS)),
        "roles" => list(&ROLES, rng),
        "extensions" => list(&EXTENSIONS, rng),
        "languages" => list(&LANGUAGES, rng),
        "extension" => text(rng.pick(&EXTENSIONS)),
        "collation" => text(rng.pick(&COLLATIONS)),
        "table" => text(rng.pick(&TABLES)),
        "column" => text(rng.pick(&COLUMNS)),
        "permissions" | "other_permissions" => text(rng.pick(&PERMISSIONS)),
        "wal_level" => text(rng.pick(&WAL_LEVELS)),
        "min_version" | "target_version" | "source_postgis_version" => text(rng.pick(&VERSIONS)),
        "min_replication_slots" | "max_wal_senders" => (1 + rng.below(64)).to_string(),
        "slot" => format!("standby_{:02}", rng.below(40)),
        "address" => format!("10.40.{}.{}", rng.below(16), 1 + rng.below(250)),
        "small" => rng.below(1_000).to_string(),
        "count" => rng.below(5_000_000).to_string(),
        "ms" => format!("{}.{:03}", rng.below(2_000), rng.below(1_000)),
        "pid" => pid(rng).to_string(),
        "six" => six(rng).to_string(),
        _ => panic!("the words have no value for {{{name}}}"),
    }
}

/// Returns six digits: a count, an id or a fraction; one in sixteen looks like a code.
pub fn six(rng: &mut Rng) -> u64 {
    if rng.below(16) == 0 { 603_000 + rng.below(800) } else { 100_000 + rng.below(900_000) }
}

/// Returns a PID; in newer systems they have six digits as well.
pub fn pid(rng: &mut Rng) -> u64 {
    if rng.below(2) == 0 { six(rng) } else { 40 + rng.below(30_000) }
}

/// Returns one to three different names.
fn list(names: &[&str], rng: &mut Rng) -> String {
    let (first, count) = (rng.below(names.len() as u64) as usize, 1 + rng.below(3) as usize);
    let comma = *rng.pick(&[", ", ","]);
    names.iter().cycle().skip(first).take(count).copied().collect::<Vec<_>>().join(comma)
}

/// The time in the log, in milliseconds of June 2024.
pub struct Clock(u64);

impl Clock {
    /// Returns a clock at the start of the month.
    pub fn new() -> Clock {
        Clock(0)
    }

    /// Goes forward by up to 400 ms and returns the time, with `between` between date and time.
    pub fn tick(&mut self, rng: &mut Rng, between: char) -> String {
        self.0 += rng.below(400);
        let (ms, s) = (self.0 % 1_000, self.0 / 1_000);
        let (day, hour, minute) = (1 + s / 86_400 % 30, s / 3_600 % 24, s / 60 % 60);
        format!("2024-06-{day:02}{between}{hour:02}:{minute:02}:{:02}.{ms:03}", s % 60)
    }
}
