/*
 * keys.c: the table of all options, and what is printed from it.
 *
 * A row here and a field in struct config make an option; nothing else has to
 * know it. The order is the order of the printed file, so options of one
 * section stand together.
 */
#include "config/keys.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define FIELD(name) offsetof(struct config, name)
#define UNBOUNDED_BYTES ((int64_t)1 << 60)

enum {
    DAYS_MAX = 36500,
    WORKERS_MAX = 256,
    CONNECTIONS_MAX = 60000,
    COMMIT_LINES_MAX = 1000000
};
enum { REQUESTS_MAX = 1000000, DECODED_BYTES_MAX = 40 << 20 };

const struct config_key config_keys[] = {
    {.path = "data",
     .type = CONFIG_PATH,
     .offset = FIELD(data),
     .standard = "./assay-data",
     .help = "Directory of the store; created by the first command that "
             "writes."},
    {.path = "org",
     .type = CONFIG_TEXT,
     .offset = FIELD(org),
     .standard = "",
     .help = "Organisation of imported lines that name none themselves."},
    {.path = "listen",
     .type = CONFIG_ADDRESS,
     .offset = FIELD(listen),
     .standard = "127.0.0.1:8080",
     .help = "Address and port that pages and API are served on; port 0 takes "
             "a free one."},
    {.path = "public_read",
     .type = CONFIG_BOOL,
     .offset = FIELD(public_read),
     .standard = "false",
     .help = "Whether everybody who reaches the address may read; needed to "
             "listen beyond loopback without a token."},
    {.path = "log.level",
     .type = CONFIG_CHOICE,
     .offset = FIELD(log_level),
     .standard = "info",
     .choices = "debug|info|warning|error",
     .help = "The least serious messages that are printed."},
    {.path = "log.json",
     .type = CONFIG_BOOL,
     .offset = FIELD(log_json),
     .standard = "false",
     .help = "Whether messages are JSON objects, one a line."},
    {.path = "import.commit_lines",
     .type = CONFIG_INT,
     .offset = FIELD(import_commit_lines),
     .standard = "100000",
     .unit = "lines",
     .least = 1,
     .most = COMMIT_LINES_MAX,
     .help = "Lines that one transaction of an import makes durable; more is "
             "faster, less loses less work when it is stopped."},
    {.path = "evidence.keep_accepted_days",
     .type = CONFIG_INT,
     .offset = FIELD(evidence_keep_accepted_days),
     .standard = "0",
     .unit = "days",
     .most = DAYS_MAX,
     .help = "How long the lines of accepted events are kept; 0 keeps them "
             "for ever."},
    {.path = "evidence.keep_ignored_days",
     .type = CONFIG_INT,
     .offset = FIELD(evidence_keep_ignored_days),
     .standard = "30",
     .unit = "days",
     .most = DAYS_MAX,
     .help = "How long the lines of ignored events are kept; 0 keeps them for "
             "ever."},
    {.path = "evidence.keep_rejected_days",
     .type = CONFIG_INT,
     .offset = FIELD(evidence_keep_rejected_days),
     .standard = "90",
     .unit = "days",
     .most = DAYS_MAX,
     .help = "How long rejected lines are kept; 0 keeps them for ever."},
    {.path = "evidence.max_bytes",
     .type = CONFIG_SIZE,
     .offset = FIELD(evidence_max_bytes),
     .standard = "0",
     .unit = "bytes",
     .most = UNBOUNDED_BYTES,
     .help = "Compressed evidence beyond this size expires, oldest first; 0 "
             "sets no limit."},
    {.path = "serve.workers",
     .type = CONFIG_INT,
     .offset = FIELD(serve_workers),
     .standard = "8",
     .unit = "threads",
     .least = 1,
     .most = WORKERS_MAX,
     .help = "Threads that answer requests."},
    {.path = "serve.hosts",
     .type = CONFIG_TEXT,
     .offset = FIELD(serve_hosts),
     .standard = "",
     .help = "Names, parted by commas, that requests may call this server by "
             "beside localhost and addresses; any other Host is refused."},
    {.path = "serve.requests_per_second",
     .type = CONFIG_INT,
     .offset = FIELD(serve_requests_per_second),
     .standard = "50",
     .unit = "requests",
     .most = REQUESTS_MAX,
     .help = "Requests of one address, twice as many in a burst; 0 sets no "
             "limit, and on loopback there is none unless this is set."},
    {.path = "serve.token_failures_per_minute",
     .type = CONFIG_INT,
     .offset = FIELD(serve_token_failures_per_minute),
     .standard = "5",
     .unit = "requests",
     .most = REQUESTS_MAX,
     .help = "Wrong tokens of one address before all of its tokens are "
             "refused for a while; 0 sets no limit, and on loopback there is "
             "none unless this is set."},
    {.path = "serve.compute_bytes",
     .type = CONFIG_SIZE,
     .offset = FIELD(serve_compute_bytes),
     .standard = "64MiB",
     .unit = "bytes",
     .least = 1 << 20,
     .most = UNBOUNDED_BYTES,
     .help = "Memory that an answer may take whose rows are computed and not "
             "read: by another lens, as one pass, or as of an earlier time. "
             "One is computed at a time, and the last one is kept for a "
             "minute."},
    {.path = "ingest.body_bytes",
     .type = CONFIG_SIZE,
     .offset = FIELD(ingest_body_bytes),
     .standard = "8MiB",
     .unit = "bytes",
     .least = 1024,
     .most = CONFIG_INGEST_BODY_BYTES_MAX,
     .help = "Largest body of a request that brings events, as it is sent."},
    {.path = "ingest.decoded_bytes",
     .type = CONFIG_SIZE,
     .offset = FIELD(ingest_decoded_bytes),
     .standard = "32MiB",
     .unit = "bytes",
     .least = 1024,
     .most = DECODED_BYTES_MAX,
     .help = "The same after decompression."},
    {.path = "limits.connections",
     .type = CONFIG_INT,
     .offset = FIELD(limits_connections),
     .standard = "10000",
     .unit = "connections",
     .least = 16,
     .most = CONNECTIONS_MAX,
     .help = "Connections that are held open in all, as far as the system has "
             "descriptors; beyond it, the address that holds most of them "
             "loses its oldest."},
    {.path = "limits.connections_per_address",
     .type = CONFIG_INT,
     .offset = FIELD(limits_connections_per_address),
     .standard = "0",
     .unit = "connections",
     .most = CONNECTIONS_MAX,
     .help = "Connections that one address may hold open; 0 means 64 for other "
             "machines and no limit for this one."},
    {.path = "tls.certificate_file",
     .type = CONFIG_TEXT,
     .offset = FIELD(tls_certificate_file),
     .standard = "",
     .help = "PEM file with the certificate and its chain; where it is set, "
             "only https is spoken."},
    {.path = "tls.key_file",
     .type = CONFIG_TEXT,
     .offset = FIELD(tls_key_file),
     .standard = "",
     .help = "PEM file with the private key of the certificate; without it, "
             "the file of the certificate is taken to hold both."},
    {.path = "tls.ca_file",
     .type = CONFIG_TEXT,
     .offset = FIELD(tls_ca_file),
     .standard = "",
     .help = "PEM file of the certificate authorities that servers are "
             "verified by, in place of the list that is built in."},
    {.path = "ethereum.key_file",
     .type = CONFIG_SECRET,
     .offset = FIELD(ethereum_key_file),
     .standard = "",
     .help = "File with the private key, 64 hexadecimal digits, that signs "
             "what orchestrators want signed before they answer; it needs no "
             "funds."},
    {.path = "payment.signer_url",
     .type = CONFIG_TEXT,
     .offset = FIELD(payment_signer_url),
     .standard = "",
     .help = "Remote signer (go-livepeer -remoteSigner) that signs tickets for "
             "orchestrators with a price; without it they are not used."},
    {.path = "payment.signer_authorization_file",
     .type = CONFIG_SECRET,
     .offset = FIELD(payment_signer_authorization_file),
     .standard = "",
     .help = "File with what the signer wants as the header Authorization."},
    {.path = "payment.run_max_wei",
     .type = CONFIG_INT,
     .offset = FIELD(payment_run_max_wei),
     .standard = "0",
     .unit = "wei",
     .most = INT64_MAX,
     .help = "What one run may pay in tickets, by their expected value; 0 pays "
             "nothing."},
    {.path = "payment.day_max_wei",
     .type = CONFIG_INT,
     .offset = FIELD(payment_day_max_wei),
     .standard = "0",
     .unit = "wei",
     .most = INT64_MAX,
     .help = "What all runs of one UTC day may pay together; 0 pays nothing."},
    {.path = "discover.static",
     .type = CONFIG_TEXT,
     .offset = FIELD(discover_static),
     .standard = "",
     .help = "Orchestrators to measure, parted by commas: HOST, HOST:PORT or "
             "URL."},
    {.path = "discover.file",
     .type = CONFIG_TEXT,
     .offset = FIELD(discover_file),
     .standard = "",
     .help = "File with orchestrators to measure, one a line; # begins a "
             "comment."},
    {.path = "discover.webhook_url",
     .type = CONFIG_TEXT,
     .offset = FIELD(discover_webhook_url),
     .standard = "",
     .help = "Webhook that tells orchestrators, as gateways take it "
             "(-orchWebhookUrl)."},
    {.path = "discover.capabilities_url",
     .type = CONFIG_TEXT,
     .offset = FIELD(discover_capabilities_url),
     .standard = "",
     .help = "getNetworkCapabilities of a gateway: "
             "http://127.0.0.1:5935/getNetworkCapabilities."},
    {.path = "discover.discovery_url",
     .type = CONFIG_TEXT,
     .offset = FIELD(discover_discovery_url),
     .standard = "",
     .help = "Discovery endpoint of a remote signer "
             "(/discover-orchestrators) or of an orchestrator (/discovery)."},
    {.path = "sched.enabled",
     .type = CONFIG_BOOL,
     .offset = FIELD(sched_enabled),
     .standard = "false",
     .help = "Whether `assay serve` measures the orchestrators of section "
             "discover, by plans that it makes."},
    {.path = "sched.vantage",
     .type = CONFIG_TEXT,
     .offset = FIELD(sched_vantage),
     .standard = "local",
     .help = "What to call the place that is measured from."},
    {.path = "sched.workflows",
     .type = CONFIG_TEXT,
     .offset = FIELD(sched_workflows),
     .standard = "noop",
     .help = "What is run, parted by commas: built-in workflows or paths of "
             "YAML files."},
    {.path = "sched.allow_cidrs",
     .type = CONFIG_TEXT,
     .offset = FIELD(sched_allow_cidrs),
     .standard = "",
     .help = "Ranges beyond the public Internet, parted by commas, that "
             "orchestrators, sources and control targets may have, as "
             "10.1.0.0/16."},
    {.path = "sched.control_targets",
     .type = CONFIG_TEXT,
     .offset = FIELD(sched_control_targets),
     .standard = "",
     .help = "URLs, parted by commas, that are asked every minute: where they "
             "fail, too, the fault is ours. Without any, our faults are taken "
             "for theirs, and our clock is not compared."},
    {.path = "sched.control_fail_ppm",
     .type = CONFIG_INT,
     .offset = FIELD(sched_control_fail_ppm),
     .standard = "500000",
     .unit = "ppm",
     .most = 1000000,
     .help = "Runs are set aside during which, or right after which, more "
             "than this share of the control targets failed."},
    {.path = "sched.fleet_fail_ppm",
     .type = CONFIG_INT,
     .offset = FIELD(sched_fleet_fail_ppm),
     .standard = "500000",
     .unit = "ppm",
     .most = 1000000,
     .help = "Runs are set aside, good ones as well as bad ones, when more "
             "than this share of at least four orchestrators failed about "
             "when they ended."},
    {.path = "sched.fleet_window_ms",
     .type = CONFIG_INT,
     .offset = FIELD(sched_fleet_window_ms),
     .standard = "60000",
     .unit = "ms",
     .most = 3600000,
     .help = "Around the end of a run, in which other runs ended about when "
             "it did: it is judged half of it later. 0: none is set aside "
             "with the fleet."},
    {.path = "sched.span_hours",
     .type = CONFIG_INT,
     .offset = FIELD(sched_span_hours),
     .standard = "24",
     .unit = "hours",
     .least = 1,
     .most = 24,
     .help = "How long a plan goes, up to a multiple of it in UTC; divides "
             "24."},
    {.path = "sched.run_ms",
     .type = CONFIG_INT,
     .offset = FIELD(sched_run_ms),
     .standard = "20000",
     .unit = "ms",
     .least = 1000,
     .most = 600000,
     .help = "How long a run takes at the most, start included."},
    {.path = "sched.run_spread_ms",
     .type = CONFIG_INT,
     .offset = FIELD(sched_run_spread_ms),
     .standard = "2000",
     .unit = "ms",
     .most = 600000,
     .help = "By how much that is varied at random, up and down."},
    {.path = "sched.idle_share_ppm",
     .type = CONFIG_INT,
     .offset = FIELD(sched_idle_share_ppm),
     .standard = "50000",
     .unit = "ppm",
     .most = 1000000,
     .help = "Share of an orchestrator's idle capacity of a model that runs of "
             "an hour may take."},
    {.path = "sched.runs_per_hour",
     .type = CONFIG_INT,
     .offset = FIELD(sched_runs_per_hour),
     .standard = "1",
     .unit = "runs",
     .least = 1,
     .most = 3600,
     .help =
         "Planned runs of one workflow on one orchestrator, at the most; as "
         "many for each card that it tells of the model."},
    {.path = "sched.run_ms_per_hour",
     .type = CONFIG_INT,
     .offset = FIELD(sched_run_ms_per_hour),
     .standard = "600000",
     .unit = "ms",
     .most = INT64_C(1000000000000),
     .help = "What all runs of an hour may take together."},
    {.path = "sched.runs_at_once",
     .type = CONFIG_INT,
     .offset = FIELD(sched_runs_at_once),
     .standard = "4",
     .unit = "runs",
     .least = 1,
     .most = 1000,
     .help = "Runs under way at a time."},
    {.path = "sched.tight_ppm",
     .type = CONFIG_INT,
     .offset = FIELD(sched_tight_ppm),
     .standard = "20000",
     .unit = "ppm",
     .most = 1000000,
     .help = "A run ends early once its frame rate is known to within this "
             "share, at 95 %; 0 lets every run take its time."},
    {.path = "sched.hour_ms",
     .type = CONFIG_INT,
     .offset = FIELD(sched_hour_ms),
     .standard = "3600000",
     .unit = "ms",
     .least = 1000,
     .most = 3600000,
     .help = "How long an hour lasts; less is for rehearsals with a simulated "
             "network: stamps run faster than time, and plans say so."},
    {.path = "regions.gateways",
     .type = CONFIG_LABELS,
     .offset = FIELD(regions_gateways),
     .standard = "",
     .help = "Where gateways are, as GATEWAY=REGION parted by commas; shown "
             "in rows of lens assay, and never stored."},
    {.path = "regions.orchestrators",
     .type = CONFIG_LABELS,
     .offset = FIELD(regions_orchestrators),
     .standard = "",
     .help = "The same of orchestrators, by their addresses."},
};

const size_t config_keys_count = sizeof config_keys / sizeof *config_keys;

_Static_assert(sizeof config_keys / sizeof *config_keys <= CONFIG_KEYS_MAX,
               "struct config has too few origins");

size_t config_key_count(void)
{
    return config_keys_count;
}

size_t config_key_find(const char *path)
{
    size_t i = 0;
    while (i < config_keys_count && strcmp(config_keys[i].path, path) != 0)
        i++;
    return i;
}

bool config_is_set(const struct config *config, const char *key)
{
    return config->origins[config_key_find(key)].place != CONFIG_DEFAULT;
}

const char *variable_name(struct arena *arena, const char *path)
{
    char *name = arena_printf(arena, "ASSAY_%s", path);
    for (char *at = name; *at; at++)
        *at = *at == '.' ? '_' : (char)toupper((unsigned char)*at);
    return name;
}

static char json_kind(enum config_type type)
{
    switch (type) {
    case CONFIG_INT:
    case CONFIG_DURATION:
    case CONFIG_SIZE:
        return 'i';
    case CONFIG_NUMBER:
        return 'n';
    case CONFIG_BOOL:
        return 'b';
    default:
        return 't';
    }
}

static const char *origin_text(struct arena *arena,
                               const struct config_origin *origin)
{
    switch (origin->place) {
    case CONFIG_FILE:
        return place_of_line(arena, origin->name, origin->line);
    case CONFIG_ENVIRONMENT:
    case CONFIG_FLAG:
        return origin->name;
    default:
        return "default";
    }
}

struct config_entry config_entry(struct arena *arena,
                                 const struct config *config, size_t i)
{
    const struct config_key *key = &config_keys[i];
    char kind = json_kind(key->type);
    int64_t number = 0;
    if (kind == 'i')
        memcpy(&number, (const char *)config + key->offset, sizeof number);
    return (struct config_entry){
        .key = key->path,
        .value = value_show(arena, key, config),
        .standard = key->standard,
        .unit = key->unit ? key->unit : "",
        .help = key->help,
        .variable = variable_name(arena, key->path),
        .origin = origin_text(arena, &config->origins[i]),
        .kind = kind,
        .number = number,
    };
}

/* ---- the commented file -------------------------------------------------- */

enum { COLUMNS = 80 };

/* TEXT as comment lines behind INDENT blanks, broken between words. */
static void add_comment(struct buf *out, int indent, const char *text)
{
    size_t column = 0;
    while (*text) {
        size_t word = strcspn(text, " ");
        if (column && column + 1 + word > COLUMNS) {
            buf_add_string(out, "\n");
            column = 0;
        }
        if (!column) {
            buf_printf(out, "%*s#", indent, "");
            column = (size_t)indent + 1;
        }
        buf_add_byte(out, ' ');
        buf_add(out, text, word);
        column += 1 + word;
        text += word;
        text += strspn(text, " ");
    }
    buf_add_string(out, "\n");
}

/* What may be written, where the type alone does not say it. */
static void add_limits(struct buf *out, int indent,
                       const struct config_key *key)
{
    char line[CONFIG_REASON_BYTES] = "";
    if (key->type == CONFIG_CHOICE)
        snprintf(line, sizeof line, "One of %s.", key->choices);
    else if (key->type == CONFIG_INT)
        snprintf(line, sizeof line, "From %lld to %lld%s%s.",
                 (long long)key->least, (long long)key->most,
                 key->unit ? " " : "", key->unit ? key->unit : "");
    else if (key->type == CONFIG_NUMBER)
        snprintf(line, sizeof line, "A number from %lld to %lld.",
                 (long long)key->least, (long long)key->most);
    else if (key->type == CONFIG_SIZE)
        snprintf(line, sizeof line, "Bytes, or with a unit: 500MB, 20GiB.");
    else if (key->type == CONFIG_DURATION)
        snprintf(line, sizeof line, "With a unit: 250ms, 30s, 5m, 2h, 7d.");
    if (*line)
        add_comment(out, indent, line);
}

/* Opens "section:" where KEY is the first of its section; returns how many
 * blanks its lines stand behind. */
static int add_section(struct buf *out, const char *path, const char *before)
{
    const char *dot = strchr(path, '.');
    if (!dot)
        return 0;
    size_t length = (size_t)(dot - path) + 1;
    if (!before || strncmp(before, path, length) != 0)
        buf_printf(out, "%.*s:\n", (int)(dot - path), path);
    return 4;
}

/* KEY with its default, under what there is to say about it. */
static void add_key(struct buf *out, const struct config_key *key,
                    const char *before, const char *variable)
{
    buf_add_string(out, "\n");
    int indent = add_section(out, key->path, before);
    add_comment(out, indent, key->help);
    add_limits(out, indent, key);
    if (variable)
        add_comment(out, indent, variable);
    const char *dot = strchr(key->path, '.');
    bool quoted = json_kind(key->type) == 't';
    buf_printf(out, "%*s%s: %s%s%s\n", indent, "", dot ? dot + 1 : key->path,
               quoted ? "\"" : "", key->standard, quoted ? "\"" : "");
}

void config_table_yaml(struct buf *out, const struct config_table *table,
                       const char *opening)
{
    add_comment(out, 0, opening);
    for (size_t i = 0; i < table->count; i++)
        add_key(out, &table->keys[i], i ? table->keys[i - 1].path : NULL, NULL);
}

void config_default_yaml(struct buf *out)
{
    struct arena arena = {0};
    add_comment(out, 0,
                "Configuration of assay. Every option is here with its "
                "default; delete what you do not change. A variable of the "
                "environment beats this file and a flag beats both.");
    for (size_t i = 0; i < config_keys_count; i++)
        add_key(out, &config_keys[i], i ? config_keys[i - 1].path : NULL,
                variable_name(&arena, config_keys[i].path));
    arena_free(&arena);
}
