//! Pattern files of any size, as a catalogue that has grown.
//!
//! A seed and a number of entries come in; a pattern file goes out, made from a grammar of about a thousand
//! words of PostgreSQL and of migrations: objects, settings, views, commands, faults, circumstances and
//! advice. Messages differ in their words as those of a real catalogue do, so that anchors are chosen as for
//! one. Codes are those of the service's range that the built-in catalogue lacks; when they are used up,
//! entries have none. Entries are rich as long as the file has space for those to come, then lean.

use super::rng::Rng;
use super::words::value;
use migsift::catalog::{MAX_FILE_BYTES, builtin};
use std::collections::HashSet;
use std::fmt::Write;

/// The size of the largest rich entry, in bytes.
const RICH: usize = 2_600;

/// Objects; the last word is the name of the argument that names one.
const OBJECTS: &str = "access method, advisory lock, aggregate, backup, BRIN index, cast, certificate, check constraint, \
    composite type, connection string, constraint trigger, conversion, cursor, default privilege, DNS \
    zone, domain, dump file, enum label, event trigger, exclusion constraint, expression index, failover \
    group, firewall rule, foreign key, foreign server, foreign table, function, gateway, generated \
    column, GIN index, GiST index, grant, hash index, heap segment, high availability pair, identity \
    column, inherited table, key vault, keytab, large object, lease, listener, locale, logical decoder, \
    lookup table, maintenance window, managed identity, materialized view, multirange type, named \
    statement, operator, operator class, operator family, output plugin, parallel worker, partition, \
    partition key, peering, prepared transaction, primary key, private endpoint, procedural language, \
    procedure, publication, quota, range type, read replica, replica identity, replication origin, \
    restore job, rewrite rule, row security policy, runtime, savepoint, schema, secret, security label, \
    sequence, service principal, shadow table, snapshot, sort order, SP-GiST index, staging table, \
    statistics object, storage account, subnet, subscription, support function, tablespace, text search \
    dictionary, text search parser, transform, unique index, user mapping, virtual network";
const MODIFIERS: &str = "abandoned, archived, attached, case-sensitive, clustered, compressed, cross-region, cyclic, \
    deferrable, detached, disabled, duplicate, dynamic, encrypted, expired, frozen, global, hidden, \
    idle, immutable, incremental, internal, invalid, legacy, misspelled, multicolumn, nested, nullable, \
    obsolete, orphaned, overlapping, oversized, pending, preloaded, protected, quoted, read-only, \
    recursive, renamed, reserved, secondary, shared, stale, temporary, transient, unlogged, unvalidated, \
    zone-redundant";
/// Parts of objects, and faults of parts.
const PARTS: &str = "acknowledgement, alias, argument list, audience, bloom filter, body, upper bound, disk layout, \
    catalog row, checksum, youngest child, comment, creation order, credential, cost estimate, default \
    expression, definition, delimiter, dependency graph, description, descriptor, digest, endpoint, \
    entry in the manifest, expiry date, fill factor, fingerprint, free space map, privilege list, \
    handler, header, heartbeat, history, increment, initial snapshot, kerberos realm, last flushed \
    position, lineage, lock queue, maximum value, membership, metadata, name, namespace, null marker, \
    object identifier, offset, owner, parent, passphrase, planner hint, precision, provider, queue, \
    return type, revision, search path, signature, storage parameter, subplan, toast chunk, visibility \
    map, volatility, watermark";
const FAULTS: &str = "is ambiguous, arrived twice, belongs to another tenant, breaks an invariant, cannot be parsed, \
    cannot be serialized, changed halfway, clashes with a keyword, collides with a builtin, contains \
    surrogate pairs, contradicts the manifest, crosses a boundary, diverged, does not round-trip, does \
    not survive truncation, exceeds sixty-three characters, fails verification, forms a cycle, goes \
    backwards, grew beyond a terabyte, has a dangling pointer, has an exotic encoding, has lapsed, has \
    vanished, holds infinite timestamps, holds zero bytes, is corrupted, is empty, is half written, is \
    implausible, is locked by autovacuum, is marked for deletion, is masked, is no superuser, is not \
    deterministic, is not idempotent, is out of sequence, is pinned, is quarantined, is throttled, is \
    unreachable, is unsigned, keeps growing, lags by several gigabytes, lost precision, misses a quorum, \
    needs upgrading, never acknowledged, outgrew its page, overflows an integer, points elsewhere, \
    refers to itself, refuses impersonation, rejects nulls, relies on localtime, shadows a system view, \
    spans two partitions, starved, stays invisible, uses deprecated syntax, violates a foreign key, was \
    rotated yesterday, was vacuumed away, went stale";
const VERBS: &str = "analyze, archive, attach, authorize, backfill, bind, checkpoint, clone, compare, convert, deparse, \
    detach, disable, drain, enumerate, evict, export, flush, freeze, hash, import, inspect, lock, mount, \
    pause, promote, provision, purge, rebuild, reindex, release, rename, replay, resolve, rotate, \
    sample, synchronize, translate, truncate, verify";
const WHEN: &str = "after a failover, after the base backup, after the cutover, after the heartbeat stopped, after the \
    lease had expired, ahead of the freeze, at midnight, before consistency was reached, before the \
    first checkpoint, before the handshake, before the rollback, beyond the retention period, despite a \
    cascade, during autovacuum, during catch-up, during crash recovery, during the precheck, during the \
    prologue, in a nested transaction, in single-user mode, in the last hour, inside a subtransaction, \
    on every retry, on the secondary, once sampling began, outside business hours, since the last \
    resize, since the minor upgrade, through the pooler, under heavy load, under serializable isolation, \
    until quiescence, upon reconnecting, while backfilling, while compacting, while draining \
    connections, while rebalancing, while scaling storage, while throttled, without a snapshot";
const SETTINGS: &str = "archive_command, array_nulls, autovacuum_freeze_max_age, autovacuum_naptime, backslash_quote, \
    bgwriter_lru_multiplier, bonjour, bytea_output, commit_siblings, constraint_exclusion, \
    cpu_tuple_cost, cursor_tuple_fraction, deadlock_timeout, debug_pretty_print, dynamic_library_path, \
    effective_io_concurrency, event_source, extra_float_digits, from_collapse_limit, full_page_writes, \
    geqo_threshold, gin_fuzzy_search_limit, hash_mem_multiplier, hot_standby_feedback, huge_pages, \
    idle_session_timeout, intervalstyle, jit_above_cost, krb_server_keyfile, lc_monetary, \
    lo_compat_privileges, log_rotation_age, logical_decoding_work_mem, maintenance_work_mem, \
    max_files_per_process, max_locks_per_transaction, max_prepared_transactions, max_slot_wal_keep_size, \
    max_stack_depth, max_worker_processes, min_parallel_table_scan_size, old_snapshot_threshold, \
    parallel_setup_cost, plan_cache_mode, quote_all_identifiers, recovery_min_apply_delay, row_security, \
    seq_page_cost, session_replication_role, shared_memory_type, ssl_ciphers, \
    standard_conforming_strings, statement_timeout, synchronous_standby_names, syslog_facility, \
    tcp_keepalives_idle, temp_file_limit, track_commit_timestamp, transform_null_equals, \
    vacuum_cost_delay, wal_compression, wal_receiver_status_interval, wal_skip_threshold, xmloption";
/// Effects of a setting on an object.
const HINDERS: &str = "conflicts with, delays, disqualifies, exhausts, forbids, hides, interrupts, invalidates, limits, \
    outlasts, overrides, reorders, slows, starves, suppresses, undermines";
const VIEWS: &str = "information_schema.columns, information_schema.triggers, pg_aggregate, pg_amproc, pg_attrdef, \
    pg_auth_members, pg_available_extensions, pg_conversion, pg_db_role_setting, pg_default_acl, \
    pg_depend, pg_enum, pg_event_trigger, pg_foreign_data_wrapper, pg_hba_file_rules, pg_inherits, \
    pg_init_privs, pg_largeobject_metadata, pg_locks, pg_opfamily, pg_partitioned_table, pg_policies, \
    pg_prepared_xacts, pg_publication_tables, pg_range, pg_rewrite, pg_seclabels, pg_shdepend, \
    pg_stat_progress_copy, pg_statistic_ext, pg_subscription_rel, pg_ts_template";
const EXTENSIONS: &str = "address_standardizer, amcheck, anon, bool_plperl, btree_gist, cube, dblink, dict_xsyn, \
    earthdistance, file_fdw, fuzzystrmatch, hypopg, intarray, isn, ltree, mysql_fdw, oracle_fdw, orafce, \
    pageinspect, pg_buffercache, pg_freespacemap, pg_hint_plan, pg_partman, pg_prewarm, pg_repack, \
    pg_squeeze, pgaudit, pgcrypto, pgrouting, pgrowlocks, pgstattuple, pgvector, plv8, semver, sslinfo, \
    tablefunc, tds_fdw, tsm_system_rows, unaccent, xml2";
const COMMANDS: &str = "ALTER DEFAULT PRIVILEGES, ALTER DOMAIN, ALTER SYSTEM, ATTACH PARTITION, CLUSTER, COMMENT ON, CREATE \
    STATISTICS, DEALLOCATE, DISCARD PLANS, GRANT USAGE, IMPORT FOREIGN SCHEMA, LISTEN, LOCK TABLE, MERGE \
    INTO, NOTIFY, OVERRIDING SYSTEM VALUE, REASSIGN OWNED, REFRESH MATERIALIZED VIEW, REINDEX \
    CONCURRENTLY, SECURITY LABEL, SET CONSTRAINTS, TRUNCATE CASCADE, VACUUM FULL, VALIDATE CONSTRAINT";
/// Places of objects: the words and the argument.
const PLACES: [(&str, &str); 8] = [
    ("in database", "database"),
    ("of server", "server"),
    ("for user", "user"),
    ("on table", "table"),
    ("beside column", "column"),
    ("of tenant", "tenant"),
    ("in region", "region"),
    ("on volume", "volume"),
];
/// Measures in messages: the words, the argument, its kind, and whether the largest of several values counts.
const MEASURES: [(&str, &str, &str, bool); 9] = [
    ("within {} seconds", "seconds", "number", false),
    ("for {} tuples", "tuples", "number", false),
    ("at attempt {}", "attempt", "number", false),
    ("above {} megabytes", "megabytes", "number", true),
    ("under version {}", "version", "version", false),
    ("below release {}", "min_version", "version", true),
    ("with extensions {}", "extensions", "list", false),
    ("through roles {}", "roles", "list", false),
    ("in state {}", "state", "word", false),
];
const ADVICE: &str = "Allow a longer timeout, Ask the owner for consent, Assign another tier, Cancel whatever blocks it, \
    Choose a different region, Commit or roll back first, Consult the validation report, Correct the \
    spelling, Deselect the affected schemas, Disable triggers meanwhile, Drop what nobody uses, Enlarge \
    the volume, Exclude it from the selection, Export it manually with pg_dump, Grant membership \
    temporarily, Lower the parallelism, Move it into another schema, Open the outbound port, Promote the \
    standby, Raise the limit, Recreate it afterwards, Register the provider, Remove circular references, \
    Renew the credentials, Repair the damaged pages, Replace it by a plain column, Run VACUUM and \
    ANALYZE, Shorten the identifier, Switch to offline mode, Terminate idle sessions, Upgrade the minor \
    version, Wait for the backlog to shrink";
const THEN: &str = "and resume, and retry the migration, and validate again, before resuming, before the next attempt, \
    then restart the replication, then start over, unless a freeze applies, while writes are paused, \
    with elevated permissions";
const TITLES: &str = "blocked, conflict, failure, limit, lost, mismatch, missing, not permitted, not ready, refused, \
    skipped, stalled, timeout, too old, unsupported, unusable";
const NAMES: &str = "orders_pk, trg_audit, mv_daily, InvoiceNo, eu_west, tenant-17, seq_badge, app.ledger, v2_import, \
    idx_line";
const STATES: &str = "catchup, streaming, stopping, unknown, initializing";

/// An argument of an entry.
struct Arg {
    name: String,
    kind: &'static str,
    max: bool,
}

/// The subject of an entry, which its wordings share.
struct Topic {
    object: &'static str,
    /// The argument that names the object, if it is named.
    own: Option<String>,
    /// The words for its place, and the argument.
    place: Option<(&'static str, &'static str)>,
    /// The words for the measure, and the argument.
    measure: Option<(&'static str, &'static str)>,
    args: Vec<Arg>,
}

/// Returns a pattern file of `entries` entries that passes `migsift catalog check`, alone and with the
/// built-in catalogue.
///
/// # Panics
///
/// If so many do not fit into a pattern file.
pub fn catalogue(seed: u64, entries: usize) -> String {
    let mut rng = Rng::new(seed);
    let taken: HashSet<&str> = builtin().entries.iter().map(|entry| &*entry.id).collect();
    let space = &builtin().code_spaces[0];
    let digits = space.length() - space.prefix().len();
    let free: Vec<String> = (0..1_000)
        .map(|number| format!("{}{number:0digits$}", space.prefix()))
        .filter(|code| !taken.contains(&**code))
        .collect();
    let mut used = HashSet::new();
    let mut out = format!("format = 1\nname = \"generated-{entries}\"\nedition = \"generated\"\n");
    for number in 0..entries {
        let space = (MAX_FILE_BYTES * (number + 1) / entries).saturating_sub(out.len());
        entry(&mut out, &mut rng, &mut used, free.get(number), number, space >= RICH);
    }
    assert!(out.len() <= MAX_FILE_BYTES, "{entries} entries do not fit into a pattern file");
    out
}

fn entry(
    out: &mut String,
    rng: &mut Rng,
    used: &mut HashSet<String>,
    code: Option<&String>,
    number: usize,
    rich: bool,
) {
    let topic = topic(rng, rich);
    let mut wordings = vec![message(rng, used, &topic, rich)];
    if rich && rng.happens(0.3) {
        wordings.push(message(rng, used, &topic, rich));
    }
    let slug = topic.object.replace(' ', "-").to_lowercase();
    let title = capital(&format!("{} {}", topic.object, one(rng, TITLES)));
    let database = topic.args.iter().any(|arg| arg.name == "database");
    let _ = match code {
        Some(code) => writeln!(out, "\n[[entry]]\nid = \"{code}\"\ncode = \"{code}\""),
        None => writeln!(out, "\n[[entry]]\nid = \"{slug}-{number}\""),
    };
    let _ = writeln!(
        out,
        "title = \"{title}\"\nseverity = \"{}\"\nscope = \"{}\"\nside = \"{}\"\nactor = \"{}\"",
        if rng.happens(0.1) { "warning" } else { "error" },
        if database || rng.happens(0.3) { "database" } else { "server" },
        rng.pick(&["source", "source", "target", "target", "both", "service"]),
        rng.pick(&["customer", "customer", "customer", "support", "unsupported"]),
    );
    if rich && rng.happens(0.1) {
        out.push_str("restart = true\n");
    }
    if !topic.args.is_empty() {
        let arguments = topic.args.iter().enumerate().map(|(position, Arg { name, kind, max })| {
            let merge = if *max { ", merge = \"max\"" } else { "" };
            format!("{{ name = \"{name}\", position = {position}, kind = \"{kind}\"{merge} }}")
        });
        list(out, "arguments", &arguments.collect::<Vec<_>>(), rich);
    }
    let quoted = |text: &String| format!("\"{text}\"");
    let texts: Vec<String> = wordings.iter().map(|sentences| quoted(&sentences.join(" "))).collect();
    list(out, "wordings", &texts, rich);
    if rich {
        let mut resolutions = vec![quoted(&advice(rng))];
        if let Some(own) = topic.own.as_ref().filter(|_| rng.happens(0.3)) {
            resolutions.push(quoted(&format!("{} `{{{own}}}` {}.", one(rng, ADVICE), one(rng, THEN))));
        }
        list(out, "resolutions", &resolutions, rich);
        list(out, "negatives", &[quoted(&title)], rich);
    }
    let mut examples = Vec::new();
    for sentences in &wordings {
        examples.push(example(rng, &topic, &sentences[0]));
        if rich {
            let text = sentences.join(" ").replace('`', "'").replace("can't", "cannot");
            let head = code.map_or(String::new(), |code| format!("{code}: "));
            examples.push(example(rng, &topic, &format!("{head}{title}. {text}")));
        }
    }
    list(out, "examples", &examples, rich);
}

fn topic(rng: &mut Rng, rich: bool) -> Topic {
    let object = one(rng, OBJECTS);
    let mut args = Vec::new();
    let mut arg = |name: &str, kind, max| args.push(Arg { name: name.to_string(), kind, max });
    let own = rng.happens(if rich { 0.6 } else { 0.4 }).then(|| {
        let name = object.rsplit(' ').next().unwrap_or(object).to_lowercase();
        arg(&name, "text", false);
        name
    });
    let place = rng.happens(if rich { 0.4 } else { 0.1 }).then(|| {
        let place = *rng.pick(&PLACES);
        arg(place.1, "text", false);
        place
    });
    let place = place.filter(|(_, name)| own.as_deref() != Some(name));
    let measure = rng.happens(if rich { 0.25 } else { 0.1 }).then(|| {
        let (words, name, kind, max) = *rng.pick(&MEASURES);
        arg(name, kind, max);
        (words, name)
    });
    // "Column x beside column y" has one argument.
    args.dedup_by(|b, a| a.name == b.name);
    Topic { object, own, place, measure, args }
}

/// Returns the sentences of a message that differs from those in `used`.
fn message(rng: &mut Rng, used: &mut HashSet<String>, topic: &Topic, rich: bool) -> Vec<String> {
    let first = loop {
        let (text, key) = sentence(rng, topic, rich);
        if findable(&key) && used.insert(key) {
            break text;
        }
    };
    let mut sentences = vec![first];
    if rich && rng.happens(0.5) {
        sentences.push(advice(rng));
    }
    sentences
}

/// Returns a first sentence, and the words that distinguish it from others: without names and modifiers.
fn sentence(rng: &mut Rng, topic: &Topic, rich: bool) -> (String, String) {
    let mut subject = String::new();
    if rng.happens(if rich { 0.6 } else { 0.2 }) {
        let _ = write!(subject, "{} ", one(rng, MODIFIERS));
    }
    subject.push_str(topic.object);
    if let Some(own) = &topic.own {
        subject.push_str(&match rng.below(3) {
            0 => format!(" {{{own}}}"),
            1 => format!(" '{{{own}}}'"),
            _ => format!(" `{{{own}}}`"),
        });
    }
    if let Some((words, name)) = topic.place {
        let _ = write!(subject, " {words} `{{{name}}}`");
    }
    if let Some((words, name)) = topic.measure {
        let _ = write!(subject, " {}", words.replace("{}", &format!("{{{name}}}")));
    }
    let fault = format!("{} {}", one(rng, PARTS), one(rng, FAULTS));
    let when = if rich && rng.happens(0.4) { format!(" {}", one(rng, WHEN)) } else { String::new() };
    let verb = one(rng, VERBS);
    // The words of the frame are short: a long one in many messages would be the only anchor.
    let frame = rng.below(if rich { 8 } else { 3 });
    let (before, after) = match frame {
        0 => (String::new(), format!(": its {fault}{when}")),
        1 => (format!("Can't {verb} "), format!(" as its {fault}{when}")),
        2 => (format!("{} of ", one(rng, PARTS)), format!(" {}{when}", one(rng, FAULTS))),
        3 => (
            format!("{} of ", one(rng, PARTS)),
            format!(" {}, so it {}{when}", one(rng, FAULTS), one(rng, FAULTS)),
        ),
        4 => (format!("'{}' {} ", one(rng, SETTINGS), one(rng, HINDERS)), format!(" and its {fault}{when}")),
        5 => (format!("{} can't {verb} ", one(rng, EXTENSIONS)), format!(" if its {fault}{when}")),
        6 => (format!("{} on ", one(rng, COMMANDS)), format!(" ran into this: its {fault}{when}")),
        _ => (format!("{} has ", one(rng, VIEWS)), format!(" but the {fault}{when}")),
    };
    let text = format!("{before}{subject}{after}.");
    // A name keeps its case.
    let text = if frame < 4 { capital(&text) } else { text };
    (text, format!("{before}{}{after}", topic.object))
}

fn advice(rng: &mut Rng) -> String {
    format!("{} {}.", one(rng, ADVICE), one(rng, THEN))
}

/// Returns `text` with its placeholders filled, with the values, as an example of a pattern file.
fn example(rng: &mut Rng, topic: &Topic, text: &str) -> String {
    let (mut text, mut args) = (text.to_string(), Vec::new());
    for Arg { name, kind, .. } in &topic.args {
        let filled = match (*kind, name.as_str()) {
            ("number", _) => (2 + rng.below(90_000)).to_string(),
            ("version", _) => value("min_version", rng),
            ("word", _) => one(rng, STATES).to_string(),
            ("list", _) | (_, "database" | "server" | "user" | "table" | "column") => value(name, rng),
            _ => one(rng, NAMES).to_string(),
        };
        text = text.replace(&format!("{{{name}}}"), &filled);
        args.push(match *kind {
            "list" => {
                let items: Vec<String> =
                    filled.split(',').map(|item| format!("\"{}\"", item.trim())).collect();
                format!("{name} = [{}]", items.join(", "))
            }
            _ => format!("{name} = \"{filled}\""),
        });
    }
    let args = if args.is_empty() { "{}".to_string() } else { format!("{{ {} }}", args.join(", ")) };
    format!("{{ text = \"{text}\", args = {args} }}")
}

/// Appends a key with an array, in a rich entry with one item on each line.
fn list(out: &mut String, key: &str, items: &[String], rich: bool) {
    let _ = match rich {
        true => writeln!(out, "{key} = [\n  {},\n]", items.join(",\n  ")),
        false => writeln!(out, "{key} = [{}]", items.join(", ")),
    };
}

/// Returns one of the phrases in a list with commas.
fn one(rng: &mut Rng, phrases: &'static str) -> &'static str {
    let phrases: Vec<&'static str> = phrases.split(", ").collect();
    let index = rng.below(phrases.len() as u64) as usize;
    phrases[index]
}

/// Whether a word is long enough for an anchor even without what logs vary: its first letter, a plural, and
/// the first part of a compound.
fn findable(text: &str) -> bool {
    let varies = ["allow", "block", "non", "post", "pre", "sub"];
    text.split(' ').any(|word| {
        let plain = word.len() >= 7 && word.bytes().all(|byte| byte.is_ascii_lowercase());
        plain && !word.ends_with('s') && !varies.iter().any(|first| word.starts_with(first))
    })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}
