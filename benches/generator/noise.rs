//! Noise: lines that are no findings, and the formats of the lines that findings are in.
//!
//! A random number generator and a clock come in; a line of one of five formats goes out: PostgreSQL's stderr
//! and csvlog, the worker's TSV, pgcopydb, and Azure Monitor's JSON lines. The messages use the catalogue's
//! own words, so that anchors are hit as often as in real logs, and six digits that are no codes are wherever
//! real logs have them.

use super::rng::Rng;
use super::words::{self, Clock, pid, value};
use migsift::catalog::Template;
use std::fmt::Write;

/// Messages of a PostgreSQL server: level and text.
const SERVER: [(&str, &str); 24] = [
    ("LOG", "connection received: host={address} port=40612"),
    (
        "LOG",
        "connection authorized: user={user} database={database} application_name=migration-validator SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256, compression=off)",
    ),
    (
        "LOG",
        "disconnection: session time: 0:06:00.{six} user={user} database={database} host={address} port=40612",
    ),
    ("LOG", "duration: {ms} ms  statement: UPDATE {table} SET shipped_at = now() WHERE id = {six}"),
    (
        "LOG",
        "duration: {ms} ms  execute <unnamed>: SELECT id, label FROM {table} WHERE label LIKE $1 LIMIT {small}",
    ),
    ("LOG", "duration: {ms} ms  parse S_7: INSERT INTO {table} ({column}, created_at) VALUES ($1, now())"),
    ("LOG", "checkpoint starting: time"),
    (
        "LOG",
        "checkpoint complete: wrote {small} buffers (11.2%); 0 WAL file(s) added, 0 removed, 2 recycled; write={ms} s, sync=0.018 s, total={ms} s; sync files=214; distance=31244 kB, estimate=60340 kB; lsn=2/{six}A8, redo lsn=2/60310470",
    ),
    (
        "LOG",
        "automatic vacuum of table \"{database}.{table}\": index scans: 1 pages: 0 removed, {count} remain tuples: {six} removed, 14208 remain, 0 are dead but not yet removable",
    ),
    ("LOG", "process {pid} still waiting for ShareLock on transaction {six} after 1000.112 ms"),
    ("LOG", "temporary file: path \"base/pgsql_tmp/pgsql_tmp{six}.0\", size {count}"),
    ("LOG", "received replication command: START_REPLICATION SLOT \"{slot}\" 3A/{six}00 TIMELINE 1"),
    ("LOG", "could not send data to client: Broken pipe"),
    ("ERROR", "must be superuser or replication role to use replication slots"),
    ("ERROR", "replication slot \"{slot}\" is active for PID {pid}"),
    ("ERROR", "all replication slots are in use"),
    (
        "ERROR",
        "extension \"{extension}\" is not allow-listed for \"azure_pg_admin\" users in Azure Database for PostgreSQL",
    ),
    ("ERROR", "collation \"{collation}\" for encoding \"UTF8\" does not exist"),
    ("ERROR", "duplicate key value violates unique constraint \"badge_pkey\""),
    ("DETAIL", "Key (badge_no)=({six}) already exists."),
    ("HINT", "Free one or increase max_replication_slots."),
    ("WARNING", "database \"{database}\" has a collation version mismatch"),
    ("FATAL", "password authentication failed for user \"{user}\""),
    ("STATEMENT", "select pg_create_logical_replication_slot('{slot}', 'test_decoding')"),
];

/// Messages of the migration service and its engine: level, file and text.
const SERVICE: [(&str, &str, &str); 24] = [
    ("INFO", "worker.c", "Picked up migration {slot}: mode online, target server {server}"),
    ("INFO", "pgsql.c", "[SOURCE {pid}] Connected as {user}, sslmode=require, TLSv1.3"),
    ("INFO", "pgsql.c", "[TARGET {pid}] The server {server} supports SSL, protocol TLSv1.3"),
    ("SQL", "pgsql.c", "[SOURCE {pid}] select current_setting('server_version_num')"),
    ("SQL", "pgsql.c", "[SOURCE {pid}] select count(*) from pg_replication_slots where slot_name = '{slot}'"),
    ("SQL", "pgsql.c", "[SOURCE {pid}] select castsource::regtype from pg_cast where oid >= 16384"),
    ("SQL", "pgsql.c", "[TARGET {pid}] CREATE EXTENSION IF NOT EXISTS \"{extension}\" CASCADE"),
    ("NOTICE", "pgsql.c", "extension \"{extension}\" already exists, skipping"),
    ("DEBUG", "lease.c", "Heartbeat 2024-06-06T21:39:02.{six}8Z acknowledged after {small} ms"),
    ("DEBUG", "lease.c", "Validation of {database} began at 2024-06-06T21:37:11.{six}+00:00"),
    ("DEBUG", "catalog.c", "Largest object is pg_toast_{six}, {six}216 bytes"),
    ("INFO", "catalog.c", "Estimate for {table}: {six} rows, {small} MB"),
    (
        "INFO",
        "catalog.c",
        "Fetched {small} tables, {small} indexes, {small} sequences of database {database}",
    ),
    ("INFO", "validate.c", "ExtensionsValidation: Succeeded in {small} ms, {extensions} in the allowlist"),
    ("INFO", "validate.c", "Collation {collation} in database {database} is present on the target server"),
    ("INFO", "validate.c", "Source database {database} contains no user-defined collations"),
    ("INFO", "validate.c", "User {user} was granted the replication role on server {server}"),
    ("INFO", "validate.c", "parameter max_wal_senders is set to {small}, max_replication_slots to {small}"),
    ("INFO", "worker.c", "Posted the state of migration {slot} to the resource, revision {six}"),
    ("INFO", "copy.c", "COPY {table}: {six} rows, {small} kB in {small} ms"),
    ("INFO", "copydb.c", "Table {table} exists on the target server: COPY {six}"),
    ("WARN", "copy.c", "COPY worker was asked to stop, {small} tables done, queue {six}"),
    ("ERROR", "pgsql.c", "[TARGET {pid}] [22001] ERROR:  value too long for type character varying(24)"),
    ("ERROR", "copydb.c", "Failed to copy the data of table {table} (oid {six}), see above for details"),
];

/// Appends a line.
pub fn line(out: &mut String, rng: &mut Rng, clock: &mut Clock) {
    let of = rng.below(100);
    if of < 60 {
        let (level, file, text) = *rng.pick(&SERVICE);
        let text = fill(text, rng);
        if of < 30 {
            worker(out, rng, clock, file, level, &text)
        } else {
            pgcopydb(out, rng, clock, file, level, &text)
        }
        return;
    }
    let (level, text) = *rng.pick(&SERVER);
    let text = fill(text, rng);
    match of {
        60..85 => stderr(out, rng, clock, level, &text),
        85..93 => csvlog(out, rng, clock, level, &text),
        _ => monitor(out, rng, clock, level, &text),
    }
}

fn fill(text: &str, rng: &mut Rng) -> String {
    Template::fill(text, |name| value(name, rng))
}

/// Appends a line of the migration service's worker.
pub fn worker(out: &mut String, rng: &mut Rng, clock: &mut Clock, file: &str, level: &str, text: &str) {
    let (time, database) = (clock.tick(rng, 'T'), value("database", rng));
    let _ = writeln!(out, "{time}Z\t{database}\t{}\t{file}\t{level}\t   {text}", 60 + rng.below(40));
}

fn pgcopydb(out: &mut String, rng: &mut Rng, clock: &mut Clock, file: &str, level: &str, text: &str) {
    let (time, file) = (clock.tick(rng, ' '), format!("{file}:{}", 70 + rng.below(4_000)));
    let _ = writeln!(out, "{time} {} {level:<6} {file:<22} {text}", pid(rng));
}

fn stderr(out: &mut String, rng: &mut Rng, clock: &mut Clock, level: &str, text: &str) {
    let (time, user, database) = (clock.tick(rng, ' '), value("user", rng), value("database", rng));
    let _ = writeln!(out, "{time} UTC [{}] {user}@{database} {level}:  {text}", pid(rng));
}

fn csvlog(out: &mut String, rng: &mut Rng, clock: &mut Clock, level: &str, text: &str) {
    let (time, user, database) = (clock.tick(rng, ' '), value("user", rng), value("database", rng));
    let (pid, address, text) = (pid(rng), value("address", rng), text.replace('"', "\"\""));
    let _ = writeln!(
        out,
        "{time} UTC,\"{user}\",\"{database}\",{pid},\"{address}:40612\",66622d3a.{pid:x},{},\"SELECT\",2024-06-01 00:00:00 UTC,7/{},0,{level},00000,\"{text}\",,,,,,,,,\"migration-validator\",\"client backend\",,0",
        1 + rng.below(90),
        rng.below(9_000),
    );
}

fn monitor(out: &mut String, rng: &mut Rng, clock: &mut Clock, level: &str, text: &str) {
    let (time, user, database, pid) =
        (clock.tick(rng, ' '), value("user", rng), value("database", rng), pid(rng));
    let message =
        escaped(&format!("{time} UTC [{pid}] user={user},db={database},app=pgcopydb {level}:  {text}"));
    let properties = format!("\"processId\":{pid},\"errorLevel\":\"{level}\",\"message\":\"{message}\"");
    record(out, rng, clock, &properties);
}

/// Appends a line of an Azure Monitor export.
pub fn record(out: &mut String, rng: &mut Rng, clock: &mut Clock, properties: &str) {
    let (time, fraction) = (clock.tick(rng, 'T'), words::six(rng));
    let _ = writeln!(
        out,
        "{{\"time\":\"{}.{fraction}5Z\",\"resourceId\":\"/SUBSCRIPTIONS/2F8C1D6E-6031-4047-9B3A-7C5E90603405/PROVIDERS/MICROSOFT.DBFORPOSTGRESQL/FLEXIBLESERVERS/CONTOSO-ORDERS-FLEX\",\"category\":\"PostgreSQLLogs\",\"properties\":{{{properties}}}}}",
        &time[..19],
    );
}

/// Returns `text` as Azure's services write it into a JSON string.
pub fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\'', "\\u0027").replace('`', "\\u0060")
}
